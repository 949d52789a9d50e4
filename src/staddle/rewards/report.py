"""The report of a run: what was planned, what was paid, what was put aside (product.md rule 20)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import ApprovalNotFound, RunNotFound, SecondPersonNeeded, WrongState
from staddle.money import ZERO, plain
from staddle.rewards.limits import RunLimit

sql = queries(__package__)
ACT = "release_run"


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


def latest_runs(
    tx: Tx,
    limit: int,
    before: date | None = None,
    state: str | None = None,
    *,
    is_oldest_first: bool = False,
) -> list[RunReport]:
    """Read the latest runs, newest first unless told otherwise; `before` is the date to go on from."""
    wanted = {"limit": limit, "before": before, "state": state, "is_oldest_first": is_oldest_first}
    return [find_report(tx, row.run_on) for row in tx.execute(sql.runs, wanted).fetchall()]


def ask_release(tx: Tx, by: str, run_on: date, now: datetime) -> int:
    """Ask a second person to let a run that is outside its limits be executed (rule 20); gives the approval's number.

    Raises RunNotFound, or WrongState where it does not wait.
    """
    report = find_held(tx, run_on)
    request = {"run_on": str(run_on), "held_because": report.held_because}
    return desk.ask(tx, by, ACT, str(run_on), request, basis_of_release(report), now)


def approve_release(tx: Tx, by: str, approval_id: int, now: datetime) -> RunReport:
    """Let the held run be executed; neither who asked nor who started it approves. It goes on when it is run again.

    Raises ApprovalNotFound, WrongState (it does not wait any more), SecondPersonNeeded, or ApprovalStale where its plan
    or what holds it has changed.
    """
    asked = desk.find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    run_on = date.fromisoformat(asked.subject)
    report = find_held(tx, run_on)
    if report.started_by == by:
        raise SecondPersonNeeded("You have started this run; somebody else must release it.")
    desk.approve(tx, by, approval_id, ACT, basis_of_release(report), now)
    tx.execute(sql.release_run, {"run_on": run_on, "by": by})
    details = {"held_because": report.held_because, "asked_by": asked.asked_by}
    desk.log(tx, by, "release_run", str(run_on), details, now)
    return find_report(tx, run_on)


def find_held(tx: Tx, run_on: date) -> RunReport:
    """Hold a run that waits for a second person, and read it; raises RunNotFound or WrongState."""
    tx.execute(sql.lock_run, {"run_on": run_on})
    report = find_report(tx, run_on)
    if report.state != "held":
        raise WrongState(f"The run of {run_on} is {report.state}, it does not wait.")
    return report


def basis_of_release(report: RunReport) -> str:
    """What a request stands upon: what holds the run, and what it plans to pay."""
    planned = [f"{line.product} {line.rewards_planned} {plain(line.amount_planned)}" for line in report.lines]
    return "\n".join([report.held_because or "", *planned])
