"""How figures are written: amounts as plain text with all decimals of their coin, rates as text, tiers as numbers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from staddle.accrual.rules import Tier
from staddle.money import ZERO, plain, plain_at

RATE_DECIMALS = 8
Types = Literal["documented", "observed"]


def amount(value: Decimal, asset: str, scales: Mapping[str, int]) -> str:
    """Write an amount with all the decimals of its coin."""
    return plain_at(value, scales[asset])


def rate(value: Decimal) -> str:
    """Write a rate, a fraction: with 8 decimals, or with more where it has more."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return plain_at(value, RATE_DECIMALS) if exponent >= -RATE_DECIMALS else plain(value)


def count(value: int, types: Types) -> str | int:
    """Write a count of days: documented as text, observed as a number."""
    return str(value) if types == "documented" else value


def base_rate(tiers: Sequence[Tier]) -> Decimal:
    """Give the APR that every amount gets at least: the lowest of all bands, 0 where bands leave something out."""
    bands = banded(tiers)
    return min(apr for _, _, apr in bands)


def tier_rates(
    tiers: Sequence[Tier], asset: str, most: Decimal | None, types: Types
) -> dict[str, Any] | None:
    """Write what each band gets above the base rate, None where all get the same: so a band's APR is the sum of both.

    A band without an end goes as far as anybody can hold, which is `most`, where that has a bound.
    """
    bands, base = banded(tiers), base_rate(tiers)
    found: dict[str, Any] = {}
    for low, high, apr in bands:
        if apr > base:
            end = most if high is None else high
            name = f">{plain(low)}{asset}" if end is None else f"{plain(low)}-{plain(end)}{asset}"
            found[name] = apr - base if types == "documented" else rate(apr - base)
    return found or None


def banded(tiers: Sequence[Tier]) -> list[tuple[Decimal, Decimal | None, Decimal]]:
    """Lay the bands one behind the other from 0 on without an end, with an APR of 0 where none is declared."""
    bands: list[tuple[Decimal, Decimal | None, Decimal]] = []
    reached: Decimal | None = ZERO
    for tier in sorted(tiers, key=lambda each: each.amount_from):
        if reached is not None and tier.amount_from > reached:
            bands.append((reached, tier.amount_from, ZERO))
        bands.append((tier.amount_from, tier.amount_to, tier.apr))
        reached = tier.amount_to
    if reached is not None:
        bands.append((reached, None, ZERO))
    return bands


def given(**fields: Any) -> dict[str, Any]:
    """Leave out what does not apply: a field is there, or it is not."""
    return {name: value for name, value in fields.items() if value is not None}
