"""Lists as arrays: acts hand whole columns to the database, and this writes them several times faster than psycopg.

A list is written in PostgreSQL's own text form and its type is left open, so every placeholder that takes one names
the type: `%(cells)s::smallint[]`. Kinds of elements that are not known here are left to psycopg.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from msgspec.structs import astuple
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.array import ListDumper

_AS_IT_IS = {int, Decimal}
_QUOTED = {date, datetime}


def columns(rows: Sequence[msgspec.Struct]) -> dict[str, list[Any]]:
    """Turn rows, of which there is at least one, into the columns that a statement takes, named as the fields."""
    lists = map(list, zip(*map(astuple, rows), strict=True))
    return dict(zip(rows[0].__struct_fields__, lists, strict=True))


class ArrayDumper(Dumper):
    """Writes a list of numbers, texts, instants, dates, truth values, bytes and None."""

    def dump(self, obj: list[Any]) -> bytes | None:
        """Give the array's text; raises DataError for a text that holds a zero byte."""
        kinds = set(map(type, obj))
        if kinds <= _AS_IT_IS:
            return f"{{{','.join(map(str, obj))}}}".encode()
        if kinds == {str}:
            return _texts(obj)
        if kinds == {datetime} and obj.count(obj[0]) == len(obj):
            # The instant of an act, which all its rows share.
            return f"{{{','.join([_element(obj[0])] * len(obj))}}}".encode()
        if kinds == {type(None)}:
            return f"{{{','.join(['NULL'] * len(obj))}}}".encode()
        if not kinds <= _AS_IT_IS | _QUOTED | {str, bool, bytes, type(None)}:
            written = ListDumper(list, self.connection).dump(obj)
            return None if written is None else bytes(written)
        return f"{{{','.join(map(_element, obj))}}}".encode()


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    kind = type(value)
    if kind in _AS_IT_IS:
        return str(value)
    if kind is str:
        return _quote(value)
    if kind is bool:
        return "t" if value else "f"
    if kind is bytes:
        return f'"\\\\x{value.hex()}"'
    return f'"{value.isoformat()}"'


def _texts(texts: list[str]) -> bytes:
    """Write texts; all at once where none holds what must be escaped, as keys and words seldom do."""
    joined = '","'.join(texts)
    if "\\" in joined or "\0" in joined or joined.count('"') != 2 * (len(texts) - 1):
        return f"{{{','.join(map(_quote, texts))}}}".encode()
    return f'{{"{joined}"}}'.encode()


def _quote(text: str) -> str:
    if "\0" in text:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


ADAPTERS = AdaptersMap(psycopg.adapters)
"""How the values of acts are written: as psycopg does, but for lists."""
ADAPTERS.register_dumper(list, ArrayDumper)
