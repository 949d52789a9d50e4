"""Work that was asked for: how far it is and what came of it; and the audit of the whole ledger."""

from typing import Any, Literal

import msgspec

from staddle.console.listing import Column, Filter, listing_of
from staddle.console.run import NoForm, ask_for
from staddle.errors import TaskNotFound
from staddle.pages.page import NOTHING_TYPED, Download, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor
from staddle.server.tasks import KINDS, Task, find_task, last_result, leader_seen, list_tasks, open_task

SEE = operator("viewer")
PAGE_LENGTH = 30
Kind = Literal["run", "catch_up", "audit", "plan"]


def tasks_listing(
    visit: Visit, address: str, kind: str | None, cursor: str | None, *, has_filter: bool
) -> Any:
    """Make the table of what was asked for, newest first."""
    kinds = KINDS if kind is None else (kind,)
    found = list_tasks(visit.tx, PAGE_LENGTH + 1, read_cursor(cursor, int), kinds)
    rows, say = found[:PAGE_LENGTH], visit.say
    named = [(each, each.replace("_", " ")) for each in KINDS]
    return listing_of(
        address,
        columns=[
            Column("task", say("Task")),
            Column("state", say("State")),
            Column("asked", say("Asked for")),
            Column("begun", say("Taken up")),
            Column("finished", say("Finished")),
        ],
        filters=[Filter("kind", say("What"), choices=[("", say("Any")), *named])] if has_filter else [],
        chosen={"kind": kind} if has_filter else {},
        rows=rows,
        cursor=cursor,
        next_cursor=write_cursor(rows[-1].task_id) if len(found) > PAGE_LENGTH else None,
    )


@shows("/console/tasks", allow=SEE)
def show_tasks(visit: Visit, kind: Kind | None = None, cursor: str | None = None) -> View:
    """List what was asked for."""
    values = {
        "listing": tasks_listing(visit, "/console/tasks", kind, cursor, has_filter=True),
        "worker": leader_seen(visit.tx, visit.at.machine_now),
    }
    return View("tasks.html", values, part="list")


@shows("/console/tasks/{task_id}", allow=SEE)
def show_task_page(visit: Visit, task_id: int) -> View:
    """Show how far a task is, and what came of it; a script looks again every second until it is done."""
    task = find_task(visit.tx, task_id)
    is_open = task.finished_at is None
    values = {
        "task": task,
        "is_open": is_open,
        "percent": percent_of(task),
        "worker": leader_seen(visit.tx, visit.at.machine_now) if is_open else None,
    }
    return View("task.html", values, part="live")


def percent_of(task: Task) -> int | None:
    """Give how far a task is, in whole percents; None where that cannot be said."""
    progress = task.progress or {}
    if task.state == "done":
        return 100
    if "percent" in progress:
        return int(progress["percent"])
    if progress.get("pieces"):
        return int(progress["pieces_paid"]) * 100 // int(progress["pieces"])
    return None


@shows("/console/tasks/{task_id}/result.json", allow=SEE)
def save_result(visit: Visit, task_id: int) -> Download:
    """Give what came of a task as JSON, such as the verdict of an audit with its findings."""
    task = find_task(visit.tx, task_id)
    if task.result is None:
        raise TaskNotFound
    body = msgspec.json.format(msgspec.json.encode(task.result), indent=2)
    return Download(body, "application/json", f"{task.kind}-{task_id}.json")


@shows("/console/audit", allow=SEE)
def show_audit(visit: Visit, cursor: str | None = None, typed: Typed = NOTHING_TYPED) -> View:
    """Show the last verdict, the audits before it, and ask for another."""
    values = {
        "last": last_result(visit.tx, "audit"),
        "under_way": open_task(visit.tx, "audit"),
        "listing": tasks_listing(visit, "/console/audit", "audit", cursor, has_filter=False),
        "typed": typed,
        "worker": leader_seen(visit.tx, visit.at.machine_now),
    }
    return View("audit.html", values, part="list")


@sends("/console/audit", allow=SEE, again=show_audit)
def audit_by_form(visit: Visit, form: NoForm) -> GoTo:  # noqa: ARG001
    """Ask the worker for an audit, or go to the one that is under way."""
    under_way = open_task(visit.tx, "audit")
    number = under_way if under_way is not None else ask_for(visit, "audit", None)["task_id"]
    return GoTo(f"/console/tasks/{number}")
