"""The feed: what happened, page by page, each page beginning exactly where the last one ended.

A cursor is opaque to whoever holds it and good for ever: it says which notices were read, not when. Nothing is ever
skipped or given twice, for the notices of a cell are numbered without a gap in the order in which they are committed.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from staddle.db import Tx, queries
from staddle.errors import InvalidCursor
from staddle.ledger import CELL_COUNT, HOUSE
from staddle.notices.read import Told, announcements_to, notices_of

sql = queries(__package__)
FEED_MAX = 1000
_OWN, _ALL = b"c", b"d"
_NUMBER_BYTES = 7


@dataclass(frozen=True, slots=True)
class Event:
    """A notice in a feed, with the cursor that stands just behind it."""

    told: Told
    cursor: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed, and the cursor with which the next one begins; `is_last` when nothing more is there yet."""

    events: list[Event]
    cursor: str
    is_last: bool


def customer_feed(tx: Tx, customer_id: int, after: str | None, count: int) -> Feed:
    """Read a customer's notices and the announcements that concern them, merged in order of their instants.

    `after` None begins with the first there is. `count` is at most 1,000. Raises InvalidCursor.
    """
    count = min(max(count, 1), FEED_MAX)
    own, announced = _read_customer_cursor(after)
    house = _notice_count(tx, HOUSE) * CELL_COUNT
    mine = notices_of(tx, customer_id, own, count + 1)
    ours = announcements_to(tx, customer_id, announced, count + 1)
    merged = sorted(
        [*mine, *ours], key=lambda told: (told.effective_at, told.customer_id == HOUSE, told.notice_id)
    )
    events = []
    for told in merged[:count]:
        if told.customer_id == HOUSE:
            announced = told.notice_id
        else:
            own = told.notice_id
        events.append(Event(told, _write_customer_cursor(own, announced)))
    is_last = len(merged) <= count
    if is_last and len(ours) <= count:
        # What was announced to others is read too: it need not be looked at again.
        announced = max(announced, house)
    return Feed(events, _write_customer_cursor(own, announced), is_last)


def desk_feed(tx: Tx, after: str | None, count: int) -> Feed:
    """Read the notices of all customers and of the desk, for integrators; each customer's are in order.

    `after` None begins with the first there is. `count` is at most 1,000. Raises InvalidCursor.
    """
    count = min(max(count, 1), FEED_MAX)
    counts = [0] * CELL_COUNT if after is None else _read_desk_cursor(after)
    there = notice_counts(tx)
    wanted = {"cells": list(range(CELL_COUNT)), "counts": counts, "count": count}
    events = []
    for told in [Told(*row) for row in tx.execute(sql.notices_of_all, wanted).fetchall()]:
        counts[told.notice_id % CELL_COUNT] = told.notice_id // CELL_COUNT
        events.append(Event(told, _write_desk_cursor(counts)))
    is_last = all(read >= written for read, written in zip(counts, there, strict=True))
    return Feed(events, _write_desk_cursor(counts), is_last)


def customer_cursor_now(tx: Tx, customer_id: int) -> str:
    """Give the cursor behind everything that a customer has been told so far."""
    own = _notice_count(tx, customer_id % CELL_COUNT) * CELL_COUNT + customer_id % CELL_COUNT
    return _write_customer_cursor(own, _notice_count(tx, HOUSE) * CELL_COUNT)


def desk_cursor_now(tx: Tx) -> str:
    """Give the cursor behind everything that has happened so far."""
    return _write_desk_cursor(notice_counts(tx))


def notice_counts(tx: Tx) -> list[int]:
    """Read how many notices each cell has, in order of cell; zero where there is no desk yet."""
    counts = [0] * CELL_COUNT
    for row in tx.execute(sql.notice_counts).fetchall():
        counts[row.cell] = row.notice_count
    return counts


def customers_told(tx: Tx, counts: Sequence[int] | None) -> tuple[list[int], set[int]]:
    """Say who was told something since these counts: customers' ids, and 0 for what was announced to many.

    Gives the counts to go on from, too. Without counts nobody knows, so everybody may have been: 0.
    """
    there = notice_counts(tx)
    if counts is None:
        return there, {HOUSE}
    changed = [cell for cell in range(CELL_COUNT) if there[cell] > counts[cell]]
    if not changed:
        return there, set()
    since = {
        "cells": changed,
        "after": [counts[cell] for cell in changed],
        "through": [there[cell] for cell in changed],
    }
    return there, {row.customer_id for row in tx.execute(sql.customers_told, since).fetchall()}


def _notice_count(tx: Tx, cell: int) -> int:
    return notice_counts(tx)[cell]


def _write_customer_cursor(own: int, announced: int) -> str:
    numbers = own.to_bytes(_NUMBER_BYTES, "big") + announced.to_bytes(_NUMBER_BYTES, "big")
    return _write(_OWN + numbers)


def _read_customer_cursor(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, 0
    written = _read(cursor, _OWN)
    if len(written) != 2 * _NUMBER_BYTES:
        raise InvalidCursor
    return int.from_bytes(written[:_NUMBER_BYTES], "big"), int.from_bytes(written[_NUMBER_BYTES:], "big")


def _write_desk_cursor(counts: Sequence[int]) -> str:
    """Pack 256 counts: the house's, the least of the others, and by how much each exceeds it, in as few bits as the
    largest needs.
    """
    least = min(counts[1:])
    width = max(count - least for count in counts[1:]).bit_length()
    packed = sum(count - least << width * number for number, count in enumerate(counts[1:]))
    head = (
        counts[HOUSE].to_bytes(_NUMBER_BYTES, "big") + least.to_bytes(_NUMBER_BYTES, "big") + bytes([width])
    )
    return _write(_ALL + head + packed.to_bytes((width * (CELL_COUNT - 1) + 7) // 8, "big"))


def _read_desk_cursor(cursor: str) -> list[int]:
    written = _read(cursor, _ALL)
    head, packed = written[: 2 * _NUMBER_BYTES + 1], written[2 * _NUMBER_BYTES + 1 :]
    width = head[-1] if len(head) > 2 * _NUMBER_BYTES else 99
    if width > 8 * _NUMBER_BYTES or len(packed) != (width * (CELL_COUNT - 1) + 7) // 8:
        raise InvalidCursor
    house = int.from_bytes(head[:_NUMBER_BYTES], "big")
    least = int.from_bytes(head[_NUMBER_BYTES : 2 * _NUMBER_BYTES], "big")
    bits, mask = int.from_bytes(packed, "big"), (1 << width) - 1
    counts = [house, *(least + (bits >> width * number & mask) for number in range(CELL_COUNT - 1))]
    if max(counts) >= 1 << 54:  # beyond any notice's number: its id would not fit
        raise InvalidCursor
    return counts


def _write(packed: bytes) -> str:
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _read(cursor: str, of: bytes) -> bytes:
    try:
        written = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor from error
    if written[:1] != of:
        raise InvalidCursor
    return written[1:]
