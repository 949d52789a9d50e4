"""Opening positions: by a subscription, a renewal, a move to flexible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.ledger import cell_of

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class NewPosition:
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
    if not positions:
        return
    tx.execute(
        sql.open_positions,
        {
            "cells": [cell_of(position.position_id) for position in positions],
            "position_ids": [position.position_id for position in positions],
            "customer_ids": [position.customer_id for position in positions],
            "product_ids": [position.product_id for position in positions],
            "versions": [position.version for position in positions],
            "request_keys": [position.request_key for position in positions],
            "started_at": [position.started_at for position in positions],
            "term_days": [position.term_days for position in positions],
            "principals": [position.principal for position in positions],
            "tier_offsets": [position.tier_offset for position in positions],
            "locked_revisions": [position.locked_revision for position in positions],
            "reward_accounts": [position.reward_account for position in positions],
            "agreement_versions": [position.agreement_version for position in positions],
            "renewed_from": [position.renewed_from for position in positions],
            "at_maturity": [position.at_maturity for position in positions],
            "redeem_to": [position.redeem_to for position in positions],
        },
    )


def move_quotas(tx: Tx, taken: dict[int, Decimal]) -> None:
    """Take (positive) or release (negative) quota of products; the rows must be locked."""
    moved = {product_id: amount for product_id, amount in sorted(taken.items()) if amount != 0}
    if moved:
        tx.execute(sql.move_quotas, {"product_ids": list(moved), "amounts": list(moved.values())})
