"""Reading rate sources, and what follows: a revision of which holders are told, or an alarm (product.md rule 33)."""

from collections.abc import Collection
from datetime import datetime

from staddle.db import Database, Tx
from staddle.desk import clear_alarm, find_desk, raise_alarm
from staddle.errors import SourceStale, StaddleError
from staddle.money import plain, use_exact_decimals
from staddle.positions.publish_rate import announce_rate
from staddle.products import (
    Reading,
    Source,
    check_fresh,
    find_source,
    keep_reading,
    read_figures,
    sources_due,
)
from staddle.server.fetch import Fetch

FAILED, STALE, OUTSIDE = "rate_source_failed", "rate_source_stale", "rate_source_out_of_bounds"


def read_sources_due(
    database: Database, now: datetime, machine_now: datetime, http_hosts: Collection[str] = ()
) -> list[Reading]:
    """Read every source whose distribution is near; one that cannot be read raises an alarm and stops no other."""
    with database.transaction() as tx:
        is_sandbox = find_desk(tx).is_sandbox
        due = sources_due(tx, now)
    readings = []
    for source in due:
        try:
            readings.append(_read(database, source, is_sandbox, now, machine_now, http_hosts))
        except (StaddleError, ArithmeticError) as error:
            with database.transaction() as tx:
                told = {"reason": str(error) or type(error).__name__, "source_id": source.source_id}
                raise_alarm(tx, kind_of(error), source.product, told, now)
    return readings


def read_source(
    database: Database,
    product: str,
    now: datetime,
    machine_now: datetime,
    http_hosts: Collection[str] = (),
) -> Reading:
    """Read the source of one product now, whatever the hour.

    Raises SourceNotFound, SourceUnreadable or SourceStale; then nothing was changed.
    """
    with database.transaction() as tx:
        is_sandbox = find_desk(tx).is_sandbox
        source = find_source(tx, product)
    return _read(database, source, is_sandbox, now, machine_now, http_hosts)


def _read(
    database: Database,
    source: Source,
    is_sandbox: bool,
    now: datetime,
    machine_now: datetime,
    http_hosts: Collection[str],
) -> Reading:
    use_exact_decimals()
    with Fetch(is_sandbox, http_hosts) as fetch:
        figures = read_figures(source.terms, fetch.get)
    check_fresh(source.terms, figures, machine_now)
    with database.transaction() as tx:
        reading, revised = keep_reading(
            tx, source.product, source.source_id, figures, fetch.document_hash, now
        )
        tell_desk(tx, reading, now)
        if revised is not None:
            announce_rate(tx, revised, now)
    return reading


def tell_desk(tx: Tx, reading: Reading, now: datetime) -> None:
    """Clear the alarms of a source that could be read; raise one where people must decide."""
    for kind in (FAILED, STALE):
        clear_alarm(tx, kind, reading.product, now)
    if reading.outcome != "held":
        clear_alarm(tx, OUTSIDE, reading.product, now)
        return
    told = {"reading_id": reading.reading_id, "apr": plain(reading.apr), "held_because": reading.held_because}
    raise_alarm(tx, OUTSIDE, reading.product, told, now)


def kind_of(error: Exception) -> str:
    """Give the kind of alarm for a source that cannot be followed."""
    return STALE if isinstance(error, SourceStale) else FAILED
