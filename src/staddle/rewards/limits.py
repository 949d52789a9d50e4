"""The limits outside which a run waits for a second person, each with its figures (product.md rule 20)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.ledger import Asset, all_assets, pool_left
from staddle.money import ZERO, plain

sql = queries(__package__)
PlanByProduct = dict[int, tuple[int, Decimal]]
"""Of each product: how many rewards, and their sum."""


class RunLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit and how the plan stands to it.

    `limit` is `rate` (each day has one), `pool` (it holds what is still to pay: `owed` of `allowed`) or `change`
    (against `before`, the last run: `owed` may lie between `least` and `allowed`). `because` says what is wrong.
    """

    limit: str
    is_within: bool
    because: str | None
    asset: str | None = None
    product: str | None = None
    owed: Decimal | None = None
    before: Decimal | None = None
    least: Decimal | None = None
    allowed: Decimal | None = None


def limits_of(tx: Tx, run_on: date, owed: PlanByProduct) -> list[RunLimit]:
    """Hold a plan against every limit: rates first, then of each asset its pool and its change."""
    limits = rate_limits(tx)
    assets = all_assets(tx)
    by_asset = owed_by_asset(tx, owed)
    pools = pool_left(tx)
    named = {"run_on": run_on}
    settled = {row.asset_id: row.amount for row in tx.execute(sql.ledger_totals, named).fetchall()}
    before = {row.asset_id: row.amount for row in tx.execute(sql.last_totals, named).fetchall()}
    change_max = find_desk(tx).run_change_max
    for asset_id, amount in sorted(by_asset.items()):
        asset = assets[asset_id]
        unpaid = amount - settled.get(asset_id, ZERO)
        limits.append(pool_limit(asset, unpaid, pools.get(asset_id, ZERO)))
        limits.append(change_limit(asset, amount, before.get(asset_id, ZERO), change_max))
    return limits


def because_outside(limits: Sequence[RunLimit]) -> list[str]:
    """Say in sentences what keeps a run from being executed without a second person."""
    return [limit.because for limit in limits if limit.because is not None]


def rate_limits(tx: Tx) -> list[RunLimit]:
    """Name the products that have positions and no rate; where there are none, the limit is kept."""
    unrated = tx.execute(sql.unrated_products).fetchall()
    if not unrated:
        return [RunLimit(limit="rate", is_within=True, because=None)]
    return [
        RunLimit(
            limit="rate", is_within=False, product=row.code, because=f"{row.code} has no rate for the day"
        )
        for row in unrated
    ]


def pool_limit(asset: Asset, unpaid: Decimal, left: Decimal) -> RunLimit:
    """Say whether a reward pool holds what is still to be paid."""
    is_within = unpaid <= left
    because = None if is_within else f"the {asset.code} pool holds {plain(left)} and {plain(unpaid)} are owed"
    return RunLimit(
        limit="pool", is_within=is_within, because=because, asset=asset.code, owed=unpaid, allowed=left
    )


def change_limit(asset: Asset, amount: Decimal, before: Decimal, change_max: Decimal) -> RunLimit:
    """Say if a total lies too far from the last run's; the first rewards ever paid have nothing to lie far from."""
    if before == 0:
        return RunLimit(limit="change", is_within=True, because=None, asset=asset.code, owed=amount)
    span = before * change_max
    is_within = abs(amount - before) <= span
    told = f"{asset.code} rewards go from {plain(before)} to {plain(amount)}, more than {plain(change_max)} of it"
    return RunLimit(
        limit="change",
        is_within=is_within,
        because=None if is_within else told,
        asset=asset.code,
        owed=amount,
        before=before,
        least=max(before - span, ZERO),
        allowed=before + span,
    )


def owed_by_asset(tx: Tx, owed: PlanByProduct) -> dict[int, Decimal]:
    """Add a plan up by asset."""
    rows = tx.execute(sql.assets_of_products, {"product_ids": list(owed)}).fetchall()
    by_asset: dict[int, Decimal] = {}
    for row in rows:
        by_asset[row.asset_id] = by_asset.get(row.asset_id, ZERO) + owed[row.product_id][1]
    return by_asset
