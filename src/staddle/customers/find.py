"""Finding customers, by the integrator's reference or by id."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from staddle.db import Tx, queries
from staddle.errors import CustomerNotFound
from staddle.ledger import cell_of, cell_of_reference

sql = queries(__package__)

CUSTOMER_ID_MAX = (1 << 44) - 1


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who subscribes; `reference` is the integrator's own name for them."""

    customer_id: int
    reference: str
    name: str
    country: str | None
    vip_level: int
    joined_at: datetime


def find_customer(tx: Tx, reference: str) -> Customer:
    """Read a customer by the integrator's reference; raises CustomerNotFound."""
    found = find_customers(tx, [reference]).get(reference)
    if found is None:
        raise CustomerNotFound(f"There is no customer {reference[:100]!r}.")
    return found


def find_customers(tx: Tx, references: Iterable[str]) -> dict[str, Customer]:
    """Read customers by the integrator's references; those that are not there are left out."""
    wanted = sorted({reference for reference in references if is_reference(reference)})
    cells = [cell_of_reference(reference) for reference in wanted]
    rows = tx.execute(sql.customers_by_reference, {"cells": cells, "customer_references": wanted}).fetchall()
    return {row.reference: Customer(**row._asdict()) for row in rows}


def find_customers_by_id(tx: Tx, customer_ids: Iterable[int]) -> dict[int, Customer]:
    """Read customers by their ids; those that are not there are left out."""
    wanted = sorted({number for number in customer_ids if 0 < number <= CUSTOMER_ID_MAX})
    cells = [cell_of(number) for number in wanted]
    rows = tx.execute(sql.customers_by_id, {"cells": cells, "customer_ids": wanted}).fetchall()
    return {row.customer_id: Customer(**row._asdict()) for row in rows}


def list_customers(tx: Tx, count: int, after: int | None = None) -> list[Customer]:
    """Read customers cell by cell, each in the order in which they came; `after` is the id to go on behind.

    Somebody who is added meanwhile may come before or after it: the others are never skipped or told twice.
    """
    place = (-1, 0) if after is None else (cell_of(after), after)
    wanted = {"after_cell": place[0], "after_id": place[1], "count": count}
    return [Customer(**row._asdict()) for row in tx.execute(sql.list_customers, wanted).fetchall()]


def is_reference(reference: str) -> bool:
    """Say whether this can be a reference: 1 to 100 printable characters, no blanks at its ends."""
    return 1 <= len(reference) <= 100 and reference.isprintable() and reference == reference.strip()
