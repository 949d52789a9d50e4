"""What a new rate would cost, before anybody asks for it (product.md rules 10 and 31)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.ledger import Asset, all_assets, pool_left
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit
from staddle.products import Product, Tier, find_product, headline_apr, rate_at, rates_of, versions_of
from staddle.products.rates import check_tiers
from staddle.products.revise import check_instant
from staddle.treasury.foresee import days_paid_for
from staddle.treasury.standing import Standing, Tiers, add_up, day_basis_of, rates_in_force, standings

sql = queries(__package__)


class LockedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Positions of the product that keep the rate they were opened under, whatever is published."""

    positions: int
    principal: Decimal
    cost_per_day: Decimal
    """What a day of them costs, cut at the asset's decimals."""
    cost_to_end: Decimal
    """What they still earn from the last paid distribution to the end of their terms, cut once. It is exact; less
    than a unit of the asset for each position lapses when that ends (rule 3), so a little less may be paid.
    """
    last_matures_at: datetime


class RateEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What a rate changes from `effective_at` on, for the positions that stand now.

    `_before` is with the rate that holds at that instant without it, `_after` with it. All sums are exact: what a day
    costs is `day_basis` / 365, and `cost_per_day` the same cut at the asset's decimals.
    """

    product: str
    asset: str
    effective_at: datetime
    is_locked: bool
    """Whether new positions keep the rate that they open under: then it touches no position that there is."""
    customers: int
    positions: int
    principal: Decimal
    """What the rate touches: positions that follow the product's rate and are still open when it takes effect."""
    day_basis_before: Decimal
    day_basis_after: Decimal
    cost_per_day_before: Decimal
    cost_per_day_after: Decimal
    asset_cost_per_day_before: Decimal
    """What a day of all positions in the asset costs, at the rates announced for `effective_at`."""
    asset_cost_per_day_after: Decimal
    pool_left: Decimal
    """What is left of the asset's reward pool now."""
    days_left_before: int | None
    """Whole days that the pool pays for at that cost; None while nothing is earned."""
    days_left_after: int | None
    runway_days_min: int
    """Fewer days than these are an alarm."""
    headline_before: Decimal | None
    """None before the product's first rate."""
    headline_after: Decimal
    is_up_to_before: bool
    is_up_to_after: bool
    locked: LockedTerms | None
    """Those positions of the product that keep theirs; None where there are none."""


def foresee_rate(
    tx: Tx, code: str, tiers: Sequence[Tier], effective_at: datetime | None, now: datetime
) -> RateEffect:
    """Work out what a rate would change; writes nothing. `effective_at` None is now, for a product's first rate.

    It reads every open position of the asset once. Raises what proposing the rate would: ProductNotFound,
    InvalidRate, NeverBackdated, WrongState.
    """
    product = find_product(tx, code)
    asset = all_assets(tx)[product.asset_id]
    check_tiers(asset, tiers)
    rates = rates_of(tx, product.product_id)
    check_instant(product, rates, effective_at, now)
    at = effective_at or now
    standing = standings(tx, now, at, tiers, asset.asset_id)
    touched = [each for each in standing if is_touched(each, product)]
    old = rate_at(rates, at)
    tiers_before: Tiers = () if old is None else old.tiers
    before = sum((day_basis_of(each, tiers_before) for each in touched), ZERO)
    after = sum((day_basis_of(each, tiers) for each in touched), ZERO)
    asset_before = add_up(standing, rates_in_force(tx, at))
    asset_after = EXACT.add(EXACT.subtract(asset_before, before), after)
    left = pool_left(tx).get(asset.asset_id, ZERO)

    def cut(day_basis: Decimal) -> Decimal:
        return floor_to_unit(day_basis, DAYS_IN_YEAR, asset.scale)

    return RateEffect(
        product=product.code,
        asset=asset.code,
        effective_at=at,
        is_locked=keeps_rates(tx, product),
        customers=holders_of(tx, product, standing, touched, at),
        positions=sum(each.positions for each in touched),
        principal=sum((each.principal for each in touched), ZERO),
        day_basis_before=before,
        day_basis_after=after,
        cost_per_day_before=cut(before),
        cost_per_day_after=cut(after),
        asset_cost_per_day_before=cut(asset_before),
        asset_cost_per_day_after=cut(asset_after),
        pool_left=left,
        days_left_before=days_paid_for(left, asset_before),
        days_left_after=days_paid_for(left, asset_after),
        runway_days_min=find_desk(tx).runway_days_min,
        headline_before=None if old is None else headline_apr(old.tiers),
        headline_after=headline_apr(tiers),
        is_up_to_before=old is not None and is_up_to(old.tiers),
        is_up_to_after=is_up_to(tiers),
        locked=locked_terms(tx, product, asset, standing),
    )


def is_touched(standing: Standing, product: Product) -> bool:
    """Say whether these positions will follow the product's new rate."""
    return standing.product_id == product.product_id and not standing.locked_revision and standing.is_touched


def is_up_to(tiers: Tiers) -> bool:
    """Say whether some amounts get less than the headline."""
    return any(tier.apr != tiers[0].apr for tier in tiers)


def keeps_rates(tx: Tx, product: Product) -> bool:
    """Say whether new positions keep their rate, under the terms in force, or in a draft under the newest."""
    versions = {each.version: each.terms for each in versions_of(tx, product.product_id)}
    return versions[product.version or max(versions)].rate_policy == "locked"


def holders_of(
    tx: Tx, product: Product, standing: Sequence[Standing], touched: Sequence[Standing], at: datetime
) -> int:
    """Count the customers touched. Where all positions of the product are, each has one that is their oldest."""
    all_positions = sum(each.positions for each in standing if each.product_id == product.product_id)
    if all_positions == sum(each.positions for each in touched):
        return sum(each.holders for each in touched)
    named = {"product_id": product.product_id, "at": at}
    row = tx.execute(sql.holders_touched, named).fetchone()
    assert row is not None
    customers: int = row.customers
    return customers


def locked_terms(tx: Tx, product: Product, asset: Asset, standing: Sequence[Standing]) -> LockedTerms | None:
    """Add up what positions that keep their rate cost, where there are any."""
    if not any(each.product_id == product.product_id and each.locked_revision for each in standing):
        return None
    paid_until = tx.execute(sql.paid_until).fetchone()
    assert paid_until is not None
    named = {"product_id": product.product_id, "paid_until": paid_until.watermark_at}
    row = tx.execute(sql.locked_terms, named).fetchone()
    assert row is not None
    return LockedTerms(
        positions=row.positions,
        principal=row.principal,
        cost_per_day=floor_to_unit(row.day_basis, DAYS_IN_YEAR, asset.scale),
        cost_to_end=floor_to_unit(row.basis_left, DAYS_IN_YEAR, asset.scale),
        last_matures_at=row.last_matures_at,
    )
