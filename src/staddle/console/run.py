"""One run: its plan against the run before, its limits, how far it is, who executed it, and where everything went."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from staddle.approvals import ask_release
from staddle.days import distribution_at
from staddle.desk import find_desk, pending
from staddle.document import document
from staddle.errors import RunNotFound
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.rewards import (
    RunReport,
    attempts_of,
    find_report,
    kept_plan,
    parked_page,
    pause_run,
    reconcile,
    reconciliation_csv,
    report_of,
    resume_run,
)
from staddle.server.allow import operator
from staddle.server.once import once
from staddle.server.tasks import ask_task, find_task, last_result, leader_seen, open_task

SEE, WORK = operator("viewer"), operator("treasury")
PARKED_SHOWN = 20
LIVE, RESTS = "1s", "10s"
"""How often a run that is being worked on is looked at, and one that waits for somebody."""


class PauseForm(Form, frozen=True, kw_only=True):
    """Why the run is to stand still."""

    because: str = ""


class NoForm(Form, frozen=True, kw_only=True):
    """Nothing but the button."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What can be done with a run now, and how often it is worth a look."""

    name: str
    looks_every: str | None


@shows("/console/runs/{run_on}", allow=SEE)
def show_run_page(visit: Visit, run_on: date, was: str = "", typed: Typed = NOTHING_TYPED) -> View:
    """Show a run; a script that looks again says in what phase it `was`, and is given new forms where that changed."""
    tx, machine_now = visit.tx, visit.at.machine_now
    desk = find_desk(tx)
    due_at = distribution_at(run_on, desk.distribution_time)
    if due_at <= desk.created_at:
        raise RunNotFound(visit.say("There is no reward run of this date: the desk is younger."))
    report = report_of(tx, run_on)
    work = {kind: open_task(tx, kind, run_on.isoformat()) for kind in ("run", "plan")}
    work["catch_up"] = open_task(tx, "catch_up")
    phase = phase_of(
        report, due_at, visit.now, is_asked=work["run"] is not None or work["catch_up"] is not None
    )
    is_planning = work["plan"] is not None
    looks = LIVE if is_planning else phase.looks_every
    shown = {
        "run_on": run_on,
        "due_at": due_at,
        "report": report,
        "phase": f"{phase.name}{' planning' if is_planning else ''}",
        "is_due": due_at <= visit.now,
        "looks_every": looks,
        "was": was,
        "typed": typed,
        "worker": leader_seen(tx, machine_now),
        "work": work,
        "asked": None if work["run"] is None else find_task(tx, work["run"]),
        "attempts": attempts_of(tx, run_on),
        "plan": plan_of(visit, run_on, report),
        "parked": parked_page(tx, PARKED_SHOWN, run_on=run_on, with_retried=True),
        "reconciled": None if report is None or report.state == "held" else reconcile(tx, run_on),
        "as_decimal": as_decimal,
        "release_asked": next((each for each in pending(tx) if is_release(each, run_on)), None),
    }
    return View("run.html", shown, part="live")


def as_decimal(written: str) -> Decimal:
    """Read a figure of a plan, which is kept as it is written."""
    return Decimal(written)


def is_release(approval: Any, run_on: date) -> bool:
    """Say whether a request that waits is for the release of this run."""
    return bool(approval.act == "release_run" and approval.subject == run_on.isoformat())


def phase_of(report: RunReport | None, due_at: datetime, now: datetime, *, is_asked: bool) -> Phase:
    """Say where a run stands, for what can be done with it."""
    if report is None:
        if is_asked:
            return Phase("asked", LIVE)
        return Phase("due", RESTS) if due_at <= now else Phase("ahead", None)
    if report.state in ("executing", "released"):
        return Phase("executing", LIVE)
    if report.state == "finished":
        return Phase("finished", None)
    return Phase(report.state, LIVE if is_asked else RESTS)


def plan_of(visit: Visit, run_on: date, report: RunReport | None) -> dict[str, Any] | None:
    """Give the plan that the run was made with; before that the one that was last worked out, as it was kept."""
    if report is not None:
        found = document(kept_plan(visit.tx, report), visit.at.scales)
        assert isinstance(found, dict)
        return {**found, "worked_out_at": report.planned_at, "is_kept": True}
    task = last_result(visit.tx, "plan", run_on.isoformat())
    if task is None or task.result is None:
        return None
    at = datetime.fromisoformat(task.result["worked_out_at"])
    return {**task.result, "worked_out_at": at, "is_kept": False}


def done(run_on: date, said: str) -> GoTo:
    """Go back to the run, and say what was done."""
    return GoTo(f"/console/runs/{run_on}", said)


@sends("/console/runs/{run_on}/pause", allow=WORK, again=show_run_page)
def pause_by_form(visit: Visit, run_on: date, form: PauseForm) -> GoTo:
    """Pause a run between two of its pieces."""

    def do() -> RunReport:
        return pause_run(visit.tx, visit.at.by, run_on, form.because, visit.now)

    once(visit.at, "pause_run", {"run_on": run_on, "because": form.because}, do).unwrap()
    return done(run_on, visit.say("The run is paused. What was under way is finished, no more is begun."))


@sends("/console/runs/{run_on}/resume", allow=WORK, again=show_run_page)
def resume_by_form(visit: Visit, run_on: date, form: NoForm) -> GoTo:  # noqa: ARG001
    """Let a paused run go on."""
    what = {"run_on": run_on}
    once(visit.at, "resume_run", what, lambda: resume_run(visit.tx, visit.at.by, run_on, visit.now)).unwrap()
    return done(run_on, visit.say("The run goes on within seconds."))


@sends("/console/runs/{run_on}/release", allow=WORK, again=show_run_page)
def ask_release_by_form(visit: Visit, run_on: date, form: NoForm) -> GoTo:  # noqa: ARG001
    """Ask a second person to let a run that is outside its limits be executed."""
    at = visit.at

    def do() -> dict[str, object]:
        return {"approval_id": ask_release(at.tx, at.by, run_on, at.now)}

    once(at, "ask_release", {"run_on": run_on}, do).unwrap()
    return done(run_on, visit.say("A second person is asked to release it."))


@sends("/console/runs/{run_on}/start", allow=WORK, again=show_run_page)
def start_by_form(visit: Visit, run_on: date, form: NoForm) -> GoTo:  # noqa: ARG001
    """Ask the worker for a run."""
    ask_for(visit, "run", run_on)
    return done(run_on, visit.say("The run is asked for; a worker takes it up within a second or two."))


@sends("/console/runs/{run_on}/plan", allow=SEE, again=show_run_page)
def plan_by_form(visit: Visit, run_on: date, form: NoForm) -> GoTo:  # noqa: ARG001
    """Ask the worker to work out what a run would owe."""
    ask_for(visit, "plan", run_on)
    return done(run_on, visit.say("The plan is asked for. Nothing is paid by it."))


def ask_for(visit: Visit, kind: str, run_on: date | None) -> dict[str, Any]:
    """Ask the worker for some work, once for the form's key; gives the task."""
    at = visit.at

    def do() -> object:
        return ask_task(at.tx, at.by, kind, run_on, at.now, at.machine_now)

    return once(at, "ask_task", {"kind": kind, "run_on": run_on}, do).unwrap()


@sends("/console/runs/catch-up", allow=WORK)
def catch_up_by_form(visit: Visit, form: NoForm) -> GoTo:  # noqa: ARG001
    """Ask the worker for every run that is due."""
    task = ask_for(visit, "catch_up", None)
    return GoTo(f"/console/tasks/{task['task_id']}")


@shows("/console/runs/{run_on}/reconciliation.csv", allow=SEE)
def save_reconciliation(visit: Visit, run_on: date) -> Download:
    """Give the reconciliation of a run as CSV."""
    body = reconciliation_csv(reconcile(visit.tx, run_on))
    return Download(body, "text/csv; charset=utf-8", f"reconciliation-{run_on}.csv")


@shows("/console/runs/{run_on}/report.json", allow=SEE)
def save_report(visit: Visit, run_on: date) -> Download:
    """Give all that there is to know of a run as JSON: report, attempts, reconciliation."""
    report = find_report(visit.tx, run_on)
    found = {
        "report": report,
        "attempts": attempts_of(visit.tx, run_on),
        "reconciliation": reconcile(visit.tx, run_on),
    }
    body = msgspec.json.format(msgspec.json.encode(document(found, visit.at.scales)), indent=2)
    return Download(body, "application/json", f"run-{run_on}.json")
