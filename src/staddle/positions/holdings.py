"""What a customer holds, counted page by page: flexible products as holdings, fixed-term positions one by one."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import cell_of
from staddle.positions.show import Standing, standings_of

sql = queries(__package__)


class Rows(NamedTuple):
    """Some rows of a list, and how many there are in all."""

    rows: Sequence[Any]
    total: int


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """All that a customer holds of a flexible product. `earned` is what it ever paid them, positions that have ended
    included; `is_auto` says that idle coins go into it every day.
    """

    product: str
    asset: str
    principal: Decimal
    earned: Decimal
    is_auto: bool


class Staked(msgspec.Struct, frozen=True, kw_only=True):
    """The principal of all positions of a kind in one coin."""

    kind: str
    asset: str
    principal: Decimal


def holdings(
    tx: Tx, customer_id: int, asset: str | None, product: str | None, limit: int, offset: int
) -> Rows:
    """Read what a customer holds of flexible products, by product."""
    named = {"asset": asset, "product": product, "limit": limit, "offset": offset}
    rows = tx.execute(sql.flexible_holdings, {**whose(customer_id), **named}).fetchall()
    fields = Holding.__struct_fields__
    found = [Holding(**{name: getattr(row, name) for name in fields}) for row in rows if row.product]
    return Rows(found, rows[0].total)


def fixed_standings(
    tx: Tx,
    customer_id: int,
    now: datetime,
    asset: str | None,
    product: str | None,
    position_id: int | None,
    limit: int,
    offset: int,
) -> Rows:
    """Read where a customer's open fixed-term positions stand, newest first."""
    named = {"asset": asset, "product": product, "position_id": position_id, "limit": limit, "offset": offset}
    rows = tx.execute(sql.fixed_page, {**whose(customer_id), **named}).fetchall()
    ids = [row.position_id for row in rows if row.position_id]
    wanted = {"state": "open", "product": None, "position_id": None, "before": None, "count": len(ids)}
    standings: list[Standing] = []
    if ids:
        standings = standings_of(tx, customer_id, now, {**wanted, "position_ids": ids})
    return Rows(standings, rows[0].total)


def staked(tx: Tx, customer_id: int) -> list[Staked]:
    """Add up what a customer has staked, by kind of product and coin."""
    rows = tx.execute(sql.staked, whose(customer_id)).fetchall()
    return [Staked(kind=row.kind, asset=row.asset, principal=row.principal) for row in rows]


def whose(customer_id: int) -> dict[str, int]:
    """Name a customer as statements take it."""
    return {"cell": cell_of(customer_id), "customer_id": customer_id}
