"""Transactions at the edges, and databases by name."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.db.processes import SETTINGS, kill, postmaster, processes_of, server_of, wait_for

from staddle.config import Config
from staddle.db import Database, Server, open_database, open_server
from staddle.db.connect import check_server_version
from staddle.errors import DatabaseUnavailable, InvalidConfig, ServerTooOld

OPEN = "import os, sys; from staddle.config import Config; from staddle.db import open_database; "


@pytest.fixture
def things(database: Database) -> Database:
    with database.owner() as owner:
        owner.execute("CREATE TABLE thing (id int); GRANT ALL ON thing TO staddle_app")
    return database


def count(database: Database) -> int:
    with database.transaction() as tx:
        row = tx.execute("SELECT count(*) AS things FROM thing").fetchone()
    assert row is not None
    return int(row.things)


def test_acts_run_as_the_applications_role_in_utc_and_read_committed(database: Database) -> None:
    with database.owner() as owner:
        for setting in ("timezone = 'Asia/Tokyo'", "default_transaction_isolation = 'serializable'"):
            owner.execute(f"ALTER DATABASE {database.name} SET {setting}")
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT current_user, current_setting('timezone') AS zone,"
            " current_setting('transaction_isolation') AS isolation"
        ).fetchone()
    assert row == ("staddle_app", "UTC", "read committed")


def test_a_reset_does_not_give_an_act_the_owners_rights(things: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), things.transaction() as tx:
        tx.execute("RESET ROLE")
        tx.execute("DROP TABLE thing")


def test_rows_have_names_amounts_are_exact_and_times_are_utc(database: Database) -> None:
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT %(amount)s AS amount, timestamptz '2026-01-31 15:30+02' AS at",
            {"amount": Decimal("123456789012345678901234567890.123456789012345678")},
        ).fetchone()
    assert row is not None
    assert row.amount == Decimal("123456789012345678901234567890.123456789012345678")
    assert row.at == datetime(2026, 1, 31, 13, 30, tzinfo=UTC)
    assert row.at.utcoffset().total_seconds() == 0


def test_a_transaction_is_committed_at_its_end(things: Database) -> None:
    with things.transaction() as tx:
        tx.execute("INSERT INTO thing VALUES (1)")
    assert count(things) == 1


def test_a_transaction_is_rolled_back_when_it_raises(things: Database) -> None:
    with pytest.raises(ZeroDivisionError), things.transaction() as tx:
        tx.execute("INSERT INTO thing VALUES (1)")
        raise ZeroDivisionError
    assert count(things) == 0


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_an_act_cannot_end_the_transaction_it_was_given(things: Database, end: str) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="forbidden"), things.transaction() as tx:
        tx.execute("INSERT INTO thing VALUES (1)")
        getattr(tx, end)()
    assert count(things) == 0


def test_a_connection_lost_between_transactions_is_replaced(things: Database) -> None:
    with things.transaction() as tx:
        pid = tx.info.backend_pid
    with things.owner() as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert count(things) == 0


def test_many_dead_connections_cost_no_more_waiting_than_one(things: Database) -> None:
    with ExitStack() as stack:
        pids = [stack.enter_context(things.transaction()).info.backend_pid for _ in range(6)]
    with things.owner() as owner:
        owner.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS p (pid)", [pids])
    began = time.monotonic()
    assert count(things) == 0
    assert time.monotonic() - began < 0.9, "the pool waited after the first of them"


def test_a_connection_lost_within_a_transaction_is_an_error_of_its_own(things: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="same idempotency key"), things.transaction() as tx:
        tx.execute("INSERT INTO thing VALUES (1)")
        with things.owner() as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", [tx.info.backend_pid])
        tx.execute("INSERT INTO thing VALUES (2)")
    assert count(things) == 0


def test_errors_of_a_living_connection_are_passed_on(things: Database) -> None:
    with things.owner() as owner, owner.transaction():
        owner.execute("LOCK thing")
        with pytest.raises(psycopg.errors.LockNotAvailable), things.transaction() as tx:
            tx.execute("SET LOCAL lock_timeout = '50ms'")
            tx.execute("LOCK thing")
    assert count(things) == 0


def test_a_database_is_listed_from_its_creation_to_its_end(server: Server) -> None:
    assert server.create("test_named")
    assert not server.create("test_named")
    assert "test_named" in server.list()
    with psycopg.connect(server.dsn_of("test_named")):  # though somebody is connected
        server.drop("test_named")
    assert "test_named" not in server.list()
    server.drop("test_named")


@pytest.mark.parametrize(
    "name", ["postgres", "template1", "Desk", "a-b", "", 'a"; DROP TABLE thing', "a" * 64]
)
def test_a_name_that_is_not_plain_is_refused(server: Server, name: str) -> None:
    for act in (server.create, server.drop):
        with pytest.raises(InvalidConfig):
            act(name)


def test_a_server_below_the_least_version_is_refused(database: Database) -> None:
    with database.owner() as owner:
        check_server_version(owner)
        with pytest.raises(ServerTooOld, match="Staddle needs version 99 or newer"):
            check_server_version(owner, version_min=99)


@pytest.fixture
def make_url(server: Server) -> Iterator[Callable[[str], str]]:
    """Make a role that may create databases and roles, but is no superuser; give its URL for a database."""
    role = "test_ordinary_owner"
    parts = conninfo_to_dict(server.dsn)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD 'secret'")
        connection.execute("CREATE ROLE staddle_app NOLOGIN") if not _has_app(connection) else None
        connection.execute(f"GRANT staddle_app TO {role} WITH ADMIN OPTION")
        yield lambda name: f"postgresql://{role}:secret@/{name}?host={parts['host']}&port={parts['port']}"
        server.drop("test_by_url")
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def _has_app(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'staddle_app'").fetchone() is not None


def by_url(url: str, database: str | None = None) -> Config:
    return Config(home=Path("/nowhere"), database_url=url, database=database, operator=None)


def test_a_url_takes_a_server_of_ones_own_and_its_owner_need_not_be_a_superuser(
    make_url: Callable[[str], str],
) -> None:
    for config in (by_url(make_url("test_by_url")), by_url(make_url("postgres"), "test_by_url")):
        with open_database(config) as database, database.transaction() as tx:
            assert database.name == "test_by_url"
            row = tx.execute("SELECT current_user, session_user, current_database()").fetchone()
            assert row == ("staddle_app", "test_ordinary_owner", "test_by_url")


def test_options_in_the_url_are_kept(make_url: Callable[[str], str]) -> None:
    config = by_url(make_url("test_by_url") + "&options=-c%20work_mem%3D7MB&application_name=desk")
    with open_database(config) as database, database.transaction() as tx:
        assert tx.execute("SELECT current_setting('work_mem'), current_user").fetchone() == (
            "7MB",
            "staddle_app",
        )
        assert tx.info.get_parameters()["application_name"] == "desk"


def test_a_url_that_leads_nowhere_is_told_at_once_and_without_the_password() -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as caught:
        open_database(by_url("postgresql://desk:secret@127.0.0.1:1/books"))
    assert "secret" not in caught.value.message
    with pytest.raises(InvalidConfig) as misspelt:
        open_database(by_url("postgresql://desk:secret@127.0.0.1:1/books?nonsense=1"))
    assert "secret" not in misspelt.value.message


def test_processes_that_open_new_databases_at_once_all_get_them(tmp_path: Path) -> None:
    environ = {"STADDLE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    program = OPEN + "c = Config.from_environ(os.environ).named(sys.argv[1]); d = open_database(c); d.close()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, name], env=environ, stderr=subprocess.PIPE, text=True
        )
        for name in ("one", "one", "two")
    ]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, said
    wait_for(lambda: processes_of(tmp_path / "home") == [])
    with open_server(Config(tmp_path / "home", None, None, None), settings=SETTINGS) as server:
        assert server.list() == ["one", "two"]


def test_a_database_outlives_the_death_of_its_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_server(Config(home, None, None, None), settings=SETTINGS) as server, server.open() as database:
        with database.owner() as owner:
            owner.execute("CREATE TABLE thing (id int); GRANT ALL ON thing TO staddle_app")
        with database.transaction() as tx:
            tx.execute("INSERT INTO thing VALUES (1)")
        before = postmaster(home)
        kill(before)
        wait_for(lambda: server_of(home).is_running() and postmaster(home) != before)
        assert count(database) == 1
