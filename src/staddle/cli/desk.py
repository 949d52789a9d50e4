"""`staddle desk`, `operators`: setting up, the log, and the people."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import approvals
from staddle import desk as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import parse_time
from staddle.cli.edge import At, Edge, machine_now, reads, works, writes
from staddle.cli.show import card, grid, instant, listing, said
from staddle.days import parse_instant
from staddle.desk.log_file import write_log
from staddle.errors import InvalidChoice, InvalidFile
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
    waiting = room.count_pending(at.tx)
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
    at: At,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries.")] = 30,
    by: Annotated[str | None, typer.Option("--by", help="What this operator did.")] = None,
    act: Annotated[str | None, typer.Option("--act", help="Of this act, such as set_roles.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="About this, such as a product.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From this instant on.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Before this instant.")] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write all of it as CSV; - is standard output."),
    ] = None,
) -> Shown:
    """Show who did what, newest first. Nobody can edit it; `staddle audit` proves that."""
    instants = (None if text is None else parse_instant(text) for text in (start, end))
    wanted = room.LogFilter(by, act, subject, *instants)
    if csv is None:
        return Shown({"entries": room.read_log(at.tx, count, None, wanted)}, _log_view)
    if str(csv) == "-":
        write_log(at.tx, wanted, sys.stdout)
        return Shown(None)
    try:
        with csv.open("w", encoding="utf-8", newline="") as out:
            written = write_log(at.tx, wanted, out)
    except OSError as error:
        raise InvalidFile(f"{csv} cannot be written: {error.strerror}.") from error
    return Shown(
        {"file": str(csv), "row_count": written},
        lambda data: said(f"{data['row_count']:,} entries are in {data['file']}."),
    )


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
    """Add an operator; the first one adds themselves and has every role, the others are added by an admin.

    Their roles wait for another admin, unless there is only one.
    """
    with edge.transaction() as tx:
        now = room.now_of(tx, machine_now())
        operator = approvals.add_operator(tx, edge.operator or name, name, now, role or ())
    return Shown(operator, _operator_view)


@writes(app.operators, "roles")
def roles(at: At, name: OperatorArgument, role: Roles = None) -> Shown:
    """Say what an operator may do: every role that they are to have. What is new waits for another admin."""
    what: dict[str, object] = {"name": name, "roles": sorted(role or ())}
    answer = at.once("set_roles", what, lambda: approvals.set_roles(at.tx, at.by, name, role or (), at.now))
    return Shown(answer.data, _operator_view, is_replay=answer.is_replay)


@writes(app.operators, "deactivate")
def deactivate(at: At, name: OperatorArgument) -> Shown:
    """Let an operator work the desk no more; whoever is signed in as them is out at once."""
    return _set_active(at, name, False)


@writes(app.operators, "activate")
def activate(at: At, name: OperatorArgument) -> Shown:
    """Let an operator work the desk again; roles of before wait for another admin."""
    return _set_active(at, name, True)


def _set_active(at: At, name: str, is_active: bool) -> Shown:
    what: dict[str, object] = {"name": name, "is_active": is_active}
    answer = at.once(
        "set_active",
        what,
        lambda: approvals.set_operator_active(at.tx, at.by, name, is_active, at.now, machine_now()),
    )
    return Shown(answer.data, _operator_view, is_replay=answer.is_replay)


def _operator_view(data: Document) -> RenderableType:
    if not data["is_active"]:
        return said(f"{data['name']} does not work the desk any more.")
    asked = data["grant_asked"]
    more = [] if asked is None else [
        f"More roles wait for another admin as request {asked}.",
        f"Next: staddle approvals approve {asked} --as ANOTHER-ADMIN",
    ]  # fmt: skip
    return said(f"{data['name']} works the desk: {', '.join(data['roles'])}.", *more)


@reads(app.operators, "list")
def operators(at: At) -> Shown:
    """List the operators."""
    found = room.list_operators(at.tx)
    columns = ["name", "roles", "is_active", "added_at"]
    return Shown({"operators": found}, lambda data: listing("", data["operators"], columns))
