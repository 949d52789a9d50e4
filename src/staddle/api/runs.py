"""Reward runs as the desk works them: dry run, run, release, reports, catch-up; what is parked; all that is due."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from staddle import approvals
from staddle.api.approvals import RequestAsked, asked
from staddle.api.fields import Body, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, works, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.days import last_run_on
from staddle.desk import find_desk, now_of
from staddle.errors import PositionNotFound
from staddle.rewards import (
    DryRun,
    ParkedPosition,
    Reconciliation,
    RunAttempt,
    RunReport,
    Verdict,
    attempts_of,
    catch_up,
    dry_run,
    find_report,
    judge_alone,
    latest_runs,
    parked_positions,
    pause_run,
    reconcile,
    resume_run,
    retry_parked,
    run,
    seal_all,
    tick,
)
from staddle.server.allow import operator
from staddle.server.at import At, OnDatabase

TAG = "Reward runs"
SEE, WORK = operator("viewer"), operator("treasury")
RunOn = Annotated[date, msgspec.Meta(description="The date of the run, such as 2026-01-31.")]


class RunBody(Body, frozen=True, kw_only=True):
    """Which run; left out, the last one that is due."""

    run_on: RunOn | None = None


class PauseBody(Body, frozen=True, kw_only=True):
    """Why the run is to stand still."""

    because: Annotated[str, msgspec.Meta(min_length=1, max_length=300, examples=["Node maintenance"])]


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What a parked position was paid: for so many days, in its asset."""

    position_id: int
    days: int
    paid: Decimal


class TickDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was due and has been done; `runs` may end with one that waits for a second person."""

    now_at: datetime
    runs: list[RunReport]
    matured: int
    guards_applied: int
    auto_subscribed: int
    seals: int
    closings: int


class SealsSet(msgspec.Struct, frozen=True, kw_only=True):
    """How many seals were set, and when."""

    seals: int
    sealed_at: datetime


@reads("/v1/runs/plan", allow=SEE, gives=DryRun, tag=TAG)
def plan_run(at: At, run_on: RunOn | None = None) -> DryRun:
    """Work out what a run owes, by product, the last one that is due unless you name another; nothing is written."""
    return dry_run(at.tx, run_on, at.now)


@works("POST", "/v1/runs", allow=WORK, gives=RunReport, tag=TAG)
def start_run(at: OnDatabase, body: RunBody) -> RunReport:
    """Pay the rewards of one date; again, it changes nothing.

    Outside its limits it is answered with the state `held` and waits for a second person; one that is `paused` is left
    alone. It goes on to its end
    though you stop waiting, and takes some seconds for a hundred thousand positions.
    """
    now = clock_of(at)
    with at.database.transaction() as tx:
        day = body.run_on or last_run_on(now, find_desk(tx).distribution_time)
    return run(at.database, day, at.by, now)


@works("POST", "/v1/runs/catch-up", allow=WORK, gives=list[RunReport], tag=TAG)
def catch_up_runs(at: OnDatabase) -> list[RunReport]:
    """Do every run that is due and not finished, in order, each at its own day's rates; the last may be held."""
    return catch_up(at.database, at.by, clock_of(at))


@reads("/v1/runs", allow=SEE, gives=Page[RunReport], tag=TAG)
def list_runs(at: At, cursor: Cursor = None, limit: Limit = 14) -> Page[RunReport]:
    """List the runs, newest first."""
    found = latest_runs(at.tx, limit + 1, read_cursor(cursor, date))
    return page(found, limit, lambda report: report.run_on)


@reads("/v1/runs/{run_on}", allow=SEE, gives=RunReport, tag=TAG)
def show_run(at: At, run_on: RunOn) -> RunReport:
    """Show what a run planned and paid, by product."""
    return find_report(at.tx, run_on)


@writes("POST", "/v1/runs/{run_on}/release", allow=WORK, gives=RequestAsked, tag=TAG, keyed="must")
def release_held_run(at: At, run_on: RunOn) -> Given:
    """Ask for a run that is outside its limits to be executed.

    A second person approves; then it goes on by itself, or when it is started again.
    """
    return once(
        at,
        "ask_release",
        {"run_on": run_on},
        lambda: asked(at, approvals.ask_release(at.tx, at.by, run_on, at.now)),
    )


@writes("POST", "/v1/runs/{run_on}/pause", allow=WORK, gives=RunReport, tag=TAG, keyed="must")
def pause_started_run(at: At, run_on: RunOn, body: PauseBody) -> Given:
    """Pause a run between two of its pieces; the schedule leaves it alone, and later runs wait behind it."""
    what = {"run_on": run_on, "because": body.because}
    return once(at, "pause_run", what, lambda: pause_run(at.tx, at.by, run_on, body.because, at.now))


@writes("POST", "/v1/runs/{run_on}/resume", allow=WORK, gives=RunReport, tag=TAG, keyed="must")
def resume_paused_run(at: At, run_on: RunOn) -> Given:
    """Let a paused run go on; the schedule takes it up within seconds."""
    return once(at, "resume_run", {"run_on": run_on}, lambda: resume_run(at.tx, at.by, run_on, at.now))


@reads("/v1/runs/{run_on}/attempts", allow=SEE, gives=list[RunAttempt], tag=TAG)
def list_run_attempts(at: At, run_on: RunOn) -> list[RunAttempt]:
    """List which process executed a run, from when to when, how each attempt ended, and who took over."""
    find_report(at.tx, run_on)
    return attempts_of(at.tx, run_on)


@reads("/v1/runs/{run_on}/reconciliation", allow=SEE, gives=Reconciliation, tag=TAG)
def show_reconciliation(at: At, run_on: RunOn) -> Reconciliation:
    """Hold what a run planned against what it paid, what acts settled before it, and what was parked."""
    return reconcile(at.tx, run_on)


@reads("/v1/parked-positions", allow=SEE, gives=list[ParkedPosition], tag=TAG)
def list_parked_positions(at: At, with_retried: bool = False) -> list[ParkedPosition]:
    """List positions whose rewards could not be paid; with `with_retried` those too that have been paid since."""
    return parked_positions(at.tx, with_retried)


@writes(
    "POST",
    "/v1/parked-positions/{position_id}/retry",
    allow=operator("support", "treasury"),
    gives=Retried,
    tag=TAG,
    keyed="must",
)
def retry_parked_position(at: At, position_id: Id) -> Given:
    """Pay a parked position all that it is owed, and let runs pay it again."""
    number = id_of(position_id, PositionNotFound)

    def retry() -> Retried:
        settled = retry_parked(at.tx, at.by, number, at.now)
        return Retried(position_id=number, days=settled.days, paid=settled.paid)

    return once(at, "retry_parked", {"position_id": number}, retry)


@works("POST", "/v1/ticks", allow=WORK, gives=TickDone, tag=TAG)
def do_what_is_due(at: OnDatabase) -> TickDone:
    """Do all that is due: runs, maturities, guards, auto-subscribe, seals, closings. Again, it does nothing more."""
    now = clock_of(at)
    done = tick(at.database, at.by, now)
    return TickDone(
        now_at=now,
        runs=done.runs,
        matured=done.matured,
        guards_applied=done.guards_applied,
        auto_subscribed=done.auto_subscribed,
        seals=done.seals,
        closings=done.closings,
    )


@works("POST", "/v1/seals", allow=WORK, gives=SealsSet, tag="Proof")
def seal_books(at: OnDatabase) -> SealsSet:
    """Chain by hash whatever was posted and paid since the last time."""
    now = clock_of(at)
    return SealsSet(seals=seal_all(at.database, now), sealed_at=now)


@works("POST", "/v1/audits", allow=SEE, gives=Verdict, tag="Proof")
def audit_books(at: OnDatabase) -> Verdict:
    """Prove the whole ledger again, from its rows alone, and give the verdict with every finding.

    It takes some seconds for a hundred thousand positions and grows with the books; one is done at a time, others are
    answered `audit_in_progress`. The desk audits itself every night too, and of large books `staddle audit` tells how
    far it is.
    """
    return judge_alone(at.database)


def clock_of(at: OnDatabase) -> datetime:
    """Read the desk's clock."""
    with at.database.transaction() as tx:
        return now_of(tx, at.machine_now)
