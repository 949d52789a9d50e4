"""Looking through the positions of the whole desk, by product, state and time, in orders that an index has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import cell_of

sql = queries(__package__)
PositionOrder = Literal["-started_at", "started_at", "matures_at"]
PositionState = Literal["open", "ended", "all"]
FIRST_INSTANT, LAST_INSTANT = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
ROWS_AT_ONCE = 5_000
BEHIND_ALL = 1 << 62
ID_MAX = (1 << 63) - 1


class DeskPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position in a list over all customers; `customer` is the integrator's reference."""

    position_id: int
    customer_id: int
    customer: str
    product: str
    kind: str
    asset: str
    principal: Decimal
    opened_principal: Decimal
    started_at: datetime
    matures_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    is_parked: bool


class PositionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which positions are wanted; from an instant on and before another. None: all."""

    product: str | None = None
    asset: str | None = None
    kind: Literal["flexible", "fixed"] | None = None
    state: PositionState = "open"
    started_from: datetime | None = None
    started_until: datetime | None = None
    matures_from: datetime | None = None
    matures_until: datetime | None = None


class PositionPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends: the instant of its order, and the position."""

    at: datetime
    position_id: int


class PositionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Positions, and the order in which they are; `next` is None where there are no more."""

    items: list[DeskPosition]
    order: PositionOrder
    next: PositionPlace | None


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a position is, of which product."""

    customer_id: int
    reference: str
    product: str
    is_open: bool


def positions_of_desk(
    tx: Tx, wanted: PositionFilter, order: PositionOrder, after: PositionPlace | None, count: int
) -> PositionPage:
    """Read up to `count` positions behind a place; those that mature first are open ones, of fixed terms."""
    kept: PositionOrder = "-started_at" if order == "matures_at" and wanted.state != "open" else order
    rows = tx.execute(*statement_of(wanted, kept, after, count + 1), prepare=False).fetchall()
    items = [DeskPosition(**row._asdict()) for row in rows[:count]]
    place = place_of(items[-1], kept) if len(rows) > count else None
    return PositionPage(items=items, order=kept, next=place)


def export_positions(tx: Tx, wanted: PositionFilter, order: PositionOrder) -> Iterator[DeskPosition]:
    """Give every position that is wanted, in the same order, some at a time."""
    place: PositionPlace | None = None
    while True:
        page = positions_of_desk(tx, wanted, order, place, ROWS_AT_ONCE)
        yield from page.items
        if page.next is None:
            return
        place = page.next


def customer_of_position(tx: Tx, position_id: int) -> Whose | None:
    """Say whose a position is; None where there is no such position."""
    if not 0 < position_id <= ID_MAX:
        return None
    named = {"cell": cell_of(position_id), "position_id": position_id}
    row = tx.execute(sql.customer_of_position, named).fetchone()
    return None if row is None else Whose(**row._asdict())


def statement_of(
    wanted: PositionFilter, order: PositionOrder, after: PositionPlace | None, count: int
) -> tuple[Any, dict[str, Any]]:
    """Give the statement of an order, and what it takes."""
    asked: dict[str, Any] = {
        "product": wanted.product,
        "asset": wanted.asset,
        "kind": wanted.kind,
        "with_open": wanted.state != "ended",
        "with_ended": wanted.state != "open",
        "started_from": wanted.started_from or FIRST_INSTANT,
        "started_until": wanted.started_until or LAST_INSTANT,
        "is_by_start": wanted.started_from is not None or wanted.started_until is not None,
        "matures_from": wanted.matures_from,
        "matures_until": wanted.matures_until,
        "is_by_maturity": wanted.matures_from is not None or wanted.matures_until is not None,
        "count": count,
    }
    if asked["is_by_maturity"] or order == "matures_at":
        asked["matures_from"] = wanted.matures_from or FIRST_INSTANT
        asked["matures_until"] = wanted.matures_until or LAST_INSTANT
    if order == "-started_at":
        place = after or PositionPlace(LAST_INSTANT, BEHIND_ALL)
        statement: Any = sql.positions_newest_first
    else:
        place = after or PositionPlace(FIRST_INSTANT, 0)
        statement = sql.positions_maturing_first if order == "matures_at" else sql.positions_oldest_first
    return statement, {**asked, "after_at": place.at, "after_id": place.position_id}


def place_of(position: DeskPosition, order: PositionOrder) -> PositionPlace:
    """Name the place behind a position."""
    at = position.matures_at if order == "matures_at" else position.started_at
    assert at is not None
    return PositionPlace(at, position.position_id)
