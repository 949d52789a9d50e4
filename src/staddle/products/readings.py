"""From a reading to a rate: published by itself within the source's bounds, left to two people outside (rule 33)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from staddle.days import DAY, distribution_at, format_instant, last_run_on
from staddle.db import Tx, queries
from staddle.desk import find_desk, log
from staddle.errors import ReadingNotFound, SourceStale, SourceUnreadable, WrongState
from staddle.money import EXACT, ZERO, plain
from staddle.products.find import Product, lock_product
from staddle.products.rates import Rate, Tier, rate_after, rate_at, rates_of
from staddle.products.revise import RateRevised, propose_rate, write_revision
from staddle.products.source_kinds import Figures
from staddle.products.source_terms import SourceTerms, apr_of, stale_after
from staddle.products.sources import RATE_SOURCE, Source, find_source, list_sources

sql = queries(__package__)
READ_AHEAD = timedelta(hours=2)
"""So long before a distribution its rates are read; holders are told at once, so that they know it beforehand."""
CLOCKS_APART = timedelta(hours=1)
FIGURES_MAX = 1_000


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and what became of it: published, unchanged, or held for people to decide."""

    reading_id: int
    source_id: int
    product: str
    distributed_at: datetime
    """The distribution from which on the rate is to be in force."""
    read_at: datetime
    figure_at: datetime | None
    """Of when the network's figures are, by the source's own word."""
    figures: str
    network_apr: Decimal
    apr: Decimal
    """What customers are to get: the network's APR less the desk's share."""
    document_hash: bytes
    """SHA-256 of all that the source answered."""
    outcome: str
    held_because: str | None


def next_distribution(tx: Tx, now: datetime) -> datetime:
    """Give the first distribution after `now`."""
    at = find_desk(tx).distribution_time
    return distribution_at(last_run_on(now, at) + DAY, at)


def sources_due(tx: Tx, now: datetime) -> list[Source]:
    """Name the sources to be read now: a distribution is near, and nothing has been settled for it yet."""
    distributed_at = next_distribution(tx, now)
    if now < distributed_at - READ_AHEAD:
        return []
    rows = tx.execute(sql.settled_readings, {"distributed_at": distributed_at}).fetchall()
    settled = {row.code for row in rows}
    return [source for source in list_sources(tx) if source.product not in settled]


def check_fresh(terms: SourceTerms, figures: Figures, machine_now: datetime) -> None:
    """Refuse figures of too long ago, SourceStale, or of days to come, SourceUnreadable.

    The network lives by the machine's clock, whatever that of a sandbox says.
    """
    if figures.figure_at is None:
        return
    age = machine_now - figures.figure_at
    if age > stale_after(terms):
        raise SourceStale(
            f"The rate source's figures are of {format_instant(figures.figure_at)}, more than "
            f"{terms.stale_hours} hours ago; no rate was changed.",
            figure_at=format_instant(figures.figure_at),
        )
    if age < -CLOCKS_APART:
        raise SourceUnreadable("The rate source's figures are of a time to come; no rate was changed.")


def keep_reading(
    tx: Tx, product_code: str, source_id: int, figures: Figures, document_hash: bytes, now: datetime
) -> tuple[Reading, RateRevised | None]:
    """Keep a reading and, within the bounds, publish its rate for the next distribution.

    The revision is proposed by `rate-source` and approved by whoever approved the source: bounds that two people have
    set are their consent beforehand. The edge tells holders. Raises SourceNotFound where the product follows another
    source by now.
    """
    product = lock_product(tx, product_code)
    source = find_source(tx, product_code)
    if source.source_id != source_id:
        raise SourceUnreadable("Another rate source was set meanwhile; no rate was changed.")
    if product.state == "retired":
        raise WrongState(f"The product {product_code} is retired.")
    rates = rates_of(tx, product.product_id)
    distributed_at = next_distribution(tx, now)
    apr = apr_of(source.terms, figures.network_apr)
    held_because = why_held(tx, product, source.terms, rates, apr, distributed_at)
    is_same = rates[-1].tiers == (Tier(ZERO, None, apr),)
    outcome = "unchanged" if is_same else "held" if held_because else "published"
    row = {
        "source_id": source_id,
        "product_id": product.product_id,
        "distributed_at": distributed_at,
        "now": now,
        "figure_at": figures.figure_at,
        "figures": figures.told[:FIGURES_MAX],
        "network_apr": figures.network_apr,
        "apr": apr,
        "document_hash": document_hash,
        "outcome": outcome,
        "held_because": held_because if outcome == "held" else None,
    }
    tx.execute(sql.add_reading, row)
    reading = readings_of(tx, product_code, 1)[0]
    if outcome != "published":
        return reading, None
    rate = Rate(len(rates) + 1, distributed_at, (Tier(ZERO, None, apr),))
    people = (RATE_SOURCE, source.approved_by)
    details = {"reading_id": reading.reading_id, "revision": rate.revision, "apr": apr}
    log(tx, RATE_SOURCE, "publish_rate", product_code, details, now)
    return reading, write_revision(tx, product, rate, people, reading_name(reading), now)


def why_held(
    tx: Tx,
    product: Product,
    terms: SourceTerms,
    rates: Sequence[Rate],
    apr: Decimal,
    distributed_at: datetime,
) -> str | None:
    """Say what keeps a rate from being published by itself; None where nothing does."""
    if not terms.apr_min <= apr <= terms.apr_max:
        return f"{plain(apr)} lies outside {plain(terms.apr_min)} to {plain(terms.apr_max)}"
    if rate_after(rates, distributed_at) or rates[-1].effective_at == distributed_at:
        return "another rate is announced for that time or later"
    before = rate_at(rates, distributed_at)
    if before is None or len(before.tiers) != 1:
        return "the rate before it has tiers"
    step = EXACT.abs(EXACT.subtract(apr, before.tiers[0].apr))
    if step > terms.step_max:
        return f"it differs by {plain(step)} from the rate before, more than {plain(terms.step_max)}"
    named = {"product_id": product.product_id, "distributed_at": distributed_at}
    if tx.execute(sql.published_reading, named).fetchone() is not None:
        return "the source has revised the rate of that day already"
    return None


def propose_reading(tx: Tx, by: str, product_code: str, now: datetime) -> tuple[int, Reading]:
    """Propose the rate of the newest held reading, as a person, to be approved by another: `approve_rate`.

    Gives the number of the approval and the reading. Raises ReadingNotFound where none waits for the next distribution.
    """
    lock_product(tx, product_code)
    found = readings_of(tx, product_code, 1)
    if not found or found[0].outcome != "held" or found[0].distributed_at != next_distribution(tx, now):
        raise ReadingNotFound
    reading = found[0]
    tiers = [Tier(ZERO, None, reading.apr)]
    name = reading_name(reading)
    return propose_rate(tx, by, product_code, tiers, reading.distributed_at, now, name), reading


def readings_of(tx: Tx, product_code: str, count: int = 10, before: int | None = None) -> list[Reading]:
    """Read the latest readings of a product, newest first; `before` is the reading_id to go on from."""
    wanted = {"code": product_code, "count": count, "before": before}
    rows = tx.execute(sql.readings, wanted).fetchall()
    return [Reading(**row._asdict()) for row in rows]


def reading_name(reading: Reading) -> str:
    """Name a reading as its revision does (rule 33)."""
    return f"reading {reading.reading_id}"
