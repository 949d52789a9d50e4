"""The rewards behind a transfer: those that its act settled, and those that a forfeiture takes back."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import msgspec

from staddle.days import DAY, run_on_of
from staddle.db import Tx, queries
from staddle.ledger import LedgerTransfer, cell_of, kind_of
from staddle.money import ZERO
from staddle.positions.facts import distribution_time

sql = queries(__package__)
MOST = 1_000


class LinkedReward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward that belongs to a transfer: the accrual day, its receipt, where it went, what was taken back of it."""

    receipt: str
    position_id: int
    product: str
    day: int
    run_on: date
    amount: Decimal
    paid_to: str
    is_late: bool
    forfeited: Decimal


def rewards_behind(tx: Tx, transfer: LedgerTransfer) -> tuple[list[LinkedReward], list[LinkedReward]]:
    """Give the rewards that were settled for the customer at the transfer's instant, as its act did before it changed
    anything (rule 7), and those that the transfer takes back where it is a forfeiture (rule 24); newest first.
    """
    if transfer.customer_id is None:
        return [], []
    named = {
        "cell": cell_of(transfer.customer_id),
        "customer_id": transfer.customer_id,
        "transfer_id": transfer.transfer_id,
        "effective_at": transfer.effective_at,
        "distribution_time": distribution_time(tx),
        "count": MOST,
    }
    settled = linked_by(tx, sql.days_settled_at, sql.rewards_settled_at, named)
    if transfer.kind != "forfeiture":
        return settled, []
    return settled, linked_by(tx, sql.days_reversed_by, sql.rewards_reversed_by, named)


def linked_by(tx: Tx, days: Any, rewards: Any, named: dict[str, Any]) -> list[LinkedReward]:
    """Read rewards by a statement; first it is asked for their days, so that no others are even planned."""
    row = tx.execute(days, named).fetchone()
    if row is None or row.first_on is None:
        return []
    bounds = {"first_run_on": row.first_on, "last_run_on": row.last_on}
    found = tx.execute(rewards, {**named, **bounds}, prepare=False).fetchall()
    return [linked(each, named["distribution_time"]) for each in found]


def linked(row: Any, at: time) -> LinkedReward:
    """Write a reward down as its receipt names it."""
    return LinkedReward(
        receipt=f"{row.position_id}-{row.run_on}",
        position_id=row.position_id,
        product=row.product,
        day=(row.run_on - run_on_of(row.started_at + DAY, at)).days + 1,
        run_on=row.run_on,
        amount=row.amount,
        paid_to=kind_of(row.credit_account).name.lower(),
        is_late=row.is_late,
        forfeited=getattr(row, "forfeited", ZERO),
    )
