"""Who executed a run, from when to when, and how each attempt ended; one whose process is gone was interrupted.

Whoever executes a run holds an advisory lock that is named after the attempt, on a connection of its own. A process
that is killed loses it with its connection, so the next one knows, without any clock, that it takes over.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import psycopg

from staddle.db import Database, Tx, queries
from staddle.errors import DatabaseUnavailable

sql = queries(__package__)


class LeftOff(Exception):
    """Raised where the rest of some work is to be left for another time or another process. It is no error."""


@dataclass(slots=True)
class Ending:
    """How an attempt is going to be written down as ended; whoever executes the run says it."""

    outcome: str = "failed"


class RunAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One process's part in a run, by the database's clock.

    `outcome` is finished, held, paused, stopped (told to stop), failed, interrupted (its process is gone), or None
    while it goes on. `pieces_paid` of `pieces` were paid in all when it ended, or are paid by now.
    """

    run_on: date
    attempt: int
    process: str
    started_by: str
    began_at: datetime
    ended_at: datetime | None
    """None while it goes on, and for one that was interrupted until another takes over."""
    outcome: str | None
    pieces_paid: int
    pieces: int
    details: str | None
    taken_over_by: str | None
    """The process that went on after an interruption."""
    taken_over_at: datetime | None


def name_of_host_and_process() -> str:
    """Name this process where the schedule has given it no other name."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


@contextmanager
def attempt(database: Database, run_on: date, started_by: str, process: str | None) -> Iterator[Ending]:
    """Write down that this process executes a run, for the length of a block, and in the end what came of it."""
    ending = Ending()
    with database.owner() as alive:
        number = begin(database, alive, run_on, started_by, process or name_of_host_and_process())
        details = None
        try:
            yield ending
        except LeftOff:
            ending.outcome = "stopped"
            raise
        except BaseException as error:
            ending.outcome, details = "failed", f"{type(error).__name__}: {error}"[:500]
            raise
        finally:
            # With the database gone it stays without an end: interrupted, as it was.
            with suppress(DatabaseUnavailable, psycopg.Error):
                end(database, run_on, number, ending.outcome, details)


def begin(database: Database, alive: Tx, run_on: date, started_by: str, process: str) -> int:
    """Number the attempt and hold its lock; gives the number. Those before it that hold theirs no more are ended."""
    named = {"run_on": run_on}
    with database.transaction() as tx:
        tx.execute(sql.lock_attempts, named)
        for row in tx.execute(sql.open_attempts, named).fetchall():
            if not row.is_alive:
                tx.execute(
                    sql.end_attempt,
                    {**named, "attempt": row.attempt, "outcome": "interrupted", "details": None},
                )
        row = tx.execute(sql.next_attempt, named).fetchone()
        assert row is not None
        number: int = row.attempt
        alive.execute(sql.hold_attempt, {**named, "attempt": number})
        tx.execute(
            sql.begin_attempt, {**named, "attempt": number, "process": process, "started_by": started_by}
        )
    return number


def end(database: Database, run_on: date, number: int, outcome: str, details: str | None) -> None:
    """Write down how an attempt ended, unless another process has found it interrupted."""
    with database.transaction() as tx:
        tx.execute(
            sql.end_attempt, {"run_on": run_on, "attempt": number, "outcome": outcome, "details": details}
        )


def attempts_of(tx: Tx, run_on: date) -> list[RunAttempt]:
    """Read who executed a run, first attempt first."""
    return [RunAttempt(**row._asdict()) for row in tx.execute(sql.attempts, {"run_on": run_on}).fetchall()]
