"""How every edge writes what an act gives: one document in JSON's own types, the same on every edge."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal, Inexact
from enum import Enum
from functools import cache
from typing import Any, cast

import msgspec

from staddle.days import format_instant
from staddle.ledger import Asset
from staddle.money import EXACT, plain, plain_at

Document = dict[str, Any]
_AS_IT_IS = frozenset({str, bool, type(None)})
NOT_AMOUNTS = (
    "apr",
    "headline",
    "fraction",
    "change_max",
    "basis",
    "carry",
    "progress",
    "days_left",
    "price",
    "percent",
)
"""Parts of the names of figures that are no amounts: they are written without idle zeros."""


def document(value: object, scales: Mapping[str, int], asset: str | None = None) -> Any:
    """Write a value in JSON's own types: amounts as plain strings at their asset's scale, instants in UTC, ids as
    strings. The asset of an amount is the `asset` of the nearest record around it.
    """
    pairs = members(value)
    if pairs is not None:
        named = pairs.get("asset", pairs.get("coin", asset))
        asset = named.code if isinstance(named, Asset) else named if isinstance(named, str) else asset
        return {
            # The commonest as they are, without a call: an answer is written for every request.
            name if type(name) is str else str(name): each
            if type(each) in _AS_IT_IS
            else member(str(name), each, scales, asset)
            for name, each in pairs.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [document(each, scales, asset) for each in value]
    return scalar(value)


def member(name: str, value: object, scales: Mapping[str, int], asset: str | None) -> Any:
    """Write one member of a record; its name tells amounts from rates and ids from counts."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is Decimal:
        return figure(name, cast(Decimal, value), scales.get(asset or ""))
    if kind is datetime:
        return format_instant(cast(datetime, value))
    if kind is int:
        return str(value) if name.endswith("_id") else value
    if name.endswith("_ids") and isinstance(value, list | tuple):
        return [str(each) for each in value]
    return value.code if isinstance(value, Asset) else document(value, scales, asset)


def figure(name: str, value: Decimal, scale: int | None) -> str:
    """Write an amount with its asset's decimals, any other figure without idle zeros."""
    return trimmed(value) if scale is None or not is_amount(name) else at_scale(value, scale)


@cache
def is_amount(name: str) -> bool:
    """Say whether a figure of this name is an amount of its record's asset."""
    return not any(part in name for part in NOT_AMOUNTS)


def members(value: object) -> dict[Any, object] | None:
    """Give the members of a record, None for what is not one."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return None


def scalar(value: object) -> object:
    """Write a single value."""
    if isinstance(value, Decimal):
        return trimmed(value)
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    return value


def at_scale(amount: Decimal, scale: int) -> str:
    """Write an amount with its asset's decimals, or in full where it is finer than they are."""
    try:
        return plain_at(amount, scale)
    except Inexact:
        return plain(amount)


def trimmed(figure: Decimal) -> str:
    """Write a figure that is no amount, without idle zeros."""
    text = plain(figure)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(fraction: Decimal) -> str:
    """Write a fraction in percent, without its sign: 0.05 is `5`."""
    return trimmed(EXACT.multiply(fraction, Decimal(100)))
