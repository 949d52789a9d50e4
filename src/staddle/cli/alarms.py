"""`staddle alarms`: what somebody who runs the desk must look at."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType

from staddle import desk
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import grid, instant, listing, said
from staddle.server.schedule import job_statuses

AlarmId = Annotated[int, typer.Argument(metavar="ALARM", help="The number of an alarm.")]


@reads(app.alarms, "list")
def alarms(
    at: At,
    is_all: Annotated[bool, typer.Option("--all", help="Those too that were cleared.")] = False,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 100,
) -> Shown:
    """List the open alarms, newest first, and how the jobs of the schedule stand."""
    found = desk.list_alarms(at.tx, is_all, count)
    return Shown({"alarms": found, "jobs": job_statuses(at.tx)}, _alarms_view)


def _alarms_view(data: Document) -> RenderableType:
    rows = [
        [
            str(each["alarm_id"]),
            each["kind"],
            each["subject"],
            instant(each["raised_at"]),
            "open" if each["cleared_at"] is None else instant(each["cleared_at"]),
            " ".join(f"{name}={value}" for name, value in each["details"].items()),
        ]
        for each in data["alarms"]
    ]
    heads = ["Alarm", "Kind", "About", "Raised", "Cleared", "Details"]
    jobs = listing("Jobs", data["jobs"], ["name", "done_at", "failures", "error"], "No worker has run yet.")
    return Group(grid("Alarms", heads, rows) if rows else "[green]No alarm is open.[/]", jobs)


@writes(app.alarms, "clear")
def clear(at: At, alarm_id: AlarmId) -> Shown:
    """Clear an alarm by hand; it comes back where its cause is found again."""

    def do() -> dict[str, object]:
        alarm = desk.dismiss_alarm(at.tx, at.by, alarm_id, at.now)
        return {"alarm_id": alarm.alarm_id, "kind": alarm.kind, "subject": alarm.subject}

    answer = at.once("dismiss_alarm", {"alarm_id": alarm_id}, do)
    return Shown(
        answer.data, lambda data: said(f"Alarm {data['alarm_id']} is cleared."), is_replay=answer.is_replay
    )
