"""A backup is of one instant, though everybody goes on working; what is restored is audited (issue 3, line 9)."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.load import desk_for_load, tokens_of, under_load
from tests.api.world import serving
from tests.cli.shell import Shell, environment
from tests.living import Living, assert_audited

from staddle import errors
from staddle.db import Database, Server
from staddle.server.backup import back_up, restore

TABLES = ("transfer", "balance", "position", "request", "notice", "session", "quota")
_numbers = itertools.count(1)


@pytest.fixture
def living(database: Database) -> Living:
    return desk_for_load(database)


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    name = f"restored_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    yield name
    server.drop(name)


def rows(database: Database, query: str) -> list[Any]:
    with database.transaction() as tx:
        return tx.execute(query).fetchall()


def test_a_backup_under_load_is_of_one_instant_and_its_books_are_sound(
    living: Living, server: Server, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "desk.backup"
    with serving(living, processes=2) as service, under_load(service, tokens_of(living)) as load:
        before = load.answered
        made = back_up(living.database, file)
        after = load.answered
    assert after > before
    assert (made.size_bytes, file.stat().st_mode & 0o777) == (file.stat().st_size, 0o600)
    assert list(tmp_path.iterdir()) == [file]
    restore(server, file, name)
    with Database(server.dsn_of(name)) as restored:
        assert_audited(restored)
        then = rows(restored, "SELECT * FROM transfer ORDER BY cell, transfer_id")
        now = rows(living.database, "SELECT * FROM transfer ORDER BY cell, transfer_id")
        assert before <= sum(row.kind == "subscription" for row in then) < len(now)
        # Of each cell there is a beginning of its books, without a gap, and balances are of the same instant.
        kept = set(then)
        for cell, of_cell in itertools.groupby(now, lambda row: row.cell):
            here = [row in kept for row in of_cell]
            assert here == sorted(here, reverse=True), cell
        assert kept <= set(now)
        balances = {(row.cell, row.account_id): row.amount for row in rows(restored, "SELECT * FROM balance")}
        sums: dict[tuple[int, int], Any] = dict.fromkeys(balances, 0)
        for row in then:
            sums[row.cell, row.debit_account] -= row.amount
            sums[row.cell, row.credit_account] += row.amount
        assert sums == balances


def test_what_is_restored_is_what_was_backed_up(
    living: Living, server: Server, name: str, tmp_path: Path
) -> None:
    customer = living.customer("dora", USDT="100")
    living.subscribe(customer, "FLEX", "50")
    living.passes(days=3)
    living.catch_up()
    back_up(living.database, tmp_path / "desk.backup")
    restore(server, tmp_path / "desk.backup", name)
    with Database(server.dsn_of(name)) as restored:
        for table in TABLES:
            query = f"SELECT t::text FROM {table} t ORDER BY 1"
            assert rows(restored, query) == rows(living.database, query), table
        living.database = restored
        living.passes(days=1)
        living.catch_up()
        assert_audited(restored)
        with pytest.raises(Exception, match="permission denied"):
            rows(restored, "DELETE FROM transfer")


def test_nothing_is_written_over(living: Living, server: Server, name: str, tmp_path: Path) -> None:
    file = tmp_path / "desk.backup"
    file.write_text("something else")
    with pytest.raises(errors.AlreadyExists):
        back_up(living.database, file)
    assert file.read_text() == "something else"
    file.unlink()
    back_up(living.database, file)
    with pytest.raises(errors.AlreadyExists):
        restore(server, file, living.database.name)
    assert_audited(living.database)


def test_a_damaged_backup_is_refused_and_leaves_no_database(
    living: Living, server: Server, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "desk.backup"
    back_up(living.database, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(errors.InvalidFile, match="pg_restore did not succeed"):
        restore(server, file, name)
    assert name not in server.list()
    with pytest.raises(errors.InvalidFile, match="There is no backup"):
        restore(server, tmp_path / "nothing.backup", name)


def test_the_commands_back_up_restore_and_audit(
    living: Living, server: Server, name: str, tmp_path: Path
) -> None:
    with environment(living.database.dsn):
        shell = Shell()
        made = shell.done("backup", str(tmp_path / "desk.backup"))
        assert made["database"] == living.database.name
        assert len(made["sha256"]) == 64
        restored = shell.done("restore", str(tmp_path / "desk.backup"), "--database", name, "--quiet")
        assert restored["audit"]["is_sound"]
        shell.refused("already_exists", 4, "backup", str(tmp_path / "desk.backup"))
        shell.refused("already_exists", 4, "restore", str(tmp_path / "desk.backup"), "--database", name)
        with server.open(name) as database, database.owner() as owner:
            owner.execute("UPDATE balance SET amount = amount + 1 WHERE amount > 0")
        back_up(Database(server.dsn_of(name)), tmp_path / "broken.backup")
        server.drop(name)
        ran = shell("restore", str(tmp_path / "broken.backup"), "--database", name, "--quiet")
        assert (ran.code, "not sound" in ran.out) == (1, True)
