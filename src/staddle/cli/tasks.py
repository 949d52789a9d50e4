"""`staddle tasks`: work that is asked for and done by the worker, and how far it is."""

from typing import Annotated, Literal

import typer
from rich.console import Group, RenderableType

from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import parse_date
from staddle.cli.auditing import verdict_of
from staddle.cli.edge import At, machine_now, reads, writes
from staddle.cli.show import card, grid, instant, said
from staddle.server.tasks import KINDS, ask_task, find_task, leader_seen, list_tasks

Kind = Literal["run", "catch_up", "audit", "plan"]
TaskId = Annotated[int, typer.Argument(metavar="TASK", help="The number of a task.")]
OfRun = Annotated[
    str | None, typer.Argument(metavar="[DATE]", help="The date of the run, for a run or a plan.")
]


@writes(app.tasks, "ask")
def ask(
    at: At, kind: Annotated[Kind, typer.Argument(help="What is to be done.")], run_on: OfRun = None
) -> Shown:
    """Ask for a run, a catch-up, an audit or a plan; the worker takes it up within a second or two."""
    day = None if run_on is None else parse_date(run_on)
    what: dict[str, object] = {"kind": kind, "run_on": run_on}
    at_once = at.once("ask_task", what, lambda: ask_task(at.tx, at.by, kind, day, at.now, machine_now()))
    return Shown(at_once.data, _asked_view, is_replay=at_once.is_replay)


def _asked_view(data: Document) -> RenderableType:
    number = data["task_id"]
    return said(f"Task {number} is asked for.", f"Next: staddle tasks show {number}")


@reads(app.tasks, "list")
def tasks(
    at: At,
    is_open: Annotated[bool, typer.Option("--open", help="Only what is not done yet.")] = False,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 30,
) -> Shown:
    """List what was asked for, newest first, and whether a worker keeps the schedule."""
    seen = leader_seen(at.tx, machine_now())
    data = {
        "worker": seen.name,
        "worker_seen_at": seen.seen_at,
        "tasks": list_tasks(at.tx, count, kinds=KINDS, is_open=is_open),
    }
    return Shown(data, _tasks_view)


def _tasks_view(data: Document) -> RenderableType:
    rows = [
        [
            each["task_id"],
            each["kind"],
            each["subject"],
            each["state"],
            each["asked_by"],
            instant(each["asked_at"]),
        ]
        for each in data["tasks"]
    ]
    heads = ["Task", "What", "Of", "State", "Asked by", "Asked at"]
    is_there = data["worker"] is not None
    worker = f"{data['worker']} keeps the schedule." if is_there else "[bold red]No worker is there.[/]"
    return Group(grid("Tasks", heads, rows) if rows else "[dim]Nothing was asked for.[/]", worker)


@reads(app.tasks, "show")
def show(at: At, task_id: TaskId) -> Shown:
    """Show how far a task is, and what came of it."""
    return Shown(find_task(at.tx, task_id), _task_view)


def _task_view(data: Document) -> RenderableType:
    result, progress = data["result"] or {}, data["progress"] or {}
    told = {name: value for name, value in data.items() if name not in ("result", "progress")}
    parts: list[RenderableType] = [card(told | progress)]
    if data["kind"] == "audit" and data["state"] == "done":
        parts.append(verdict_of(result))
    elif result:
        parts.append(card({name: value for name, value in result.items() if not isinstance(value, list)}))
    return Group(*parts)
