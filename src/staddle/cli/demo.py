"""`staddle demo`: a sandbox desk is set up, lives through its days, is audited, and tells what happened."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from staddle import demo as room
from staddle.cli import app
from staddle.cli.accounts import assets_table
from staddle.cli.answer import Document, Shown, document
from staddle.cli.auditing import audit_books, exit_code_of, verdict_of
from staddle.cli.edge import DatabaseName, machine_now, plain, show
from staddle.cli.products import offer_table
from staddle.cli.rewards import runs_table
from staddle.cli.serve import serve
from staddle.cli.show import amount, console_of, grid, instant
from staddle.cli.treasury import runway_table
from staddle.config import Config
from staddle.db import Database, open_server
from staddle.demo import Doors, Lived
from staddle.desk import now_of
from staddle.errors import AlreadyExists
from staddle.ledger import scales_of
from staddle.rewards import seal_all

DATABASE = "staddle_demo"
EXAMPLES = (0, 7, 24)


@plain(app.app, "demo")
def demo(
    customers: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 300,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days are lived through.")] = 90,
    seed: Annotated[int, typer.Option(help="Another seed lives another life.")] = 1,
    name: DatabaseName = None,
    is_quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    is_served: Annotated[
        bool, typer.Option("--serve", help="Then serve it, with logins, until stopped.")
    ] = False,
) -> Shown:
    """Set a sandbox desk up, live through 90 days of it, audit the books, and show what happened.

    The desk is made anew each time, in the database staddle_demo unless told otherwise; only a demo desk is ever wiped.
    With --serve it gives two customers and three operators logins and answers on STADDLE_LISTEN, or on a free port
    where that one is taken.
    """
    config = Config.from_environ(os.environ)
    chosen = config.named(name or config.database or DATABASE)
    assert chosen.database is not None
    console = console_of(sys.stderr)
    began = time.monotonic()
    with open_server(chosen) as server:
        if chosen.database in server.list():
            with server.open(chosen.database) as there:
                if not room.is_demo(there):
                    raise AlreadyExists(
                        f"The database {chosen.database} holds another desk; it was left alone."
                    )
            server.drop(chosen.database)
        with server.open(chosen.database) as database:
            references, lived = play(database, console, customers, days, seed, is_quiet=is_quiet)
            with database.transaction() as tx:
                now = now_of(tx, machine_now())
                scales = scales_of(tx)
            room.leave_waiting(database, now)
            seal_all(database, now)
            findings = audit_books(database, console, is_quiet=is_quiet)
            examples = [references[number] for number in EXAMPLES if number < len(references)]
            story = room.tell_story(database, lived, examples)
            doors = room.open_doors(database, chosen, references, machine_now()) if is_served else None
    data = {
        "database": chosen.database,
        "customers": customers,
        "days": days,
        "seconds": f"{time.monotonic() - began:.1f}",
        "story": story,
        "audit": findings,
    }
    shown = Shown(data, story_view, exit_code=exit_code_of(findings), scales=scales)
    if doors is None:
        return shown
    show(False, shown, document(data, scales))
    serve_demo(chosen, doors)
    return Shown(None, exit_code=shown.exit_code)


def serve_demo(config: Config, doors: Doors) -> None:
    """Say where the demo desk is and how to come in, and serve it until stopped."""
    host, port = free_address(config.listen)
    console_of(sys.stdout).print(doors_view(f"http://{host}:{port}", doors), soft_wrap=True)
    assert config.database is not None
    serve(listen=f"{host}:{port}", database=config.database, has_worker=True)


def free_address(wanted: tuple[str, int]) -> tuple[str, int]:
    """Give the wanted address, or the same host with a free port where somebody answers there already."""
    host, port = wanted
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (port, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, number))
            except OSError:
                continue
            return host, int(probe.getsockname()[1])
    return wanted


def doors_view(address: str, doors: Doors) -> RenderableType:
    """Show the address, the logins, and a line to paste."""
    rows = [[door.email, door.password, door.may] for door in doors.logins]
    return Group(
        f"\n[bold]The desk is open[/] at {address} until Ctrl-C; the operators' console: {address}/console; "
        f"the API's manual: {address}/docs\n",
        grid("Logins, made for this demo only", ["E-mail", "Password", "May"], rows),
        f"The API key of {doors.api_key_of}: paste this line:\n",
        f"curl -s {address}/v1/positions -H 'Authorization: Bearer {doors.api_key}'\n",
        f"An integrator's client: {doors.client_id}, secret {doors.client_secret}",
        "The sandbox's clock only moves when told: staddle clock advance 1d --with-runs\n",
    )


def play(
    database: Database, console: Console, customers: int, days: int, seed: int, *, is_quiet: bool
) -> tuple[list[str], Lived]:
    """Set the desk up and live, with a progress bar where somebody is looking."""
    with _bar(console, is_quiet=is_quiet) as bar:
        task = bar.add_task("setting the desk up", total=days)
        references = room.set_up(database, customers, seed)

        def tell(day: int, lived: Lived) -> None:
            words = f"{sum(lived.done.values()):,} acts, {len(lived.runs)} runs"
            bar.update(task, completed=day, description=words)

        return references, room.live(database, references, days, seed, tell)


@contextmanager
def _bar(console: Console, *, is_quiet: bool) -> Iterator[Progress]:
    columns = (
        TextColumn("day"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, disable=is_quiet or not console.is_terminal, transient=True
    ) as bar:
        yield bar


def story_view(data: Document) -> RenderableType:
    """Tell what happened, as tables that a person enjoys, ending with the audit's verdict."""
    story = data["story"]
    return Group(
        f"[bold]{data['days']} days at the demo desk[/], until {instant(story['now_at'])}, "
        f"with {data['customers']} customers, in {data['seconds']} s\n",
        offer_table("On offer", story["products"]),
        paid_table(story),
        runs_table("The last runs", story["last_runs"]),
        runs_sentence(story),
        acts_table(story),
        *[assets_table(_title(each), each["assets"]) for each in story["examples"]],
        runway_table("Treasury", story["runway"]),
        verdict_of(data["audit"]),
        next_commands(data["database"], [each["customer"] for each in story["examples"]]),
    )


def _title(example: Document) -> str:
    return f"{example['customer']}, with {example['open_positions']} open positions"


def paid_table(story: Document) -> RenderableType:
    """Show what the runs paid, coin by coin."""
    rows = [
        [each["asset"], str(each["products"]), f"{each['rewards']:,}", amount(each["amount"], each["asset"])]
        for each in story["paid"]
    ]
    return grid("Rewards of all runs", ["Asset", "Products", "Rewards", "Amount"], rows)


def runs_sentence(story: Document) -> str:
    """Say how the runs went."""
    released = ", ".join(story["runs_released"])
    return (
        f"{story['runs']} runs; {story['runs_caught_up']} of them caught up after an outage"
        + (f"; outside the limits, and released by a second person: {released}" if released else "")
        + f".\nBy themselves: {story['auto_subscribed']:,} auto-subscribed, "
        + f"{story['guards_applied']:,} rate guards applied.\n"
    )


def acts_table(story: Document) -> RenderableType:
    """Show the acts by kind, with what was refused and why."""
    rows = []
    acts = sorted({*story["acts_done"], *(each["act"] for each in story["refusals"])})
    for act in acts:
        refused = [each for each in story["refusals"] if each["act"] == act]
        why = ", ".join(f"{each['code']} {each['count']}" for each in refused) or "-"
        rows.append(
            [act, f"{story['acts_done'].get(act, 0):,}", f"{sum(each['count'] for each in refused):,}", why]
        )
    return grid("What customers did", ["Act", "Done", "Refused", "Why"], rows)


def next_commands(database: str, examples: list[str]) -> str:
    """Say what to try next."""
    who = examples[0] if examples else "CUSTOMER"
    return (
        f"\n[bold]Next[/], in this sandbox:\n  export STADDLE_DATABASE={database} STADDLE_OPERATOR=alice\n"
        f"  staddle products show USDT-FLEX\n  staddle positions {who}\n"
        f"  staddle preview {who} USDT-30D 100\n  staddle subscribe {who} USDT-30D 100 --accept 1\n"
        "  staddle clock advance 3d --with-runs\n  staddle audit"
    )
