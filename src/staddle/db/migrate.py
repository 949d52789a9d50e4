"""Bring a database to the newest schema: numbered plain SQL, forward only, each file in one transaction.

yoyo-migrations reads, orders and records the files. Its own locking (a row that outlives a killed process)
and its own commits (the steps first, the mark later) are replaced: a session lock of PostgreSQL, which the
server drops with the connection, and one transaction for a file and its mark. So a migration killed anywhere
is run again.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri

from staddle.db.role import have_role
from staddle.errors import DatabaseUnavailable, InvariantBroken

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x5354_4144_444C_45
"""Key of the advisory lock: 'STADDLE' in ASCII. Such locks are per database: two databases do not wait."""
_FILE = re.compile(r"\d{4}_[a-z0-9_]+", re.ASCII)


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no type hints
    """yoyo on one connection of ours, under our lock."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._given = connection
        super().__init__(parse_uri("postgresql+psycopg:///"), "_yoyo_migration")

    def connect(self, dburi: object) -> psycopg.Connection[Any]:  # noqa: ARG002  # yoyo's signature
        return self._given

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """Name neither machine nor user, as yoyo does.

        The one takes seconds where no name server answers, the other a container's user may not have.
        """
        names = {"migration_id": migration.id, "migration_hash": migration.hash} if migration else {}
        made_at = datetime.now(UTC).replace(tzinfo=None)
        return {
            "id": str(uuid4()),
            "migration_id": None,
            "migration_hash": None,
            **names,
            "username": "",
            "hostname": "",
            "created_at_utc": made_at,
            "operation": operation,
        }

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002  # yoyo's signature
        yield


def migrate(connection: psycopg.Connection[Any], folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, in order, and give the names applied. Safe when several processes do it at once.

    The connection must be an owner's, in autocommit mode. Raises DatabaseUnavailable when a newer version of
    the program has been here, and InvariantBroken when two files have one number.
    """
    assert connection.autocommit, "migrations open their own transactions"
    connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        return _apply(connection, folder)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def pending(connection: psycopg.Connection[Any], folder: Path = MIGRATIONS) -> list[str]:
    """Name the migrations the database has not had yet, changing nothing. Raises as `migrate` does."""
    names = _names(folder)
    table = connection.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL AS is_there").fetchone()
    assert table is not None
    if not table[0]:
        return names
    applied = _applied(connection, names)
    return [name for name in names if name not in applied]


def _apply(connection: psycopg.Connection[Any], folder: Path) -> list[str]:
    names = _names(folder)
    backend = _Backend(connection)
    backend.ensure_internal_schema_updated()
    _applied(connection, names)
    missing = backend.to_apply(read_migrations(str(folder)))
    if missing:
        have_role(connection)
    applied = []
    for migration in sorted(missing, key=lambda found: str(found.id)):
        with backend.transaction():
            _apply_file(connection, Path(migration.path))
            backend.mark_one(migration)
        applied.append(str(migration.id))
    return applied


def _apply_file(connection: psycopg.Connection[Any], path: Path) -> None:
    """Send the file as it is: nobody but PostgreSQL has to know where one of its statements ends."""
    text = path.read_text(encoding="utf-8")
    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        position = int(error.diag.statement_position or 0)
        line = f":{text.count(chr(10), 0, position) + 1}" if position else ""
        error.add_note(f"in the migration {path.name}{line}")
        raise


def _names(folder: Path) -> list[str]:
    names = sorted(path.stem for path in folder.glob("*.sql"))
    wrong = [name for name in names if not _FILE.fullmatch(name)]
    if wrong:
        raise InvariantBroken(f"The migration {wrong[0]}.sql is not named like 0001_what_it_does.sql.")
    numbers = [name[:4] for name in names]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise InvariantBroken(f"Two migrations have the number {twice[0]}.")
    return names


def _applied(connection: psycopg.Connection[Any], names: list[str]) -> set[str]:
    """What the database has had. More than we have: a newer program's tables, which we must not work on."""
    rows = connection.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id").fetchall()
    gone = [row[0] for row in rows if row[0] not in names]
    if gone:
        raise DatabaseUnavailable(
            f"The database has had the migration {gone[0]}, which this version of Staddle does not have: "
            "please use the newer version that made it."
        )
    return {row[0] for row in rows}
