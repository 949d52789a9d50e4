"""`staddle statement`, `receipt`, `verify-receipt`: what a customer keeps."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import rewards as room
from staddle import verify_receipt as verifier
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import CustomerRef
from staddle.cli.edge import At, plain, reads
from staddle.cli.show import amount, grid, instant, said
from staddle.days import parse_instant
from staddle.desk import find_desk
from staddle.errors import InvalidFile

PROVED, FALSE, UNREADABLE = 0, 1, 2
From = Annotated[str | None, typer.Option("--from", help="From this instant on; default: the desk's first.")]
To = Annotated[str | None, typer.Option("--to", help="Before this instant; default: up to now.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write CSV; - is standard output.")]


@reads(app.app, "statement")
def statement(at: At, customer: CustomerRef, start: From = None, end: To = None, csv: Csv = None) -> Shown:
    """Show all that happened to a customer's coins in a period, row by row."""
    customer_id = at.customer_id(customer)
    from_at = find_desk(at.tx).created_at if start is None else parse_instant(start)
    until_at = at.now + timedelta(microseconds=1) if end is None else parse_instant(end)
    period = {"customer": customer, "from_at": from_at, "until_at": until_at}
    if csv is None:
        rows = list(room.statement(at.tx, customer_id, from_at, until_at))
        return Shown({**period, "rows": rows}, _statement_view)
    if str(csv) == "-":
        room.write_statement(at.tx, customer_id, from_at, until_at, sys.stdout)
        return Shown(None)
    try:
        with csv.open("w", encoding="utf-8", newline="") as out:
            count = room.write_statement(at.tx, customer_id, from_at, until_at, out)
    except OSError as error:
        raise InvalidFile(f"{csv} cannot be written: {error.strerror}.") from error
    written = {**period, "file": str(csv), "row_count": count}
    return Shown(written, lambda data: said(f"{data['row_count']:,} rows are in {data['file']}."))


def _statement_view(data: Document) -> RenderableType:
    rows = [
        [
            instant(row["at"]),
            row["type"].replace("_", " "),
            amount(row["amount"], row["asset"]),
            f"{row['debit']} to {row['credit']}".replace("_", " "),
            row["product"] or "-",
            row["reference"],
        ]
        for row in data["rows"]
    ]
    if not rows:
        return "[dim]Nothing happened in this period.[/]"
    return grid(
        f"Statement of {data['customer']}", ["Time", "Type", "Amount", "Moved", "Product", "Reference"], rows
    )


@reads(app.app, "receipt")
def receipt(
    at: At,
    customer: CustomerRef,
    name: Annotated[str, typer.Argument(metavar="RECEIPT", help="Position and run date: 512-2026-01-31.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it into a file.")] = None,
) -> Shown:
    """Give the receipt of a reward, as JSON: everything that it takes to recompute it with a pencil."""
    found = room.receipt_named(at.tx, at.customer_id(customer), name, at.now)
    written = room.receipt_json(found)
    if out is None:
        sys.stdout.write(written.decode())
        return Shown(None)
    try:
        out.write_bytes(written)
    except OSError as error:
        raise InvalidFile(f"{out} cannot be written: {error.strerror}.") from error
    return Shown(
        {"file": str(out), "receipt": name},
        lambda data: said(
            f"The receipt is in {data['file']}.", f"Next: staddle verify-receipt {data['file']}"
        ),
    )


@plain(app.app, "verify-receipt")
def verify_receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt as JSON.")],
) -> Shown:
    """Recompute a receipt with a program that shares no code with us: exit 0 proved, 1 false, 2 unreadable."""
    try:
        read = verifier.read_receipt(str(file))
        verifier.prove(read)
    except verifier.Unreadable as error:
        return Shown({"verdict": "unreadable", "reason": str(error)}, _verdict_view, exit_code=UNREADABLE)
    except verifier.NotProved as error:
        return Shown({"verdict": "false", "reason": str(error)}, _verdict_view, exit_code=FALSE)
    return Shown({"verdict": "proved", "reason": None}, _verdict_view, exit_code=PROVED)


def _verdict_view(data: Document) -> RenderableType:
    if data["verdict"] == "proved":
        return "[bold green]Proved.[/]"
    return f"[bold red]{data['verdict'].capitalize()}:[/] {data['reason']}."
