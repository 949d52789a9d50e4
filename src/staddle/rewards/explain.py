"""Why a position was paid what it was on a run date, or why nothing: for people who answer customers' questions."""

from datetime import date, datetime
from typing import Any, Literal

import msgspec

from staddle.days import DAY, distribution_at, full_days, run_on_of
from staddle.db import Tx
from staddle.errors import PositionNotFound
from staddle.positions.show import standings_of
from staddle.rewards.receipts import Document, receipt_of

Reason = Literal[
    "paid", "carried", "before_first_day", "after_end", "after_maturity", "parked", "not_due", "run_waits"
]


class DayExplained(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the accrual day that belongs to a run date.

    `reason` is paid, or carried: the day was too small for a unit of the coin and adds up with the next ones; both have
    a receipt. Otherwise nothing is paid on that date: it lies before_first_day (no full 24 hours yet), after_end of the
    position or after_maturity; the position is parked; the day is not_due yet, or its run_waits.
    """

    position_id: int
    run_on: date
    reason: Reason
    day: int
    day_to: datetime
    first_run_on: date
    last_run_on: date | None
    """The date of the last day that the position can earn, where it has an end."""
    receipt: dict[str, Any] | None


def explain_day(tx: Tx, customer_id: int, position_id: int, run_on: date, now: datetime) -> DayExplained:
    """Explain one run date of a position of this customer; raises PositionNotFound."""
    wanted = {"state": "all", "product": None, "position_id": position_id, "before": None, "count": 1}
    standings = standings_of(tx, customer_id, now, wanted)
    if not standings:
        raise PositionNotFound
    row, at = standings[0].row, standings[0].distribution_time
    first = run_on_of(row.started_at + DAY, at)
    day = (run_on - first).days + 1
    ends = row.term_days if row.ended_at is None else full_days(row.started_at, row.ended_at)
    if row.term_days is not None and ends is not None:
        ends = min(ends, row.term_days)
    reason = reason_of(row, day, ends, distribution_at(run_on, at) <= now)
    receipt: Document | None = None
    if reason == "paid":
        receipt = receipt_of(tx, customer_id, position_id, now, day=day)
        reason = "carried" if receipt["paid_by"] is None else "paid"
    return DayExplained(
        position_id=position_id,
        run_on=run_on,
        reason=reason,
        day=day,
        day_to=row.started_at + day * DAY,
        first_run_on=first,
        last_run_on=None if ends is None else run_on_of(row.started_at + max(ends, 1) * DAY, at),
        receipt=receipt,
    )


def reason_of(row: Any, day: int, ends: int | None, is_past: bool) -> Reason:
    """Decide why a day is paid, or is not."""
    if day < 1:
        return "before_first_day"
    if day <= row.days_paid:
        return "paid"
    if ends is not None and day > ends:
        return "after_maturity" if row.term_days is not None and day > row.term_days else "after_end"
    if row.is_parked:
        return "parked"
    return "run_waits" if is_past else "not_due"
