"""The assets page: what a customer has of each coin, all of it from the ledger (product.md rule 28)."""

from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import cell_of
from staddle.money import EXACT

sql = queries(__package__)


class ShownAsset(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's coins of one asset. `lifetime_rewards` is everything ever earned in it, less what was forfeited."""

    asset: str
    name: str
    scale: int
    spot: Decimal
    funding: Decimal
    earn: Decimal
    accrued: Decimal
    total: Decimal
    lifetime_rewards: Decimal


def assets_of(tx: Tx, customer_id: int) -> list[ShownAsset]:
    """Read what a customer has of each asset they ever had, in one statement, so that all figures are of one instant.

    Lifetime rewards are derived from what the positions have earned in all and not by adding up years of rewards;
    a test and the audit hold the one against the other.
    """
    rows = tx.execute(
        sql.assets_of_customer, {"cell": cell_of(customer_id), "customer_id": customer_id}
    ).fetchall()
    return [shown_asset(row) for row in rows]


def shown_asset(row: Any) -> ShownAsset:
    """Write a row's amounts with all of the asset's decimals."""
    fields: dict[str, Any] = {name: getattr(row, name) for name in ShownAsset.__struct_fields__}
    amounts = {name: value for name, value in fields.items() if isinstance(value, Decimal)}
    return ShownAsset(**fields | {name: EXACT.quantize(value, row.unit) for name, value in amounts.items()})
