"""docs/operate/moving.md, done for real: from the embedded database to a server of one's own, with nothing lost."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.load import CALLERS, Load, desk_for_load, subscribe, tokens_of
from tests.api.world import free_port, stop, wait_until_it_answers
from tests.cli.shell import url_of
from tests.conftest import TEST_SETTINGS
from tests.living import assert_audited

from staddle.config import Config
from staddle.db import Database, open_database, open_server
from staddle.db.connect import connect_owner

PROGRAM = str(Path(sys.executable).parent / "staddle")
OWNER = "desk_owner"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """Another server with an owner who is no superuser, as a hosted one has; gives the URL of a database of theirs."""
    config = Config(home=tmp_path / "own", database_url=None, database=None, operator=None)
    with open_server(config, settings=TEST_SETTINGS) as server:
        with connect_owner(server.dsn) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE".encode())
            connection.execute(f"CREATE DATABASE desk OWNER {OWNER}".encode())
        yield url_of(f"{server.dsn_of('desk')} user={OWNER}")


def environment(home: Path, url: str | None = None) -> dict[str, str]:
    """What the desk's machine sets: where the embedded database and the key lie, and the server's address, if any."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STADDLE_")}
    given = {"STADDLE_HOME": str(home), "STADDLE_DATABASE": "desk", "STADDLE_PROCESSES": "2"}
    return kept | given | ({} if url is None else {"STADDLE_DATABASE_URL": url})


def run(environ: dict[str, str], *arguments: str) -> None:
    """Run a command of the runbook; it must succeed."""
    ended = subprocess.run(
        [PROGRAM, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr or ended.stdout


@contextmanager
def serving(environ: dict[str, str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve the desk until the block ends."""
    process = subprocess.Popen([PROGRAM, "serve", "--listen", f"127.0.0.1:{port}"], env=environ)
    try:
        wait_until_it_answers(process, f"http://127.0.0.1:{port}")
        yield process
    finally:
        stop(process)


def everything(dsn: str) -> dict[str, list[str]]:
    """Read every row of every table."""
    with connect_owner(dsn) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND relpersistence = 'p' ORDER BY 1"
        ).fetchall()
        return {
            table.name: [
                row.line
                for row in connection.execute(
                    f"SELECT t::text AS line FROM {table.name} t ORDER BY 1".encode()
                )
            ]
            for table in tables
        }


def asked_again(url: str, tokens: list[str], load: Load) -> list[Any]:
    """Ask for everything once more under its key, answered before or not."""
    with httpx.Client(base_url=url, timeout=30) as http:
        return [subscribe(http, tokens[caller], key) for caller, key in load.answers]


def test_a_desk_moves_to_a_server_of_its_own_with_nothing_lost(tmp_path: Path, own_server: str) -> None:
    home, port = tmp_path / "home", free_port()
    url = f"http://127.0.0.1:{port}"
    config = Config(home=home, database_url=None, database="desk", operator=None)
    with open_server(config, settings=TEST_SETTINGS) as server, server.open("desk") as database:
        tokens = tokens_of(desk_for_load(database))
    # It serves from the embedded database, and customers subscribe while it is told to stop.
    load = Load(url, tokens)
    with serving(environment(home), port):
        callers = [_calling(load, caller) for caller in range(CALLERS)]
        until = time.monotonic() + 30
        while load.answered < 40 and time.monotonic() < until:
            time.sleep(0.01)
    load.stop.set()
    for caller in callers:
        caller.join()
    assert load.answered >= 40
    # The runbook's commands.
    file = str(tmp_path / "desk.backup")
    run(environment(home), "backup", file)
    run(environment(home, own_server), "restore", file, "--database", "desk", "--quiet")
    run(environment(home, own_server), "audit")
    with open_server(config, settings=TEST_SETTINGS) as server:
        before = everything(server.dsn_of("desk"))
    after = everything(own_server)
    assert set(before) == set(after)
    for table, lines in before.items():
        assert lines == after[table], table
    assert len(before["transfer"]) >= CALLERS + 40
    # It serves from the server: sessions are good, and what was answered before is answered the same again.
    with serving(environment(home, own_server), port):
        again = asked_again(url, tokens, load)
        for answer, first in zip(again, load.answers.values(), strict=True):
            assert answer.status_code == 200
            if first is not None:
                assert answer.headers["idempotent-replayed"] == "true"
                assert answer.json() == first.json()
    with Database(own_server) as database:
        with database.transaction() as tx:
            row = tx.execute("SELECT count(*) AS n FROM position").fetchone()
            assert row is not None
            assert row.n == len(load.answers)
        assert_audited(database)


def _calling(load: Load, caller: int) -> threading.Thread:
    thread = threading.Thread(target=load.run, args=(caller,))
    thread.start()
    return thread


def test_an_owner_who_is_no_superuser_sets_a_new_desk_up_on_their_server(own_server: str) -> None:
    config = Config(home=Path("/nowhere"), database_url=own_server, database=None, operator=None)
    with open_database(config) as database, database.transaction() as tx:
        row = tx.execute("SELECT current_user AS acts_as, session_user AS owner").fetchone()
    assert row is not None
    assert (row.acts_as, row.owner) == ("staddle_app", OWNER)
