"""The rows of the statement newest first, some at a time: what a customer looks through page by page."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from staddle.db import Tx
from staddle.errors import InvalidTime
from staddle.rewards.statement import Line, Place, Wanted, lines

FIRST_STRETCH = timedelta(days=7)
"""How far back is looked at once; twice as far each time, until there is enough."""
INSTANT = timedelta(microseconds=1)


def history_page(
    tx: Tx,
    customer_id: int,
    from_at: datetime,
    until_at: datetime,
    wanted: Wanted,
    before: Place | None,
    count: int,
) -> list[Line]:
    """Read up to `count` rows of a period, newest first, that are older than the place `before`.

    They are those of the statement, in the opposite order. Raises InvalidTime for a period that ends before it begins.
    """
    if until_at < from_at:
        raise InvalidTime("The period ends before it begins.")
    if before is not None:
        until_at = min(until_at, before.at + INSTANT)
    found: list[Line] = []
    for begins, ends in stretches_back(from_at, until_at):
        left = count - len(found)
        found += lines(tx, customer_id, begins, ends, None, left, wanted, before, is_newest_first=True)
        if len(found) == count:
            break
    return found


def stretches_back(from_at: datetime, until_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a period into stretches from its end on, each twice as long as the one before it."""
    length = FIRST_STRETCH
    while until_at > from_at:
        begins = from_at if until_at - from_at <= length else until_at - length
        yield begins, until_at
        until_at, length = begins, 2 * length
