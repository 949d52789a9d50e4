"""Rule 16: auto-subscribe after the daily run, and the customer's rate guard."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living, assert_books_hold

from staddle import customers, errors, products
from staddle.db import Database
from staddle.ledger import Outcome
from staddle.positions import (
    Chosen,
    Redeemed,
    SetAutoSubscribe,
    SetRateGuard,
    Subscribed,
    apply_rate_guards,
    auto_subscribe,
    set_auto_subscribe,
    set_rate_guard,
)

D = Decimal
TODAY = date(2026, 1, 23)


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.1", amount_min="10", step="10")
    return living


def automatic(living: Living, customer: int, product: str = "FLEX", **fields: Any) -> Chosen:
    wording: dict[str, Any] = {
        "key": living.key(),
        "floor": D(0),
        "agreement_version": living.agreement,
    } | fields
    command = SetAutoSubscribe(customer_id=customer, product=product, **wording)
    with living.database.transaction() as tx:
        outcome = set_auto_subscribe(tx, [command], living.now)[0]
    return outcome.unwrap()


def guard(
    living: Living, customer: int, apr_min: str, action: str, product: str = "FLEX", is_on: bool = True
) -> Chosen:
    command = SetRateGuard(
        customer_id=customer,
        key=living.key(),
        product=product,
        apr_min=D(apr_min),
        action=action,
        is_on=is_on,
    )
    with living.database.transaction() as tx:
        outcome = set_rate_guard(tx, [command], living.now)[0]
    return outcome.unwrap()


def after_run(living: Living, run_on: date = TODAY) -> list[Outcome[Subscribed]]:
    with living.database.transaction() as tx:
        return auto_subscribe(tx, range(256), run_on, living.now)


def apply_guards(living: Living) -> list[Outcome[Redeemed]]:
    with living.database.transaction() as tx:
        return apply_rate_guards(tx, range(256), living.now)


# Auto-subscribe


def test_idle_balance_above_the_floor_goes_into_the_chosen_product_in_whole_steps(living: Living) -> None:
    anna = living.customer("anna", USDT="127.5")
    living.deposit(anna, "USDT", "40", "funding")
    automatic(living, anna, floor=D(100))
    assert [outcome.unwrap().amount for outcome in after_run(living)] == [20]
    assert (living.spot(anna, "USDT"), living.earn(anna, "USDT")) == (D("107.5"), D(20))
    assert living.funding(anna, "USDT") == 40
    automatic(living, anna, floor=D(0), source="funding")
    assert [outcome.unwrap().amount for outcome in after_run(living, TODAY + timedelta(days=1))] == [40]


def test_it_is_done_once_for_each_run_however_often_it_is_tried(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    automatic(living, anna)
    assert len(after_run(living)) == 1
    living.deposit(anna, "USDT", "50")
    assert after_run(living) == []
    assert len(after_run(living, TODAY + timedelta(days=1))) == 1
    assert living.earn(anna, "USDT") == 150


def test_it_takes_no_more_than_maximum_cap_and_quota_let_in(living: Living) -> None:
    living.product(
        "SMALL", "USDT", apr="0.1", amount_max="50", personal_cap="70", quota="110", amount_min="10"
    )
    anna, bert = living.customer("anna", USDT="500"), living.customer("bert", USDT="500")
    for customer in (anna, bert):
        automatic(living, customer, "SMALL")
    assert [outcome.unwrap().amount for outcome in after_run(living)] == [50, 50]
    codes = [
        o.error.code() if o.error else str(o.unwrap().amount)
        for o in after_run(living, TODAY + timedelta(days=1))
    ]
    assert codes[0] == "10.00000000"  # the quota's rest; it was also within the cap
    assert living.quota_used("SMALL") == 110
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_it_stops_at_a_new_agreement_a_closed_product_and_when_switched_off(living: Living) -> None:
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    for customer in (anna, bert):
        automatic(living, customer)
    automatic(living, bert, is_on=False)
    with living.database.transaction() as tx:
        living.agreement = customers.publish_agreement(tx, "ada", "Staking", "New words.", living.now)
    refused = after_run(living)
    assert [type(outcome.error) for outcome in refused] == [errors.AgreementOutdated]
    automatic(living, anna)
    with living.database.transaction() as tx:
        products.close_product(tx, "ada", "FLEX", living.now)
    assert after_run(living, TODAY + timedelta(days=1)) == []
    assert (living.spot(anna, "USDT"), living.spot(bert, "USDT")) == (D(100), D(100))


def test_what_cannot_be_automatic_is_refused(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.1", term_days=7)
    anna = living.customer("anna")
    for refusal, wrong in (
        (errors.NotAFlexibleProduct, {"product": "FIXED"}),
        (errors.ProductNotFound, {"product": "NOTHING"}),
        (errors.InvalidChoice, {"source": "earn"}),
        (errors.InvalidAmount, {"floor": D(-1)}),
        (errors.InvalidAmount, {"floor": D("NaN")}),
        (errors.TooManyDecimals, {"floor": D("0.000000001")}),
        (errors.AgreementNotAccepted, {"agreement_version": None}),
        (errors.AgreementOutdated, {"agreement_version": 7}),
        (errors.InvalidKey, {"key": ""}),
    ):
        with pytest.raises(refusal):
            automatic(living, anna, **wrong)
    with pytest.raises(errors.CustomerNotFound):
        automatic(living, anna + 256)
    assert living.rows("SELECT FROM auto_subscription") == []


# The rate guard


def test_a_guard_redeems_all_once_the_rate_is_revised_below_it(living: Living) -> None:
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    for customer, lowest in ((anna, "0.05"), (bert, "0.04")):
        living.subscribe(customer, "FLEX", "100")
        guard(living, customer, lowest, "redeem")
    living.revise("FLEX", "0.04", at=living.now + timedelta(hours=1))
    assert apply_guards(living) == []
    living.passes(hours=1)
    assert [outcome.unwrap().amount for outcome in apply_guards(living)] == [100]
    assert (living.funding(anna, "USDT"), living.earn(bert, "USDT")) == (D(100), D(100))
    assert apply_guards(living) == []


def test_a_guard_acts_once_for_a_revision_so_that_a_customer_may_come_back(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "100")
    guard(living, anna, "0.05", "redeem")
    living.revise("FLEX", "0.04", at=living.now + timedelta(hours=1))
    living.passes(hours=1)
    apply_guards(living)
    living.subscribe(anna, "FLEX", "100", source="funding")
    assert [outcome.is_replay for outcome in apply_guards(living)] == [True]
    assert living.earn(anna, "USDT") == 100
    living.revise("FLEX", "0.03", at=living.now + timedelta(hours=1))
    living.passes(hours=1)
    apply_guards(living)
    assert living.earn(anna, "USDT") == 0


def test_the_highest_tier_is_what_a_guard_looks_at(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "100")
    guard(living, anna, "0.05", "redeem")
    living.revise("FLEX", bands=[("0", "1", "0.05"), ("1", None, "0")], at=living.now + timedelta(hours=1))
    living.passes(hours=1)
    assert apply_guards(living) == []


def test_a_guard_that_only_stops_keeps_what_is_staked_and_stops_auto_subscribe_and_renewal(
    living: Living,
) -> None:
    living.product("FIXED", "USDT", apr="0.1", term_days=1, at_maturity="renew")
    anna = living.customer("anna", USDT="300")
    living.subscribe(anna, "FLEX", "100")
    renewing = living.subscribe(anna, "FIXED", "100")
    automatic(living, anna)
    for product in ("FLEX", "FIXED"):
        guard(living, anna, "0.05", "stop", product)
        living.revise(product, "0.04", at=living.now + timedelta(hours=1))
    living.passes(days=1)
    assert apply_guards(living) == []
    assert after_run(living) == []
    living.tick()
    assert living.position(renewing).ended_by == "maturity"
    assert living.earn(anna, "USDT") == 100
    guard(living, anna, "0.05", "stop", is_on=False)
    assert len(after_run(living)) == 1


def test_what_cannot_be_a_guard_is_refused(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.1", term_days=7)
    anna = living.customer("anna")
    for refusal, wrong in (
        (errors.NotAFlexibleProduct, ("0.1", "redeem", "FIXED")),
        (errors.ProductNotFound, ("0.1", "redeem", "NOTHING")),
        (errors.InvalidChoice, ("0.1", "sell", "FLEX")),
        (errors.InvalidRate, ("-0.1", "stop", "FLEX")),
        (errors.InvalidRate, ("101", "stop", "FLEX")),
        (errors.InvalidRate, ("NaN", "stop", "FLEX")),
    ):
        with pytest.raises(refusal):
            guard(living, anna, *wrong)
    with pytest.raises(errors.CustomerNotFound):
        guard(living, anna + 256, "0.1", "stop")
    assert living.rows("SELECT FROM rate_guard") == []
