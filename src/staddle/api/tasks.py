"""Work that is asked for and done by the worker, with progress that anybody may read: runs, audits, plans."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Body, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.errors import TaskNotFound
from staddle.server.allow import operator
from staddle.server.at import At
from staddle.server.tasks import KINDS, Task, ask_task, find_task, list_tasks

TAG = "Tasks"
SEE = operator("viewer")
Kind = Literal["run", "catch_up", "audit", "plan"]


class TaskBody(Body, frozen=True, kw_only=True):
    """What is to be done: `run` and `plan` are about the run of a date, `catch_up` and `audit` about none."""

    kind: Kind
    run_on: Annotated[date, msgspec.Meta(description="The date of the run, such as 2026-01-31.")] | None = (
        None
    )


@writes("POST", "/v1/tasks", allow=SEE, gives=Task, tag=TAG, keyed="must")
def ask_for_task(at: At, body: TaskBody) -> Given:
    """Ask for a run, a catch-up, an audit or a plan; the worker takes it up within a second or two.

    Runs are the treasury's to ask for. The same work is asked for once: while it is open, another request for it is
    answered `task_in_progress` with its number.
    """
    what = {"kind": body.kind, "run_on": body.run_on}

    def ask() -> Task:
        return ask_task(at.tx, at.by, body.kind, body.run_on, at.now, at.machine_now)

    return once(at, "ask_task", what, ask)


@reads("/v1/tasks", allow=SEE, gives=Page[Task], tag=TAG)
def list_asked_tasks(
    at: At, kind: Kind | None = None, is_open: bool = False, cursor: Cursor = None, limit: Limit = 50
) -> Page[Task]:
    """List what was asked for, newest first, without results; with `is_open` only what is not done yet."""
    kinds = KINDS if kind is None else (kind,)
    found = list_tasks(at.tx, limit + 1, read_cursor(cursor, int), kinds, is_open=is_open)
    return page(found, limit, lambda task: task.task_id)


@reads("/v1/tasks/{task_id}", allow=SEE, gives=Task, tag=TAG)
def show_task(at: At, task_id: Id) -> Task:
    """Show how far a task is, and what came of it: the runs, the verdict, the plan, or why it failed."""
    return find_task(at.tx, id_of(task_id, TaskNotFound))
