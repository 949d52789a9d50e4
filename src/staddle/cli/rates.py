"""`staddle rates` and `staddle assets`."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import approvals, desk, ledger
from staddle import products as room
from staddle.cli import (
    app,
    rate_sources,  # noqa: F401  its commands stand below `rates`
)
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import ApprovalId, ProductCode
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import amount, grid, instant, listing, percent, said
from staddle.days import parse_instant
from staddle.errors import InvalidRate
from staddle.money import ZERO, parse_decimal
from staddle.positions.publish_rate import publish_rate
from staddle.treasury import foresee_rate


@writes(app.assets, "add")
def add_asset(
    at: At,
    code: Annotated[str, typer.Argument(help="Capital letters and digits, such as BTC.")],
    name: Annotated[str, typer.Argument(help="Such as Bitcoin.")],
    scale: Annotated[int, typer.Option(help="The number of decimals that a balance can hold; for ever.")] = 8,
) -> Shown:
    """Add a coin."""
    what: dict[str, object] = {"code": code, "name": name, "scale": scale}

    def add() -> dict[str, object]:
        asset = desk.add_asset(at.tx, at.by, code, name, scale, at.now)
        return {"asset_id": asset.asset_id, "code": asset.code, "name": asset.name, "scale": asset.scale}

    return at.once("add_asset", what, add)


@reads(app.assets, "list")
def assets(at: At) -> Shown:
    """List the coins."""
    coins = [
        {"code": asset.code, "name": asset.name, "scale": asset.scale}
        for asset in ledger.all_assets(at.tx).values()
    ]
    return Shown({"assets": coins}, lambda data: listing("", data["assets"], ["code", "name", "scale"]))


Apr = Annotated[str | None, typer.Option(help="One APR for every amount, as a fraction: 0.05 is 5 %.")]
TierTexts = Annotated[
    list[str] | None,
    typer.Option(metavar="FROM:TO:APR", help="A tier; repeat it. The last one has no end: 5000::0.003."),
]
EffectiveAt = Annotated[
    str | None, typer.Option("--at", help="From which instant on; only a first rate may leave it out.")
]


@reads(app.rates, "foresee")
def foresee(
    at: At, product: ProductCode, apr: Apr = None, tier: TierTexts = None, effective_at: EffectiveAt = None
) -> Shown:
    """Show what a rate would change, before anybody asks for it: who it touches, what a day costs, how long the pool
    lasts.
    """
    start = None if effective_at is None else parse_instant(effective_at)
    return Shown(foresee_rate(at.tx, product, tiers_of(apr, tier), start, at.now), _foreseen_view)


def _foreseen_view(data: Document) -> RenderableType:
    asset = data["asset"]
    rows = [
        ["Headline APR", _headline(data, "before"), _headline(data, "after")],
        [
            "It costs a day",
            amount(data["cost_per_day_before"], asset),
            amount(data["cost_per_day_after"], asset),
        ],
        [
            f"All {asset} costs a day",
            amount(data["asset_cost_per_day_before"], asset),
            amount(data["asset_cost_per_day_after"], asset),
        ],
        ["Days that the pool lasts", _days(data["days_left_before"]), _days(data["days_left_after"])],
    ]
    sentences = [
        f"From {instant(data['effective_at'])} on it touches {data['customers']:,} customers with"
        f" {amount(data['principal'], asset)} in {data['positions']:,} positions."
    ]
    if data["locked"] is not None:
        locked = data["locked"]
        sentences.append(
            f"{locked['positions']:,} positions with {amount(locked['principal'], asset)} keep their rate; they"
            f" still earn {amount(locked['cost_to_end'], asset)} until {instant(locked['last_matures_at'])}."
        )
    return said(*sentences, grid(data["product"], ["", "Before", "After"], rows))


def _headline(data: Document, when: str) -> str:
    apr = data[f"headline_{when}"]
    return "-" if apr is None else ("up to " if data[f"is_up_to_{when}"] else "") + percent(apr)


def _days(days: int | None) -> str:
    return "-" if days is None else f"{days:,}"


@writes(app.rates, "propose")
def propose(
    at: At, product: ProductCode, apr: Apr = None, tier: TierTexts = None, effective_at: EffectiveAt = None
) -> Shown:
    """Propose a rate, to be approved by a second person; it is never back-dated."""
    tiers = tiers_of(apr, tier)
    start = None if effective_at is None else parse_instant(effective_at)
    what: dict[str, object] = {"product": product, "tiers": [str(each) for each in tiers], "at": effective_at}

    def ask() -> dict[str, object]:
        return {
            "approval_id": approvals.ask_rate(at.tx, at.by, product, tiers, start, at.now),
            "product": product,
        }

    answer = at.once("propose_rate", what, ask)
    return Shown(answer.data, _proposed_view, is_replay=answer.is_replay)


def tiers_of(apr: str | None, tier: list[str] | None) -> list[room.Tier]:
    """Read the tiers of a rate: one APR, or a text for each. Raises InvalidRate or InvalidAmount."""
    if (apr is None) == (not tier):
        raise InvalidRate("Give one --apr, or a --tier for each band.")
    if apr is not None:
        return [room.Tier(ZERO, None, parse_decimal(apr))]
    return [parse_tier(each) for each in tier or ()]


def _proposed_view(data: Document) -> RenderableType:
    number = data["approval_id"]
    return said(
        f"The rate of {data['product']} waits for a second person as request {number}.",
        f"Next: staddle rates approve {number} --as SOMEBODY-ELSE",
    )


def parse_tier(text: str) -> room.Tier:
    """Read a tier such as `500:5000:0.008`; no end is no limit. Raises InvalidRate or InvalidAmount."""
    parts = text.split(":")
    if len(parts) != 3:
        raise InvalidRate(f"{text[:60]!r} is not a tier such as 500:5000:0.008.")
    low, high, apr = parts
    return room.Tier(parse_decimal(low), None if high == "" else parse_decimal(high), parse_decimal(apr))


@writes(app.rates, "approve")
def approve(at: At, approval_id: ApprovalId) -> Shown:
    """Publish a proposed rate, as a second person, and announce it to all who hold the product."""
    answer = at.once(
        "approve_rate",
        {"approval_id": approval_id},
        lambda: publish_rate(at.tx, at.by, approval_id, at.now),
    )
    return Shown(answer.data, _approved_view, is_replay=answer.is_replay)


def _approved_view(data: Document) -> RenderableType:
    rate = data["rate"]
    return said(
        f"Revision {rate['revision']} of {data['product']} is in force from {instant(rate['effective_at'])} on.",
        tier_table(rate["tiers"]),
    )


@reads(app.rates, "history")
def history(at: At, product: ProductCode) -> Shown:
    """Show every rate that a product has had, and those announced."""
    return Shown({"product": product, "revisions": room.rate_history(at.tx, product)}, _history_view)


def _history_view(data: Document) -> RenderableType:
    rows = []
    for each in data["revisions"]:
        rate = each["rate"]
        highest = max(rate["tiers"], key=lambda tier: Decimal(tier["apr"]))["apr"]
        up_to = "up to " if len(rate["tiers"]) > 1 else ""
        people = f"{each['proposed_by']}, {each['approved_by']}"
        rows.append([str(rate["revision"]), instant(rate["effective_at"]), up_to + percent(highest), people])
    return grid(
        f"Rates of {data['product']}", ["Revision", "In force from", "APR", "Proposed, approved"], rows
    )


def tier_table(tiers: list[Document]) -> RenderableType:
    """Show the tiers of a rate."""
    rows = [[amount(tier["amount_from"]), amount(tier["amount_to"]), percent(tier["apr"])] for tier in tiers]
    return grid("", ["From", "To", "APR"], rows)
