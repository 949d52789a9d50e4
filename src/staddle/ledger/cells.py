"""The lock that every act takes first: the rows of the cells it changes, in order, and the counters they hold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from staddle.db import Tx, queries
from staddle.errors import InvariantBroken
from staddle.ledger.accounts import CELL_COUNT

sql = queries(__package__)


@dataclass(slots=True)
class Counters:
    """What a locked cell has counted so far; ids are made from it, so that they are gapless and repeatable."""

    watermark_at: datetime
    clock_at: datetime
    customers: int
    transfers: int
    positions: int
    quotes: int
    notices: int


@dataclass(slots=True)
class LockedCells:
    """The cells that this transaction holds; hands out ids. `save` writes the counters back."""

    counters: dict[int, Counters]
    changed: set[int] = field(default_factory=set)

    def watermark_at(self, cell: int) -> datetime:
        """Give the distribution instant of the last reward run that paid the cell."""
        return self.counters[cell].watermark_at

    def instant(self, now: datetime) -> datetime:
        """Give the instant at which an act happens in these cells: `now`, or the latest that has happened in them.

        Acts wait for each other, and the clocks of several machines are never quite one, so an act may come to
        its turn with an instant that is past already. Time in a cell never runs backwards: what came later is
        younger, and a distribution that has been planned is not changed by an act of before it.
        """
        latest = max([now, *(counters.clock_at for counters in self.counters.values())])
        for counters in self.counters.values():
            counters.clock_at = latest
        return latest

    def next_customer(self, cell: int) -> int:
        """Give the id of a new customer."""
        self.changed.add(cell)
        self.counters[cell].customers += 1
        return self.counters[cell].customers * CELL_COUNT + cell

    def next_transfer(self, cell: int) -> int:
        """Give the id of a new transfer."""
        self.changed.add(cell)
        self.counters[cell].transfers += 1
        return self.counters[cell].transfers * CELL_COUNT + cell

    def next_position(self, cell: int) -> int:
        """Give the id of a new position."""
        self.changed.add(cell)
        self.counters[cell].positions += 1
        return self.counters[cell].positions * CELL_COUNT + cell

    def next_quote(self, cell: int) -> int:
        """Give the id of a new quote."""
        self.changed.add(cell)
        self.counters[cell].quotes += 1
        return self.counters[cell].quotes * CELL_COUNT + cell

    def next_notice(self, cell: int) -> int:
        """Give the id of a new notice."""
        self.changed.add(cell)
        self.counters[cell].notices += 1
        return self.counters[cell].notices * CELL_COUNT + cell


def lock_cells(tx: Tx, cells: Iterable[int]) -> LockedCells:
    """Take the rows of these cells for this transaction, in order, so that no two acts can deadlock.

    It must be an act's first statement: what later statements read is then what stands, not what stood.
    """
    wanted = sorted(set(cells))
    rows = tx.execute(sql.lock_cells, {"cells": wanted}).fetchall()
    if len(rows) != len(wanted):
        raise InvariantBroken(f"cells {wanted} were asked for, {len(rows)} are there")
    return LockedCells({row[0]: Counters(*row[1:]) for row in rows})


def save_cells(tx: Tx, locked: LockedCells) -> None:
    """Write back the counters that ids were made from."""
    if not locked.changed:
        return
    cells = sorted(locked.changed)
    of = [locked.counters[cell] for cell in cells]
    tx.execute(
        sql.save_cells,
        {
            "cells": cells,
            "clocks": [counters.clock_at for counters in of],
            "customers": [counters.customers for counters in of],
            "transfers": [counters.transfers for counters in of],
            "positions": [counters.positions for counters in of],
            "quotes": [counters.quotes for counters in of],
            "notices": [counters.notices for counters in of],
        },
    )
    locked.changed.clear()


def bring_forward(tx: Tx, cells: Iterable[int], instant: datetime) -> LockedCells:
    """Lock these cells, and let nothing happen in them before this instant any more."""
    locked = lock_cells(tx, cells)
    tx.execute(sql.bring_forward, {"cells": sorted(locked.counters), "instant": instant})
    return locked
