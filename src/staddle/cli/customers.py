"""`staddle customers`, `agreements` and `deposits`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from staddle import customers as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, shown
from staddle.cli.arguments import CustomerRef
from staddle.cli.edge import At, Edge, reads, works, writes
from staddle.cli.show import card, listing, said
from staddle.days import parse_instant
from staddle.errors import InvalidChoice, InvalidFile

OnError = Annotated[
    str, typer.Option("--on-error", help="stop: all good lines or nothing; skip: all good lines.")
]
FilePath = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file in UTF-8, with a header.")]


@writes(app.customers, "add")
def add(
    at: At,
    reference: CustomerRef,
    name: Annotated[str, typer.Option(help="Their name, if the desk is to know it.")] = "",
    country: Annotated[str | None, typer.Option(help="Two letters, such as DE.")] = None,
    vip_level: Annotated[int, typer.Option("--vip-level", help="0 or more.")] = 0,
    joined: Annotated[str | None, typer.Option(help="When they joined the exchange; default now.")] = None,
) -> Shown:
    """Add a customer; the reference is the key, so a repeat changes nothing."""
    joined_at = None if joined is None else parse_instant(joined)
    new = room.NewCustomer(
        reference=reference, name=name, country=country, vip_level=vip_level, joined_at=joined_at
    )
    return shown(room.add_customers(at.tx, [new], at.now)[0])


@writes(app.customers, "change")
def change(
    at: At,
    reference: CustomerRef,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, such as DE.")] = None,
    vip_level: Annotated[int | None, typer.Option("--vip-level", help="0 or more.")] = None,
) -> Shown:
    """Change what is known about a customer."""
    there = room.find_customer(at.tx, reference)
    new_name = there.name if name is None else name
    new_country = there.country if country is None else country
    level = there.vip_level if vip_level is None else vip_level
    what: dict[str, object] = {
        "reference": reference,
        "name": new_name,
        "country": new_country,
        "vip_level": level,
    }
    return at.once(
        "change_customer",
        what,
        lambda: room.change_customer(at.tx, at.by, reference, new_name, new_country, level, at.now),
    )


@reads(app.customers, "show")
def show(at: At, reference: CustomerRef) -> Shown:
    """Show a customer and what they agreed to."""
    customer = room.find_customer(at.tx, reference)
    consents = room.consents_of(at.tx, customer.customer_id)
    return Shown({"customer": customer, "consents": consents}, _customer_view)


def _customer_view(data: Document) -> RenderableType:
    columns = ["version", "accepted_at", "accepted_from"]
    consents = listing("Agreements accepted", data["consents"], columns, "No agreement accepted yet.")
    return said(data["customer"]["reference"], card(data["customer"], leave_out=["reference"]), consents)


@works(app.customers, "import")
def import_customers(edge: Edge, file: FilePath, on_error: OnError = "stop") -> Shown:
    """Import customers from a CSV file: reference, name, country, vip_level, joined_at."""
    return _import(edge, file, on_error, room.import_customers)


@works(app.deposits, "import")
def import_deposits(edge: Edge, file: FilePath, on_error: OnError = "stop") -> Shown:
    """Import deposits from a CSV file: customer, asset, account, amount, reference."""
    return _import(edge, file, on_error, room.import_deposits)


def _import(edge: Edge, path: Path, on_error: str, read: Callable[..., room.ImportReport]) -> Shown:
    if on_error not in ("stop", "skip"):
        raise InvalidChoice(f"--on-error is stop or skip, not {on_error[:40]!r}.")
    mode: Literal["stop", "skip"] = "stop" if on_error == "stop" else "skip"
    now = edge.now()
    try:
        with path.open("rb") as stream, _bar(edge) as bar:
            told = _teller(bar, stream)
            report = read(edge.transaction, stream, path.name, mode, now, told)
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror}.") from error
    return Shown(report, _import_view, exit_code=InvalidFile.exit_code if report.problem_count else 0)


def _bar(edge: Edge) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(
        *columns, console=edge.console, disable=edge.is_json or not edge.console.is_terminal, transient=True
    )


def _teller(bar: Progress, stream: BinaryIO) -> Callable[[int, int], None]:
    task = bar.add_task("0 lines", total=os.fstat(stream.fileno()).st_size)
    return lambda lines, read: bar.update(task, completed=read, description=f"{lines:,} lines")


def _import_view(data: Document) -> RenderableType:
    there, bad = data["already_there"], data["problem_count"]
    sentence = f"{data['file']}: {data['imported']:,} of {data['line_count']:,} lines imported"
    sentence += f", {there:,} were there already" if there else ""
    sentence += f", {bad:,} bad" if bad else ""
    if not data["problems"]:
        return said(sentence + ".")
    return said(sentence + ".", listing("Bad lines", data["problems"], ["line", "column", "code", "reason"]))


@writes(app.agreements, "publish")
def publish(
    at: At,
    title: Annotated[str, typer.Argument(help="Such as: Staking service agreement.")],
    file: Annotated[Path | None, typer.Option(help="The text, in UTF-8.")] = None,
    text: Annotated[str | None, typer.Option(help="The text itself.")] = None,
) -> Shown:
    """Publish a new version of the agreement, which every subscription from now on must accept."""
    if (file is None) == (text is None):
        raise InvalidChoice("Give the agreement's text by --file or by --text.")
    try:
        body = file.read_text(encoding="utf-8") if file is not None else text or ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"{file} cannot be read: {error}") from None
    what: dict[str, object] = {"title": title, "body": body}

    def do() -> dict[str, object]:
        return {"version": room.publish_agreement(at.tx, at.by, title, body, at.now), "title": title}

    answer = at.once("publish_agreement", what, do)
    view = lambda data: said(f"Version {data['version']} of the agreement is in force.")  # noqa: E731
    return Shown(answer.data, view, is_replay=answer.is_replay)


@reads(app.agreements, "show")
def show_agreement(
    at: At, version: Annotated[int | None, typer.Argument(help="Default: the one in force.")] = None
) -> Shown:
    """Show the agreement."""
    agreement = room.current_agreement(at.tx) if version is None else room.find_agreement(at.tx, version)
    return Shown(
        agreement, lambda data: said(data["title"], data["body"], card(data, leave_out=["title", "body"]))
    )


@reads(app.agreements, "list")
def agreements(at: At) -> Shown:
    """List the versions of the agreement."""
    columns = ["version", "title", "published_by", "published_at"]
    empty = "No agreement has been published yet; nobody can subscribe before."
    rows = room.list_agreements(at.tx)
    return Shown({"agreements": rows}, lambda data: listing("", data["agreements"], columns, empty))
