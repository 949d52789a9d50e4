"""The operators' log as a file: CSV as RFC 4180 has it, newest first, in memory that does not grow with its length."""

import csv
import io
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

import msgspec

from staddle.days import format_instant
from staddle.db import Tx
from staddle.desk.log import LogFilter, read_log

COLUMNS = ("log_id", "at", "operator", "act", "subject", "details")
ROWS_AT_ONCE = 2_000
IN_MEMORY_MAX = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def log_rows(tx: Tx, wanted: LogFilter) -> Iterator[tuple[str, ...]]:
    """Give the entries that are wanted, newest first, as texts; `details` is JSON."""
    before: int | None = None
    while entries := read_log(tx, ROWS_AT_ONCE, before, wanted):
        for entry in entries:
            details = msgspec.json.encode(entry.details).decode()
            at = format_instant(entry.effective_at)
            yield str(entry.log_id), at, entry.operator, entry.act, safe(entry.subject), details
        before = entries[-1].log_id


def write_log(tx: Tx, wanted: LogFilter, out: IO[str]) -> int:
    """Write the entries below a head; gives how many they are."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    for row in log_rows(tx, wanted):
        writer.writerow(row)
        count += 1
    return count


def log_file(tx: Tx, wanted: LogFilter) -> SpooledTemporaryFile[bytes]:
    """Write the entries into a file that whoever sends it closes."""
    file = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115  closed when it was sent
    try:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        write_log(tx, wanted, text)
        text.flush()
        text.detach()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def safe(text: str) -> str:
    """Put what a spreadsheet would take for a formula behind an apostrophe, as these advise."""
    return f"'{text}" if text.startswith(FORMULA) else text
