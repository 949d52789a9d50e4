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
from staddle.identity import set_operator_active
from staddle.money import parse_decimal

Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="viewer, support, product, treasury or admin; once for each."),
]
OperatorArgument = Annotated[str, typer.Argument(metavar="OPERATOR", help="An operator's name.")]


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
    redemptions_times_max: Annotated[
        str | None,
        typer.Option(help="So many times the average of 30 days are unusual redemptions of a day."),
    ] = None,
    redemptions_share_max: Annotated[
        str | None,
        typer.Option(help="This fraction of what is staked is an unusual day of redemptions."),
    ] = None,
) -> Shown:
    """Change the limits outside which a reward run waits for a second person, or something is alarmed."""
    desk = room.find_desk(at.tx)
    change = desk.run_change_max if run_change_max is None else parse_decimal(run_change_max)
    days = desk.runway_days_min if runway_days_min is None else runway_days_min
    what: dict[str, object] = {"run_change_max": change, "runway_days_min": days}
    times = None if redemptions_times_max is None else parse_decimal(redemptions_times_max)
    share = None if redemptions_share_max is None else parse_decimal(redemptions_share_max)
    if times is not None or share is not None:
        what |= {"redemptions_times_max": times, "redemptions_share_max": share}

    def do() -> room.Desk:
        room.change_limits(at.tx, at.by, change, days, at.now)
        return room.change_redemption_limits(at.tx, at.by, times, share, at.now)

    return at.once("change_limits", what, do)


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
def add(
    edge: Edge,
    name: Annotated[str, typer.Argument(help="Small letters and digits.")],
    role: Roles = None,
) -> Shown:
    """Add an operator; the first one adds themselves and has every role, the others are added by an admin."""
    with edge.transaction() as tx:
        now = room.now_of(tx, machine_now())
        operator = room.add_operator(tx, edge.operator or name, name, now, role or ())
    return Shown(operator, _operator_view)


@writes(app.operators, "roles")
def roles(at: At, name: OperatorArgument, role: Roles = None) -> Shown:
    """Say what an operator may do from now on: every role that they are to have."""
    what: dict[str, object] = {"name": name, "roles": sorted(role or ())}
    answer = at.once("set_roles", what, lambda: room.set_roles(at.tx, at.by, name, role or (), at.now))
    return Shown(answer.data, _operator_view, is_replay=answer.is_replay)


@writes(app.operators, "deactivate")
def deactivate(at: At, name: OperatorArgument) -> Shown:
    """Let an operator work the desk no more; whoever is signed in as them is out at once."""
    return _set_active(at, name, False)


@writes(app.operators, "activate")
def activate(at: At, name: OperatorArgument) -> Shown:
    """Let an operator work the desk again."""
    return _set_active(at, name, True)


def _set_active(at: At, name: str, is_active: bool) -> Shown:
    what: dict[str, object] = {"name": name, "is_active": is_active}
    answer = at.once(
        "set_active", what, lambda: set_operator_active(at.tx, at.by, name, is_active, at.now, machine_now())
    )
    return Shown(answer.data, _operator_view, is_replay=answer.is_replay)


def _operator_view(data: Document) -> RenderableType:
    if not data["is_active"]:
        return said(f"{data['name']} does not work the desk any more.")
    return said(f"{data['name']} works the desk: {', '.join(data['roles'])}.")


@reads(app.operators, "list")
def operators(at: At) -> Shown:
    """List the operators."""
    found = room.list_operators(at.tx)
    columns = ["name", "roles", "is_active", "added_at"]
    return Shown({"operators": found}, lambda data: listing("", data["operators"], columns))


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
