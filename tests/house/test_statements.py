"""Every named statement is one that PostgreSQL can prepare, and one that somebody uses."""

import re
from pathlib import Path

import pytest

from staddle.db import Database

SOURCE = Path(__file__).parents[2] / "src" / "staddle"
FILES = sorted(SOURCE.rglob("queries.sql"))
STATEMENT = re.compile(r"^-- name: (\w+)\n-- \S.*\n((?:(?!^-- name: ).*\n?)*)", re.MULTILINE)
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def statements(path: Path) -> dict[str, str]:
    """Read the statements of a file by a way of its own, so that the loader is held against something."""
    return {match[1]: match[2] for match in STATEMENT.finditer(path.read_text())}


def numbered(statement: str) -> str:
    """Write psycopg's named placeholders as PostgreSQL's numbered ones."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return PLACEHOLDER.sub(number, statement).replace("%%", "%")


@pytest.mark.parametrize("path", FILES, ids=lambda path: ".".join(path.parent.relative_to(SOURCE).parts))
def test_every_statement_can_be_prepared(path: Path, database: Database) -> None:
    with database.transaction() as tx:
        for name, statement in statements(path).items():
            assert statement.strip().endswith(";"), f"{name} does not end in a semicolon"
            if statement.startswith("TRUNCATE"):
                tx.execute(statement.encode())  # PostgreSQL prepares queries only
                continue
            tx.execute(f"PREPARE {name} AS {numbered(statement)}".encode())
            tx.execute(f"DEALLOCATE {name}".encode())


@pytest.mark.parametrize("path", FILES, ids=lambda path: ".".join(path.parent.relative_to(SOURCE).parts))
def test_every_statement_is_used_and_every_one_used_is_there(path: Path) -> None:
    used = set()
    for file in path.parent.glob("*.py"):
        used |= set(re.findall(r"\bsql\.(\w+)", file.read_text()))
    assert used == set(statements(path))


def test_every_room_with_statements_is_looked_at() -> None:
    loading = {
        file.parent for file in SOURCE.rglob("*.py") if "\nsql = queries(__package__)\n" in file.read_text()
    }
    assert loading == {path.parent for path in FILES}
