"""How two versions of a product's terms differ, in the order and the words of product.md rule 8."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from staddle.db import Tx
from staddle.desk import Difference
from staddle.document import percent, trimmed
from staddle.errors import ProductNotFound
from staddle.products.find import find_product, in_force_before, versions_of
from staddle.products.terms import Terms

WORDS = {
    "term_days": "Term",
    "amount_min": "Smallest subscription",
    "amount_max": "Largest subscription",
    "step": "Step",
    "personal_cap": "Cap for one customer",
    "quota": "Total quota",
    "opens_at": "Opens",
    "closes_at": "Closes",
    "new_customer_days": "New customers only",
    "vip_level_min": "VIP level",
    "countries_allowed": "Allowed countries",
    "countries_excluded": "Excluded countries",
    "rate_policy": "Rate policy",
    "payout": "Payout",
    "early_redemption": "Early redemption",
    "kept_fraction": "Part of the rewards that is kept",
    "reduced_apr": "Reduced APR",
    "reduced_apr_days_min": "Least days for the reduced APR",
    "at_maturity": "At maturity",
    "flexible_product": "Flexible product at maturity",
}
"""What people call each field of the terms, in the order of rule 8."""

CHOICES = {
    "floating": "floating: follows revisions",
    "locked": "locked: the APR at subscription holds to maturity",
    "daily": "daily",
    "at_maturity": "at maturity",
    "forfeit_all": "forfeit all rewards",
    "not_allowed": "not allowed",
    "keep_fraction": "keep a part of the rewards",
    "reduced_apr": "rewards at a reduced APR",
    "redeem": "redeem",
    "renew": "renew",
    "to_flexible": "to the flexible product",
}
NOTHING = {
    "term_days": "no term",
    "closes_at": "without end",
    "new_customer_days": "everybody",
    "countries_allowed": "everywhere",
    "countries_excluded": "none",
    "kept_fraction": "none",
    "reduced_apr": "none",
    "reduced_apr_days_min": "none",
    "flexible_product": "none",
}
"""What stands for nothing in a field; an amount that is not set is `without limit`."""
PERCENT = frozenset({"kept_fraction", "reduced_apr"})
_OF_A_FIXED = frozenset({"payout", "early_redemption", "at_maturity"})
_WHERE_SET = frozenset(
    {"term_days", "kept_fraction", "reduced_apr", "reduced_apr_days_min", "flexible_product"}
)


def differences(before: Terms | None, after: Terms) -> list[Difference]:
    """Say what changes from one version of terms to another, in the order of rule 8; without `before` all is new.

    Amounts are plain decimals in the product's asset, `without limit` where there is none.
    """
    if before is None:
        return [
            Difference(field=field, words=words, before=None, after=term_words(field, getattr(after, field)))
            for field, words in WORDS.items()
            if is_said(field, after)
        ]
    return [
        Difference(
            field=field,
            words=words,
            before=term_words(field, getattr(before, field)),
            after=term_words(field, getattr(after, field)),
        )
        for field, words in WORDS.items()
        if getattr(before, field) != getattr(after, field)
    ]


def version_differences(
    tx: Tx, code: str, version: int, before: int | None = None
) -> tuple[int | None, list[Difference]]:
    """Say how a version differs from another, by default the one in force before it; gives that one's number, too.

    Raises ProductNotFound.
    """
    product = find_product(tx, code)
    versions = versions_of(tx, product.product_id)
    known = {each.version: each for each in versions}
    for number in (version, before):
        if number is not None and number not in known:
            raise ProductNotFound(
                f"The product {code} has no version {number}.", product=code, version=number
            )
    than = in_force_before(product, versions, version) if before is None else known[before]
    if than is None:
        return None, differences(None, known[version].terms)
    return than.version, differences(than.terms, known[version].terms)


def is_said(field: str, terms: Terms) -> bool:
    """Say whether a field means anything for terms of this kind: a flexible product has no maturity to speak of."""
    if field in _WHERE_SET:
        return getattr(terms, field) is not None
    return field not in _OF_A_FIXED or terms.term_days is not None


def term_words(field: str, value: Any) -> str:
    """Write the value of one field of the terms in plain words."""
    if value is None or value == ():
        return NOTHING.get(field, "without limit")
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return f"{percent(value)} %" if field in PERCENT else trimmed(value)
    return number_words(field, value) if isinstance(value, int) else CHOICES.get(value, value)


def number_words(field: str, number: int) -> str:
    """Write a number of days, or a VIP level, in plain words."""
    if field == "vip_level_min":
        return f"{number} and above" if number else "any"
    days = "1 day" if number == 1 else f"{number} days"
    return f"joined less than {days} ago" if field == "new_customer_days" else days
