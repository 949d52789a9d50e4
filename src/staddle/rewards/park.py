"""Positions whose rewards cannot be paid: put aside, reported, and paid later (product.md rule 19)."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.days import DAY
from staddle.db import Tx, queries
from staddle.desk import log
from staddle.errors import PositionNotFound, RunInProgress
from staddle.ledger import cell_of, lock_cells
from staddle.money import ZERO
from staddle.positions.settle import Change, Settled, change_positions, settle

sql = queries(__package__)


class ParkedPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position that could not be paid: since which run, how much of it that run owed, and why."""

    position_id: int
    customer_id: int
    asset: str
    product: str
    run_on: date
    amount: Decimal
    reason: str
    parked_at: datetime
    retried_at: datetime | None


def park(tx: Tx, position_id: int, run_on: date, amount: Decimal, reason: str, now: datetime) -> None:
    """Put a position aside: runs pass it by until `retry_parked` pays it."""
    tx.execute(
        sql.park,
        {
            "cell": cell_of(position_id),
            "position_id": position_id,
            "run_on": run_on,
            "amount": amount,
            "reason": reason[:300],
            "now": now,
        },
    )


def park_customer(tx: Tx, cell: int, customer_id: int, reason: str, now: datetime) -> None:
    """Put aside the matured positions of a customer that could not be ended."""
    lock_cells(tx, [cell])
    for row in tx.execute(
        sql.matured_positions, {"cell": cell, "customer_id": customer_id, "now": now}
    ).fetchall():
        park(tx, row.position_id, now.date(), ZERO, reason, now)


def parked_positions(tx: Tx, with_retried: bool = False) -> list[ParkedPosition]:
    """List what is parked; with `with_retried` also what was, and has been paid since."""
    rows = tx.execute(sql.parked, {"with_retried": with_retried}).fetchall()
    return [ParkedPosition(**row._asdict()) for row in rows]


def parked_page(
    tx: Tx,
    count: int,
    before: tuple[date, int] | None = None,
    run_on: date | None = None,
    product: str | None = None,
    *,
    with_retried: bool = False,
) -> list[ParkedPosition]:
    """List some of what is parked, newest run first; `before` is the run and position to go on from."""
    wanted = {
        "count": count,
        "before_run_on": None if before is None else before[0],
        "before_position_id": None if before is None else before[1],
        "run_on": run_on,
        "product": product,
        "with_retried": with_retried,
    }
    return [ParkedPosition(**row._asdict()) for row in tx.execute(sql.parked_page, wanted).fetchall()]


def retry_parked(tx: Tx, by: str, position_id: int, now: datetime) -> Settled:
    """Pay a parked position everything it is owed up to its cell's last run, and let runs pay it again. Logged.

    Raises PositionNotFound if it is not parked, RunInProgress between the planning and the end of a run, which would
    pay it unplanned; whatever keeps it from being paid is raised as it comes.
    """
    cell = cell_of(position_id)
    locked = lock_cells(tx, [cell])
    row = tx.execute(sql.parked_position, {"cell": cell, "position_id": position_id}).fetchone()
    if row is None:
        raise PositionNotFound("This position is not parked.")
    if locked.counters[cell].clock_at >= row.watermark_at + DAY:
        raise RunInProgress("A reward run is due or under way; please try again when it is finished.")
    settled = settle(tx, [(position_id, row.watermark_at)])
    same = Change(position_id, row.watermark_at, row.principal, row.tier_offset)
    change_positions(tx, [same], settled, now)
    tx.execute(sql.mark_retried, {"cell": cell, "position_id": position_id, "now": now})
    log(tx, by, "retry_parked", str(position_id), {"days": settled[position_id].days}, now)
    return settled[position_id]
