"""The reward run: plan, check the limits, pay piece by piece, prove, publish (product.md rules 17 to 21).

A run is many transactions, so these functions take the database and not a transaction. Each step can be run again:
killed anywhere, the run is simply started once more, and two at once share the work.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from staddle.days import DAY, distribution_at, last_run_on
from staddle.db import Database, Tx, queries
from staddle.desk import find_desk
from staddle.errors import InvariantBroken, RunNotDue, RunOutOfOrder
from staddle.failpoint import failpoint
from staddle.ledger import CELL_COUNT, bring_forward
from staddle.rewards.attempt import attempt
from staddle.rewards.mature_all import mature_all
from staddle.rewards.pay import Piece, pay_piece
from staddle.rewards.plan import plan_run
from staddle.rewards.report import RunReport, latest_runs, report_of

sql = queries(__package__)
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: pieces paid of pieces in all, rewards paid so far by this process."""

    run_on: date
    pieces_paid: int
    pieces: int
    rewards: int


def run(
    database: Database,
    run_on: date,
    started_by: str,
    now: datetime,
    tell: Callable[[Progress], None] = lambda _: None,
    process: str | None = None,
) -> RunReport:
    """Pay every accrual day that completed in the 24 hours up to the distribution of `run_on`.

    Gives the report; a finished run is not done again, a run outside its limits is left waiting (state `held`), a
    paused one is left alone. `process` names who executes it, as the list of attempts shows. Raises RunNotDue,
    RunOutOfOrder; InvariantBroken if the ledger's totals are not those planned.
    """
    with database.transaction() as tx:
        cutoff = distribution_at(run_on, find_desk(tx).distribution_time)
        # In this order: a cell that was paid up to the cutoff was paid by a run that can then be found.
        watermarks = tx.execute(sql.watermarks).fetchone()
        found = report_of(tx, run_on)
        if found is not None and found.state in ("finished", "paused"):
            return found
        check_due(watermarks, cutoff, now)
        check_order(tx, run_on)
        if found is None and watermarks is not None and watermarks.lowest >= cutoff:
            raise RunOutOfOrder("This day lies before the desk's first run.")
    with attempt(database, run_on, started_by, process) as ending:
        carry_out(database, run_on, cutoff, started_by, now, tell)
        with database.transaction() as tx:
            report = report_of(tx, run_on)
        assert report is not None
        ending.outcome = report.state if report.state in ("finished", "held", "paused") else "stopped"
    return report


def carry_out(
    database: Database,
    run_on: date,
    cutoff: datetime,
    started_by: str,
    now: datetime,
    tell: Callable[[Progress], None],
) -> None:
    """Do all the steps of a run, as far as they are not done."""
    with database.transaction() as tx:
        # Acts of before the distribution that are still waiting for their turn now happen at it: the plan stays true.
        bring_forward(tx, range(CELL_COUNT), cutoff)
    mature_all(database, cutoff)
    failpoint("run.matured")
    state = plan_run(database, run_on, cutoff, started_by, now)
    failpoint("run.planned")
    if state == "executing" and pay_all(database, run_on, cutoff, now, tell):
        failpoint("run.paid")
        prove_and_publish(database, run_on, now)
        failpoint("run.published")


def check_due(watermarks: object, cutoff: datetime, now: datetime) -> None:
    """Runs are done in order, each once its distribution time has come."""
    if now < cutoff:
        raise RunNotDue
    lowest: datetime = getattr(watermarks, "lowest")  # noqa: B009
    if lowest < cutoff - DAY:
        raise RunOutOfOrder(f"The run of {(lowest + DAY).date()} comes first.", next=(lowest + DAY).date())


def check_order(tx: Tx, run_on: date) -> None:
    """A run that waits, is paused or was interrupted lets none of a later date pass it by."""
    row = tx.execute(sql.unfinished_before, {"run_on": run_on}).fetchone()
    if row is not None and row.run_on is not None:
        raise RunOutOfOrder(f"The run of {row.run_on} comes first.", next=row.run_on)


def pay_all(
    database: Database, run_on: date, cutoff: datetime, now: datetime, tell: Callable[[Progress], None]
) -> bool:
    """Pay the pieces that are not paid yet, some at a time, each in a transaction of its own.

    Gives whether all are paid: a run that is paused meanwhile is left between two pieces.
    """
    with database.transaction() as tx:
        rows = tx.execute(sql.pieces, {"run_on": run_on}).fetchall()
    done, rewards = sum(row.is_paid for row in rows), 0
    todo = [Piece(run_on, cutoff, row.cell_from, row.cell_to) for row in rows if not row.is_paid]
    tell(Progress(run_on, done, len(rows), rewards))
    with ThreadPoolExecutor(WORKERS if len(todo) > 1 else 1) as pool:
        for count in pool.map(lambda piece: pay_piece(database, piece, now), todo):
            if count is None:
                continue
            done, rewards = done + 1, rewards + count
            tell(Progress(run_on, done, len(rows), rewards))
    is_all: bool = done == len(rows)
    return is_all


def prove_and_publish(database: Database, run_on: date, now: datetime) -> None:
    """Hold the ledger's totals against the plan (rule 20); what is parked is accounted for.

    What the run paid itself was added up piece by piece, from the ledger, in the transactions that paid it. One that
    was paused after its last piece, or that another process has published, is left as it is.
    """
    with database.transaction() as tx:
        tx.execute(sql.lock_run, {"run_on": run_on})
        named = {"run_on": run_on}
        row = tx.execute(sql.run_state, named).fetchone()
        if row is None or row.state != "executing":
            return
        tx.execute(sql.expect_many)
        planned: dict[int, object] = {}
        for row in tx.execute(sql.planned, named).fetchall():
            planned[row.asset_id] = planned.get(row.asset_id, 0) + row.amount
        for row in tx.execute(sql.parked_totals, named).fetchall():
            planned[row.asset_id] = planned.get(row.asset_id, 0) - row.amount
        paid = {row.asset_id: row.amount for row in tx.execute(sql.paid_totals, named).fetchall()}
        owed = {asset_id: amount for asset_id, amount in planned.items() if amount != 0}
        if owed != paid:
            raise InvariantBroken(f"run {run_on}: planned {owed}, in the ledger {paid}")
        tx.execute(sql.finish_run, {"run_on": run_on, "now": now})
        failpoint("run.before_publishing")


def catch_up(
    database: Database,
    started_by: str,
    now: datetime,
    tell: Callable[[Progress], None] = lambda _: None,
    process: str | None = None,
) -> list[RunReport]:
    """Do every run whose distribution time has come and that is not finished, in order; each pays its own day's rates
    (rule 21). Stops at a run that is held or paused.
    """
    with database.transaction() as tx:
        at = find_desk(tx).distribution_time
        lowest: datetime = tx.execute(sql.watermarks).fetchone().lowest  # type: ignore[union-attr]
        last = next(iter(latest_runs(tx, 1)), None)
    run_on = lowest.date() + timedelta(days=1)
    if last is not None and last.state != "finished":
        run_on = last.run_on
    reports = []
    while run_on <= last_run_on(now, at):
        reports.append(run(database, run_on, started_by, now, tell, process))
        if reports[-1].state != "finished":
            break
        run_on += timedelta(days=1)
    return reports
