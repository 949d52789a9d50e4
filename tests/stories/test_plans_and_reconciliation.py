"""Rule 20: what a run would owe against the run before, each limit with its figures, and that nothing is left over."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.living import Living, assert_audited, release

from staddle import desk, errors, ledger, rewards
from staddle.db import Database
from staddle.rewards.dry_run import percent_of

D = Decimal
FIRST, SECOND = date(2026, 1, 24), date(2026, 1, 25)


@pytest.fixture
def living(database: Database) -> Living:
    """Two products of one coin and one of another; the first day's rewards are paid."""
    living = Living(database, run_change_max="0.5")
    living.asset("BTC", pool=D(10))
    living.product("FLEX", "USDT", apr="0.365")
    living.product("MORE", "USDT", apr="0.73")
    living.product("COIN", "BTC", apr="0.365")
    anna = living.customer("anna", USDT="10000", BTC="100")
    living.subscribe(anna, "FLEX", "1000")
    living.subscribe(anna, "COIN", "100")
    living.comes(datetime(2026, 1, 24, 9, tzinfo=UTC))
    living.catch_up()
    living.subscribe(anna, "MORE", "100")
    living.comes(datetime(2026, 1, 25, 10, tzinfo=UTC))
    return living


def plan(living: Living, run_on: date | None = None) -> rewards.DryRun:
    with living.database.transaction() as tx:
        return rewards.dry_run(tx, run_on, living.now)


def test_a_plan_says_by_product_and_asset_how_it_differs_from_the_run_before(living: Living) -> None:
    found = plan(living, SECOND)
    assert (found.run_on, found.before_run_on) == (SECOND, FIRST)
    figures = {
        each.product: (each.rewards, each.amount, each.amount_before, each.change, each.change_percent)
        for each in found.lines
    }
    assert figures == {
        "COIN": (1, D("0.1"), D("0.1"), D(0), D(0)),
        "FLEX": (1, D(1), D(1), D(0), D(0)),
    }
    living.comes(datetime(2026, 1, 26, 10, tzinfo=UTC))
    living.run(SECOND)
    found = plan(living)
    assert [
        (each.asset, each.rewards, each.amount, each.change, each.change_percent) for each in found.totals
    ] == [
        ("BTC", 1, D("0.1"), D(0), D(0)),
        ("USDT", 2, D("1.2"), D("0.2"), D(20)),
    ]
    more = next(each for each in found.lines if each.product == "MORE")
    assert (more.amount_before, more.change, more.change_percent) == (D(0), D("0.2"), None)


def test_a_product_that_owes_nothing_any_more_is_told_too(living: Living) -> None:
    living.run(SECOND)
    living.redeem(living.rows("SELECT customer_id FROM customer")[0].customer_id, "FLEX")
    living.comes(datetime(2026, 1, 26, 10, tzinfo=UTC))
    gone = next(each for each in plan(living).lines if each.product == "FLEX")
    assert (gone.rewards, gone.amount, gone.change, gone.change_percent) == (0, D(0), D(-1), D(-100))


@pytest.mark.parametrize(
    ("amount", "before", "percent"),
    [
        ("1.2", "1", "20.00"),
        ("1", "3", "-66.66"),
        ("5", "3", "66.66"),
        ("0.99999", "1", "0.00"),
        ("1", "1", "0.00"),
        ("1.99999999", "1", "99.99"),
    ],
)
def test_percents_are_cut_and_never_rounded(amount: str, before: str, percent: str) -> None:
    assert str(percent_of(D(amount), D(before))) == percent
    assert percent_of(D(amount), D(0)) is None


def test_every_limit_says_its_figures_whether_it_is_kept_or_not(living: Living) -> None:
    limits = {(each.limit, each.asset): each for each in plan(living, SECOND).limits}
    assert all(each.is_within for each in limits.values())
    assert set(limits) == {
        ("rate", None),
        ("pool", "BTC"),
        ("change", "BTC"),
        ("pool", "USDT"),
        ("change", "USDT"),
    }
    pool = limits["pool", "BTC"]
    assert (pool.owed, pool.allowed) == (D("0.1"), D("9.9"))
    change = limits["change", "BTC"]
    assert (change.before, change.owed, change.least, change.allowed) == (
        D("0.1"),
        D("0.1"),
        D("0.05"),
        D("0.15"),
    )


def test_a_run_outside_its_limits_keeps_them_as_they_stood_when_it_was_planned(living: Living) -> None:
    living.run(SECOND)
    anna = living.rows("SELECT customer_id FROM customer")[0].customer_id
    living.subscribe(anna, "MORE", "8000")
    living.comes(datetime(2026, 1, 27, 10, tzinfo=UTC))
    *_, held = living.catch_up()
    assert held.state == "held"
    [outside] = [each for each in held.limits if not each.is_within]
    assert (outside.limit, outside.asset, outside.before, outside.owed, outside.allowed) == (
        "change",
        "USDT",
        D("1.2"),
        D("17.2"),
        D("1.80"),
    )
    assert outside.because == held.held_because
    with living.database.transaction() as tx:
        kept = rewards.kept_plan(tx, held)
        assert [each.change_percent for each in kept.totals] == [D("0.00"), D("1333.33")]
        release(tx, held.run_on, living.now)
    assert living.run(held.run_on).limits == held.limits


def test_a_finished_run_is_reconciled_to_zero_with_what_acts_settled_and_what_was_parked(
    living: Living,
) -> None:
    with living.database.transaction() as tx:
        desk.change_limits(tx, "ada", D(1_000_000), 30, living.now)
    bert, carl = (living.customer(name, USDT="5000") for name in ("bert", "carl"))
    living.subscribe(bert, "FLEX", "2000")
    living.subscribe(carl, "FLEX", "500")
    living.run(SECOND)
    living.comes(datetime(2026, 1, 26, 23, tzinfo=UTC))
    living.run(date(2026, 1, 26))
    living.redeem(bert, "FLEX", "1000")  # settles the day that the run of the 27th owes
    account = ledger.account_of(carl, living.assets["USDT"], ledger.AccountKind.FUNDING)
    with living.database.owner() as owner:
        owner.execute("DELETE FROM balance WHERE account_id = %s", [account])
    living.comes(datetime(2026, 1, 27, 1, tzinfo=UTC))
    report = living.run(date(2026, 1, 27))
    assert (report.state, report.parked_count) == ("finished", 1)
    with living.database.transaction() as tx:
        found = rewards.reconcile(tx, report.run_on)
    assert found.is_even
    flex = next(each for each in found.products if each.product == "FLEX")
    assert (flex.planned, flex.paid_by_run, flex.settled_by_acts, flex.parked, flex.difference) == (
        D("3.5"),
        D(1),
        D(2),
        D("0.5"),
        D(0),
    )
    [_, usdt] = found.assets
    assert (usdt.product, usdt.planned, usdt.difference) == (None, D("3.7"), D(0))
    rows = list(csv.DictReader(io.StringIO(rewards.reconciliation_csv(found).decode())))
    assert [(row["product"], row["planned"], row["difference"]) for row in rows] == [
        ("COIN", "0.10000000", "0.00000000"),
        ("FLEX", "3.50000000", "0.00000000"),
        ("MORE", "0.20000000", "0.00000000"),
    ]
    with living.database.owner() as owner:
        owner.execute("INSERT INTO balance VALUES (%s, %s, 0)", [carl % 256, account])
    position = living.positions_of(carl, "FLEX")[0].position_id
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position, living.now)
        again = rewards.reconcile(tx, report.run_on)
    flex = next(each for each in again.products if each.product == "FLEX")
    assert again.is_even
    assert (flex.parked, flex.parked_paid_since) == (D("0.5"), D("0.5"))


def test_what_is_still_to_be_paid_is_the_difference_of_a_run_under_way(living: Living) -> None:
    def tell(progress: rewards.Progress) -> None:
        if progress.pieces_paid == 0:
            with living.database.transaction() as tx:
                rewards.pause_run(tx, "bob", SECOND, "a test", living.now)

    rewards.run(living.database, SECOND, "ada", living.now, tell)
    with living.database.transaction() as tx:
        found = rewards.reconcile(tx, SECOND)
    assert not found.is_even
    assert [(each.planned, each.difference) for each in found.assets] == [(D("0.1"), D("0.1")), (D(1), D(1))]
    with living.database.transaction() as tx, pytest.raises(errors.RunNotFound):
        rewards.reconcile(tx, SECOND + timedelta(days=1))
    assert_audited(living.database)
