"""Why a position was paid what it was on a run date, or nothing: every reason there is."""

from datetime import date, timedelta
from decimal import Decimal

from tests.living import Living

from staddle.db import Database
from staddle.rewards import explain_day
from staddle.rewards.explain import DayExplained
from staddle.rewards.park import park


def explained(living: Living, customer: int, position: int, run_on: date) -> DayExplained:
    with living.database.transaction() as tx:
        return explain_day(tx, customer, position, run_on, living.now)


def test_every_day_of_a_position_has_its_reason(database: Database) -> None:
    living = Living(database)
    living.product("COIN", "BTC", apr="0.01")
    living.product("TERM", "BTC", apr="0.5", term_days=3)
    anna = living.customer("anna", BTC="10")
    small = living.subscribe(anna, "COIN", "0.0001")
    term = living.subscribe(anna, "TERM", "1")
    living.product("ASIDE", "BTC", apr="0.02")
    put_aside = living.subscribe(anna, "ASIDE", "1")
    with database.transaction() as tx:
        park(tx, put_aside, living.now.date(), Decimal(0), "a test", living.now)
    for _ in range(6):
        living.passes(days=1)
        living.tick()
        living.catch_up()
    start = date(2026, 1, 22)
    # 0.0001 BTC at 1 % earn a unit only on the fourth day (product.md, worked numbers).
    reasons = {n: explained(living, anna, small, start + timedelta(days=n)).reason for n in (1, 2, 4, 5)}
    assert reasons == {1: "before_first_day", 2: "carried", 4: "carried", 5: "paid"}
    fourth = explained(living, anna, small, start + timedelta(days=5))
    assert (fourth.day, fourth.receipt is not None) == (4, True)
    assert fourth.receipt is not None
    assert fourth.receipt["amount"] == "0.00000001"
    last = explained(living, anna, term, start + timedelta(days=9))
    assert (last.reason, last.last_run_on) == ("after_maturity", start + timedelta(days=4))
    assert explained(living, anna, put_aside, start + timedelta(days=3)).reason == "parked"
    assert explained(living, anna, small, start + timedelta(days=60)).reason == "not_due"
    living.passes(days=2)
    assert explained(living, anna, small, living.now.date()).reason == "run_waits"
    living.redeem(anna, "COIN")
    assert explained(living, anna, small, living.now.date() + timedelta(days=5)).reason == "after_end"
