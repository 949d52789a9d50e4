"""Rules 5 to 7, 9 and 22: redeeming from flexible products, and what is settled before a change."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.living import START, Living, assert_books_hold, halt

from staddle import errors, products
from staddle.db import Database
from staddle.positions import Redeem, redeem

D = Decimal
HALVES = [("0", "1000", "0.365"), ("1000", None, "0.0365")]
"""1,000 earn 1 a day, what lies above earns a tenth of that."""


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", bands=HALVES, amount_min="10")
    return living


def test_any_amount_at_any_time_to_funding_or_spot_at_once(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    answer = living.redeem(anna, "FLEX", "100")
    assert (answer.amount, answer.left, answer.rewards_paid) == (D(100), D(900), D(0))
    assert living.funding(anna, "USDT") == 100
    living.redeem(anna, "FLEX", "200.5", destination="spot")
    assert living.spot(anna, "USDT") == D("200.5")
    living.redeem(anna, "FLEX")
    assert living.funding(anna, "USDT") == D("799.5")
    assert living.earn(anna, "USDT") == 0
    assert living.quota_used("FLEX") == 0


def test_a_partial_redemption_takes_the_newest_position_first(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    held = []
    for _ in range(3):
        held.append(living.subscribe(anna, "FLEX", "100"))
        living.passes(hours=1)
    answer = living.redeem(anna, "FLEX", "150")
    assert answer.position_ids == [held[2], held[1]]
    assert [living.position(each).principal for each in held] == [100, 50, 0]
    assert living.position(held[2]).ended_by == "redemption"


def test_a_remainder_below_the_minimum_is_refused_and_redeeming_all_is_not(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "100")
    with pytest.raises(errors.RemainderBelowMinimum) as refusal:
        living.redeem(anna, "FLEX", "90.00000001")
    assert refusal.value.details == {"rest": "9.99999999", "minimum": "10"}
    living.redeem(anna, "FLEX", "90")
    living.redeem(anna, "FLEX", "10")
    assert living.earn(anna, "USDT") == 0


def test_each_refusal_of_redeeming_has_its_own_class(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.1", term_days=7)
    anna = living.customer("anna", USDT="100")
    with pytest.raises(errors.NothingToRedeem):
        living.redeem(anna, "FLEX")
    living.subscribe(anna, "FLEX", "50")
    living.subscribe(anna, "FIXED", "50")
    for amount, refusal in (("50.00000001", errors.MoreThanHeld), ("0", errors.InvalidAmount)):
        with pytest.raises(refusal):
            living.redeem(anna, "FLEX", amount)
    with pytest.raises(errors.TooManyDecimals):
        living.redeem(anna, "FLEX", "0.000000001")
    with pytest.raises(errors.InvalidChoice):
        living.redeem(anna, "FLEX", "10", destination="earn")
    with pytest.raises(errors.ProductNotFound):
        living.redeem(anna, "NOTHING")
    with pytest.raises(errors.QuoteRequired):
        living.redeem(anna, "FIXED")
    with living.database.transaction() as tx:
        halt(tx, "FLEX", "redeeming", "We count the coins", living.now)
    with pytest.raises(errors.RedeemingHalted, match="We count the coins"):
        living.redeem(anna, "FLEX")
    with living.database.transaction() as tx:
        halt(tx, "FLEX", "redeeming", None, living.now)
    assert living.redeem(anna, "FLEX").left == 0


def test_closing_selling_out_or_halting_sales_never_blocks_redeeming(living: Living) -> None:
    living.product("LAST", "USDT", apr="0.365", quota="100")
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "LAST", "100")
    living.redeem(anna, "LAST", "1")
    with living.database.transaction() as tx:
        halt(tx, "LAST", "subscribing", "Paused", living.now)
    living.redeem(anna, "LAST", "1")
    with living.database.transaction() as tx:
        halt(tx, "LAST", "subscribing", None, living.now)
        products.close_product(tx, "ada", "LAST", living.now)
    living.passes(days=1)
    assert living.redeem(anna, "LAST").rewards_paid == D("0.098")


def test_one_bad_redemption_never_fails_its_neighbours_and_a_list_shares_what_is_held(living: Living) -> None:
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    for customer in (anna, bert):
        living.subscribe(customer, "FLEX", "100")
    living.passes(days=1)
    commands = [
        Redeem(customer_id=customer, key=f"r{number}", product=product, amount=D(amount) if amount else None)
        for number, (customer, product, amount) in enumerate(
            [
                (anna, "FLEX", "60"),
                (anna, "FLEX", "60"),
                (bert, "NO", None),
                (bert, "FLEX", None),
                (anna, "FLEX", None),
            ]
        )
    ]
    with living.database.transaction() as tx:
        outcomes = redeem(tx, commands, living.now)
        assert_books_hold(tx)
    assert [None if o.error is None else o.error.code() for o in outcomes] == [
        *(None, "more_than_held", "product_not_found", None, None)
    ]
    # One position that two commands touch is settled once, and told with the first.
    assert [o.answer.rewards_paid for o in outcomes if o.answer is not None] == [D("0.1"), D("0.1"), 0]
    assert living.funding(anna, "USDT") == D("100.1")


def test_completed_days_are_paid_in_the_same_transaction_and_never_again(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "1000")
    living.passes(days=2, hours=3)
    assert living.redeem(anna, "FLEX", "500").rewards_paid == 2
    assert living.funding(anna, "USDT") == 502
    living.passes(days=1)
    living.catch_up()
    # Paid by the redemption: the days completed on the 23rd and 24th; by the run: the one of the 25th, on 500.
    assert living.rewards_of(position) == {
        date(2026, 1, 24): D(1),
        date(2026, 1, 25): D(1),
    }
    living.passes(days=1)
    living.catch_up()
    assert living.rewards_of(position)[date(2026, 1, 26)] == D("0.5")


def test_a_day_that_completes_at_the_very_instant_of_a_redemption_earns_on_what_stood_until_then(
    living: Living,
) -> None:
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    living.comes(START + timedelta(days=1))
    assert living.redeem(anna, "FLEX", "900").rewards_paid == 1


def test_the_second_before_24_hours_earns_nothing_whatever_the_clock_of_the_wall_says(living: Living) -> None:
    # Midnight sniping: in before the distribution, out right after it.
    anna = living.customer("anna", USDT="1000")
    living.comes(START.replace(hour=23, minute=59, second=59))
    living.subscribe(anna, "FLEX", "1000")
    living.passes(seconds=6)
    living.catch_up()
    assert living.redeem(anna, "FLEX").rewards_paid == 0
    living.passes(days=2)
    living.catch_up()
    assert living.funding(anna, "USDT") == 1000


def test_the_oldest_position_fills_the_lowest_tier_first(living: Living) -> None:
    anna = living.customer("anna", USDT="3000")
    older = living.subscribe(anna, "FLEX", "800")
    living.passes(minutes=1)
    younger = living.subscribe(anna, "FLEX", "700")
    living.passes(days=1)
    living.passes(hours=9)
    living.catch_up()
    assert list(living.rewards_of(older).values()) == [D("0.8")]
    assert list(living.rewards_of(younger).values()) == [
        D("0.25")
    ]  # 200 at the first tier, 500 at the second


def test_a_younger_position_takes_the_older_ones_place_in_the_tiers_only_from_then_on(living: Living) -> None:
    living.product("FIXED", "USDT", bands=HALVES, term_days=10, rate_policy="floating")
    anna = living.customer("anna", USDT="3000")
    older = living.subscribe(anna, "FIXED", "1000")
    younger = living.subscribe(anna, "FIXED", "1000")
    living.passes(days=3)
    living.leave_early(anna, older)
    assert list(living.rewards_of(younger).values()) == [D("0.1")] * 3
    assert living.funding(anna, "USDT") == D("1000.3")
    living.passes(days=2, hours=9)
    living.catch_up()
    assert list(living.rewards_of(younger).values()) == [D("0.1")] * 3 + [D(1)] * 2


def test_a_redeemed_position_loses_its_last_sub_unit_and_nothing_more(living: Living) -> None:
    living.product("DUST", "BTC", apr="0.01")
    anna = living.customer("anna", BTC="0.0001")
    living.subscribe(anna, "DUST", "0.0001")
    living.passes(days=3, hours=23)
    living.redeem(anna, "DUST")
    assert living.funding(anna, "BTC") == D("0.0001")
    living.subscribe(anna, "DUST", "0.0001", source="funding")
    living.passes(days=11)
    living.redeem(anna, "DUST")
    assert living.funding(anna, "BTC") == D("0.00010003")  # 11 x 0.27397.. = 3.01


def test_the_carry_survives_a_partial_redemption(living: Living) -> None:
    living.product("DUST", "BTC", apr="0.01")
    anna = living.customer("anna", BTC="0.0002")
    living.subscribe(anna, "DUST", "0.0002")
    living.passes(days=1)
    living.redeem(anna, "DUST", "0.0001")  # 0.547.. of a unit is carried
    living.passes(days=2)
    living.redeem(anna, "DUST")  # 0.547.. + 2 x 0.273.. = 1.09
    assert living.funding(anna, "BTC") == D("0.00020001")
