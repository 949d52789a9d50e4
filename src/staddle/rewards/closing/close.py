"""Closing a day: once its run is finished, the books of all cells are added up for it, off the hot path.

A closing is cut within each cell, which balances by itself at any transfer, so customers never wait for it and cells
need not be read at one instant. What it counts never changes afterwards; decision 0028 says why it is cut where it is.
"""

from collections.abc import Callable
from datetime import date, datetime

from staddle.db import Database, Tx, queries

sql = queries(__package__)


def close_all(database: Database, now: datetime, tell: Callable[[date], None] = lambda _: None) -> int:
    """Close every day whose run is finished, oldest first, a transaction each; gives the number of days closed.

    Two at once share the work; killed anywhere, it is simply run again.
    """
    count = 0
    while (day := close_next(database, now)) is not None:
        count += 1
        tell(day)
    return count


def close_next(database: Database, now: datetime) -> date | None:
    """Close the oldest day that can be; None where all are."""
    with database.transaction() as tx:
        tx.execute(sql.lock_closing)
        row = tx.execute(sql.next_to_close).fetchone()
        if row is None:
            return None
        close_day(tx, row.run_on, row.distributed_at, now)
    closed_on: date = row.run_on
    return closed_on


def close_day(tx: Tx, closed_on: date, distributed_at: datetime, now: datetime) -> None:
    """Cut the journals, add up what moved since the closing before, and carry its balances on."""
    before = tx.execute(sql.last_closed, {"closed_on": closed_on}).fetchone()
    assert before is not None
    day = {
        "closed_on": closed_on,
        "closed_before": before.closed_on,
        "run_from": before.closed_on or date.min,
        "distributed_at": distributed_at,
        "now": now,
    }
    tx.execute(sql.begin_closing, day)
    tx.execute(sql.cut_journals, day)
    tx.execute(sql.take_late_rewards, day)
    # Not prepared: a plan for any day would look at every day's rewards.
    tx.execute(sql.add_up_movements, day, prepare=False)
    tx.execute(sql.carry_balances, day)
