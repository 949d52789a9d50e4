"""Customers, for the integrator who brings them and for the operators who serve them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from staddle.api.bulk import AllAnswered, UpTo1000, answer_items, described_as, read_items
from staddle.api.fields import Body, Code, Id, Reference, id_of
from staddle.api.once import actor, once
from staddle.api.operation import Given, answered, reads, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.customers import (
    Consent,
    Customer,
    NewCustomer,
    add_customers,
    change_customer,
    consents_of,
    find_customer,
    find_customers,
    list_customers,
)
from staddle.errors import PositionNotFound
from staddle.positions import PositionInFull, ShownAsset, ShownPosition, assets_of, position_of, positions_of
from staddle.server.allow import client, either, operator
from staddle.server.at import At

TAG = "Customers"
SEE = either(client("customers"), operator("viewer"))
SERVE = either(client("customers"), operator("support"))
Name = Annotated[str, msgspec.Meta(max_length=200, description="Their name, if the desk is to know it.")]
Country = Annotated[str, msgspec.Meta(description="Two letters, such as DE.", examples=["DE"])]


class CustomerBody(Body, frozen=True, kw_only=True):
    """What is known about a customer. `joined_at` is when they joined the exchange; left out, it is now."""

    name: Name = ""
    country: Country | None = None
    vip_level: int = 0
    joined_at: datetime | None = None


class CustomerItem(Body, frozen=True, kw_only=True):
    """A customer to add. The reference is the idempotency key: the same again changes nothing."""

    reference: Reference
    name: Name = ""
    country: Country | None = None
    vip_level: int = 0
    joined_at: datetime | None = None


class CustomersBody(Body, frozen=True, kw_only=True):
    """Customers to add."""

    items: Annotated[list[Annotated[msgspec.Raw, described_as(CustomerItem)]], UpTo1000]


class CustomerChange(Body, frozen=True, kw_only=True):
    """What is to be changed; what is left out stays. A `country` of null takes the country away."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    country: Country | msgspec.UnsetType | None = msgspec.UNSET
    vip_level: int | msgspec.UnsetType = msgspec.UNSET


class CustomerShown(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, and which versions of the agreement they accepted."""

    customer: Customer
    consents: list[Consent]


@reads("/v1/customers", allow=SEE, gives=Page[Customer], tag=TAG)
def list_all_customers(
    at: At, reference: Reference | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[Customer]:
    """List the customers, in an order that stays; with `reference` only the one of that reference.

    Somebody who is added while you page may be missing until you begin again; nobody else is left out or told twice.
    """
    if reference is not None:
        return Page(items=list(find_customers(at.tx, [reference]).values()))
    found = list_customers(at.tx, limit + 1, read_cursor(cursor, int))
    return page(found, limit, lambda customer: customer.customer_id)


@writes("POST", "/v1/customers", allow=SERVE, gives=AllAnswered[Customer], tag=TAG, keyed="no")
def add_many_customers(at: At, body: CustomersBody) -> AllAnswered[Customer]:
    """Add up to 1,000 customers, each answered by itself: one that is wrong never fails the others.

    A customer who is there already with the same content is answered with `is_replay`; with other content it is
    `already_exists`, and nothing is changed.
    """
    return answer_items(
        read_items(body.items, CustomerItem),
        lambda item: item.reference,
        lambda item: new_customer(item.reference, item),
        lambda customers: add_customers(at.tx, customers, at.now),
    )


@writes("PUT", "/v1/customers/{reference}", allow=SERVE, gives=Customer, tag=TAG, keyed="no")
def add_customer(at: At, reference: Reference, body: CustomerBody) -> Given:
    """Add a customer under your own reference; the same again changes nothing, other content is `already_exists`."""
    return answered(add_customers(at.tx, [new_customer(reference, body)], at.now)[0])


def new_customer(reference: str, known: CustomerBody | CustomerItem) -> NewCustomer:
    """Put a customer together."""
    return NewCustomer(
        reference=reference,
        name=known.name,
        country=known.country,
        vip_level=known.vip_level,
        joined_at=known.joined_at,
    )


@reads("/v1/customers/{reference}", allow=SEE, gives=CustomerShown, tag=TAG)
def show_customer(at: At, reference: Reference) -> CustomerShown:
    """Show a customer, and which versions of the agreement they accepted, when and from where."""
    found = find_customer(at.tx, reference)
    return CustomerShown(customer=found, consents=consents_of(at.tx, found.customer_id))


@writes("PATCH", "/v1/customers/{reference}", allow=SERVE, gives=Customer, tag=TAG)
def change_known_customer(at: At, reference: Reference, body: CustomerChange) -> Given:
    """Change what is known about a customer: name, country, VIP level. Positions keep the terms they have."""
    there = find_customer(at.tx, reference)
    name = there.name if body.name is msgspec.UNSET else body.name
    country = there.country if body.country is msgspec.UNSET else body.country
    level = there.vip_level if body.vip_level is msgspec.UNSET else body.vip_level
    by = actor(at.caller)
    asked = {"reference": reference, "change": body}
    return once(
        at,
        "change_customer",
        asked,
        lambda: change_customer(at.tx, by, reference, name, country, level, at.now),
    )


@reads("/v1/customers/{reference}/balances", allow=SEE, gives=list[ShownAsset], tag=TAG)
def show_balances_of_customer(at: At, reference: Reference) -> list[ShownAsset]:
    """Show what a customer has: Spot, Funding, Earn, accrued, total and lifetime rewards of each coin."""
    return assets_of(at.tx, find_customer(at.tx, reference).customer_id)


@reads("/v1/customers/{reference}/positions", allow=SEE, gives=Page[ShownPosition], tag=TAG)
def list_positions_of_customer(
    at: At,
    reference: Reference,
    state: Literal["open", "ended", "all"] = "open",
    product: Code | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ShownPosition]:
    """List a customer's positions, newest first."""
    customer_id = find_customer(at.tx, reference).customer_id
    before = read_cursor(cursor, int)
    found = positions_of(at.tx, customer_id, at.now, state, product, before, limit + 1)
    return page(found, limit, lambda position: position.position_id)


@reads("/v1/customers/{reference}/positions/{position_id}", allow=SEE, gives=PositionInFull, tag=TAG)
def show_position_of_customer(at: At, reference: Reference, position_id: Id) -> PositionInFull:
    """Show one of a customer's positions in full, with every reward."""
    customer_id = find_customer(at.tx, reference).customer_id
    return position_of(at.tx, customer_id, id_of(position_id, PositionNotFound), at.now)
