"""`staddle approvals`: what waits for a second person, with what it changes and what comes of it; and deciding it."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from staddle import approvals as room
from staddle.approvals import Deciding
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import ApprovalId
from staddle.cli.edge import At, machine_now, reads, writes
from staddle.cli.show import grid, instant, said
from staddle.identity import operator_caller


@reads(app.approvals, "list")
def list_requests(
    at: At,
    is_decided: Annotated[
        bool, typer.Option("--decided", help="Those that were decided, newest first.")
    ] = False,
    before: Annotated[int | None, typer.Option(help="Of the decided ones: go on before this number.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Of the decided ones: how many.")] = 50,
) -> Shown:
    """List what waits for a second person, oldest first."""
    found = room.decided(at.tx, at.now, count, before) if is_decided else room.waiting(at.tx, at.now)
    return Shown({"approvals": found}, _list_view)


def _list_view(data: Document) -> RenderableType:
    rows = [
        [
            str(each["approval_id"]),
            each["title"],
            each["subject"],
            each["state"],
            each["asked_by"],
            instant(each["asked_at"]),
            each["decided_by"] or "-",
        ]
        for each in data["approvals"]
    ]
    if not rows:
        return "[dim]Nothing waits for a second person.[/]"
    return grid("", ["Request", "What", "About", "State", "Asked by", "At", "Decided by"], rows)


@reads(app.approvals, "show")
def show(at: At, approval_id: ApprovalId) -> Shown:
    """Show a request: what it changes, and what comes of it, as seen when it was asked for and now."""
    return Shown(room.show_request(at.tx, approval_id, at.now), request_view)


def request_view(data: Document) -> RenderableType:
    """Show a request with its difference and its effect, before and after."""
    head = f"Request {data['approval_id']}, {data['title'].lower()}: {data['subject']}. It is {data['state']}"
    asked = f"{head}; {data['asked_by']} asked for it at {instant(data['asked_at'])}."
    parts: list[Any] = []
    for title, key in (
        ("What it changes", "difference"),
        ("What comes of it", "effect"),
        ("By now", "effect_now"),
    ):
        if data.get(key):
            rows = [[each["words"], each["before"] or "-", each["after"] or "-"] for each in data[key]]
            parts.append(grid(title, ["", "Before", "After"], rows))
    if data["state"] == "stale":
        parts.append("Something has changed since it was asked for: it must be made again.")
    if data["state"] == "waiting":
        number = data["approval_id"]
        parts.append(f"Next: staddle approvals approve {number} --as SOMEBODY-ELSE, or decline {number}")
    return Group(said(asked), *parts)


def asked_view(data: Document) -> RenderableType:
    """Show a request that was just made."""
    return request_view(data["request"])


def asked(at: At, approval_id: int) -> dict[str, object]:
    """Say what was asked for, as the second person sees it."""
    return {"approval_id": approval_id, "request": room.show_request(at.tx, approval_id, at.now)}


@writes(app.approvals, "approve")
def approve(at: At, approval_id: ApprovalId) -> Shown:
    """Approve a request of whatever kind, as a second person with the role for it; it is done at once."""

    def do() -> dict[str, object]:
        caller = operator_caller(at.tx, at.by)
        done = room.approve(at.tx, Deciding(caller, approval_id, at.now, machine_now())).done
        return {"request": room.show_request(at.tx, approval_id, at.now), "done": done}

    answer = at.once("approve_request", {"approval_id": approval_id}, do)
    return Shown(answer.data, _approved_view, is_replay=answer.is_replay)


def _approved_view(data: Document) -> RenderableType:
    request = data["request"]
    return said(f"Request {request['approval_id']} is approved and done: {request['title'].lower()}, "
                f"{request['subject']}.")  # fmt: skip


@writes(app.approvals, "decline")
def decline(at: At, approval_id: ApprovalId) -> Shown:
    """Decline a request, or withdraw your own; nothing is done."""

    def do() -> room.RequestInFull:
        room.decline(at.tx, operator_caller(at.tx, at.by), approval_id, at.now)
        return room.show_request(at.tx, approval_id, at.now)

    answer = at.once("decline", {"approval_id": approval_id}, do)
    return Shown(answer.data, _declined_view, is_replay=answer.is_replay)


def _declined_view(data: Document) -> RenderableType:
    return said(f"Request {data['approval_id']} is {data['state']}; nothing was done.")
