"""Looking a draft over before it is one: all that is wrong with it, by field; nothing is written."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

import msgspec

from staddle.days import format_instant
from staddle.db import Tx
from staddle.errors import InvalidTerms, StaddleError
from staddle.ledger import Asset, all_assets, find_asset
from staddle.money import SCALE_MAX, unit_of
from staddle.products.check_terms import Problem, problems_of
from staddle.products.draft import check_code, check_kind, check_name, flexible_target, known_product
from staddle.products.find import Product, find_product
from staddle.products.read_terms import AMOUNTS, parse_term
from staddle.products.terms import Terms, with_defaults

TYPES = {field.name: field.type for field in msgspec.structs.fields(Terms)}
NOT_YET = Asset(0, "", "", SCALE_MAX, unit_of(SCALE_MAX))
"""Stands for a coin that was not chosen yet."""


class DraftCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft says as far as it can be read, and every problem that it has; without one it may be drafted."""

    terms: Terms
    """Where a field could not be read, what stands for it is the least there can be."""
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether it can be drafted as it is."""
        return not self.problems

    def problem(self, field: str) -> Problem | None:
        """Give the first problem of a field."""
        return next((each for each in self.problems if each.field == field), None)


def check_draft(
    tx: Tx, code: str, asset: str, kind: str, name: str, fields: Mapping[str, Any], now: datetime
) -> DraftCheck:
    """Look over a product that may be half filled in; `fields` are its terms as they were written, by name.

    `opens_at` left out is now, as in a draft.
    """
    tried = {
        "code": lambda: check_new(tx, code),
        "asset": lambda: find_asset(tx, asset),
        "kind": lambda: check_kind(kind),
        "name": lambda: check_name(name),
    }
    wrong = [problem for field, act in tried.items() if (problem := refusal_of(field, act)) is not None]
    unread = {problem.field for problem in wrong}
    coin = None if "asset" in unread else find_asset(tx, asset)
    kind = "" if "kind" in unread else kind
    checked = check_fields(tx, coin, kind, {"opens_at": format_instant(now)} | dict(fields), now)
    return DraftCheck(terms=checked.terms, problems=(*wrong, *checked.problems))


def check_version(tx: Tx, code: str, fields: Mapping[str, Any], now: datetime) -> DraftCheck:
    """Look over new terms of a product, all of them as they were written; raises ProductNotFound."""
    product = find_product(tx, code)
    checked = check_fields(tx, all_assets(tx)[product.asset_id], product.kind, fields, now)
    return DraftCheck(terms=checked.terms, problems=(*life_problems(product), *checked.problems))


def check_new(tx: Tx, code: str) -> None:
    """Refuse a code that is none, or is taken."""
    check_code(code)
    known = known_product(tx, code)
    if known is not None and known.state != "discarded":
        raise InvalidTerms(f"The product {code} already exists.")


def life_problems(product: Product) -> Iterator[Problem]:
    """A product whose sale is over takes no new terms."""
    if product.state in ("closed", "retired"):
        reason = f"the product {product.code} is {product.state}: it takes no new terms"
        yield Problem(field="code", reason=reason)


def check_fields(
    tx: Tx, coin: Asset | None, kind: str, fields: Mapping[str, Any], now: datetime
) -> DraftCheck:
    """Read terms field by field and hold what could be read against the rules; without a coin or a kind, what does
    not speak of it.
    """
    read: dict[str, Any] = {}
    wrong: list[Problem] = []
    for field, given in fields.items():
        try:
            read[field] = read_field(field, given)
        except StaddleError as error:
            wrong.append(Problem(field=field, reason=reason_of(error, field)))
    wrong += [
        Problem(field=each.name, reason="it must be given")
        for each in msgspec.structs.fields(Terms)
        if each.required and each.name not in fields
    ]
    unread = {problem.field for problem in wrong}
    unread |= ({"asset"} if coin is None else set()) | (set() if kind else {"kind"})
    terms = with_defaults(kind, stood_in(read, coin or NOT_YET, now))
    wrong += known_problems(problems_of(kind or "fixed", coin or NOT_YET, terms), unread)
    if coin is not None and not {problem.field for problem in wrong} & {"flexible_product", "at_maturity"}:
        target = refusal_of("flexible_product", lambda: flexible_target(tx, terms.flexible_product, coin))
        wrong += [] if target is None else [target]
    return DraftCheck(terms=terms, problems=tuple(wrong))


def known_problems(problems: Iterator[Problem], unread: set[str]) -> Iterator[Problem]:
    """Leave out what speaks of fields that could not be read."""
    return (each for each in problems if not unread & {each.field, *each.rests_on})


def stood_in(read: Mapping[str, Any], coin: Asset, now: datetime) -> Terms:
    """Make terms of what could be read; the coin's unit, and now, stand for what must be there."""
    usual: dict[str, Any] = {"amount_min": coin.unit, "step": coin.unit, "opens_at": now}
    return Terms(**{**usual, **read})


def read_field(field: str, given: Any) -> Any:
    """Read one field of terms as it was written: raises InvalidTerms, InvalidAmount or InvalidTime."""
    if field not in TYPES:
        raise InvalidTerms("there is no such term")
    kind = TYPES[field]
    if field in AMOUNTS and not isinstance(given, str | Decimal | None):
        raise InvalidTerms("it is not a plain decimal number, written as text")
    try:
        return msgspec.convert(parse_term(field, whole(given) if int in types_of(kind) else given), kind)
    except msgspec.ValidationError:
        raise InvalidTerms(expected(kind)) from None


def whole(given: Any) -> Any:
    """Read a whole number from its digits; anything else is left as it is, for the type to refuse."""
    is_digits = isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 9
    return int(given) if is_digits else given


def expected(kind: Any) -> str:
    """Say what a field takes."""
    choices = [each for each in flat(kind) if isinstance(each, str)]
    if choices:
        return f"it is one of {', '.join(choices)}"
    if int in types_of(kind):
        return "it is not a whole number"
    return (
        "it must be given" if Decimal in types_of(kind) or datetime in types_of(kind) else "it cannot be read"
    )


def types_of(kind: Any) -> set[Any]:
    """Give the types that a field may have."""
    return {kind, *get_args(kind)}


def flat(kind: Any) -> Iterator[Any]:
    """Give the choices within a type."""
    inner = get_args(kind)
    for each in inner:
        yield each
        yield from flat(each)


def refusal_of(field: str, act: Callable[[], object]) -> Problem | None:
    """Do what may refuse a field; gives why it does."""
    try:
        act()
    except StaddleError as error:
        return Problem(field=field, reason=reason_of(error, field))
    return None


def reason_of(error: StaddleError, field: str) -> str:
    """Say why a field was refused, in words that go on from its name."""
    return error.message.removeprefix(f"{field}: ").removesuffix(".")
