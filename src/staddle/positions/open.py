"""Opening positions: by a subscription, a renewal, a move to flexible; and the quota that they take."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, columns, queries

sql = queries(__package__)


class NewPosition(msgspec.Struct, frozen=True):
    """A position to be opened; `locked_revision` is 0 where the rate floats."""

    position_id: int
    customer_id: int
    product_id: int
    version: int
    request_key: str
    started_at: datetime
    term_days: int | None
    principal: Decimal
    tier_offset: Decimal
    locked_revision: int
    reward_account: int
    agreement_version: int
    at_maturity: str
    redeem_to: str
    renewed_from: int | None = None


def open_positions(tx: Tx, positions: Sequence[NewPosition]) -> None:
    """Insert positions; their principal is moved by the transfers that the caller posts."""
    if positions:
        tx.execute(sql.open_positions, columns(positions))


def move_quotas(tx: Tx, taken: dict[int, Decimal]) -> None:
    """Take (positive) or release (negative) quota of products; the rows must be locked."""
    moved = {product_id: amount for product_id, amount in sorted(taken.items()) if amount != 0}
    if moved:
        tx.execute(sql.move_quotas, {"product_ids": list(moved), "amounts": list(moved.values())})


class Taken(msgspec.Struct, frozen=True):
    """What is to be taken of a product's quota, by people who saw this version of its terms."""

    product_id: int
    version: int
    amount: Decimal


def take_quotas(tx: Tx, taken: Sequence[Taken]) -> bool:
    """Take quota; says whether all of it was there, of products on offer as they were seen. If not, the caller must
    undo all that it has done.

    It locks the quota rows until the transaction ends, so it is to be the last thing that an act does.
    """
    if not taken:
        return True
    # In a statement of its own, so that the next one sees what those who held it before have left.
    tx.execute(sql.lock_quotas, {"product_ids": sorted(each.product_id for each in taken)})
    return len(tx.execute(sql.take_quotas, columns(taken)).fetchall()) == len(taken)
