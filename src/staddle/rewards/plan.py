"""Planning a run and holding the plan against its limits (product.md rule 20)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import msgspec

from staddle.db import Database, Tx, queries
from staddle.desk.log import log_if_person
from staddle.failpoint import failpoint
from staddle.money import ZERO
from staddle.rewards.limits import PlanByProduct, because_outside, limits_of

sql = queries(__package__)
POSITIONS_IN_A_PIECE = 65_536
PIECES_MAX = 32


def plan_run(database: Database, run_on: date, cutoff: datetime, started_by: str, now: datetime) -> str:
    """Work out what the run owes, note it, and say whether the run may be executed; gives its state.

    One process plans at a time. A run that is being executed keeps its plan.
    """
    with database.transaction() as tx:
        tx.execute(sql.lock_run, {"run_on": run_on})
        found = tx.execute(sql.run, {"run_on": run_on}).fetchone()
        if found is not None and found.state == "paused":
            return "paused"
        if found is not None and found.state != "held":
            tx.execute(sql.execute_run, {"run_on": run_on})
            return "executing"
        open_days(database, run_on, range(1))
        failpoint("run.opened")
        due, settled = work_out(database, run_on, cutoff)
        failpoint("run.worked_out")
        owed = by_product([*due, *settled])
        limits = limits_of(tx, run_on, owed)
        reasons = because_outside(limits)
        state = "held" if reasons else "executing"
        note = {"run_on": run_on, "cutoff": cutoff, "state": state, "started_by": started_by, "now": now}
        kept = {"held_because": "; ".join(reasons) or None, "limits": msgspec.json.encode(limits).decode()}
        tx.execute(sql.begin_run, {**note, **kept})
        if found is None:
            log_if_person(tx, started_by, "start_run", str(run_on), {"state": state}, now)
        keep_plan(tx, run_on, due, owed)
        failpoint("run.plan_kept")
        return state


def keep_plan(tx: Tx, run_on: date, due: Sequence[Any], owed: PlanByProduct) -> None:
    """Note what the run owes by product, and what each piece is to pay of it, in place of what was noted before."""
    tx.execute(sql.forget_plan, {"run_on": run_on})
    tx.execute(sql.forget_run_due, {"run_on": run_on})
    tx.execute(
        sql.keep_run_due,
        {
            "run_on": run_on,
            "cells_from": [row.cell_from for row in due],
            "product_ids": [row.product_id for row in due],
            "reward_counts": [row.reward_count for row in due],
            "amounts": [row.amount for row in due],
        },
    )
    tx.execute(
        sql.keep_plan,
        {
            "run_on": run_on,
            "product_ids": list(owed),
            "reward_counts": [count for count, _ in owed.values()],
            "amounts": [amount for _, amount in owed.values()],
        },
    )


def open_days(database: Database, run_on: date, later: range) -> None:
    """Make the partitions of days so much later than the run's, in as many pieces as the desk is large."""
    with database.transaction() as tx:
        row = tx.execute(sql.open_position_count).fetchone()
        assert row is not None
        pieces = 1
        while pieces * POSITIONS_IN_A_PIECE < row.positions and pieces < PIECES_MAX:
            pieces *= 2
        for days in later:
            tx.execute(sql.open_reward_day, {"run_on": run_on + timedelta(days=days), "pieces": pieces})


def work_out(database: Database, run_on: date, cutoff: datetime) -> tuple[list[Any], list[Any]]:
    """Work out once what the distribution owes to each position, over two halves of the cells at a time.

    Gives, added up, what is still to pay by piece and product, and what acts had settled of it already by
    product. Both are of one moment in each half, so that nothing is counted twice or not at all. The caller
    holds the run's lock. Acts that come later settle the day themselves, and the payment leaves out what they
    have settled. Whichever half is done first is followed by making room for the next two days.
    """

    def half(forget: LiteralString, cell_from: int, cell_to: int) -> tuple[list[Any], list[Any]]:
        named = {"run_on": run_on, "cutoff": cutoff, "cell_from": cell_from, "cell_to": cell_to}
        with database.transaction() as tx:
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            tx.execute(forget)
            tx.execute(sql.expect_many)
            tx.execute(sql.work_out_due, named)
            due = tx.execute(sql.add_up_due, named).fetchall()
            return due, tx.execute(sql.add_up_settled, named).fetchall()

    with ThreadPoolExecutor(2) as pool:
        lower = pool.submit(half, sql.forget_lower_due, 0, 127)
        upper = pool.submit(half, sql.forget_upper_due, 128, 255)
        pool.submit(open_days, database, run_on, range(1, 3)).result()
        halves = [lower.result(), upper.result()]
    return [row for due, _ in halves for row in due], [row for _, settled in halves for row in settled]


def by_product(rows: Sequence[Any]) -> PlanByProduct:
    """Add up by product."""
    owed: PlanByProduct = {}
    for row in sorted(rows, key=lambda row: row.product_id):
        count, amount = owed.get(row.product_id, (0, ZERO))
        owed[row.product_id] = (count + row.reward_count, amount + row.amount)
    return owed


def foresee(tx: Tx, run_on: date, cutoff: datetime) -> PlanByProduct:
    """Work out by product what a distribution would owe if it came now: a dry run that writes nothing (rule 20)."""
    tx.execute(sql.expect_many)
    rows = tx.execute(sql.foresee, {"run_on": run_on, "cutoff": cutoff}).fetchall()
    return {row.product_id: (row.reward_count, row.amount) for row in rows}
