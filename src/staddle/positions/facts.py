"""What an act reads before it decides: offers, rates, quotas, holdings. Reading only, in one query for any number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from staddle.accrual.rules import Rate, Tier
from staddle.db import Tx, queries
from staddle.errors import InvariantBroken
from staddle.ledger import Asset, all_assets, cell_of
from staddle.money import ZERO
from staddle.products.find import CODE

sql = queries(__package__)


@dataclass(slots=True)
class Offer:
    """A product as new positions find it: the terms in force, its rates, and what is left of its quota.

    `quota_used` is moved along by the deciding act, so that each command of a list sees what those before it took.
    """

    product_id: int
    code: str
    kind: str
    state: str
    subscribe_halt: str | None
    redeem_halt: str | None
    version: int
    asset: Asset
    term_days: int | None
    amount_min: Decimal
    amount_max: Decimal | None
    step: Decimal
    personal_cap: Decimal | None
    opens_at: datetime
    closes_at: datetime | None
    new_customer_days: int | None
    vip_level_min: int
    countries_allowed: list[str] | None
    countries_excluded: list[str]
    rate_policy: str
    payout: str
    early_redemption: str
    at_maturity: str
    flexible_product_id: int | None
    quota_used: Decimal
    quota_total: Decimal | None
    rates: tuple[Rate, ...] = ()

    def rate_at(self, instant: datetime) -> Rate | None:
        """Give the rate revision in force at an instant."""
        found = None
        for rate in self.rates:
            if rate.effective_at <= instant:
                found = rate
        return found

    def quota_left(self) -> Decimal | None:
        """Give what is left of the quota; None where there is none."""
        return None if self.quota_total is None else max(ZERO, self.quota_total - self.quota_used)


@dataclass(slots=True)
class Held:
    """An open position as an act finds it, with those of its terms that rule its end."""

    cell: int
    position_id: int
    customer_id: int
    product_id: int
    version: int
    started_at: datetime
    term_days: int | None
    matures_at: datetime | None
    principal: Decimal
    tier_offset: Decimal
    anchor_days: int
    anchor_basis: Decimal
    parked_days: int | None
    locked_revision: int
    reward_account: int
    agreement_version: int
    at_maturity: str
    redeem_to: str
    amount_min: Decimal
    early_redemption: str
    kept_fraction: Decimal | None
    reduced_apr: Decimal | None
    reduced_apr_days_min: int | None
    payout: str


def product_ids_of(tx: Tx, codes: Iterable[str]) -> dict[str, int]:
    """Find the ids of products by code; unknown codes are left out."""
    wanted = sorted({code for code in codes if CODE.fullmatch(code)})
    rows = tx.execute(sql.product_ids, {"codes": wanted}).fetchall()
    return {row.code: row.product_id for row in rows}


def lock_quotas(tx: Tx, product_ids: Iterable[int]) -> None:
    """Hold the quota rows of these products, in order; in a statement of its own, so that what is read next is true."""
    tx.execute(sql.lock_quotas, {"product_ids": sorted(set(product_ids))})


def offers_of(tx: Tx, product_ids: Iterable[int]) -> dict[int, Offer]:
    """Read the offers of some products, with all their rate revisions."""
    wanted = {"product_ids": sorted(set(product_ids))}
    assets = all_assets(tx)
    offers = {}
    for row in tx.execute(sql.offers, wanted).fetchall():
        fields = row._asdict()
        fields["asset"] = assets[fields.pop("asset_id")]
        fields["quota_used"] = ZERO if row.quota_used is None else row.quota_used
        offers[row.product_id] = Offer(**fields)
    for product_id, rates in rates_of(tx, wanted["product_ids"]).items():
        offers[product_id].rates = rates
    return offers


def rates_of(tx: Tx, product_ids: Iterable[int]) -> dict[int, tuple[Rate, ...]]:
    """Read the rate revisions of some products, oldest first."""
    tiers: dict[tuple[int, int, datetime], list[Tier]] = {}
    for row in tx.execute(sql.rates, {"product_ids": sorted(set(product_ids))}).fetchall():
        key = (row.product_id, row.revision, row.effective_at)
        tiers.setdefault(key, []).append(Tier(row.amount_from, row.amount_to, row.apr))
    rates: dict[int, tuple[Rate, ...]] = {}
    for (product_id, revision, effective_at), of_rate in tiers.items():
        rates[product_id] = (*rates.get(product_id, ()), Rate(revision, effective_at, tuple(of_rate)))
    return rates


def holdings_of(tx: Tx, holdings: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[Held]]:
    """Read the open positions of each (customer, product), oldest first; a holding without any is left out."""
    wanted = sorted(set(holdings))
    rows = tx.execute(
        sql.positions_of_holdings,
        {
            "cells": [cell_of(customer_id) for customer_id, _ in wanted],
            "customer_ids": [customer_id for customer_id, _ in wanted],
            "product_ids": [product_id for _, product_id in wanted],
        },
    ).fetchall()
    found: dict[tuple[int, int], list[Held]] = {}
    for row in rows:
        found.setdefault((row.customer_id, row.product_id), []).append(as_held(row))
    return found


def as_held(row: Any) -> Held:
    """Take the columns of a position row that acts decide upon."""
    return Held(*(getattr(row, name) for name in Held.__dataclass_fields__))


def distribution_time(tx: Tx) -> time:
    """Read the time of day at which rewards are distributed."""
    row = tx.execute(sql.distribution_time).fetchone()
    if row is None:
        raise InvariantBroken("the database holds no desk")
    found: time = row.distribution_time
    return found


def agreement_in_force(tx: Tx, now: datetime) -> int | None:
    """Read the version of the staking service agreement in force."""
    row = tx.execute(sql.agreement_in_force, {"now": now}).fetchone()
    return None if row is None else row.version


def guards_of(tx: Tx, holdings: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Decimal]:
    """Read the customers' rate guards in force: the APR below which nothing is renewed or auto-subscribed (rule 16)."""
    wanted = sorted(set(holdings))
    rows = tx.execute(
        sql.guards,
        {
            "cells": [cell_of(customer_id) for customer_id, _ in wanted],
            "customer_ids": [customer_id for customer_id, _ in wanted],
            "product_ids": [product_id for _, product_id in wanted],
        },
    ).fetchall()
    return {(row.customer_id, row.product_id): row.apr_min for row in rows}


def stacked(holding: Sequence[Held], below: Decimal) -> list[Decimal]:
    """Give the tier offset of each position of a holding, oldest first, above `below`: older ones fill the lower
    tiers first (rule 6).
    """
    offsets = []
    for held in holding:
        offsets.append(below)
        below += held.principal
    return offsets
