"""The moves of the reward pools, asked for and done: by whom, with which reference (product.md rule 31)."""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries

sql = queries(__package__)


class PoolMoveShown(msgspec.Struct, frozen=True, kw_only=True):
    """A move of a pool from the request on."""

    approval_id: int
    move: str
    """`funding`, `withdrawal` or `income`."""
    asset: str
    amount: Decimal
    reference: str | None
    asked_by: str
    asked_at: datetime
    decision: str | None
    """None while it waits for a second person; then `approved` (and done) or `declined`."""
    decided_by: str | None
    decided_at: datetime | None
    act_id: int | None
    """The act that its transfers share; None unless it was done, and for moves of before references were kept."""


def pool_moves(
    tx: Tx, asset: str | None = None, limit: int = 50, before: int | None = None, is_waiting: bool = False
) -> list[PoolMoveShown]:
    """Read requests to move pools, newest first, older than the request `before`; of one asset, or of all."""
    named = {"asset": asset, "limit": limit, "before": before, "is_waiting": is_waiting}
    return [PoolMoveShown(**row._asdict()) for row in tx.execute(sql.pool_moves, named).fetchall()]
