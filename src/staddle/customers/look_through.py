"""Looking through all customers: by the beginning of reference or name, by country and VIP level."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from staddle.customers.find import Customer
from staddle.db import Tx, queries

sql = queries(__package__)
CustomerOrder = Literal["-joined_at", "joined_at", "reference"]
LAST_LETTER = "\U0010ffff"
"""Behind everything that begins alike, in the order of code points."""
FIRST_INSTANT, LAST_INSTANT = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
ROWS_AT_ONCE = 5_000


class CustomerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which customers are wanted: whose reference, or name, begins so; of a country; of a VIP level. None: all."""

    reference: str | None = None
    name: str | None = None
    country: str | None = None
    vip_level: int | None = None


class CustomerPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends: reference, name or instant, by its order, and the customer."""

    key: str
    customer_id: int


class CustomerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Customers, and the order in which they are; `next` is None where there are no more."""

    items: list[Customer]
    order: str
    next: CustomerPlace | None


def customers_of_desk(
    tx: Tx, wanted: CustomerFilter, order: CustomerOrder, after: CustomerPlace | None, count: int
) -> CustomerPage:
    """Read up to `count` customers behind a place.

    Where the beginning of a reference or a name is asked for, they are in its order; a country or a VIP level is given
    in the order of joining.
    """
    kept = order_kept(wanted, order)
    rows = tx.execute(*statement_of(wanted, kept, after, count + 1), prepare=False).fetchall()
    items = [Customer(**row._asdict()) for row in rows[:count]]
    place = place_of(items[-1], kept) if len(rows) > count else None
    return CustomerPage(items=items, order=kept, next=place)


def export_customers(tx: Tx, wanted: CustomerFilter, order: CustomerOrder) -> Iterator[Customer]:
    """Give every customer that is wanted, in the same order, some at a time."""
    place: CustomerPlace | None = None
    while True:
        page = customers_of_desk(tx, wanted, order, place, ROWS_AT_ONCE)
        yield from page.items
        if page.next is None:
            return
        place = page.next


def order_kept(wanted: CustomerFilter, order: CustomerOrder) -> str:
    """Say in which order these can be read by an index."""
    if wanted.reference:
        return "reference"
    if wanted.name:
        return "name"
    if order == "reference" and (wanted.country is not None or wanted.vip_level is not None):
        return "-joined_at"
    return order


def statement_of(
    wanted: CustomerFilter, order: str, after: CustomerPlace | None, count: int
) -> tuple[Any, dict[str, Any]]:
    """Give the statement of an order, and what it takes."""
    asked: dict[str, Any] = {"country": wanted.country, "vip_level": wanted.vip_level, "count": count}
    asked["after_id"] = after.customer_id if after else 0
    if order in ("reference", "name"):
        begins = (wanted.reference or "") if order == "reference" else (wanted.name or "").lower()
        asked |= {"from": begins, "until": begins + LAST_LETTER, "after": after.key if after else ""}
        return sql.customers_from_reference if order == "reference" else sql.customers_from_name, asked
    if order == "joined_at":
        asked["after_at"] = datetime.fromisoformat(after.key) if after else FIRST_INSTANT
        return sql.customers_oldest_first, asked
    asked["after_at"] = datetime.fromisoformat(after.key) if after else LAST_INSTANT
    return sql.customers_newest_first, asked


def place_of(customer: Customer, order: str) -> CustomerPlace:
    """Name the place behind a customer."""
    keys = {"reference": customer.reference, "name": customer.name.lower()}
    return CustomerPlace(keys.get(order, customer.joined_at.isoformat()), customer.customer_id)
