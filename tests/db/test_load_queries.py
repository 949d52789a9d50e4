"""Named SQL statements."""

from pathlib import Path

import pytest

from staddle.db import queries
from staddle.db.load_queries import parse_queries

GOOD = """\
-- Statements about things.

-- name: find_thing
-- Look one thing up.
SELECT *  -- all of it
FROM thing WHERE id = %(id)s;

-- name: drop_things
-- Leave no thing behind.
DELETE FROM thing
"""


def test_each_statement_is_an_attribute_with_its_purpose() -> None:
    sql = parse_queries(GOOD, "room/queries.sql")
    assert sql.find_thing == "SELECT *  -- all of it\nFROM thing WHERE id = %(id)s;"
    assert sql.drop_things == "DELETE FROM thing"
    assert sql.purposes == {"find_thing": "Look one thing up.", "drop_things": "Leave no thing behind."}
    assert list(sql) == ["find_thing", "drop_things"]
    assert len(sql) == 2
    assert "find_thing" in dir(sql)


def test_an_unknown_statement_names_the_file() -> None:
    with pytest.raises(AttributeError, match=r"no statement is named 'find_thin' in room/queries\.sql"):
        _ = parse_queries(GOOD, "room/queries.sql").find_thin


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1", "room:1: SQL before the first"),
        ("-- name: a\nSELECT 1", "room:1: 'a' has no comment"),
        ("-- name: a\n--\nSELECT 1", "room:1: 'a' has no comment"),
        ("-- name: a", "room:1: 'a' has no comment"),
        ("-- name: a\n\n-- Too late.\nSELECT 1", "room:1: 'a' has no comment"),
        ("-- name: a\n-- For nothing.\n", "room:1: 'a' has no SQL"),
        ("-- name: a\n-- For nothing.\n-- SELECT 1\n", "room:1: 'a' has no SQL"),
        ("-- name: a\n-- One.\nSELECT 1\n-- name: a\n-- Two.\nSELECT 2", "room:4: 'a' is there twice"),
        ("-- name: A-b\n-- One.\nSELECT 1", "room:1: 'A-b' is not a name"),
        ("-- name: \n-- One.\nSELECT 1", "room:1: '' is not a name"),
        ("-- name: two words\n-- One.\nSELECT 1", "room:1: 'two words' is not a name"),
        ("-- name: purposes\n-- One.\nSELECT 1", "room:1: 'purposes' is not a name"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        parse_queries(text, "room")


def test_the_file_of_a_package_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "a_room_for_a_test"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "queries.sql").write_text(GOOD, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    sql = queries("a_room_for_a_test")
    assert sql.drop_things == "DELETE FROM thing"
    (room / "queries.sql").unlink()
    assert queries("a_room_for_a_test") is sql
