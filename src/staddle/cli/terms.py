"""Terms on the command line: an option for each, or a file of JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from staddle import products as room
from staddle.cli.answer import Document
from staddle.cli.show import said
from staddle.errors import InvalidFile
from staddle.money import parse_decimal

HELP = {
    "amount_min": "Smallest subscription.",
    "step": "Every subscription is a multiple of it.",
    "opens_at": "When subscribing opens; default now.",
    "closes_at": "When it closes.",
    "amount_max": "Largest single subscription.",
    "personal_cap": "Most that one customer may hold.",
    "quota": "Most that all may hold together.",
    "term_days": "Of a fixed product: 1 to 3650.",
    "new_customer_days": "Only for those who joined less than so many days ago.",
    "vip_level_min": "Lowest VIP level.",
    "countries_allowed": "Two-letter codes with commas; default everywhere.",
    "countries_excluded": "Two-letter codes with commas.",
    "rate_policy": "floating or locked.",
    "payout": "daily or at_maturity.",
    "early_redemption": "forfeit_all, not_allowed, keep_fraction or reduced_apr.",
    "kept_fraction": "With keep_fraction: 0 to 1.",
    "reduced_apr": "With reduced_apr.",
    "reduced_apr_days_min": "With reduced_apr: days before it is paid.",
    "at_maturity": "redeem, renew or to_flexible.",
    "flexible_product": "Where to_flexible goes.",
}
NUMBERS = frozenset({"term_days", "new_customer_days", "vip_level_min", "reduced_apr_days_min"})


def _option(name: str) -> Any:
    kind = int if name in NUMBERS else str
    spelt = "--" + name.removesuffix("_at").replace("_", "-") if name != "at_maturity" else "--at-maturity"
    return Annotated[kind | None, typer.Option(spelt, help=HELP[name], rich_help_panel="Terms")]


TERMS = {name: _option(name) for name in HELP}
TermsFile = Annotated[
    Path | None,
    typer.Option(
        "--terms", metavar="FILE", help="Terms as JSON; options come on top.", rich_help_panel="Terms"
    ),
]


def drafted_view(data: Document) -> RenderableType:
    """Say what waits, and what comes next."""
    number, code = data["draft"]["version"], data["product"]
    sentence = f"Version {number} of the terms of {code} waits for a second person."
    return said(
        sentence,
        f"Next: staddle products ask {code} {number}, so that somebody else sees what it changes",
        f"  or: staddle products approve {code} {number} --as SOMEBODY-ELSE",
    )


def read_terms(file: Path | None) -> dict[str, Any]:
    """Read terms from a file of JSON; raises InvalidFile. Numbers are taken as they are written."""
    return {name: room.parse_term(name, given) for name, given in written_terms(file).items()}


def written_terms(file: Path | None) -> dict[str, Any]:
    """Give the terms in a file of JSON as they are written there; raises InvalidFile."""
    if file is None:
        return {}
    try:
        read = json.loads(file.read_text(encoding="utf-8"), parse_float=parse_decimal)
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{file} cannot be read as JSON: {error}") from None
    if not isinstance(read, dict):
        raise InvalidFile(f"{file} must hold one JSON object with the terms.")
    return read


def given_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were named."""
    return {name: each for name, each in given.items() if each is not None}
