"""`staddle products`: what can be subscribed to, from draft to retirement."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
import typer
from rich.console import RenderableType

from staddle import approvals
from staddle import products as room
from staddle.cli import (
    app,
    drafts,  # noqa: F401  its commands stand beside these
)
from staddle.cli.answer import Document, Shown, trimmed
from staddle.cli.approvals import asked, asked_view
from staddle.cli.arguments import ProductCode, Reason
from staddle.cli.edge import At, reads, writes
from staddle.cli.rates import tier_table
from staddle.cli.show import amount, card, grid, instant, percent, said
from staddle.cli.terms import TERMS, TermsFile, drafted_view, given_terms, read_terms
from staddle.errors import InvalidChoice
from staddle.products.halt import What
from staddle.products.offer import ON_SHOW, STATES


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
    return Shown({"product": code, "draft": answer.data}, drafted_view, is_replay=answer.is_replay)


@writes(app.products, "version", options=TERMS)
def version(at: At, /, code: ProductCode, file: TermsFile = None, **given: Any) -> Shown:
    """Draft new terms for new positions: the newest ones, with changes."""
    newest = room.newest_of(room.versions_of(at.tx, room.find_product(at.tx, code).product_id)).terms
    terms = room.make_terms({**msgspec.structs.asdict(newest), **read_terms(file)}, given_terms(given))
    what: dict[str, object] = {"code": code, "terms": terms}
    answer = at.once("draft_version", what, lambda: room.draft_version(at.tx, at.by, code, terms, at.now))
    return Shown({"product": code, "draft": answer.data}, drafted_view, is_replay=answer.is_replay)


@writes(app.products, "approve")
def approve(
    at: At, code: ProductCode, version: Annotated[int, typer.Argument(help="Of the terms.")] = 1
) -> Shown:
    """Put drafted terms in force, as a second person; with the first ones the product goes on sale."""
    what: dict[str, object] = {"code": code, "version": version}
    answer = at.once("approve_terms", what, lambda: room.approve_terms(at.tx, at.by, code, version, at.now))
    return Shown(answer.data, lambda data: said(f"{code} is on sale under version {data['version']}."))


@writes(app.products, "ask")
def ask(
    at: At, code: ProductCode, version: Annotated[int, typer.Argument(help="Of the terms.")] = 1
) -> Shown:
    """Put drafted terms before a second person, with their difference to those in force."""
    what: dict[str, object] = {"code": code, "version": version}
    answer = at.once(
        "ask_terms", what, lambda: asked(at, approvals.ask_terms(at.tx, at.by, code, version, at.now))
    )
    return Shown(answer.data, asked_view, is_replay=answer.is_replay)


@writes(app.products, "halt")
def halt(
    at: At,
    code: ProductCode,
    what: Annotated[str, typer.Argument(help="subscribing or redeeming.")],
    reason: Reason,
) -> Shown:
    """Ask to pause subscribing or redeeming, each with its own switch; redeeming never stops otherwise."""
    return _ask_halt(at, code, what, reason)


@writes(app.products, "resume")
def resume(
    at: At, code: ProductCode, what: Annotated[str, typer.Argument(help="subscribing or redeeming.")]
) -> Shown:
    """Ask to end a pause."""
    return _ask_halt(at, code, what, None)


def _ask_halt(at: At, code: str, what: str, reason: str | None) -> Shown:
    if what not in ("subscribing", "redeeming"):
        raise InvalidChoice(f"{what[:40]!r} is not one of subscribing, redeeming.")
    named: What = "subscribing" if what == "subscribing" else "redeeming"
    answer = at.once(
        "ask_halt",
        {"code": code, "what": what, "reason": reason},
        lambda: asked(at, approvals.ask_halt(at.tx, at.by, code, named, reason, at.now)),
    )
    return Shown(answer.data, asked_view, is_replay=answer.is_replay)


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
