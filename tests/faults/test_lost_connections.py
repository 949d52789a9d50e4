"""A connection is lost, or a statement takes too long: it is told, nothing is half done, a repeat does it once."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.faults.acts import perform
from tests.faults.books import Books, books_of, differences, prove
from tests.faults.conftest import Copy, Undisturbed
from tests.faults.processes import backends_of, finish, go_on, start_act, wait_until_stopped

from staddle.db import Database
from staddle.errors import Unavailable

CASES = [
    ("subscribe", "subscribe.written"),
    ("redeem", "settle.paid"),
    ("confirm_leave", "confirm_leave.stored"),
    ("run", "run.piece_before_commit#2"),
]


@pytest.mark.parametrize(("act", "place"), CASES)
def test_a_connection_lost_within_an_act_is_told_and_the_act_can_be_repeated(
    act: str, place: str, copy: Copy, before: Books, undisturbed: Undisturbed
) -> None:
    answer, after = undisturbed(act)
    database = copy()
    process = start_act(database, act, place, is_stopped=True)
    wait_until_stopped(process)
    lost = backends_of(database)
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for pid in lost:
            connection.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])  # and wait until it is gone
    go_on(process)
    assert finish(process) == (Unavailable.exit_code, "database_unavailable")
    if act != "run":
        assert differences(books_of(database), before) == {}
    assert perform(database, act) == answer
    assert differences(books_of(database), after) == {}
    prove(database)


@contextmanager
def all_cells_held(database: Database) -> Iterator[None]:
    """Somebody holds every cell and does not let go."""
    with psycopg.connect(database.dsn) as connection:
        connection.execute("SELECT 1 FROM cell ORDER BY cell FOR UPDATE")
        yield


@pytest.mark.parametrize("act", ["subscribe", "redeem", "confirm_leave", "run", "mature", "seal"])
@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
def test_an_act_that_waits_too_long_does_nothing_and_can_be_repeated(
    act: str, setting: str, copy: Copy, before: Books, undisturbed: Undisturbed
) -> None:
    answer, after = undisturbed(act)
    database = copy()
    hurried = Database(make_conninfo(database.dsn, options=f"-c {setting}=200"))
    with hurried, all_cells_held(database):
        if act == "seal":
            assert perform(hurried, act) == answer, "sealing waits for nobody's act"
        else:
            with pytest.raises(psycopg.OperationalError, match="canceling statement due to"):
                perform(hurried, act)
            assert differences(books_of(database), before) == {}
    if act != "seal":
        assert perform(database, act) == answer
    assert differences(books_of(database), after) == {}
    prove(database)
