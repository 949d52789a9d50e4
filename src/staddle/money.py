"""Exact amounts: the one door through which decimals come in, are cut, and go out (product.md rules 1 and 3).

An amount is a `Decimal` in an asset; a price-less number of coins, never a float. `unit` is the smallest amount of
an asset, 10 ** -scale. Nothing outside this file rounds.
"""

import re
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    setcontext,
)
from functools import cache

from staddle.errors import InvalidAmount, TooManyDecimals

SCALE_MAX = 18
DAYS_IN_YEAR = 365
"""Actual/365 Fixed, leap years too (rule 2)."""

EXACT = Context(
    prec=76,
    rounding=ROUND_HALF_EVEN,
    traps=[Inexact, FloatOperation, InvalidOperation, DivisionByZero, Overflow, Clamped],
)
"""Python's default context rounds silently at 28 digits; this one raises instead, and only `floor_to_unit` cuts."""

ZERO = Decimal(0)
_PLAIN = re.compile(r"[0-9]{1,30}(\.[0-9]{1,36})?", re.ASCII)


def use_exact_decimals() -> None:
    """Make the exact context the one of this thread; called at every entry into the program."""
    setcontext(EXACT.copy())


def parse_decimal(text: str) -> Decimal:
    """Read a plain, unsigned decimal such as `12.5`. Signs, exponents, NaN and foreign digits raise InvalidAmount."""
    if not _PLAIN.fullmatch(text):
        raise InvalidAmount(f"{text[:40]!r} is not a plain decimal number such as 12.5.")
    return Decimal(text)


def check_scale(amount: Decimal, scale: int) -> None:
    """Refuse an amount finer than the asset's smallest unit; trailing zeros are not digits."""
    if not has_scale(amount, scale):
        raise TooManyDecimals(f"{plain(amount)} has more than the {scale} decimals that this asset has.")


def check_positive(amount: Decimal) -> None:
    """Refuse what is no amount above zero, or has more digits than any edge reads: InvalidAmount or TooManyDecimals."""
    if not amount.is_finite() or amount <= 0 or amount.adjusted() >= 30:
        raise InvalidAmount("The amount must be a plain decimal number above zero.")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2 * SCALE_MAX:
        raise TooManyDecimals


def has_scale(amount: Decimal, scale: int) -> bool:
    """Say whether the amount is a whole number of the asset's smallest units."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        return False
    return exponent >= -scale or EXACT.remainder(amount, unit_of(scale)) == 0


@cache
def unit_of(scale: int) -> Decimal:
    """Give the smallest amount of an asset with `scale` decimals."""
    return Decimal(1).scaleb(-scale, EXACT)


def floor_to_unit(dividend: Decimal, divisor: Decimal | int, scale: int) -> Decimal:
    """Divide once and cut once: floor(dividend / divisor) at `scale` decimals, for operands that are not negative."""
    unit = unit_of(scale)
    whole_units = EXACT.divide_int(dividend, EXACT.multiply(Decimal(divisor), unit))
    return EXACT.multiply(whole_units, unit)


def is_multiple(amount: Decimal, step: Decimal) -> bool:
    """Say whether `amount` is a whole number of steps."""
    return EXACT.remainder(amount, step) == 0


def plain(amount: Decimal) -> str:
    """Write an amount in full, never with an exponent."""
    return format(amount, "f")


def plain_at(amount: Decimal, scale: int) -> str:
    """Write an amount with exactly the asset's decimals: `1` of scale 2 is `1.00`."""
    return format(amount.quantize(unit_of(scale), context=EXACT), "f")
