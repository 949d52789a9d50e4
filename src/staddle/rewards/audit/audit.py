"""Carrying out the audit: every check over one snapshot of the books, a slice at a time, beside live traffic.

The application's role is enough, and nothing is written. All slices see the same instant of the database, so acts and
runs that go on meanwhile raise no false alarm. The server does the work slice by slice; this process keeps findings
only, and of those so many of each slice.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from psycopg import errors
from psycopg import sql as compose

from staddle.db import Database, Tx, queries
from staddle.desk.audit import DESK_CHECKS
from staddle.errors import DatabaseUnavailable
from staddle.ledger import CELL_COUNT
from staddle.ledger.audit import LEDGER_CHECKS, Check, Finding
from staddle.notices.audit import NOTICE_CHECKS
from staddle.rewards.audit.checks import EARN_CHECKS

sql = queries(__package__)
CHECKS = LEDGER_CHECKS + EARN_CHECKS + NOTICE_CHECKS + DESK_CHECKS
WORKERS = 2
POSITIONS_AT_ONCE = 65_536
REWARDS_AT_ONCE = 2_097_152
DAYS_AT_ONCE = 128
FINDINGS_MAX = 100
"""Of one statement; damage beyond that is found again when the first of it has been repaired."""
Slice = dict[str, object]

SNAPSHOT_GONE = (errors.UndefinedObject, errors.InvalidParameterValue, errors.ObjectNotInPrerequisiteState)
"""What servers of different ages say of a snapshot whose transaction has ended."""


@dataclass(frozen=True, slots=True)
class AuditProgress:
    """How far a check is: slices done of slices in all, and what it has found until now."""

    check: Check
    slices_done: int
    slices: int
    findings: int


@dataclass(frozen=True, slots=True)
class Size:
    """How large the books are; days without a reward piece need no look."""

    positions: int
    first_on: date | None
    last_on: date | None


def audit(database: Database, tell: Callable[[AuditProgress], None] = lambda _: None) -> list[Finding]:
    """Prove the books; gives what is wrong, check by check, and what is only information (`is_information`).

    The books are sound when every finding is information. Each check is told when it begins, after every slice, and
    so also when it is done.
    """
    findings: list[Finding] = []
    with open_snapshot(database) as (tx, snapshot):
        row = tx.execute(sql.size_of_books).fetchone()
        assert row is not None
        size = Size(*row)
        with ThreadPoolExecutor(WORKERS) as pool:
            for check in CHECKS:
                slices = slices_of(check, size)
                found = 0
                tell(AuditProgress(check, 0, len(slices), 0))
                looked = pool.map(lambda part, check=check: look(database, snapshot, check, part), slices)
                for done, some in enumerate(looked, start=1):
                    findings += some
                    found += len(some)
                    tell(AuditProgress(check, done, len(slices), found))
    return findings


@contextmanager
def open_snapshot(database: Database) -> Iterator[tuple[Tx, str]]:
    """Hold one instant of the database for as long as the audit lasts."""
    with database.transaction() as tx:
        tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = tx.execute(sql.share_snapshot).fetchone()
        assert row is not None
        yield tx, row.snapshot


def join_snapshot(tx: Tx, snapshot: str) -> None:
    """See what the connection that shares the snapshot sees; raises DatabaseUnavailable when that one was lost."""
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        tx.execute(compose.SQL("SET TRANSACTION SNAPSHOT {}").format(compose.Literal(snapshot)))
    except SNAPSHOT_GONE as error:
        raise DatabaseUnavailable(
            "A connection of the audit to the database was lost: please begin the audit again."
        ) from error


def look(database: Database, snapshot: str, check: Check, part: Slice) -> list[Finding]:
    """Carry out one check on one slice of the snapshot."""
    with database.transaction() as tx:
        join_snapshot(tx, snapshot)
        tx.execute("SET LOCAL work_mem = '64MB'")
        tx.execute("SET LOCAL jit = off")
        # Not prepared: a plan made for any slice would not leave the other days' partitions out.
        rows = tx.execute(
            check.statement.encode(), {**check.given, **part, "most": FINDINGS_MAX}, prepare=False
        )
        return [
            Finding(check.name, row.cell, row.table_name, row.row_name, row.message, check.is_information)
            for row in rows
        ]


def slices_of(check: Check, size: Size) -> list[Slice]:
    """Cut what a check looks at into slices of cells, of days, or both."""
    if check.scope == "all":
        return [{}]
    cells = cells_of(size)
    if check.scope == "cells":
        return cells
    if check.scope == "days":
        return days_of(size, size.positions)
    return [{**some, **days} for some in cells for days in days_of(size, size.positions // len(cells))]


def cells_of(size: Size) -> list[Slice]:
    """Cut the cells so that a slice has some ten thousand positions; on a small desk two slices, one a worker."""
    width = CELL_COUNT // 2
    while width > 1 and size.positions * width // CELL_COUNT > POSITIONS_AT_ONCE:
        width //= 2
    return [{"cell_from": cell, "cell_to": cell + width - 1} for cell in range(0, CELL_COUNT, width)]


def days_of(size: Size, positions: int) -> list[Slice]:
    """Cut the days so that a slice has some million rewards of so many positions."""
    if size.first_on is None or size.last_on is None:
        return []
    width = max(1, min(DAYS_AT_ONCE, REWARDS_AT_ONCE // max(1, positions)))
    days: list[Slice] = []
    start = size.first_on
    while start <= size.last_on:
        end = min(start + timedelta(days=width - 1), size.last_on)
        days.append({"from_on": start, "to_on": end})
        start = end + timedelta(days=1)
    return days
