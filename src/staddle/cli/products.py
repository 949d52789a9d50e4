"""`staddle products`: what can be subscribed to, from draft to retirement."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import RenderableType

from staddle import products as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, trimmed
from staddle.cli.arguments import ProductCode, Reason
from staddle.cli.edge import At, reads, writes
from staddle.cli.rates import tier_table
from staddle.cli.show import amount, card, grid, instant, percent, said
from staddle.errors import InvalidChoice, InvalidFile
from staddle.money import parse_decimal
from staddle.products.offer import ON_SHOW, STATES

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


@writes(app.products, "draft", options=TERMS)
def draft(
    at: At,
    /,
    code: Annotated[str, typer.Argument(help="Capital letters, digits, '.', '_', '~' or '-'.")],
    asset: Annotated[str, typer.Option("--asset", help="The coin's code.")],
    kind: Annotated[str, typer.Option("--kind", help="flexible or fixed.")],
    name: Annotated[str, typer.Option("--name", help="What customers read.")],
    file: TermsFile = None,
    **given: Any,
) -> Shown:
    """Draft a product with its first terms; a second person approves them."""
    terms = room.make_terms({"opens_at": at.now, **read_terms(file)}, given_terms(given))
    what: dict[str, object] = {"code": code, "asset": asset, "kind": kind, "name": name, "terms": terms}
    answer = at.once(
        "draft_product",
        what,
        lambda: room.draft_product(at.tx, at.by, code, asset, kind, name, terms, at.now),
    )
    return Shown({"product": code, "draft": answer.data}, _drafted_view, is_replay=answer.is_replay)


@writes(app.products, "version", options=TERMS)
def version(at: At, /, code: ProductCode, file: TermsFile = None, **given: Any) -> Shown:
    """Draft new terms for new positions: the newest ones, with changes."""
    newest = room.versions_of(at.tx, room.find_product(at.tx, code).product_id)[-1].terms
    terms = room.make_terms({**msgspec.structs.asdict(newest), **read_terms(file)}, given_terms(given))
    what: dict[str, object] = {"code": code, "terms": terms}
    answer = at.once("draft_version", what, lambda: room.draft_version(at.tx, at.by, code, terms, at.now))
    return Shown({"product": code, "draft": answer.data}, _drafted_view, is_replay=answer.is_replay)


def _drafted_view(data: Document) -> RenderableType:
    number, code = data["draft"]["version"], data["product"]
    sentence = f"Version {number} of the terms of {code} waits for a second person."
    return said(sentence, f"Next: staddle products approve {code} {number} --as SOMEBODY-ELSE")


def read_terms(file: Path | None) -> dict[str, Any]:
    """Read terms from a file of JSON; raises InvalidFile. Numbers are taken as they are written."""
    if file is None:
        return {}
    try:
        read = json.loads(file.read_text(encoding="utf-8"), parse_float=parse_decimal)
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{file} cannot be read as JSON: {error}") from None
    if not isinstance(read, dict):
        raise InvalidFile(f"{file} must hold one JSON object with the terms.")
    return {name: room.parse_term(name, given) for name, given in read.items()}


def given_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were named."""
    return {name: each for name, each in given.items() if each is not None}


@writes(app.products, "approve")
def approve(
    at: At, code: ProductCode, version: Annotated[int, typer.Argument(help="Of the terms.")] = 1
) -> Shown:
    """Put drafted terms in force, as a second person; with the first ones the product goes on sale."""
    what: dict[str, object] = {"code": code, "version": version}
    answer = at.once("approve_terms", what, lambda: room.approve_terms(at.tx, at.by, code, version, at.now))
    return Shown(answer.data, lambda data: said(f"{code} is on sale under version {data['version']}."))


@writes(app.products, "halt")
def halt(
    at: At,
    code: ProductCode,
    what: Annotated[str, typer.Argument(help="subscribing or redeeming.")],
    reason: Reason,
) -> Shown:
    """Pause subscribing or redeeming, each with its own switch; redeeming never stops otherwise."""
    acts = {"subscribing": room.halt_subscribing, "redeeming": room.halt_redeeming}
    act = acts[choice_of(what, acts)]
    asked: dict[str, object] = {"code": code, "what": what, "reason": reason}
    return at.once(f"halt_{what}", asked, lambda: act(at.tx, at.by, code, reason, at.now))


@writes(app.products, "resume")
def resume(
    at: At, code: ProductCode, what: Annotated[str, typer.Argument(help="subscribing or redeeming.")]
) -> Shown:
    """End a pause."""
    acts = {"subscribing": room.resume_subscribing, "redeeming": room.resume_redeeming}
    act = acts[choice_of(what, acts)]
    return at.once(f"resume_{what}", {"code": code, "what": what}, lambda: act(at.tx, at.by, code, at.now))


def choice_of(what: str, acts: Mapping[str, object]) -> str:
    """Give back what is one of these choices; raises InvalidChoice."""
    if what not in acts:
        raise InvalidChoice(f"{what[:40]!r} is not one of {', '.join(acts)}.")
    return what


@writes(app.products, "close")
def close(at: At, code: ProductCode) -> Shown:
    """Stop new subscriptions for good; redemption, rewards and maturities go on."""
    return at.once("close_product", {"code": code}, lambda: room.close_product(at.tx, at.by, code, at.now))


@writes(app.products, "retire")
def retire(at: At, code: ProductCode) -> Shown:
    """Put a closed product away, once nobody holds any of it."""
    return at.once("retire_product", {"code": code}, lambda: room.retire_product(at.tx, at.by, code, at.now))


@reads(app.products, "list")
def list_products(
    at: At, is_all: Annotated[bool, typer.Option("--all", help="Drafts and retired ones too.")] = False
) -> Shown:
    """List what is on offer: rates, terms, what is left."""
    offers = room.list_products(at.tx, at.now, STATES if is_all else ON_SHOW)
    return Shown({"products": offers}, lambda data: offer_table("", data["products"]))


def offer_table(title: str, offers: list[Document]) -> RenderableType:
    """Show products side by side."""
    heads = ["Product", "Asset", "Kind", "APR", "Status", "Minimum", "Staked", "Left"]
    rows = [
        [
            each["code"],
            each["asset"],
            "flexible" if each["terms"]["term_days"] is None else f"{each['terms']['term_days']}-day",
            apr_of(each["rate"]).replace(" %", "\N{NO-BREAK SPACE}%"),
            each["status"].replace("_", " "),
            trimmed(Decimal(each["terms"]["amount_min"])),
            amount(each["quota_used"]),
            amount(each["quota_left"]),
        ]
        for each in offers
    ]
    if not rows:
        return "[dim]There is no product yet. Next: staddle products draft --help[/]"
    return grid(title, heads, rows)


def apr_of(rate: Document | None) -> str:
    """Write the headline of a rate as it must be shown: "up to" where some amounts get less (rule 11)."""
    if rate is None:
        return "none yet"
    return ("up to " if rate["is_up_to"] else "") + percent(rate["headline_apr"])


@reads(app.products, "show")
def show(at: At, code: ProductCode) -> Shown:
    """Show everything about a product: terms, tiers, when its rate last changed and whether it can."""
    return Shown(room.show_product(at.tx, code, at.now), _offer_view)


def _offer_view(data: Document) -> RenderableType:
    rate, asset = data["rate"], data["asset"]
    facts = {
        "status": data["status"].replace("_", " "),
        "APR": apr_of(rate),
        "last changed": "-"
        if rate is None
        else f"{instant(rate['effective_at'])} (revision {rate['revision']})",
        "can change": "yes, holders are told before" if data["can_change"] else "no: locked at subscription",
        "staked": amount(data["quota_used"], asset),
        "left": "no limit" if data["quota_left"] is None else amount(data["quota_left"], asset),
        "subscribing halted": data["subscribe_halt"],
        "redeeming halted": data["redeem_halt"],
    }
    if data["next_rate"] is not None:
        facts["next rate"] = (
            f"{apr_of(data['next_rate'])} from {instant(data['next_rate']['effective_at'])} on"
        )
    terms = {name: each for name, each in data["terms"].items() if each not in (None, [])}
    parts: list[RenderableType] = [card({name: each for name, each in facts.items() if each is not None})]
    if rate is not None:
        parts.append(tier_table(rate["tiers"]))
    parts.append(
        card({**terms, "asset": asset}, f"Terms, version {data['version'] or 'in draft'}", ["asset"])
    )
    return said(f"{data['code']}: {data['name']}", *parts)
