"""Account ids: whose account, in which asset with how many decimals, of what kind, in one whole number."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from staddle.ledger.chart import AccountKind

HOUSE = 0
"""The customer number of the house."""

CELL_COUNT = 256

KIND_BITS = 15
"""The part of an account's id that tells its kind."""

ASSET_BITS = (1 << 19) - 1 & ~KIND_BITS
"""The part of an account's id that tells its asset and scale."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A coin: its code and the number of decimals that a balance can hold."""

    asset_id: int
    code: str
    name: str
    scale: int
    unit: Decimal


def cell_of_reference(reference: str) -> int:
    """Give the cell of a customer from the integrator's reference; fixed for ever."""
    return hashlib.sha256(reference.encode()).digest()[0]


def cell_of(row_id: int) -> int:
    """Give the cell of a customer, position, transfer or quote from its id, which carries it in its last byte."""
    return row_id % CELL_COUNT


def account_of(customer_id: int, asset: Asset, kind: AccountKind) -> int:
    """Give the id of an account; customer 0 is the house, whose accounts exist once in every cell."""
    return customer_id << 19 | asset.asset_id << 9 | asset.scale << 4 | kind


def kind_of(account_id: int) -> AccountKind:
    """Give the kind of an account."""
    return AccountKind(account_id & KIND_BITS)


def customer_of(account_id: int) -> int:
    """Give the customer of an account; 0 is the house."""
    return account_id >> 19


def asset_id_of(account_id: int) -> int:
    """Give the asset of an account."""
    return account_id >> 9 & 1023
