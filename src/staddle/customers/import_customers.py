"""`reference,name,country,vip_level,joined_at`: importing customers from a file."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from staddle.customers.add import NewCustomer, add_customers
from staddle.customers.import_file import Begin, Chunk, ImportReport, OnError, Progress, open_csv, run_import
from staddle.customers.read_csv import Line
from staddle.days import parse_instant
from staddle.db import Tx
from staddle.errors import Invalid, InvalidChoice, InvalidTime

REQUIRED = ("reference",)
OPTIONAL = ("name", "country", "vip_level", "joined_at")


def import_customers(
    begin: Begin,
    stream: BinaryIO,
    name: str,
    on_error: OnError,
    now: datetime,
    progress: Progress | None = None,
) -> ImportReport:
    """Import customers from a CSV file, each reference once; `name` is the file's, for messages.

    An empty country is none, an empty level is 0, an empty joining time is now. Raises InvalidFile where the
    header is wrong, and with on_error "stop" where any line is: `problems` in its details lists the bad lines,
    and nothing is imported.
    """
    file = open_csv(stream, name, REQUIRED, OPTIONAL)
    return run_import(begin, file, name, on_error, import_lines, now, progress)


def import_lines(tx: Tx, lines: Sequence[Line], now: datetime) -> Chunk:
    """Add the customers of some lines."""
    chunk = Chunk()
    asked: list[tuple[int, NewCustomer]] = []
    for line in lines:
        try:
            asked.append((line.number, parse(line.fields)))
        except Invalid as error:
            chunk.refuse(line.number, error, None)
    outcomes = add_customers(tx, [customer for _, customer in asked], now)
    for (number, _), outcome in zip(asked, outcomes, strict=True):
        if outcome.error is not None:
            chunk.refuse(number, outcome.error, "reference")
        elif outcome.is_replay:
            chunk.already_there += 1
        else:
            chunk.imported += 1
    return chunk


def parse(fields: dict[str, str]) -> NewCustomer:
    """Read the fields of a line; an error names its column."""
    joined_at = fields.get("joined_at")
    return NewCustomer(
        reference=fields["reference"],
        name=fields.get("name", ""),
        country=fields.get("country") or None,
        vip_level=parse_level(fields.get("vip_level") or "0"),
        joined_at=parse_joined_at(joined_at) if joined_at else None,
    )


def parse_level(text: str) -> int:
    """Read a VIP level: plain digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise InvalidChoice(f"{text[:40]!r} is not a level such as 0 or 3", field="vip_level")
    return int(text)


def parse_joined_at(text: str) -> datetime:
    """Read an instant."""
    try:
        return parse_instant(text)
    except InvalidTime as error:
        raise InvalidTime(error.message, field="joined_at") from None
