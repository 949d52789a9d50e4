"""`staddle desk`, `operators`, `approvals`: setting up, the people, and what needs two of them."""

from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import desk as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import ApprovalId, parse_time
from staddle.cli.edge import At, Edge, machine_now, reads, works, writes
from staddle.cli.show import card, grid, instant, listing, said
from staddle.days import parse_instant
from staddle.errors import InvalidChoice
from staddle.money import parse_decimal


@works(app.desk, "create")
def create(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="The desk's name.")],
    is_sandbox: Annotated[
        bool | None, typer.Option("--sandbox/--production", help="Once and for all; must be said.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Where a sandbox's clock starts; default now.")
    ] = None,
    distribution_time: Annotated[
        str, typer.Option("--distribution-time", help="Of the daily run, in UTC.")
    ] = "00:00",
) -> Shown:
    """Set up the desk of this database: a sandbox with a clock of its own, or production."""
    if is_sandbox is None:
        raise InvalidChoice("Say --sandbox or --production: it can never be changed.")
    if at is not None and not is_sandbox:
        raise InvalidChoice("Only a sandbox has a clock of its own; --at goes with --sandbox.")
    now = machine_now() if at is None else parse_instant(at)
    with edge.transaction() as tx:
        desk = room.create_desk(tx, name, is_sandbox, parse_time(distribution_time), now)
    return Shown(desk, lambda data: said(f"The desk {name} is set up.", card(data)))


@reads(app.desk, "show")
def show(at: At) -> Shown:
    """Show the desk's settings and what time it is there."""
    desk = room.find_desk(at.tx)
    waiting = len(room.pending(at.tx))
    return Shown({"now_at": at.now, "desk": desk, "approvals_waiting": waiting}, _desk_view)


def _desk_view(data: Document) -> RenderableType:
    return card({**data["desk"], "now_at": data["now_at"], "approvals_waiting": data["approvals_waiting"]})


@writes(app.desk, "limits")
def limits(
    at: At,
    run_change_max: Annotated[
        str | None,
        typer.Option(help="A run that differs by more than this fraction waits for a second person."),
    ] = None,
    runway_days_min: Annotated[
        int | None, typer.Option(help="The reward pool should last this long.")
    ] = None,
) -> Shown:
    """Change the limits outside which a reward run waits for a second person."""
    desk = room.find_desk(at.tx)
    change = desk.run_change_max if run_change_max is None else parse_decimal(run_change_max)
    days = desk.runway_days_min if runway_days_min is None else runway_days_min
    what: dict[str, object] = {"run_change_max": change, "runway_days_min": days}
    return at.once("change_limits", what, lambda: room.change_limits(at.tx, at.by, change, days, at.now))


@reads(app.desk, "log")
def log(
    at: At, count: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries.")] = 30
) -> Shown:
    """Show who did what, newest first."""
    return Shown({"entries": room.read_log(at.tx, count)}, _log_view)


def _log_view(data: Document) -> RenderableType:
    rows = [
        [instant(entry["effective_at"]), entry["operator"], entry["act"], entry["subject"]]
        for entry in data["entries"]
    ]
    return grid("", ["When", "Who", "What", "Of what"], rows)


@works(app.operators, "add", "by")
def add(edge: Edge, name: Annotated[str, typer.Argument(help="Small letters and digits.")]) -> Shown:
    """Add an operator; the first one adds themselves."""
    with edge.transaction() as tx:
        now = room.now_of(tx, machine_now())
        operator = room.add_operator(tx, edge.operator or name, name, now)
    return Shown(operator, lambda data: said(f"{data['name']} works the desk."))


@reads(app.operators, "list")
def operators(at: At) -> Shown:
    """List the operators."""
    found = room.list_operators(at.tx)
    return Shown({"operators": found}, lambda data: listing("", data["operators"], ["name", "added_at"]))


@reads(app.approvals, "list")
def approvals(at: At) -> Shown:
    """List what waits for a second person, oldest first."""
    return Shown({"approvals": room.pending(at.tx)}, _approvals_view)


def _approvals_view(data: Document) -> RenderableType:
    columns = ["approval_id", "act", "subject", "asked_by", "asked_at"]
    return listing("", data["approvals"], columns, "Nothing waits for a second person.")


@writes(app.approvals, "decline")
def decline(at: At, approval_id: ApprovalId) -> Shown:
    """Decline a request, or withdraw your own."""
    what: dict[str, object] = {"approval_id": approval_id}
    return at.once("decline", what, lambda: room.decline(at.tx, at.by, approval_id, at.now))
