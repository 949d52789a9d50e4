"""Adding customers, and changing what is known about one."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

import msgspec

from staddle.customers.find import Customer, find_customer, find_customers, is_reference
from staddle.db import Tx, queries
from staddle.desk import log
from staddle.desk.countries import check_country
from staddle.errors import AlreadyExists, Invalid, InvalidChoice, InvalidName, InvalidTime
from staddle.ledger import LockedCells, Outcome, cell_of, cell_of_reference, lock_cells, save_cells

sql = queries(__package__)
VIP_LEVEL_MAX = 32_767


class NewCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer to add. `joined_at` is when they joined the exchange; None is now."""

    reference: str
    name: str = ""
    country: str | None = None
    vip_level: int = 0
    joined_at: datetime | None = None


def add_customers(tx: Tx, customers: Sequence[NewCustomer], now: datetime) -> list[Outcome[Customer]]:
    """Add customers, tens of thousands in one call; one that is wrong never fails its neighbours.

    The reference is the key: adding the same again gives the customer who is there (`is_replay`), with other
    content it is AlreadyExists. Other errors: InvalidName, InvalidChoice, InvalidTime.
    """
    checked = [_error_of(customer, now) for customer in customers]
    wanted = [customer for customer, error in zip(customers, checked, strict=True) if error is None]
    locked = lock_cells(tx, {cell_of_reference(customer.reference) for customer in wanted})
    known = find_customers(tx, (customer.reference for customer in wanted))
    added: list[Customer] = []
    outcomes: list[Outcome[Customer]] = []
    for customer, error in zip(customers, checked, strict=True):
        if error is not None:
            outcomes.append(Outcome(error=error))
        elif customer.reference in known:
            outcomes.append(_same(known[customer.reference], customer))
        else:
            new = _numbered(locked, customer, now)
            known[new.reference] = new
            added.append(new)
            outcomes.append(Outcome(new))
    _insert(tx, added)
    save_cells(tx, locked)
    return outcomes


def change_customer(
    tx: Tx, by: str, reference: str, name: str, country: str | None, vip_level: int, now: datetime
) -> Customer:
    """Change what is known about a customer; `by` names who did it. Raises CustomerNotFound, Invalid."""
    check_content(NewCustomer(reference=reference, name=name, country=country, vip_level=vip_level), now)
    lock_cells(tx, [cell_of_reference(reference)])
    old = find_customer(tx, reference)
    new = msgspec.structs.replace(old, name=name, country=country, vip_level=vip_level)
    if new != old:
        row = {"cell": cell_of(old.customer_id), "customer_id": old.customer_id}
        tx.execute(sql.change_customer, row | {"name": name, "country": country, "vip_level": vip_level})
        log(tx, by, "change_customer", reference, {"from": old, "to": new}, now)
    return new


def check_content(customer: NewCustomer, now: datetime) -> None:
    """Refuse what cannot be known about a customer; the message begins with the name of the field."""
    if not is_reference(customer.reference):
        raise InvalidName("reference: it must have 1 to 100 printable characters.", field="reference")
    # Names keep their joiners (category Cf); control characters, surrogates and unassigned ones are mistakes.
    if len(customer.name) > 200 or any(unicodedata.category(sign) in _NOT_IN_NAMES for sign in customer.name):
        raise InvalidName("name: it must have at most 200 printable characters.", field="name")
    if customer.country is not None:
        check_country(customer.country)
    if not 0 <= customer.vip_level <= VIP_LEVEL_MAX:
        raise InvalidChoice(f"vip_level: it must be 0 to {VIP_LEVEL_MAX}.", field="vip_level")
    if customer.joined_at is not None and customer.joined_at.tzinfo is None:
        raise InvalidTime("joined_at: it must have a time zone.", field="joined_at")
    if customer.joined_at is not None and customer.joined_at > now:
        raise InvalidTime("joined_at: it must not lie in the future.", field="joined_at")


_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Cn", "Co"})


def _error_of(customer: NewCustomer, now: datetime) -> Invalid | None:
    try:
        check_content(customer, now)
    except Invalid as error:
        return error
    return None


def _same(there: Customer, asked: NewCustomer) -> Outcome[Customer]:
    """Give the customer who is there, if it is the one asked for."""
    joined_at = asked.joined_at or there.joined_at
    content = (asked.name, asked.country, asked.vip_level, joined_at)
    if content == (there.name, there.country, there.vip_level, there.joined_at):
        return Outcome(there, is_replay=True)
    return Outcome(error=AlreadyExists(f"The customer {there.reference} already exists with other content."))


def _numbered(locked: LockedCells, customer: NewCustomer, now: datetime) -> Customer:
    return Customer(
        customer_id=locked.next_customer(cell_of_reference(customer.reference)),
        reference=customer.reference,
        name=customer.name,
        country=customer.country,
        vip_level=customer.vip_level,
        joined_at=customer.joined_at or now,
    )


def _insert(tx: Tx, added: Sequence[Customer]) -> None:
    if not added:
        return
    tx.execute(
        sql.add_customers,
        {
            "cells": [cell_of(customer.customer_id) for customer in added],
            "customer_ids": [customer.customer_id for customer in added],
            "customer_references": [customer.reference for customer in added],
            "names": [customer.name for customer in added],
            "countries": [customer.country for customer in added],
            "vip_levels": [customer.vip_level for customer in added],
            "joined_at": [customer.joined_at for customer in added],
        },
    )
