"""The terms of a product: what a position is opened under and keeps to its end (rules 8 and 10)."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, NoReturn

import msgspec

from staddle.desk.countries import COUNTRIES
from staddle.errors import InvalidTerms
from staddle.ledger import Asset
from staddle.money import EXACT, has_scale, is_multiple, plain

Kind = Literal["flexible", "fixed"]
RatePolicy = Literal["floating", "locked"]
Payout = Literal["daily", "at_maturity"]
EarlyRedemption = Literal["forfeit_all", "not_allowed", "keep_fraction", "reduced_apr"]
AtMaturity = Literal["redeem", "renew", "to_flexible"]

DIGITS_MAX = 30
"""No amount has more digits before its point."""
APR_MAX = 100
APR_SCALE = 12


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


def check_terms(kind: str, asset: Asset, terms: Terms) -> None:
    """Refuse terms that do not fit together, with a sentence that names the field: InvalidTerms."""
    check_amounts(asset, terms)
    check_window(terms)
    check_audience(terms)
    if kind == "flexible":
        check_flexible(terms)
    else:
        check_fixed(terms)


def check_amounts(asset: Asset, terms: Terms) -> None:
    """Every amount has the asset's scale; minimum, maximum, step and cap fit together."""
    for field in ("amount_min", "step", "amount_max", "personal_cap", "quota"):
        amount = getattr(terms, field)
        if amount is not None:
            check_amount(field, amount, asset)
    if not is_multiple(terms.amount_min, terms.step):
        refuse("amount_min", f"{plain(terms.amount_min)} is not a multiple of the step {plain(terms.step)}")
    for field in ("amount_max", "personal_cap"):
        amount = getattr(terms, field)
        if amount is not None and amount < terms.amount_min:
            refuse(field, f"it is below the smallest subscription of {plain(terms.amount_min)}")


def check_amount(field: str, amount: Decimal, asset: Asset) -> None:
    """An amount in terms is a finite decimal of the asset's scale, above 0; only a quota may be 0."""
    is_too_small = amount.is_finite() and (amount < 0 or (amount == 0 and field != "quota"))
    if not amount.is_finite() or is_too_small or amount.adjusted() >= DIGITS_MAX:
        refuse(field, "it is not a plain decimal above 0")
    if not has_scale(amount, asset.scale):
        refuse(field, f"{asset.code} has {asset.scale} decimals")


def check_window(terms: Terms) -> None:
    """The sale window has instants with a time zone, in order."""
    if terms.opens_at.tzinfo is None or (terms.closes_at is not None and terms.closes_at.tzinfo is None):
        refuse("opens_at", "the sale window needs instants with a time zone")
    if terms.closes_at is not None and terms.closes_at <= terms.opens_at:
        refuse("closes_at", "it is not after the opening")


def check_audience(terms: Terms) -> None:
    """Whom the product is offered to: VIP level, new customers, countries."""
    if not 0 <= terms.vip_level_min <= 32_767:
        refuse("vip_level_min", "it is not a level of 0 or more")
    if terms.new_customer_days is not None and not 1 <= terms.new_customer_days <= 36_500:
        refuse("new_customer_days", "it is not a number of days of 1 or more")
    if terms.countries_allowed is not None and not terms.countries_allowed:
        refuse("countries_allowed", "an empty list would allow nobody; leave it out to allow everybody")
    for field in ("countries_allowed", "countries_excluded"):
        for code in getattr(terms, field) or ():
            if code not in COUNTRIES:
                refuse(field, f"{code[:20]!r} is not a country's two-letter ISO code such as DE or GB")


def check_flexible(terms: Terms) -> None:
    """A flexible product has no term, pays daily, costs nothing to leave, and has no maturity."""
    if terms.term_days is not None:
        refuse("term_days", "a flexible product has no term")
    if terms.payout != "daily":
        refuse("payout", "a flexible product pays daily")
    if (
        terms.early_redemption != "forfeit_all"
        or terms.kept_fraction is not None
        or terms.reduced_apr is not None
    ):
        refuse("early_redemption", "a flexible product can be left at any time without loss")
    if terms.reduced_apr_days_min is not None:
        refuse("reduced_apr_days_min", "a flexible product can be left at any time without loss")
    if terms.at_maturity != "redeem" or terms.flexible_product is not None:
        refuse("at_maturity", "a flexible product has no maturity")


def check_fixed(terms: Terms) -> None:
    """A fixed product has a term, and says what leaving it early costs and where it goes at maturity."""
    if terms.term_days is None or not 1 <= terms.term_days <= 3650:
        refuse("term_days", "a fixed product has a term of 1 to 3650 days")
    policy = terms.early_redemption
    if (policy == "keep_fraction") != (terms.kept_fraction is not None):
        refuse("kept_fraction", "it goes with early_redemption keep_fraction, and only with that")
    if terms.kept_fraction is not None:
        check_figure("kept_fraction", terms.kept_fraction, 1)
    if (policy == "reduced_apr") != (terms.reduced_apr is not None):
        refuse("reduced_apr", "it goes with early_redemption reduced_apr, and only with that")
    if (policy == "reduced_apr") != (terms.reduced_apr_days_min is not None):
        refuse("reduced_apr_days_min", "it goes with early_redemption reduced_apr, and only with that")
    if terms.reduced_apr is not None:
        check_figure("reduced_apr", terms.reduced_apr, APR_MAX)
    if terms.reduced_apr_days_min is not None and not 0 <= terms.reduced_apr_days_min <= terms.term_days:
        refuse("reduced_apr_days_min", "it is not a number of days within the term")
    if terms.at_maturity == "to_flexible" and terms.flexible_product is None:
        refuse("flexible_product", "to_flexible needs the code of a flexible product")


def check_figure(field: str, figure: Decimal, largest: int) -> None:
    """A fraction or an APR is a decimal from 0 to `largest` with at most twelve decimals."""
    if not is_figure(figure, largest):
        refuse(field, f"it is not a decimal from 0 to {largest} with at most {APR_SCALE} decimals")


def is_figure(figure: Decimal, largest: int) -> bool:
    """Say whether this is a decimal from 0 to `largest` with at most twelve decimals."""
    if not figure.is_finite() or figure.is_signed() or EXACT.compare(figure, Decimal(largest)) > 0:
        return False
    return has_scale(figure, APR_SCALE)


def refuse(field: str, reason: str) -> NoReturn:
    """Raise InvalidTerms with a sentence that names the field."""
    raise InvalidTerms(f"{field}: {reason}.", field=field)
