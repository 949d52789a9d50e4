"""What requests about rates change: a revision, the source that a product follows."""

from datetime import datetime
from typing import Any

import msgspec

from staddle.approvals.words import Told, changed, days, holders, instant, percent, rate_words, sum_of
from staddle.db import Tx
from staddle.desk import Approval
from staddle.errors import SourceNotFound
from staddle.ledger import all_assets
from staddle.products import SourceTerms, find_product, find_source, rates_of
from staddle.products.revise import Proposal, basis_of
from staddle.products.sources import basis_of_source
from staddle.treasury import foresee_rate

SOURCE_WORDS = {
    "kind": "Kind of source",
    "url": "Address",
    "figure_path": "Where the figure stands",
    "time_path": "Where its time stands",
    "is_percent": "The figure is a percentage",
    "desk_share": "The desk's share",
    "apr_min": "Lowest APR that is published by itself",
    "apr_max": "Highest APR that is published by itself",
    "step_max": "Largest step from day to day",
    "stale_hours": "Hours after which a figure is stale",
}
FRACTIONS = ("desk_share", "apr_min", "apr_max", "step_max")


def of_revision(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:
    """Say how a rate changes, from when on, and what that costs a day."""
    proposal = msgspec.convert(asked.request, Proposal)
    rates = rates_of(tx, find_product(tx, proposal.product).product_id)
    before = rate_words(rates[-1].tiers) if rates else None
    from_at = "the approval" if proposal.effective_at is None else instant(proposal.effective_at)
    difference = [
        changed("rate", "Rate", before, rate_words(proposal.tiers)),
        changed("effective_at", "In force from", instant(rates[-1].effective_at) if rates else None, from_at),
    ]
    if proposal.reading is not None:
        difference.append(changed("reading", "Read from the network", None, proposal.reading))
    foreseen = foresee_rate(tx, proposal.product, proposal.tiers, proposal.effective_at, now)
    asset = foreseen.asset
    headline = None if foreseen.headline_before is None else percent(foreseen.headline_before)
    cost = (sum_of(each, asset) for each in (foreseen.cost_per_day_before, foreseen.cost_per_day_after))
    effect = [
        changed("headline", "Headline APR", headline, percent(foreseen.headline_after)),
        changed("customers", "Customers it touches", None, foreseen.customers),
        changed("principal", "Principal it touches", None, sum_of(foreseen.principal, asset)),
        changed("cost_per_day", "Cost per day", *cost),
        changed(
            "days_left",
            f"The {asset} pool lasts",
            days(foreseen.days_left_before),
            days(foreseen.days_left_after),
        ),
    ]
    return difference, effect


def basis_of_revision(tx: Tx, asked: Approval) -> str:
    """What a proposed rate stands upon."""
    return basis_of(rates_of(tx, find_product(tx, asked.subject).product_id))


def is_past(asked: Approval, now: datetime) -> bool:
    """Say whether the instant has come from which a proposed rate was to be in force: it is never back-dated."""
    effective_at = msgspec.convert(asked.request, Proposal).effective_at
    return effective_at is not None and effective_at <= now


def of_source(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:  # noqa: ARG001
    """Say how the source that a product follows changes, and who holds the product."""
    product = find_product(tx, asked.subject)
    terms = msgspec.convert(asked.request, SourceTerms)
    try:
        before = find_source(tx, product.code).terms
    except SourceNotFound:
        before = None
    difference = [
        changed(
            field,
            words,
            None if before is None else source_value(field, getattr(before, field)),
            source_value(field, getattr(terms, field)),
        )
        for field, words in SOURCE_WORDS.items()
        if (before is None and getattr(terms, field) is not None)
        or (before is not None and getattr(before, field) != getattr(terms, field))
    ]
    return difference, holders(tx, product.product_id, all_assets(tx)[product.asset_id].code)


def source_value(field: str, value: Any) -> str | None:
    """Write one field of a source's terms."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field in FRACTIONS:
        return percent(value)
    return str(value)


def basis_of_set_source(tx: Tx, asked: Approval) -> str:
    """What a request for a source stands upon."""
    return basis_of_source(tx, find_product(tx, asked.subject))
