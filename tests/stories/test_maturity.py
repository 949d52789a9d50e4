"""Rules 8, 18 and 23: a fixed-term position ends by itself, to the second, and goes where it was to go."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import START, Living, assert_books_hold, halt

from staddle import errors, products
from staddle.db import Database

D = Decimal
SECOND = timedelta(seconds=1)


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.365", personal_cap="5000")
    return living


def staked(living: Living, amount: str = "1000", choice: str | None = None, **terms: Any) -> tuple[int, int]:
    """Anna with a stake for three days at a thousandth a day."""
    usual: dict[str, Any] = {"apr": "0.365", "term_days": 3, "flexible_product": "FLEX"}
    living.product("FIXED", "USDT", **(usual | terms))
    anna = living.customer("anna", USDT=amount)
    return anna, living.subscribe(anna, "FIXED", amount, at_maturity=choice)


def test_maturity_comes_to_the_second_and_pays_principal_and_complete_rewards(living: Living) -> None:
    anna, position = staked(living)
    living.passes(days=3, seconds=-1)
    assert living.tick() == 0
    assert living.earn(anna, "USDT") == 1000
    living.passes(seconds=1)
    assert living.tick() == 1
    assert (living.earn(anna, "USDT"), living.funding(anna, "USDT")) == (D(0), D(1003))
    assert living.position(position).ended_at == START + timedelta(days=3)
    assert living.tick() == 0


def test_the_first_run_after_the_instant_ends_it_with_nothing_idle(living: Living) -> None:
    anna, position = staked(living)
    living.passes(days=3, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == 1003
    assert list(living.rewards_of(position)) == [date(2026, 1, day) for day in (24, 25, 26)]
    living.passes(days=10)
    living.catch_up()
    assert len(living.rewards_of(position)) == 3  # nothing accrues after maturity


def test_a_maturity_noticed_late_ends_as_of_its_instant(living: Living) -> None:
    anna, position = staked(living, choice="renew")
    living.passes(days=7, hours=2)
    assert living.tick() == 2
    first, second, third = living.positions_of(anna, "FIXED")
    assert [each.started_at for each in (first, second, third)] == [
        START + timedelta(days=n) for n in (0, 3, 6)
    ]
    assert [each.ended_by for each in (first, second, third)] == ["renewal", "renewal", None]
    assert (second.renewed_from, third.renewed_from) == (position, second.position_id)
    living.catch_up()
    living.passes(days=3)
    living.catch_up()
    # Nine days at 1 a day, none of them compounded: renewal is of the principal only.
    assert living.funding(anna, "USDT") == 9
    assert living.earn(anna, "USDT") == 1000


def test_the_customers_choice_overrides_the_terms_and_can_be_changed_until_the_instant(
    living: Living,
) -> None:
    anna, position = staked(living, at_maturity="renew")
    assert living.position(position).at_maturity == "renew"
    assert living.choose(anna, position, "redeem", "spot").choice["at_maturity"] == "redeem"
    living.comes(START + timedelta(days=3) - SECOND)
    living.choose(anna, position, "redeem", "funding")
    living.passes(seconds=1)
    with pytest.raises(errors.PositionMatured):
        living.choose(anna, position, "renew")
    living.tick()
    assert living.funding(anna, "USDT") == 1003


def test_redeemed_principal_goes_to_spot_if_so_chosen_and_rewards_to_funding(living: Living) -> None:
    anna, _ = staked(living)
    living.choose(anna, living.positions_of(anna, "FIXED")[0].position_id, "redeem", "spot")
    living.passes(days=3)
    living.tick()
    assert (living.spot(anna, "USDT"), living.funding(anna, "USDT")) == (D(1000), D(3))


def test_choices_that_are_not_on_offer_are_refused(living: Living) -> None:
    living.product("LONELY", "USDT", apr="0.1", term_days=7)
    anna = living.customer("anna", USDT="100")
    lonely, flexible = living.subscribe(anna, "LONELY", "50"), living.subscribe(anna, "FLEX", "50")
    for at_maturity, to in (("to_flexible", "spot"), ("keep", "spot"), ("redeem", "earn")):
        with pytest.raises(errors.InvalidChoice):
            living.choose(anna, lonely, at_maturity, to)
    with pytest.raises(errors.NotAFixedPosition):
        living.choose(anna, flexible, "renew")


def test_a_renewal_is_under_the_terms_and_the_rate_of_that_day(living: Living) -> None:
    anna, position = staked(living, choice="renew")
    living.revise("FIXED", "0.73", at=living.now + timedelta(days=2))
    living.new_terms("FIXED", term_days=5)
    living.passes(days=4)
    living.tick()
    renewed = living.positions_of(anna, "FIXED")[1]
    assert (renewed.version, renewed.term_days, renewed.locked_revision) == (2, 5, 2)
    assert renewed.started_at == START + timedelta(days=3)
    living.passes(hours=9)
    living.catch_up()
    assert list(living.rewards_of(position).values()) == [1, 1, 1]
    assert list(living.rewards_of(renewed.position_id).values()) == [2]


def test_to_flexible_the_principal_earns_on_as_a_flexible_position_from_the_instant(living: Living) -> None:
    anna, _ = staked(living, choice="to_flexible")
    living.passes(days=4)
    living.tick()
    assert living.positions_of(anna, "FIXED")[0].ended_by == "to_flexible"
    assert living.redeem(anna, "FLEX").rewards_paid == 1
    assert living.funding(anna, "USDT") == 1004
    assert (living.quota_used("FIXED"), living.quota_used("FLEX")) == (D(0), D(0))


@pytest.mark.parametrize("obstacle", ["closed", "halted", "cap", "quota", "minimum", "step", "maximum"])
def test_where_the_target_cannot_take_it_it_is_redeemed(living: Living, obstacle: str) -> None:
    limits: dict[str, dict[str, Any]] = {
        "cap": {"personal_cap": "999"},
        "quota": {"quota": "999"},
        "minimum": {"amount_min": "1001"},
        "step": {"step": "300", "amount_min": "300"},
        "maximum": {"amount_max": "999"},
    }
    living.product("TARGET", "USDT", apr="0.1", **limits.get(obstacle, {}))
    anna, position = staked(living, choice="to_flexible", flexible_product="TARGET")
    with living.database.transaction() as tx:
        if obstacle == "closed":
            products.close_product(tx, "ada", "TARGET", living.now)
        if obstacle == "halted":
            halt(tx, "TARGET", "subscribing", "Pause", living.now)
    living.passes(days=3)
    living.tick()
    assert living.position(position).ended_by == "maturity"
    assert living.funding(anna, "USDT") == 1003


def test_a_target_that_can_just_take_it_takes_it(living: Living) -> None:
    living.product(
        "TARGET", "USDT", apr="0.1", personal_cap="1000", quota="1000", amount_max="1000", amount_min="1000"
    )
    anna, position = staked(living, choice="to_flexible", flexible_product="TARGET")
    living.passes(days=3)
    living.tick()
    assert living.position(position).ended_by == "to_flexible"
    assert living.earn(anna, "USDT") == 1000


def test_a_sold_out_product_renews_because_the_principal_frees_its_own_quota(living: Living) -> None:
    _, position = staked(living, choice="renew", quota="1000")
    living.passes(days=3)
    living.tick()
    assert living.position(position).ended_by == "renewal"
    assert living.quota_used("FIXED") == 1000


def test_at_maturity_products_accrue_daily_and_pay_on_maturity(living: Living) -> None:
    anna, _ = staked(living, payout="at_maturity")
    living.passes(days=2, hours=9)
    living.catch_up()
    assert (living.accrued(anna, "USDT"), living.funding(anna, "USDT")) == (D(2), D(0))
    living.passes(hours=15)
    living.tick()
    assert (living.accrued(anna, "USDT"), living.funding(anna, "USDT")) == (D(0), D(1003))
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_at_maturity_rewards_are_paid_when_the_principal_is_renewed(living: Living) -> None:
    anna, _ = staked(living, payout="at_maturity", choice="renew")
    living.passes(days=5, hours=9)
    living.catch_up()
    assert (living.accrued(anna, "USDT"), living.funding(anna, "USDT")) == (D(2), D(3))


def test_several_maturities_of_one_customer_settle_the_tiers_one_after_the_other(living: Living) -> None:
    bands = [("0", "1000", "0.365"), ("1000", None, "0")]
    living.product("TIERED", "USDT", bands=bands, term_days=2, rate_policy="floating")
    anna = living.customer("anna", USDT="3000")
    held = []
    for hour in (0, 1, 2):
        living.comes(START + timedelta(hours=hour))
        held.append(living.subscribe(anna, "TIERED", "1000"))
    living.passes(days=9)
    assert living.tick() == 3
    # The second day of each completes after the one before it has matured: only then it fills the first tier.
    assert [sum(living.rewards_of(each).values()) for each in held] == [2, 1, 1]
    assert living.funding(anna, "USDT") == 3004


def test_an_act_finds_what_has_matured_before_it_as_ended(living: Living) -> None:
    anna, _ = staked(living, choice="to_flexible")
    living.passes(days=3)
    answer = living.redeem(anna, "FLEX")  # nobody ticked: the act itself ends it first
    assert (answer.amount, answer.rewards_paid) == (D(1000), D(0))
    assert living.funding(anna, "USDT") == 1003
