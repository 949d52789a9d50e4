"""Rates: tiers, revisions, and reading what is in force when (product.md rules 6, 10 and 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from staddle.db import Tx, queries
from staddle.errors import InvalidRate
from staddle.ledger import Asset
from staddle.money import ZERO, has_scale, plain
from staddle.products.find import find_product
from staddle.products.terms import APR_MAX, APR_SCALE, DIGITS_MAX, is_figure

sql = queries(__package__)
TIERS_MAX = 50


@dataclass(frozen=True, slots=True)
class Tier:
    """A band of the customer's holding, `amount_from` up to `amount_to` (None: no end), with its own APR."""

    amount_from: Decimal
    amount_to: Decimal | None
    apr: Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate revision: its tiers, in force from `effective_at` until the next revision's instant."""

    revision: int
    effective_at: datetime
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A rate revision with its history: published when, by whom, upon which reading of the network."""

    rate: Rate
    published_at: datetime
    proposed_by: str
    approved_by: str
    reading: str | None


def rates_of(tx: Tx, product_id: int) -> tuple[Rate, ...]:
    """Read all rates of a product, announced ones included, in order of their instants."""
    return tuple(revision.rate for revision in revisions_of(tx, product_id))


def rate_history(tx: Tx, code: str) -> list[Revision]:
    """Read all revisions of a product, oldest first; raises ProductNotFound."""
    return revisions_of(tx, find_product(tx, code).product_id)


def revisions_of(tx: Tx, product_id: int) -> list[Revision]:
    """Read all revisions of a product, oldest first."""
    rows = tx.execute(sql.rates_of, {"product_id": product_id}).fetchall()
    return [
        Revision(rate_of(row), row.published_at, row.proposed_by, row.approved_by, row.reading)
        for row in rows
    ]


def rate_of(row: Any) -> Rate:
    """Read a rate out of a row that holds its tiers as arrays."""
    bands = zip(row.amounts_from, row.amounts_to, row.aprs, strict=True)
    return Rate(row.revision, row.effective_at, tuple(Tier(*band) for band in bands))


def rate_at(rates: Sequence[Rate], instant: datetime) -> Rate | None:
    """Give the rate in force at an instant, None before the first. `rates` are in order of their instants."""
    found = None
    for rate in rates:
        if rate.effective_at > instant:
            break
        found = rate
    return found


def rate_after(rates: Sequence[Rate], instant: datetime) -> Rate | None:
    """Give the next announced rate after an instant, if there is one."""
    return next((rate for rate in rates if rate.effective_at > instant), None)


def headline_apr(tiers: Sequence[Tier]) -> Decimal:
    """Give the highest APR of the tiers: the "up to" figure."""
    return max((tier.apr for tier in tiers), default=ZERO)


def check_tiers(asset: Asset, tiers: Sequence[Tier]) -> None:
    """Refuse tiers with gaps, overlaps, an end, or an APR that is none: InvalidRate names the tier."""
    if not 1 <= len(tiers) <= TIERS_MAX:
        raise InvalidRate(f"A rate has 1 to {TIERS_MAX} tiers.")
    expected: Decimal | None = ZERO
    for number, tier in enumerate(tiers, 1):
        if expected is None or tier.amount_from != expected:
            start = (
                "there is no end to the tier before it"
                if expected is None
                else f"must begin at {plain(expected)}"
            )
            raise InvalidRate(f"Tier {number}: {start}; tiers follow each other from 0 without a gap.")
        expected = tier.amount_to
        if expected is not None and not is_bound(expected, tier.amount_from, asset.scale):
            raise InvalidRate(
                f"Tier {number}: its end must lie above its beginning, with {asset.code}'s decimals."
            )
        if not is_figure(tier.apr, APR_MAX):
            raise InvalidRate(
                f"Tier {number}: an APR is a fraction from 0 to {APR_MAX} with up to {APR_SCALE} decimals."
            )
    if expected is not None:
        raise InvalidRate("The last tier has no end: there must be a rate for every amount.")


def is_bound(amount_to: Decimal, amount_from: Decimal, scale: int) -> bool:
    """Say whether a tier that begins at `amount_from` can end at `amount_to`."""
    if not amount_to.is_finite() or amount_to.adjusted() >= DIGITS_MAX:
        return False
    return amount_to > amount_from and has_scale(amount_to, scale)
