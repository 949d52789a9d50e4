"""Doing what was asked for (server/tasks.py), a task at a time in each lane, with progress written down as it goes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import psycopg

from staddle.days import format_instant
from staddle.desk import clear_alarm, raise_alarm
from staddle.document import document
from staddle.errors import AuditInProgress, DatabaseUnavailable, StaddleError
from staddle.ledger import scales_of
from staddle.rewards import (
    CHECKS,
    AuditProgress,
    LeftOff,
    Progress,
    RunReport,
    Verdict,
    catch_up,
    dry_run,
    judge_alone,
    run,
)
from staddle.server.schedule import Work, machine_now
from staddle.server.tasks import Task, begin_task, finish_task, tell_task

TOLD_EVERY_SECONDS = 0.3
FINDINGS_KEPT = 200
"""Of one verdict; what is wrong beyond that is found again when the first of it has been repaired."""
Outcome = tuple[str, Mapping[str, object]]
NAMELESS = "a worker"


def do_asked(work: Work, kinds: Sequence[str]) -> None:
    """Do every task of some kinds that is open, oldest first."""
    while do_next(work, kinds):
        work.go_on()


def do_next(work: Work, kinds: Sequence[str]) -> bool:
    """Do the oldest open task of some kinds; says whether there was one that could be done.

    One that fails is written down as failed, and what is not known to happen fails the job, too. One that is left off,
    or during which the database is lost, stays open, to be taken up again by whoever leads then.
    """
    with work.database.transaction() as tx:
        task = begin_task(tx, work.process or NAMELESS, kinds, machine_now())
    if task is None:
        return False
    try:
        outcome, result = DOING[task.kind](work, task)
    except AuditInProgress:
        with work.database.transaction() as tx:
            tell_task(tx, task, {"waits": "Another audit is under way; this one begins after it."})
        return False
    except (LeftOff, DatabaseUnavailable, psycopg.OperationalError):
        raise
    except StaddleError as error:
        outcome, result = "failed", {"code": error.code(), "message": error.message}
    except Exception as error:
        _finish(
            work,
            task,
            "failed",
            {"code": "internal_error", "message": f"{type(error).__name__}: {error}"[:500]},
        )
        raise
    _finish(work, task, outcome, result)
    return True


def _finish(work: Work, task: Task, outcome: str, result: Mapping[str, object]) -> None:
    with work.database.transaction() as tx:
        finish_task(tx, task, outcome, result, machine_now())


def teller(work: Work, task: Task) -> Callable[[Mapping[str, object]], None]:
    """Give what a task tells its progress to: written down now and then, and the task is left where it must be."""
    told_at = 0.0

    def tell(figures: Mapping[str, object]) -> None:
        nonlocal told_at
        work.tell(figures)
        at = time.monotonic()
        if at - told_at >= TOLD_EVERY_SECONDS:
            told_at = at
            with work.database.transaction() as tx:
                tell_task(tx, task, figures)

    return tell


def do_run(work: Work, task: Task) -> Outcome:
    """Pay the rewards of one date."""
    day = date.fromisoformat(task.subject)
    report = run(work.database, day, task.asked_by, work.now, run_teller(work, task), work.process)
    work.hurry()
    return outcome_of_runs([report])


def do_catch_up(work: Work, task: Task) -> Outcome:
    """Do every run that is due."""
    reports = catch_up(work.database, task.asked_by, work.now, run_teller(work, task), work.process)
    work.hurry()
    return outcome_of_runs(reports)


def run_teller(work: Work, task: Task) -> Callable[[Progress], None]:
    """Give what a run tells its progress to."""
    tell = teller(work, task)

    def told(progress: Progress) -> None:
        figures = {"pieces_paid": progress.pieces_paid, "pieces": progress.pieces}
        tell({"run_on": str(progress.run_on), **figures, "rewards": progress.rewards})

    return told


def outcome_of_runs(reports: Sequence[RunReport]) -> Outcome:
    """Say what came of runs: done, or that the last of them waits for people."""
    told = [
        {
            "run_on": each.run_on.isoformat(),
            "state": each.state,
            "held_because": each.held_because,
            "paused_by": each.paused_by,
            "paused_because": each.paused_because,
            "rewards_paid": sum(line.rewards_paid for line in each.lines),
            "parked_count": each.parked_count,
        }
        for each in reports
    ]
    is_done = all(each.state == "finished" for each in reports)
    return ("done" if is_done else "waits"), {"runs": told}


def do_audit(work: Work, task: Task) -> Outcome:
    """Prove the books, and raise or clear the alarm by the verdict."""
    tell = teller(work, task)
    order = {check.name: number for number, check in enumerate(CHECKS)}

    def told(progress: AuditProgress) -> None:
        number = order[progress.check.name]
        done = number * progress.slices + progress.slices_done if progress.slices else number
        of_all = len(CHECKS) * max(1, progress.slices)
        tell(
            {
                "check": progress.check.name,
                "purpose": progress.check.purpose,
                "checks_done": number,
                "checks": len(CHECKS),
                "percent": done * 100 // of_all,
            }
        )

    verdict = judge_alone(work.database, told)
    with work.database.transaction() as tx:
        wrong = [each for each in verdict.findings if not each.is_information]
        if wrong:
            details = {"findings": len(wrong), "check": wrong[0].check, "first": wrong[0].message}
            raise_alarm(tx, "audit_failed", "books", details, work.now)
        else:
            clear_alarm(tx, "audit_failed", "books", work.now)
    return "done", result_of(verdict)


def result_of(verdict: Verdict) -> dict[str, Any]:
    """Make what is kept of a verdict: all counts, and the first findings."""
    found = document(verdict, {})
    assert isinstance(found, dict)
    wrong = [each for each in found["findings"] if not each["is_information"]]
    told = [each for each in found["findings"] if each["is_information"]]
    return {
        **found,
        "findings": [*wrong[:FINDINGS_KEPT], *told[:FINDINGS_KEPT]],
        "wrong_count": len(wrong),
        "information_count": len(told),
    }


def do_plan(work: Work, task: Task) -> Outcome:
    """Work out what a run would owe, from every open position; nothing is written but the result."""
    with work.database.transaction() as tx:
        planned = dry_run(tx, date.fromisoformat(task.subject), work.now)
        result = document(planned, scales_of(tx))
    assert isinstance(result, dict)
    return "done", {**result, "worked_out_at": format_instant(work.now)}


DOING: Mapping[str, Callable[[Work, Task], Outcome]] = {
    "run": do_run,
    "catch_up": do_catch_up,
    "audit": do_audit,
    "plan": do_plan,
}
"""How each kind of task is done."""
