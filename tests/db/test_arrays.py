"""Lists reach the database as arrays, whatever their elements hold."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import psycopg
import pytest

from staddle.db import Database


class Kind(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -2, 2**62]),
        ("bigint", []),
        ("bigint", [None, 7]),
        ("integer", [Kind.ONE, 2]),
        ("numeric", [Decimal("0.00000001"), Decimal("1E-18"), Decimal("12345678901234567890.123456789"), 5]),
        ("text", ["", "NULL", "a,b", "{}", '"', "\\", '\\"', "'", " x ", "ä€😀", "line\nend", "%s"]),
        ("text", ["only", None]),
        ("boolean", [True, False, None]),
        ("bytea", [b"", b"\0\xff\\", None]),
        ("date", [date(2026, 1, 31), None]),
        ("timestamptz", [datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC), None]),
        ("json", ['{"a": "b\\"c\\\\"}']),
        ("integer", [[1, 2], [3, 4]]),
    ],
)
def test_an_array_comes_back_as_the_list_it_was(database: Database, kind: str, values: list[Any]) -> None:
    read = "bytea" if kind == "bytea" else "text" if kind == "json" else kind
    with database.transaction() as tx:
        row = tx.execute(f"SELECT %(values)s::{kind}[]::{read}[] AS values", {"values": values}).fetchone()
    assert row is not None
    assert row.values == values


@pytest.mark.parametrize("values", [["a\0b"], ["a\0b", None]])
def test_a_text_with_a_zero_byte_is_refused_and_not_cut(database: Database, values: list[Any]) -> None:
    with pytest.raises(psycopg.DataError), database.transaction() as tx:
        tx.execute("SELECT %(values)s::text[]", {"values": values})
