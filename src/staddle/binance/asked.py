"""The parameters of a request: how they are found in query and body, and how each kind of value is read.

Clients write them in their own ways: `True`, `1e-05`, an amount as a float. What cannot be meant is refused by name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import unquote_plus

from staddle.binance.refusal import empty, illegal, invalid, missing, refuse
from staddle.money import plain

Choice = TypeVar("Choice")
PARAMETERS_MAX = 50
WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
AMOUNT = re.compile(r"[0-9]{0,30}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
DIGITS_MAX = 30
"""An amount has no more digits before its point, and 36 behind it."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SPAN_DEFAULT, SPAN_MAX = timedelta(days=30), timedelta(days=90)
PAGE_MAX, SIZE_DEFAULT, SIZE_MAX = 1_000_000, 10, 100


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are asked for."""

    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant on, and before another."""

    from_at: datetime
    until_at: datetime


class Asked:
    """What a request asks for, by the names of its parameters."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def maybe(self, name: str) -> str | None:
        """Give a text, None where it was not sent."""
        value = self._values.get(name)
        if value is not None and not value:
            raise empty(name)
        return value

    def text(self, name: str) -> str:
        """Give a text that must be there."""
        value = self._values.get(name)
        if not value:
            raise missing(name)
        return value

    def amount(self, name: str) -> Decimal:
        """Read an amount of 0 or more; `1e-05` is one, as some clients write it."""
        text = self.text(name)
        if not AMOUNT.fullmatch(text) or not any(sign.isdigit() for sign in text.lower().partition("e")[0]):
            raise illegal(name, "^([0-9]{1,30})(\\.[0-9]{1,36})?$")
        amount = Decimal(text)
        if amount and not -36 <= amount.adjusted() < DIGITS_MAX:
            raise illegal(name, "^([0-9]{1,30})(\\.[0-9]{1,36})?$")
        return Decimal(plain(amount)) if amount else Decimal(0)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Read true or false, in any case; without a default it must be there."""
        value = self.maybe(name) if default is not None else self.text(name)
        if value is None:
            assert default is not None
            return default
        if value.lower() not in ("true", "false"):
            raise invalid(name)
        return value.lower() == "true"

    def choice(self, name: str, choices: Mapping[str, Choice], default: str | None = None) -> Choice:
        """Read one of some words; without a default it must be there."""
        value = self.text(name) if default is None else self.maybe(name) or default
        if value not in choices:
            raise invalid(name)
        return choices[value]

    def number(self, name: str) -> int | None:
        """Read an id or another whole number, None where it was not sent."""
        value = self.maybe(name)
        if value is None:
            return None
        if not WHOLE.fullmatch(value):
            raise illegal(name, "^[0-9]{1,18}$")
        return int(value)

    def page(self) -> Page:
        """Read which rows are wanted: pages from 1 on, of 10 rows unless said otherwise, of 100 at most."""
        current, size = self.number("current"), self.number("size")
        if current is not None and not 1 <= current <= PAGE_MAX:
            raise invalid("current")
        if size is not None and not 1 <= size <= SIZE_MAX:
            raise invalid("size")
        limit = SIZE_DEFAULT if size is None else size
        return Page(limit, limit * ((current or 1) - 1))

    def instant(self, name: str) -> datetime | None:
        """Read milliseconds since 1970, None where they were not sent."""
        milliseconds = self.number(name)
        try:
            return None if milliseconds is None else EPOCH + milliseconds * MILLISECOND
        except OverflowError:
            raise invalid(name) from None

    def period(self, now: datetime, longest: timedelta = SPAN_MAX, usual: timedelta = SPAN_DEFAULT) -> Period:
        """Read startTime and endTime, both inclusive; 30 days from or until the one that was sent, or until now."""
        start, end = self.instant("startTime"), self.instant("endTime")
        if start is None and end is None:
            return Period(now - usual, now + MILLISECOND)
        try:
            start = end - usual if start is None and end is not None else start
            assert start is not None
            end = start + usual if end is None else end
            if start > end:
                raise refuse(-1023)
            if end - start > longest:
                raise refuse(-6021)
            return Period(start, end + MILLISECOND)
        except OverflowError:
            raise invalid("startTime") from None


def parameters_of(query: bytes, body: bytes) -> dict[str, str]:
    """Read the parameters of the query and of the body, which is a form; where both have a name, the query's counts."""
    return {**_pairs(body), **_pairs(query)}


def _pairs(part: bytes) -> dict[str, str]:
    """Read pairs that stand between ampersands; a name that comes twice is refused."""
    found: dict[str, str] = {}
    pieces: Sequence[bytes] = [piece for piece in part.split(b"&") if piece]
    if len(pieces) > PARAMETERS_MAX:
        raise refuse(-1101)
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        try:
            known = unquote_plus(name.decode("ascii"), errors="strict")
            text = unquote_plus(value.decode("ascii"), errors="strict")
        except UnicodeDecodeError:
            raise illegal("query", "^[ -~]*$") from None
        if known != "signature" and not (known + text).isprintable():
            raise illegal(known if known.isprintable() else "query", "^\\P{C}*$")
        if known in found:
            raise refuse(-1101)
        found[known] = text
    return found


def milliseconds(instant: datetime) -> int:
    """Write an instant as whole milliseconds since 1970, cut down."""
    return (instant - EPOCH) // MILLISECOND
