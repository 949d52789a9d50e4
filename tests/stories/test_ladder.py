"""Rule 31: what falls due on each day, and what could be asked for at any time, is known beforehand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.stories.test_treasury import pool
from tests.stories.test_what_if import a_desk, live, suppose

from staddle import errors, treasury
from staddle.db import Database
from staddle.ledger import AccountKind, account_of, house_balances
from staddle.treasury import Ladder

D = Decimal
DAY = timedelta(days=1)


def ladder_of(living: object, days: int = 120) -> Ladder:
    with living.database.transaction() as tx:  # type: ignore[attr-defined]
        return treasury.ladder(tx, living.now, "USDT", days)[0]  # type: ignore[attr-defined]


def test_the_ladder_is_what_maturities_and_the_base_case_say(database: Database) -> None:
    living = a_desk(database)
    living.passes(days=2)
    living.catch_up()
    found = ladder_of(living)
    with living.database.transaction() as tx:
        due = {each.due_on: each for each in treasury.maturities(tx, living.now, 120)}
    assert len(due) > 3
    for day in found.days:
        matures = due.get(day.on)
        assert day.principal == (matures.principal if matures else 0)
        assert day.principal_leaving == (matures.principal_redeemed if matures else 0)
        assert day.rewards_at_maturity == (matures.rewards if matures else 0)
    leaving = sum((d.principal_leaving + d.rewards_daily + d.rewards_at_maturity for d in found.days), D(0))
    assert found.days[-1].leaving_in_all == leaving
    # Rewards of at-maturity products are an expense by the day, and fall due at the end: the rest is paid daily.
    accruing = {
        row.product_id for row in living.rows("SELECT product_id FROM terms WHERE payout = 'at_maturity'")
    }
    assert accruing
    base = suppose(living).days
    assert sum((day.cost for day in base), D(0)) > sum((day.rewards_daily for day in found.days), D(0))


def test_what_falls_due_is_what_customers_then_get(database: Database) -> None:
    living = a_desk(database)
    living.passes(hours=6)  # past midnight: nobody subscribes any more
    living.catch_up()
    found = ladder_of(living, 20)
    customers = {row.customer_id for row in living.rows("SELECT customer_id FROM customer")}
    before = sum(living.spot(each, "USDT") + living.funding(each, "USDT") for each in customers)
    live(living, 16)
    living.tick()
    after = sum(living.spot(each, "USDT") + living.funding(each, "USDT") for each in customers)
    # What falls due by the end of the sixteenth day, and the distribution of the night after.
    foreseen = found.days[15].leaving_in_all + found.days[16].rewards_daily
    assert abs(after - before - foreseen) < 60 * 16 * D("0.00000001")


def test_what_can_be_taken_at_any_time_and_custody_are_those_of_the_books(database: Database) -> None:
    living = a_desk(database)
    found = ladder_of(living)
    customers = [row.customer_id for row in living.rows("SELECT customer_id FROM customer")]
    with living.database.transaction() as tx:
        books = house_balances(tx)
    assert found.custody == -books[account_of(0, living.assets["USDT"], AccountKind.CUSTODY)]
    free = sum(
        living.spot(each, "USDT") + living.funding(each, "USDT") + living.accrued(each, "USDT")
        for each in customers
    )
    held = {
        row.kind: row.total
        for row in living.rows(
            "SELECT o.kind, sum(p.principal) AS total FROM position p JOIN product o USING (product_id) GROUP BY o.kind"
        )
    }
    assert (found.flexible, found.fixed) == (held["flexible"], held["fixed"])
    assert found.on_demand == free + held["flexible"]
    in_all = found.on_demand + found.days[-1].leaving_in_all
    assert found.coverage_fraction is not None
    assert (
        found.coverage_fraction * in_all <= found.custody < (found.coverage_fraction + D("0.0001")) * in_all
    )
    assert pool(living).left > 0


def test_the_ladder_has_up_to_120_days(database: Database) -> None:
    living = a_desk(database)
    assert len(ladder_of(living, 1).days) == 1
    for days in (0, 121):
        with pytest.raises(errors.InvalidChoice):
            ladder_of(living, days)
