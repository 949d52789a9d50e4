"""What is on offer, with all that every place which shows a rate must show (product.md rule 11)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.errors import ProductNotFound
from staddle.ledger import Asset
from staddle.money import EXACT, ZERO
from staddle.products.find import CODE, terms_of
from staddle.products.rates import Tier, headline_apr, rate_history
from staddle.products.state import Status, product_status
from staddle.products.terms import Terms, with_defaults

sql = queries(__package__)

STATES = ("draft", "discarded", "live", "closed", "retired")
ON_SHOW = ("live", "closed")
"""The states of products that customers see."""


class RateShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rate as it must be shown."""

    revision: int
    effective_at: datetime
    """When the rate last changed, or will change."""
    published_at: datetime
    headline_apr: Decimal
    """The highest APR that a customer can get, as a fraction: 0.05 is 5 %."""
    is_up_to: bool
    """Whether some amounts get less, so that "up to" belongs before the headline."""
    tiers: tuple[Tier, ...]


class ProductOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A product as people see it. Amounts are in `asset`, which has `scale` decimals."""

    code: str
    name: str
    kind: str
    asset: str
    scale: int
    status: Status
    subscribe_halt: str | None
    redeem_halt: str | None
    version: int
    terms: Terms
    quota_total: Decimal | None
    """None: without limit."""
    quota_used: Decimal
    quota_left: Decimal | None
    rate: RateShown | None
    """The rate in force; None before the first one."""
    next_rate: RateShown | None
    """The next one, if one is announced."""
    can_change: bool
    """Whether the rate of a position can change after it was opened."""


def list_products(tx: Tx, now: datetime, states: Sequence[str] = ON_SHOW) -> list[ProductOffer]:
    """Read what customers see, or products in other states for the desk; by asset, flexible ones first."""
    wanted = {"now": now, "code": None, "states": list(states)}
    return [_offer(row, now) for row in tx.execute(sql.offers, wanted).fetchall()]


def show_product(tx: Tx, code: str, now: datetime) -> ProductOffer:
    """Read one product in whatever state; raises ProductNotFound."""
    wanted = {"now": now, "code": code, "states": list(STATES)}
    row = tx.execute(sql.offers, wanted).fetchone() if CODE.fullmatch(code) else None
    if row is None:
        raise ProductNotFound(f"There is no product {code[:40]!r}.", product=code[:40])
    return _offer(row, now)


def offer_of_terms(
    code: str, name: str, kind: str, asset: Asset, terms: Terms, tiers: Sequence[Tier], now: datetime
) -> ProductOffer:
    """Make what customers would see of terms that are not in force, with nothing taken of their quota yet.

    Pure: nothing is read or written. `tiers` are those of a rate to try them with; without any there is no rate.
    """
    rate = _rate_shown(0, now, now, tuple(tiers)) if tiers else None
    return ProductOffer(
        code=code,
        name=name,
        kind=kind,
        asset=asset.code,
        scale=asset.scale,
        status=product_status(
            "live",
            subscribe_halt=None,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
            quota_left=terms.quota,
            amount_min=terms.amount_min,
            now=now,
        ),
        subscribe_halt=None,
        redeem_halt=None,
        version=0,
        terms=terms,
        quota_total=terms.quota,
        quota_used=ZERO,
        quota_left=terms.quota,
        rate=rate,
        next_rate=None,
        can_change=with_defaults(kind, terms).rate_policy == "floating",
    )


def shown_rates(tx: Tx, code: str) -> list[RateShown]:
    """Read all rates of a product as they are shown, newest first, announced ones included; raises ProductNotFound."""
    return [
        _rate_shown(each.rate.revision, each.rate.effective_at, each.published_at, each.rate.tiers)
        for each in reversed(rate_history(tx, code))
    ]


def headline_steps(tx: Tx, now: datetime) -> dict[str, list[tuple[datetime, Decimal]]]:
    """Read how the headline APR of each product that customers see has gone, oldest first, by code."""
    steps: dict[str, list[tuple[datetime, Decimal]]] = {}
    for row in tx.execute(sql.headline_steps, {"now": now, "states": list(ON_SHOW)}).fetchall():
        steps.setdefault(row.code, []).append((row.effective_at, row.apr))
    return steps


def _offer(row: Any, now: datetime) -> ProductOffer:
    terms = terms_of(row)
    used = row.quota_used or ZERO
    left = None if row.quota_total is None else max(ZERO, EXACT.subtract(row.quota_total, used))
    return ProductOffer(
        code=row.code,
        name=row.name,
        kind=row.kind,
        asset=row.asset,
        scale=row.scale,
        status=product_status(
            row.state,
            subscribe_halt=row.subscribe_halt,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
            quota_left=left,
            amount_min=terms.amount_min,
            now=now,
        ),
        subscribe_halt=row.subscribe_halt,
        redeem_halt=row.redeem_halt,
        version=row.version,
        terms=terms,
        quota_total=row.quota_total,
        quota_used=used,
        quota_left=left,
        rate=_shown(
            row.revision, row.effective_at, row.published_at, (row.amounts_from, row.amounts_to, row.aprs)
        ),
        next_rate=_shown(
            row.next_revision,
            row.next_effective_at,
            row.next_published_at,
            (row.next_amounts_from, row.next_amounts_to, row.next_aprs),
        ),
        can_change=terms.rate_policy == "floating",
    )


def _shown(
    revision: int | None, effective_at: datetime, published_at: datetime, bands: tuple[Sequence[Any], ...]
) -> RateShown | None:
    if revision is None:
        return None
    tiers = tuple(Tier(*band) for band in zip(*bands, strict=True))
    return _rate_shown(revision, effective_at, published_at, tiers)


def _rate_shown(
    revision: int, effective_at: datetime, published_at: datetime, tiers: tuple[Tier, ...]
) -> RateShown:
    return RateShown(
        revision=revision,
        effective_at=effective_at,
        published_at=published_at,
        headline_apr=headline_apr(tiers),
        is_up_to=len({tier.apr for tier in tiers}) > 1,
        tiers=tiers,
    )
