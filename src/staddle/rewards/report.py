"""The report of a run: what was planned, what was paid, what was put aside (product.md rule 20)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.desk import log
from staddle.errors import RunNotFound, SecondPersonNeeded, WrongState
from staddle.money import ZERO
from staddle.rewards.limits import RunLimit

sql = queries(__package__)


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product of a run: what it owed in all, and what the run paid itself (the rest was settled by acts before)."""

    asset: str
    product: str
    rewards_planned: int
    amount_planned: Decimal
    rewards_paid: int
    amount_paid: Decimal


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands; `state` is held, released, executing, paused or finished.

    `limits` are those that it was held against, with their figures as they stood when it was planned.
    """

    run_on: date
    distributed_at: datetime
    state: str
    held_because: str | None
    started_by: str
    released_by: str | None
    planned_at: datetime
    finished_at: datetime | None
    lines: list[RunLine]
    parked_count: int
    pieces_paid: int
    pieces: int
    paused_by: str | None
    paused_at: datetime | None
    paused_because: str | None
    limits: list[RunLimit]


class RunSpan(msgspec.Struct, frozen=True, kw_only=True):
    """When a run was first begun and last left off, by the database's clock; `ended_at` is None before that."""

    run_on: date
    began_at: datetime
    ended_at: datetime | None


def report_of(tx: Tx, run_on: date) -> RunReport | None:
    """Read the report of a run; None where there is no such run."""
    row = tx.execute(sql.run, {"run_on": run_on}).fetchone()
    if row is None:
        return None
    named = {"run_on": run_on}
    paid = {total.product: total for total in tx.execute(sql.run_totals, named).fetchall()}
    lines = [
        RunLine(
            asset=line.asset,
            product=line.product,
            rewards_planned=line.reward_count,
            amount_planned=line.amount,
            rewards_paid=paid[line.product].reward_count if line.product in paid else 0,
            amount_paid=paid[line.product].amount if line.product in paid else ZERO,
        )
        for line in tx.execute(sql.planned, named).fetchall()
    ]
    parked = sum(total.reward_count for total in tx.execute(sql.parked_totals, named).fetchall())
    limits = msgspec.convert(row.limits or [], list[RunLimit])
    return RunReport(lines=lines, parked_count=parked, **(row._asdict() | {"limits": limits}))


def run_spans(tx: Tx, days: Sequence[date]) -> dict[date, RunSpan]:
    """Read how long some runs took; those of before it was written down are missing."""
    rows = tx.execute(sql.run_spans, {"days": list(days)}).fetchall()
    return {row.run_on: RunSpan(**row._asdict()) for row in rows}


def find_report(tx: Tx, run_on: date) -> RunReport:
    """Read the report of a run; raises RunNotFound."""
    report = report_of(tx, run_on)
    if report is None:
        raise RunNotFound(f"There is no reward run of {run_on}.")
    return report


def latest_runs(tx: Tx, limit: int, before: date | None = None) -> list[RunReport]:
    """Read the latest runs, newest first; `before` is the date to go on from."""
    wanted = {"limit": limit, "before": before}
    return [find_report(tx, row.run_on) for row in tx.execute(sql.runs, wanted).fetchall()]


def release_run(tx: Tx, by: str, run_on: date, now: datetime) -> RunReport:
    """Let a run that is outside its limits be executed; a second person must say so (rule 20). Logged.

    Raises RunNotFound, WrongState (it does not wait), or SecondPersonNeeded.
    """
    tx.execute(sql.lock_run, {"run_on": run_on})
    report = find_report(tx, run_on)
    if report.state != "held":
        raise WrongState(f"The run of {run_on} is {report.state}, it does not wait.")
    if report.started_by == by:
        raise SecondPersonNeeded
    tx.execute(sql.release_run, {"run_on": run_on, "by": by})
    log(tx, by, "release_run", str(run_on), {"held_because": report.held_because}, now)
    return find_report(tx, run_on)
