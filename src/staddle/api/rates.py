"""Rates as the desk makes them: proposed by one, published by another; and the sources that a product may follow."""

from datetime import datetime
from typing import Annotated

import msgspec

from staddle import approvals, products
from staddle.api.fields import AmountText, Body, Code, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, works, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.desk import now_of
from staddle.errors import ApprovalNotFound, InvalidRate
from staddle.money import ZERO, parse_decimal
from staddle.positions.publish_rate import publish_rate
from staddle.products import RateRevised, Reading, Source, SourceTerms, Tier
from staddle.products.source_terms import SourceKind
from staddle.server.allow import operator
from staddle.server.at import At, OnDatabase
from staddle.server.read_rates import read_source
from staddle.treasury import RateEffect, foresee_rate

TAG = "Rates"
SEE, MAKE = operator("viewer"), operator("product")
AprText = Annotated[AmountText, msgspec.Meta(description="A fraction: 0.05 is 5 %.", examples=["0.05"])]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class TierBody(Body, frozen=True, kw_only=True):
    """A band of a customer's holding with its own APR; the last one has no end."""

    amount_from: AmountText
    amount_to: AmountText | None = None
    apr: AprText


class RateBody(Body, frozen=True, kw_only=True):
    """A rate: one `apr` for every amount, or `tiers`. Only a product's first rate may leave `effective_at` out."""

    product: Code
    apr: AprText | None = None
    tiers: Annotated[list[TierBody], msgspec.Meta(max_length=50)] | None = None
    effective_at: Instant | None = None


class SourceBody(Body, frozen=True, kw_only=True):
    """Where the network's rate is read, the part that the desk keeps, and how far the product's rate may follow."""

    kind: SourceKind
    url: Annotated[str, msgspec.Meta(max_length=500)]
    figure_path: str | None = None
    time_path: str | None = None
    is_percent: bool = False
    desk_share: AprText
    apr_min: AprText
    apr_max: AprText
    step_max: AprText
    stale_hours: int = 24


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for a second person under this number."""

    approval_id: int
    product: str


class ReadingProposed(msgspec.Struct, frozen=True, kw_only=True):
    """A held reading's rate, which waits for a second person under this number."""

    approval_id: int
    reading: Reading


@writes("POST", "/v1/desk/rates", allow=MAKE, gives=Asked, tag=TAG, keyed="must")
def propose_new_rate(at: At, body: RateBody) -> Given:
    """Propose a rate, to be published by a second person; it is never back-dated."""
    tiers = tiers_of(body)

    def ask() -> Asked:
        number = approvals.ask_rate(at.tx, at.by, body.product, tiers, body.effective_at, at.now)
        return Asked(approval_id=number, product=body.product)

    return once(at, "propose_rate", {"rate": body}, ask)


def tiers_of(body: RateBody) -> list[Tier]:
    """Read the tiers of a rate; raises InvalidRate."""
    if (body.apr is None) == (not body.tiers):
        raise InvalidRate("Give one `apr`, or `tiers`.")
    if body.apr is not None:
        return [Tier(ZERO, None, parse_decimal(body.apr))]
    return [
        Tier(
            parse_decimal(tier.amount_from),
            None if tier.amount_to is None else parse_decimal(tier.amount_to),
            parse_decimal(tier.apr),
        )
        for tier in body.tiers or ()
    ]


@writes("POST", "/v1/desk/rates/foresee", allow=SEE, gives=RateEffect, tag=TAG, keyed="no")
def foresee_new_rate(at: At, body: RateBody) -> Given:
    """Work out what a rate would change: who it touches, what a day costs, how long the pool lasts; writes nothing."""
    return Given(foresee_rate(at.tx, body.product, tiers_of(body), body.effective_at, at.now))


@writes("POST", "/v1/desk/rates/{approval_id}/approve", allow=MAKE, gives=RateRevised, tag=TAG, keyed="must")
def approve_proposed_rate(at: At, approval_id: Id) -> Given:
    """Publish a proposed rate, as a second person, and announce it to all who hold the product."""
    number = id_of(approval_id, ApprovalNotFound)
    return once(
        at, "approve_rate", {"approval_id": number}, lambda: publish_rate(at.tx, at.by, number, at.now)
    )


@reads("/v1/desk/rate-sources", allow=SEE, gives=list[Source], tag=TAG)
def list_rate_sources(at: At) -> list[Source]:
    """List the rate sources that products follow."""
    return products.list_sources(at.tx)


@reads("/v1/desk/rate-sources/{product}", allow=SEE, gives=Source, tag=TAG)
def show_rate_source(at: At, product: Code) -> Source:
    """Show the rate source that a product follows: its terms, who set it and who approved it."""
    return products.find_source(at.tx, product)


@writes("PUT", "/v1/desk/rate-sources/{product}", allow=MAKE, gives=Asked, tag=TAG, keyed="must")
def set_rate_source(at: At, product: Code, body: SourceBody) -> Given:
    """Ask for a floating product to follow a rate source; a second person approves it.

    Who approves it stands for every revision within its bounds, for these are published by themselves.
    """
    figures = ("desk_share", "apr_min", "apr_max", "step_max")
    exact = {name: parse_decimal(getattr(body, name)) for name in figures}
    terms = SourceTerms(**{**msgspec.structs.asdict(body), **exact})

    def ask() -> Asked:
        number = approvals.ask_source(at.tx, at.by, product, terms, at.now, at.config.http_hosts)
        return Asked(approval_id=number, product=product)

    return once(at, "set_source", {"product": product, "source": body}, ask)


@writes(
    "POST",
    "/v1/desk/rate-source-requests/{approval_id}/approve",
    allow=MAKE,
    gives=Source,
    tag=TAG,
    keyed="must",
)
def approve_rate_source(at: At, approval_id: Id) -> Given:
    """Let the product follow the source from now on, as a second person."""
    number = id_of(approval_id, ApprovalNotFound)
    return once(
        at,
        "approve_source",
        {"approval_id": number},
        lambda: products.approve_source(at.tx, at.by, number, at.now),
    )


@writes("DELETE", "/v1/desk/rate-sources/{product}", allow=MAKE, gives=Source, tag=TAG)
def end_rate_source(at: At, product: Code) -> Given:
    """Let a product follow its source no longer; its rate stays as it is."""
    return once(
        at, "end_source", {"product": product}, lambda: products.end_source(at.tx, at.by, product, at.now)
    )


@reads("/v1/desk/rate-sources/{product}/readings", allow=SEE, gives=Page[Reading], tag=TAG)
def list_readings(at: At, product: Code, cursor: Cursor = None, limit: Limit = 50) -> Page[Reading]:
    """List what was read from a product's source, newest first, and what became of it."""
    products.find_product(at.tx, product)
    found = products.readings_of(at.tx, product, limit + 1, read_cursor(cursor, int))
    return page(found, limit, lambda reading: reading.reading_id)


@works("POST", "/v1/desk/rate-sources/{product}/readings", allow=MAKE, gives=Reading, tag=TAG)
def read_rate_source(at: OnDatabase, product: Code) -> Reading:
    """Read a product's source now; within its bounds the rate is published for the next distribution."""
    with at.database.transaction() as tx:
        now = now_of(tx, at.machine_now)
    return read_source(at.database, product, now, at.machine_now, at.config.http_hosts)


@writes(
    "POST",
    "/v1/desk/rate-sources/{product}/readings/propose",
    allow=MAKE,
    gives=ReadingProposed,
    tag=TAG,
    keyed="must",
)
def propose_held_reading(at: At, product: Code) -> Given:
    """Propose the rate of the newest reading that was held for people to decide; another person publishes it."""

    def propose() -> ReadingProposed:
        number, reading = approvals.ask_reading(at.tx, at.by, product, at.now)
        return ReadingProposed(approval_id=number, reading=reading)

    return once(at, "propose_reading", {"product": product}, propose)
