"""Every row of product.md section 3, lived through the public acts on a real database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.living import START, Living

from staddle import positions
from staddle.db import Database

D = Decimal
FLEX_TIERS = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]


def flexible(database: Database, asset: str, staked: str, **rate: Any) -> tuple[Living, int, int]:
    """A desk with one flexible product and a customer who stakes `staked` in it at the start."""
    living = Living(database)
    living.product("FLEX", asset, **rate)
    anna = living.customer("anna")
    living.deposit(anna, asset, staked)
    return living, anna, living.subscribe(anna, "FLEX", staked)


def one_day(database: Database, asset: str, staked: str, **rate: Any) -> Decimal:
    """What one day of this stake brings to Funding in the run that pays it."""
    living, anna, _ = flexible(database, asset, staked, **rate)
    living.passes(days=1, hours=9)
    living.catch_up()
    return living.funding(anna, asset)


def test_100_usdt_at_8_percent_earn_0_02191780_in_one_day(database: Database) -> None:
    living, anna, position = flexible(database, "USDT", "100", apr="0.08")
    living.passes(days=1, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == D("0.02191780")
    basis = living.rows("SELECT basis FROM reward WHERE position_id = %s", position)[0].basis
    carry = basis - 365 * D("0.02191780")
    assert carry == D("0.000003")  # divided by 365: 0.00000000821917...


def test_100_usdt_at_8_percent_earn_exactly_8_in_365_days(database: Database) -> None:
    living, anna, position = flexible(database, "USDT", "100", apr="0.08")
    living.passes(days=365, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == D("8.00000000")
    paid = living.rewards_of(position)
    assert len(paid) == 365
    assert set(paid.values()) == {D("0.02191780"), D("0.02191781")}


def test_a_stake_too_small_to_earn_a_unit_a_day_is_paid_one_on_day_four(database: Database) -> None:
    living, anna, position = flexible(database, "BTC", "0.0001", apr="0.01")
    for day in (1, 2, 3):
        living.comes(START + timedelta(days=day, hours=9))
        living.catch_up()
        assert living.funding(anna, "BTC") == 0
    living.comes(START + timedelta(days=4, hours=9))
    living.catch_up()
    assert living.funding(anna, "BTC") == D("0.00000001")
    assert living.rewards_of(position) == {date(2026, 1, 27): D("0.00000001")}


def test_tiers_are_marginal_and_10000_usdt_earn_0_30410958_a_day(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", bands=FLEX_TIERS)
    anna = living.customer("anna", USDT="10000")
    assert living.preview(anna, "FLEX", "10000").blended_apr == D("0.0111")
    assert living.preview(anna, "FLEX", "10000").daily_estimate == D("0.30410958")
    living.subscribe(anna, "FLEX", "10000")
    living.passes(days=1, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == D("0.30410958")


def test_10000_usdc_at_3_percent_to_1000_then_1_5_earn_0_45205479_a_day(database: Database) -> None:
    bands = [("0", "1000", "0.03"), ("1000", None, "0.015")]
    assert one_day(database, "USDC", "10000", bands=bands) == D("0.45205479")


def test_2_eth_over_three_tiers_are_cut_once_and_not_in_each_tier(database: Database) -> None:
    bands = [("0", "0.1", "0.04"), ("0.1", "1", "0.0008"), ("1", None, "0.0005")]
    assert one_day(database, "ETH", "2", bands=bands) == D("0.00001430")


def fixed(database: Database, apr: str, **terms: Any) -> tuple[Living, int, int]:
    """A desk with a 30-day product and a customer who stakes 1,000 USDT in it at the start."""
    living = Living(database)
    living.product("FIXED-30D", "USDT", apr=apr, term_days=30, **terms)
    anna = living.customer("anna", USDT="1000")
    return living, anna, living.subscribe(anna, "FIXED-30D", "1000")


def test_fixed_1000_at_8_percent_over_30_days_earn_6_57534246(database: Database) -> None:
    living, anna, position = fixed(database, "0.08")
    living.passes(days=31)
    living.catch_up()
    assert sum(living.rewards_of(position).values()) == D("6.57534246")
    assert living.funding(anna, "USDT") == D("1006.57534246")
    assert living.earn(anna, "USDT") == 0


def leave_after_ten_paid(living: Living, anna: int, position: int) -> positions.EarlyQuote:
    """At an APR of 36.5 %, 1,000 earn 1 a day: leave when ten of them have been paid."""
    living.passes(days=10, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == 10
    return living.leave_early(anna, position)


def test_fixed_1000_with_10_paid_left_early_returns_990_and_the_customer_has_had_1000(
    database: Database,
) -> None:
    living, anna, position = fixed(database, "0.365")
    quote = leave_after_ten_paid(living, anna, position)
    assert (quote.returned, quote.rewards_forfeited) == (D(990), D(10))
    assert living.funding(anna, "USDT") == 1000
    assert living.earn(anna, "USDT") == 0


def test_the_same_with_keep_fraction_0_05_returns_990_5(database: Database) -> None:
    living, anna, position = fixed(
        database, "0.365", early_redemption="keep_fraction", kept_fraction=D("0.05")
    )
    quote = leave_after_ten_paid(living, anna, position)
    assert (quote.returned, quote.rewards_kept) == (D("990.5"), D("0.5"))
    assert living.funding(anna, "USDT") == D("1000.5")


def test_300_usdt_at_500_percent_for_3_days_earn_12_32876712(database: Database) -> None:
    living = Living(database)
    living.product("USDT-3D", "USDT", apr="5", term_days=3)
    anna = living.customer("anna", USDT="300")
    position = living.subscribe(anna, "USDT-3D", "300")
    living.passes(days=4)
    living.catch_up()
    assert sum(living.rewards_of(position).values()) == D("12.32876712")
    assert living.funding(anna, "USDT") == D("312.32876712")


def test_subscribed_at_1530_on_the_22nd_the_first_reward_comes_with_the_run_of_the_24th(
    database: Database,
) -> None:
    living, anna, position = flexible(database, "USDT", "100", apr="0.08")
    assert datetime(2026, 1, 22, 15, 30, tzinfo=UTC) == START
    living.comes(datetime(2026, 1, 23, tzinfo=UTC))
    living.run(date(2026, 1, 23))
    assert living.funding(anna, "USDT") == 0
    living.comes(datetime(2026, 1, 24, tzinfo=UTC))
    living.run(date(2026, 1, 24))
    assert living.rewards_of(position) == {date(2026, 1, 24): D("0.02191780")}


def test_redeemed_one_second_before_24_hours_it_is_principal_only_and_at_24_hours_one_day_more(
    database: Database,
) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    early, punctual = (living.customer(name, USDT="100") for name in ("early", "punctual"))
    for customer in (early, punctual):
        living.subscribe(customer, "FLEX", "100")
    living.passes(hours=23, minutes=59, seconds=59)
    assert living.redeem(early, "FLEX").rewards_paid == 0
    assert living.funding(early, "USDT") == 100
    living.passes(seconds=1)
    assert living.redeem(punctual, "FLEX").rewards_paid == D("0.02191780")
    assert living.funding(punctual, "USDT") == D("100.02191780")
    living.passes(days=3)
    living.catch_up()
    assert living.funding(early, "USDT") == 100
    assert living.funding(punctual, "USDT") == D("100.02191780")


def test_a_run_missed_for_three_days_pays_each_day_at_its_own_apr_and_the_same_as_daily_runs(
    make_database: Callable[[], Database],
) -> None:
    paid = []
    for days_of_runs in ([26], [23, 24, 25, 26]):
        living, anna, position = flexible(make_database(), "USDT", "100", apr="0.08")
        # In force before the second accrual day begins (on the 23rd at 15:30), after the first has begun.
        living.revise("FLEX", "0.10", at=datetime(2026, 1, 23, 12, tzinfo=UTC))
        for day in days_of_runs:
            living.comes(datetime(2026, 1, day, 8, tzinfo=UTC))
            reports = living.catch_up()
        assert reports[-1].run_on == date(2026, 1, 26)
        assert living.funding(anna, "USDT") == D("0.07671232")
        paid.append(living.rewards_of(position))
    assert paid[0] == {
        date(2026, 1, 24): D("0.02191780"),  # 8 / 365 = 0.021917808..
        date(2026, 1, 25): D("0.02739726"),  # 18 / 365 = 0.049315068.., less what was paid
        date(2026, 1, 26): D("0.02739726"),  # 28 / 365 = 0.076712328..
    }
    assert paid[1] == paid[0]
