"""Migrations: each once, in order, wholly or not at all, whoever does it and however it ends."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from tests.db.processes import wait_for

from staddle.db import Database, Server
from staddle.db.migrate import migrate, pending
from staddle.errors import DatabaseUnavailable, InvariantBroken

MIGRATE = """
import sys
from pathlib import Path
from staddle.db.connect import connect_owner
from staddle.db.migrate import migrate
with connect_owner(sys.argv[1]) as owner:
    print(*migrate(owner, Path(sys.argv[2])))
"""


@pytest.fixture
def empty(server: Server) -> Database:
    server.drop("test_migrate")
    server.create("test_migrate")
    return Database(server.dsn_of("test_migrate"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_log.sql").write_text("CREATE TABLE log (entry text);\nINSERT INTO log VALUES ('1');\n")
    (made / "0002_more.sql").write_text("INSERT INTO log VALUES ('2');\n")
    return made


def log(database: Database) -> list[str]:
    with database.owner() as owner:
        if owner.execute("SELECT to_regclass('log')").fetchone() == (None,):
            return []
        return [row.entry for row in owner.execute("SELECT entry FROM log ORDER BY entry")]


def run(database: Database, folder: Path) -> list[str]:
    with database.owner() as owner:
        return migrate(owner, folder)


def test_each_migration_is_applied_once_and_in_order(empty: Database, folder: Path) -> None:
    with empty.owner() as owner:
        assert pending(owner, folder) == ["0001_log", "0002_more"]
        assert migrate(owner, folder) == ["0001_log", "0002_more"]
        assert migrate(owner, folder) == []
        (folder / "0003_later.sql").write_text("INSERT INTO log VALUES ('3')")
        assert pending(owner, folder) == ["0003_later"]
        assert migrate(owner, folder) == ["0003_later"]
        assert pending(owner, folder) == []
    assert log(empty) == ["1", "2", "3"]


def test_a_migration_that_fails_leaves_nothing_and_is_named(empty: Database, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("INSERT INTO log VALUES ('2');\nSELECT 1/0;\n")
    (folder / "0003_never.sql").write_text("INSERT INTO log VALUES ('3');\n")
    with pytest.raises(psycopg.errors.DivisionByZero) as caught:
        run(empty, folder)
    assert caught.value.__notes__ == ["in the migration 0002_more.sql"]
    assert log(empty) == ["1"]
    (folder / "0002_more.sql").write_text("INSERT INTO log VALUES ('2');\n")
    assert run(empty, folder) == ["0002_more", "0003_never"]
    assert log(empty) == ["1", "2", "3"]


def test_a_mistake_in_a_migration_is_named_with_its_line(empty: Database, folder: Path) -> None:
    (folder / "0002_more.sql").write_text(
        "-- Häuser\nINSERT INTO log VALUES ('2');\nINSERT INTO logg VALUES ('3');\n"
    )
    with pytest.raises(psycopg.errors.UndefinedTable) as caught:
        run(empty, folder)
    assert caught.value.__notes__ == ["in the migration 0002_more.sql:3"]


def test_a_migration_may_hold_functions_blocks_comments_and_percent_signs(
    empty: Database, folder: Path
) -> None:
    (folder / "0003_all_sorts.sql").write_text(
        """
-- A comment; with a semicolon, and 100 % of a 'quote.
CREATE FUNCTION twice(number int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF number > 0 THEN RETURN number * 2; END IF;  -- here; too
    RETURN 0;
END;
$$;
CREATE FUNCTION half(number int) RETURNS int LANGUAGE sql IMMUTABLE RETURN number / 2;
CREATE FUNCTION two_of(number int) RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC
    SELECT twice(number);
    SELECT CASE WHEN number > 0 THEN half(number) ELSE 0 END;
END;
DO $body$
DECLARE name text := 'x;y';
BEGIN
    EXECUTE format('INSERT INTO log VALUES (%L)', name);
END
$body$;
CREATE TABLE rule (entry text CHECK (entry LIKE '%;%' OR entry ~ '^[a-z]$'), "odd;name" int DEFAULT 5 % 3);
INSERT INTO rule VALUES ('a%b;c', (SELECT two_of(3) LIMIT 1));
""",
        encoding="utf-8",
    )
    assert run(empty, folder)[-1] == "0003_all_sorts"
    assert log(empty) == ["1", "2", "x;y"]
    with empty.owner() as owner:
        assert owner.execute("SELECT * FROM rule").fetchone() == ("a%b;c", 1)


def test_processes_that_migrate_at_once_apply_each_migration_once(empty: Database, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("SELECT pg_sleep(0.5); INSERT INTO log VALUES ('2');\n")
    argv = [sys.executable, "-c", MIGRATE, empty.dsn, str(folder)]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert said == ["", "", "", "0001_log 0002_more"]
    assert log(empty) == ["1", "2"]


def test_a_killed_migration_leaves_nothing_and_is_run_again(empty: Database, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("INSERT INTO log VALUES ('2');\nSELECT pg_sleep(60);\n")
    process = subprocess.Popen([sys.executable, "-c", MIGRATE, empty.dsn, str(folder)])
    with empty.owner() as owner:
        sleeping = (
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'test_migrate'"
        )
        wait_for(lambda: owner.execute(sleeping).fetchone())
        process.kill()
        process.wait()
        owner.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({sleeping}) AS killed")
    assert log(empty) == ["1"]
    (folder / "0002_more.sql").write_text("INSERT INTO log VALUES ('2');\n")
    began = time.monotonic()
    assert run(empty, folder) == ["0002_more"]
    assert time.monotonic() - began < 5
    assert log(empty) == ["1", "2"]


def test_a_database_that_a_newer_version_has_migrated_is_refused(empty: Database, folder: Path) -> None:
    (folder / "0003_newer.sql").write_text("SELECT 1")
    run(empty, folder)
    (folder / "0003_newer.sql").unlink()
    for act in (migrate, pending):
        with (
            empty.owner() as owner,
            pytest.raises(DatabaseUnavailable, match="has had the migration 0003_newer"),
        ):
            act(owner, folder)


def test_two_migrations_of_one_number_are_refused(empty: Database, folder: Path) -> None:
    (folder / "0002_other.sql").write_text("SELECT 1")
    with pytest.raises(InvariantBroken, match="Two migrations have the number 0002"):
        run(empty, folder)
    assert log(empty) == []


def test_a_migration_of_another_form_is_refused(empty: Database, folder: Path) -> None:
    (folder / "fix.sql").write_text("SELECT 1")
    with pytest.raises(InvariantBroken, match=r"fix\.sql is not named like"):
        run(empty, folder)
