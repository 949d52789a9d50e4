"""Tables as files: CSV as RFC 4180 has it, in memory that does not grow with its length."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile

from staddle.days import format_instant
from staddle.money import plain
from staddle.pages.page import Download

IN_MEMORY_MAX = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | bool | Decimal | datetime | date | None


def csv_file(columns: Sequence[str], rows: Iterable[Sequence[Cell]], name: str) -> Download:
    """Write rows below a head into a file of this name; amounts in plain decimals, instants in UTC, none is empty."""
    file = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115  closed when it was sent
    try:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows([cell_of(cell) for cell in row] for row in rows)
        text.flush()
        text.detach()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Download(file, "text/csv; charset=utf-8", name)


def cell_of(value: Cell) -> str:
    """Write a cell. Text that a spreadsheet would take for a formula is put behind an apostrophe, as these advise."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return str(value)
