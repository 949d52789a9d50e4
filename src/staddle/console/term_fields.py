"""The fields of the editor of terms: how they are read, and how they are filled in."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from staddle.document import trimmed
from staddle.errors import InvalidAmount
from staddle.money import EXACT, parse_decimal, plain
from staddle.pages.page import Form
from staddle.pages.read import ungrouped
from staddle.products import Terms
from staddle.products.clone import OF_A_FIXED


class EditorForm(Form, frozen=True, kw_only=True):
    """The editor as it is sent: texts, a blank one for what is not said; `do` is check, draft or ask."""

    do: str = "draft"
    code: str = ""
    asset: str = ""
    kind: str = ""
    name: str = ""
    term_days: str = ""
    amount_min: str = ""
    amount_max: str = ""
    step: str = ""
    personal_cap: str = ""
    quota: str = ""
    opens_at: str = ""
    closes_at: str = ""
    new_customer_days: str = ""
    vip_level_min: str = ""
    countries_allowed: str = ""
    countries_excluded: str = ""
    rate_policy: str = ""
    payout: str = ""
    early_redemption: str = ""
    kept_fraction: str = ""
    reduced_apr: str = ""
    reduced_apr_days_min: str = ""
    at_maturity: str = ""
    flexible_product: str = ""
    try_amount: str = ""
    try_apr: str = ""
    try_days: str = ""
    based_on: str = ""


def written(form: EditorForm, kind: str, before: Terms | None = None) -> dict[str, Any]:
    """Give the terms of a form as they were written, by name; what was left blank, or is not shown, is not in it.

    An instant that says the same second as `before` is taken to be the same, for a field holds no finer one.
    """
    given: dict[str, Any] = {}
    hidden = hidden_in(form, kind)
    for name in Terms.__struct_fields__:
        text = getattr(form, name).strip()
        if text and name not in hidden:
            given[name] = READERS.get(name, str)(text)
    for name in ("opens_at", "closes_at"):
        known = None if before is None else getattr(before, name)
        if known is not None and given.get(name) == in_field(name, known) + "Z":
            given[name] = known.isoformat()
    return given


def hidden_in(form: EditorForm, kind: str) -> set[str]:
    """Name the fields that the choices of a form hide."""
    hidden = set(OF_A_FIXED) if kind == "flexible" else set()
    if form.early_redemption != "keep_fraction":
        hidden |= {"kept_fraction"}
    if form.early_redemption != "reduced_apr":
        hidden |= {"reduced_apr", "reduced_apr_days_min"}
    return hidden


def read_instant(text: str) -> str:
    """Take an instant without a zone, as a browser's field gives it, for UTC."""
    return f"{text}Z" if "T" in text and text[-1:].isdigit() and "+" not in text else text


def read_percent(text: str) -> str:
    """Write a percentage as the fraction that it is; what is no figure stays as it is, to be refused as such."""
    try:
        return plain(EXACT.scaleb(parse_decimal(text.removesuffix("%").rstrip()), -2))
    except InvalidAmount:
        return text


def read_countries(text: str) -> str:
    """Write countries in capital letters with commas, however they were separated."""
    return ",".join(text.upper().replace(",", " ").replace(";", " ").split())


READERS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("amount_min", "amount_max", "step", "personal_cap", "quota"), ungrouped),
    **dict.fromkeys(("opens_at", "closes_at"), read_instant),
    **dict.fromkeys(("kept_fraction", "reduced_apr"), read_percent),
    **dict.fromkeys(("countries_allowed", "countries_excluded"), read_countries),
}


def fields_of(terms: Terms) -> dict[str, str]:
    """Fill the editor in with terms."""
    return {name: in_field(name, getattr(terms, name)) for name in Terms.__struct_fields__}


def in_field(name: str, value: Any) -> str:
    """Write a term as its field holds it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return trimmed(EXACT.scaleb(value, 2) if name in ("kept_fraction", "reduced_apr") else value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()[:19]
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if name == "vip_level_min" and value == 0 else str(value)
