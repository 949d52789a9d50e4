"""Reading CSV files line by line, in bounded memory, whatever is in them; mistakes with line and column.

A line is a record: quotes may hold commas but no line breaks, so that a bad quote spoils one line only.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from staddle.errors import InvalidFile

LINE_MAX = 10_000
"""Bytes of the longest line; a longer one is reported and read over in pieces."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be imported. The header is line 1; `column` is None where the whole line is wrong."""

    line: int
    column: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A data line: its number, and its fields by the names of their columns."""

    number: int
    fields: dict[str, str]


class CsvFile:
    """A CSV file in UTF-8 with a header, whose columns may come in any order.

    Raises InvalidFile where the header is missing or names other columns; after that nothing raises.
    """

    def __init__(self, stream: BinaryIO, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.line_count = 0
        """Lines read so far, the header included."""
        self.byte_count = 0
        """Bytes read so far, for progress."""
        self._stream = stream
        self.columns = self._read_header(required, optional)

    def __iter__(self) -> Iterator[Line | Problem]:
        while (raw := self._read_line()) is not None:
            parsed = self._parse(raw)
            if parsed is not None:
                yield parsed

    def _read_line(self) -> bytes | None:
        """Give the next line without its end, or the beginning of one that is too long; None after the last."""
        raw = self._stream.readline(LINE_MAX + 2)
        if not raw:
            return None
        self.line_count += 1
        self.byte_count += len(raw)
        piece = raw
        while not piece.endswith(b"\n") and (piece := self._stream.readline(LINE_MAX)):
            self.byte_count += len(piece)
        return raw.removesuffix(b"\n").removesuffix(b"\r")

    def _read_header(self, required: Sequence[str], optional: Sequence[str]) -> list[str]:
        raw = self._read_line()
        wanted = f"the header must name the columns {', '.join(required)}"
        if optional:
            wanted += f", and may name {', '.join(optional)}"
        if raw is None:
            raise InvalidFile(f"The file is empty: {wanted}.")
        self.columns = []
        found = self._fields(raw.removeprefix(BYTE_ORDER_MARK))
        if isinstance(found, Problem):
            raise InvalidFile(f"Line 1: {found.reason}.", line=1)
        columns = [name.strip().lower() for name in found]
        missing = [name for name in required if name not in columns]
        unknown = [name for name in columns if name not in (*required, *optional)]
        if missing or unknown or len(set(columns)) != len(columns):
            raise InvalidFile(f"Line 1: {wanted}; it is {','.join(found)[:200]!r}.", line=1)
        return columns

    def _parse(self, raw: bytes) -> Line | Problem | None:
        """Read a data line; None if there is nothing on it."""
        if not raw:
            return None
        fields = self._fields(raw)
        if isinstance(fields, Problem):
            return fields
        if len(fields) != len(self.columns):
            return self._problem(f"it has {len(fields)} columns and the header has {len(self.columns)}")
        return Line(self.line_count, dict(zip(self.columns, fields, strict=True)))

    def _fields(self, raw: bytes) -> list[str] | Problem:
        if len(raw) > LINE_MAX:
            return self._problem(f"it is longer than {LINE_MAX:,} bytes")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            place = raw.count(b",", 0, error.start)
            return self._problem(f"byte {error.start + 1} of the line is not UTF-8", place)
        if "\x00" in text:
            place = text.count(",", 0, text.index("\x00"))
            return self._problem("it holds a NUL character", place)
        try:
            return next(csv.reader([text], strict=True))
        except csv.Error as error:
            return self._problem(f"its quotes are wrong ({error})")

    def _problem(self, reason: str, place: int | None = None) -> Problem:
        """Say what is wrong with the line just read; `place` is the number of commas before the mistake."""
        column = self.columns[place] if place is not None and place < len(self.columns) else None
        return Problem(self.line_count, column, "invalid_file", reason)
