"""Terms as people write them, amounts as text, put together over what they start from."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from staddle.days import parse_instant
from staddle.errors import InvalidTerms
from staddle.money import parse_decimal
from staddle.products.terms import Terms

AMOUNTS = frozenset(
    {"amount_min", "step", "amount_max", "personal_cap", "quota", "kept_fraction", "reduced_apr"}
)
LISTS = frozenset({"countries_allowed", "countries_excluded"})
INSTANTS = frozenset({"opens_at", "closes_at"})


def make_terms(start: Mapping[str, Any], changes: Mapping[str, Any]) -> Terms:
    """Put terms together: what they start from, and what is changed; None is without limit.

    Raises InvalidTerms, InvalidAmount or InvalidTime.
    """
    changed = {name: parse_term(name, each) for name, each in changes.items()}
    try:
        return msgspec.convert({**start, **changed}, Terms)
    except msgspec.ValidationError as error:
        raise InvalidTerms(f"{str(error).replace('`', '')}.") from None


def parse_term(name: str, given: Any) -> Any:
    """Read one term as it was written."""
    if given is None:
        return None
    if name in AMOUNTS:
        return given if isinstance(given, Decimal) else parse_decimal(str(given))
    if name in LISTS and isinstance(given, str):
        return tuple(code.strip() for code in given.split(",") if code.strip())
    if name in INSTANTS:
        return parse_instant(str(given))
    return given
