"""The terms of a product: what a position is opened under and keeps to its end (rules 8 and 10)."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from staddle.money import EXACT, has_scale

Kind = Literal["flexible", "fixed"]
RatePolicy = Literal["floating", "locked"]
Payout = Literal["daily", "at_maturity"]
EarlyRedemption = Literal["forfeit_all", "not_allowed", "keep_fraction", "reduced_apr"]
AtMaturity = Literal["redeem", "renew", "to_flexible"]

DIGITS_MAX = 30
"""No amount has more digits before its point."""
APR_MAX = 100
APR_SCALE = 12
USUAL_DAYS = (7, 14, 30, 60, 90, 120)
"""The terms that fixed products usually have."""


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a product (rule 8). Amounts are in the product's asset, None means without limit."""

    amount_min: Decimal
    """Smallest subscription, and the least that a partial redemption may leave."""
    step: Decimal
    """Every subscription is a multiple of it."""
    opens_at: datetime
    """The sale window is [opens_at, closes_at)."""
    closes_at: datetime | None = None
    amount_max: Decimal | None = None
    """Largest single subscription."""
    personal_cap: Decimal | None = None
    """Most that one customer may hold."""
    quota: Decimal | None = None
    """Most that all customers may hold together."""
    term_days: int | None = None
    """Of a fixed product: 1 to 3650 days of 24 hours."""
    new_customer_days: int | None = None
    """Only for those who joined less than so many days ago."""
    vip_level_min: int = 0
    countries_allowed: tuple[str, ...] | None = None
    """ISO codes; None is everywhere. A customer without a country is in none of them."""
    countries_excluded: tuple[str, ...] = ()
    rate_policy: RatePolicy | None = None
    """None stands for the kind's usual one: floating for flexible, locked for fixed products."""
    payout: Payout = "daily"
    early_redemption: EarlyRedemption = "forfeit_all"
    kept_fraction: Decimal | None = None
    """Of `keep_fraction`: the part of the paid rewards that the customer keeps, 0 to 1."""
    reduced_apr: Decimal | None = None
    """Of `reduced_apr`: the APR that rewards are computed at again, after `reduced_apr_days_min` days."""
    reduced_apr_days_min: int | None = None
    at_maturity: AtMaturity = "redeem"
    flexible_product: str | None = None
    """Code of the flexible product for `to_flexible`; also offered as a customer's own choice."""


def with_defaults(kind: str, terms: Terms) -> Terms:
    """Give the terms with the kind's usual rate policy where none was named."""
    if terms.rate_policy is not None:
        return terms
    return msgspec.structs.replace(terms, rate_policy="floating" if kind == "flexible" else "locked")


def is_figure(figure: Decimal, largest: int) -> bool:
    """Say whether this is a decimal from 0 to `largest` with at most twelve decimals."""
    if not figure.is_finite() or figure.is_signed() or EXACT.compare(figure, Decimal(largest)) > 0:
        return False
    return has_scale(figure, APR_SCALE)
