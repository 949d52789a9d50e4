"""Recompute a reward receipt: one file, the standard library only, nothing of Staddle's.

    python verify_receipt.py FILE

Exit 0: every figure follows from the ones before it. Exit 1: a figure is false; the sentence says which. Exit 2: the
file cannot be read as a receipt. It proves the arithmetic of the day. It does not prove that the principal, the rate
and the sum before this day are the ones that you were promised: hold the first two against your subscription and the
published rates, and `basis_before` against `basis_after` in the receipt of the day before.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

FORMAT = "staddle reward receipt 1"
DAYS_IN_YEAR = 365
DAY = timedelta(hours=24)
BYTES_MAX = 1_000_000
ACCOUNT_KINDS = {"funding": 2, "accrued": 4}

DECIMAL = re.compile(r"(0|[1-9][0-9]{0,39})(\.[0-9]{1,60})?", re.ASCII)
WHOLE = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

Record = dict[str, Any]
Reader = Callable[[Any, str], Any]


class Unreadable(Exception):
    """The file is not a receipt."""


class NotProved(Exception):
    """A figure of the receipt does not follow from the others."""


# Reading: each field has one kind, and there are no others.


def a_text(value: Any, name: str) -> str:
    """Read a short text."""
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise Unreadable(f"{name} is not a text")
    return value


def a_match(pattern: re.Pattern[str], what: str) -> Callable[[Any, str], str]:
    """Make the reader of a text of some shape."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Unreadable(f"{name} is not {what}")
        return value

    return read


def a_figure(value: Any, name: str) -> Fraction:
    """Read a plain decimal, exactly."""
    return Fraction(a_match(DECIMAL, 'a plain decimal in quotes, such as "12.5"')(value, name))


def an_instant(value: Any, name: str) -> datetime:
    """Read an instant in UTC."""
    text = a_match(INSTANT, "an instant in UTC such as 2026-01-31T15:30:00Z")(value, name)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Unreadable(f"{name} is not an instant of the calendar") from None


def a_count(least: int, most: int) -> Callable[[Any, str], int]:
    """Make the reader of a whole number between two bounds."""

    def read(value: Any, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unreadable(f"{name} is not a whole number from {least} to {most}")
        return value

    return read


def a_truth(value: Any, name: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise Unreadable(f"{name} is not true or false")
    return value


def one_of(*words: str) -> Reader:
    """Make the reader of one of some words."""

    def read(value: Any, name: str) -> Any:
        if value not in words:
            raise Unreadable(f"{name} is not one of {', '.join(words)}")
        return value

    return read


def perhaps(read_value: Reader) -> Reader:
    """Make the reader of something that may be null."""
    return lambda value, name: None if value is None else read_value(value, name)


def a_record(**readers: Reader) -> Reader:
    """Make the reader of a record that has exactly these fields."""
    readers = {field.rstrip("_"): read for field, read in readers.items()}

    def read(value: Any, name: str) -> Record:
        if not isinstance(value, dict):
            raise Unreadable(f"{name} is not a record")
        missing, extra = sorted(readers.keys() - value.keys()), sorted(value.keys() - readers.keys())
        if missing or extra:
            word, field = ("is missing", missing[0]) if missing else ("does not belong there", extra[0])
            raise Unreadable(f"the field {field[:40]!r} of {name} {word}")
        return {field: read_field(value[field], field) for field, read_field in readers.items()}

    return read


def a_list(read_each: Reader) -> Reader:
    """Make the reader of a list that is not empty."""

    def read(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= 1000:
            raise Unreadable(f"{name} is not a list")
        return [read_each(each, f"{name} {number}") for number, each in enumerate(value, 1)]

    return read


A_FRACTION = a_record(numerator=a_figure, denominator=a_count(DAYS_IN_YEAR, DAYS_IN_YEAR))
A_TIER = a_record(from_=a_figure, to=perhaps(a_figure), apr=a_figure, amount=a_figure, amount_x_apr=a_figure)
A_RECEIPT = a_record(
    format=one_of(FORMAT),
    receipt=a_text,
    asset=a_text,
    scale=a_count(0, 18),
    product=a_text,
    terms_version=a_count(1, 10**9),
    position_id=a_match(WHOLE, "a whole number in quotes"),
    started_at=an_instant,
    term_days=perhaps(a_count(1, 3650)),
    day=a_count(1, 10**6),
    day_from=an_instant,
    day_to=an_instant,
    principal=a_figure,
    older_principal=a_figure,
    rate=a_record(
        revision=a_count(1, 10**9), effective_at=an_instant, is_locked=a_truth, tiers=a_list(A_TIER)
    ),
    day_basis=a_figure,
    day_interest=A_FRACTION,
    basis_before=a_figure,
    basis_after=a_figure,
    paid_before=a_figure,
    paid_after=a_figure,
    carry_before=A_FRACTION,
    carry_after=A_FRACTION,
    amount=a_figure,
    run_on=a_match(DATE, "a date such as 2026-01-31"),
    distributed_at=an_instant,
    paid_by=perhaps(one_of("run", "act")),
    paid_to=one_of(*ACCOUNT_KINDS),
    account=a_match(WHOLE, "a whole number in quotes"),
    forfeited=perhaps(a_figure),
    seal=perhaps(
        a_record(number=a_count(1, 10**9), hash=a_match(HASH, "a SHA-256 hash in hex"), sealed_at=an_instant)
    ),
)


def read_receipt(path: str) -> Any:
    """Read a file as a receipt; raises Unreadable."""
    try:
        with open(path, "rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(f"the file cannot be opened: {error.strerror}") from None
    if len(content) > BYTES_MAX:
        raise Unreadable("it is far too long for a receipt")
    try:
        found = json.loads(
            content.decode("utf-8"),
            parse_float=no_float,
            parse_constant=no_float,
            object_pairs_hook=once_each,
        )
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise Unreadable("it is not JSON in UTF-8") from None
    return A_RECEIPT(found, "the receipt")


def no_float(text: str) -> None:
    """Refuse numbers that a computer would round."""
    raise Unreadable(f"{text[:40]} is no figure of a receipt; decimals stand in quotes")


def once_each(pairs: list[tuple[str, Any]]) -> Record:
    """Refuse a field that is there twice."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("a field is there twice")
    return fields


# Proving: each check is one line of the pencil.


def must(is_true: bool, sentence: str) -> None:
    """Stop at the first figure that is false."""
    if not is_true:
        raise NotProved(sentence)


def check_days(receipt: Record) -> None:
    """The day lies where its number says, and is paid by the first distribution at or after its completion."""
    day_from, day_to = receipt["day_from"], receipt["day_to"]
    try:
        expected = receipt["started_at"] + (receipt["day"] - 1) * DAY
    except OverflowError:
        raise NotProved("the day lies beyond the calendar") from None
    must(day_from == expected, "day_from is not started_at and 24 hours for each day before")
    must(day_to - day_from == DAY, "day_from and day_to are not 24 hours apart")
    must(
        receipt["term_days"] is None or receipt["day"] <= receipt["term_days"], "the day lies after the term"
    )
    waited = receipt["distributed_at"] - day_to
    must(timedelta(0) <= waited < DAY, "distributed_at is not the first distribution at or after day_to")
    must(
        receipt["distributed_at"].date().isoformat() == receipt["run_on"],
        "run_on is not the day of distributed_at",
    )


def check_rate(receipt: Record) -> None:
    """The rate was in force at the start of the day; its tiers follow each other, and hold what they should."""
    rate, started_at = receipt["rate"], receipt["started_at"]
    since = started_at if rate["is_locked"] else receipt["day_from"]
    must(rate["effective_at"] <= since, "the rate was not in force at the start of the day")
    bottom, top, edge = (
        receipt["older_principal"],
        receipt["older_principal"] + receipt["principal"],
        Fraction(0),
    )
    for number, tier in enumerate(rate["tiers"], 1):
        must(tier["from"] == edge, f"tier {number} does not begin where the one before it ends")
        upper = top if tier["to"] is None else min(top, tier["to"])
        amount = max(Fraction(0), upper - max(bottom, tier["from"]))
        must(tier["amount"] == amount, f"the amount in tier {number} is {decimal(amount)}")
        must(tier["amount_x_apr"] == amount * tier["apr"], f"amount x APR of tier {number} is false")
        edge = tier["to"]
        must(
            (edge is None) == (number == len(rate["tiers"])),
            f"tier {number} ends, or does not end, out of place",
        )
        must(edge is None or edge > tier["from"], f"tier {number} ends before it begins")


def check_sums(receipt: Record) -> None:
    """The day's interest, the sums before and after it, what was paid of them, and what is carried."""
    day_basis = sum((tier["amount_x_apr"] for tier in receipt["rate"]["tiers"]), Fraction(0))
    must(receipt["day_basis"] == day_basis, f"day_basis is {decimal(day_basis)}")
    must(receipt["day_interest"]["numerator"] == day_basis, "day_interest is not day_basis / 365")
    must(receipt["day"] > 1 or receipt["basis_before"] == 0, "before the first day nothing was earned")
    must(
        receipt["basis_after"] == receipt["basis_before"] + day_basis,
        "basis_after is not basis_before + day_basis",
    )
    unit = Fraction(1, 10 ** receipt["scale"])
    for when in ("before", "after"):
        basis = receipt[f"basis_{when}"]
        paid = basis / DAYS_IN_YEAR // unit * unit
        must(receipt[f"paid_{when}"] == paid, f"paid_{when} is {decimal(paid)}")
        rest = basis - paid * DAYS_IN_YEAR
        must(receipt[f"carry_{when}"]["numerator"] == rest, f"carry_{when} is {decimal(rest)} / 365")
    amount = receipt["paid_after"] - receipt["paid_before"]
    must(receipt["amount"] == amount, f"the amount is {decimal(amount)}")


def check_payment(receipt: Record) -> None:
    """The payment names the account and the receipt that it should."""
    name = f"{receipt['position_id']}-{receipt['run_on']}"
    must(receipt["receipt"] == name, f"this is the receipt {name}")
    must(
        (receipt["amount"] > 0) == (receipt["paid_by"] is not None),
        "paid_by is told of an amount, and only then",
    )
    forfeited = receipt["forfeited"]
    must((forfeited is None) == (receipt["paid_by"] is None), "forfeited is told of an amount, and only then")
    must(forfeited is None or forfeited <= receipt["amount"], "more was forfeited than was paid")
    must(receipt["seal"] is None or receipt["paid_by"] is not None, "a seal covers nothing that was not paid")
    account = int(receipt["account"])
    must(
        account & 15 == ACCOUNT_KINDS[receipt["paid_to"]], "the account is not of the kind that paid_to says"
    )
    must(account >> 4 & 31 == receipt["scale"], "the account has another scale")
    must(
        account >> 19 & 255 == int(receipt["position_id"]) & 255,
        "account and position lie in different cells",
    )
    for field in ("principal", "older_principal", "amount", "paid_before", "paid_after"):
        must(receipt[field] * 10 ** receipt["scale"] % 1 == 0, f"{field} has more decimals than the asset")
    must(receipt["principal"] > 0, "there is no principal")


def decimal(figure: Fraction) -> str:
    """Write an exact figure; one that has no end is written as a fraction."""
    rest = figure.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return str(figure)
    places = 0
    while figure.denominator != 1:
        figure, places = figure * 10, places + 1
    digits = str(abs(figure.numerator)).rjust(places + 1, "0")
    sign = "-" if figure < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def prove(receipt: Record) -> None:
    """Recompute a receipt; raises NotProved with the first figure that is false."""
    for check in (check_days, check_rate, check_sums, check_payment):
        check(receipt)


def main(arguments: list[str] | None = None) -> int:
    """Verify the file that is named; gives the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        sys.stderr.write("usage: python verify_receipt.py FILE\n")
        return 2
    try:
        receipt = read_receipt(arguments[0])
        prove(receipt)
    except Unreadable as error:
        sys.stderr.write(f"unreadable: {error}.\n")
        return 2
    except NotProved as error:
        sys.stderr.write(f"FALSE: {error}.\n")
        return 1
    amount, asset = decimal(receipt["amount"]), receipt["asset"]
    sys.stdout.write(
        f"proved: day {receipt['day']} of position {receipt['position_id']} brought {amount} {asset}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
