"""Rates: what every product pays, what that costs a day, and of each its history, readings, and what was paid."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from staddle.console.csv_file import csv_file
from staddle.console.listing import Column, Filter, listing_of
from staddle.document import percent, trimmed
from staddle.errors import SourceNotFound
from staddle.money import DAYS_IN_YEAR, ZERO, floor_to_unit, plain
from staddle.pages.chart import rate_series
from staddle.pages.page import NOTHING_TYPED, Chosen, Download, Typed, View, Visit, shows
from staddle.positions.publish_rate import holders_told
from staddle.products import (
    ProductOffer,
    Source,
    Tier,
    find_source,
    list_products,
    list_sources,
    rate_history,
    readings_of,
    show_product,
    shown_rates,
)
from staddle.products.offer import STATES
from staddle.server.allow import operator
from staddle.server.realised import realised_of
from staddle.treasury import Cost, counted_costs

SEES, MAKES = operator("viewer"), operator("product")
READINGS_SHOWN = 20
ORDERS = ("product", "apr", "changed", "cost")


class RatesChosen(Chosen, frozen=True, kw_only=True):
    """What the list of rates is narrowed down by; `q` is a part of a product's code or name, or its coin."""

    q: str = ""
    policy: str = ""
    state: str = ""
    sort: str = ""


@shows("/console/rates", allow=SEES)
def list_rates(visit: Visit, chosen: RatesChosen) -> View:
    """List the rate in force of every product, the next one announced, its source, and what a day costs."""
    listing = listing_of(
        "/console/rates",
        columns=[
            Column("product", visit.say("Product"), is_sortable=True),
            Column("apr", visit.say("In force"), is_sortable=True, is_figure=True),
            Column("changed", visit.say("Last changed"), is_sortable=True),
            Column("next", visit.say("Next announced")),
            Column("policy", visit.say("For those who hold it")),
            Column("source", visit.say("Source")),
            Column("cost", visit.say("A day costs"), is_sortable=True, is_figure=True),
        ],
        rows=rates_shown(visit, chosen),
        filters=[
            Filter("q", visit.say("Product or coin"), hint="USDT"),
            Filter(
                "policy",
                visit.say("Rate"),
                choices=[
                    ("", visit.say("All")),
                    ("floating", visit.say("Floating")),
                    ("locked", visit.say("Locked")),
                ],
            ),
            Filter(
                "state",
                visit.say("Products"),
                choices=[
                    ("", visit.say("All but retired ones")),
                    ("sourced", visit.say("That follow a source")),
                    ("announced", visit.say("With a rate announced")),
                ],
            ),
        ],
        chosen=asdict(chosen),
        export="/console/rates.csv",
    )
    return View("rates.html", {"listing": listing}, part="list")


def rates_shown(visit: Visit, chosen: RatesChosen) -> list[dict[str, Any]]:
    """Give the products that the filters leave, in the order that was chosen."""
    costs = counted_costs(visit.tx, visit.now, visit.at.machine_now).costs
    sources = {each.product: each for each in list_sources(visit.tx)}
    wanted = [state for state in STATES if state != "retired"]
    rows = [
        row_of(offer, costs.get(offer.code, Cost(0, ZERO, ZERO)), sources.get(offer.code))
        for offer in list_products(visit.tx, visit.now, wanted)
        if is_wanted(offer, sources.get(offer.code), chosen)
    ]
    name = chosen.sort.removeprefix("-")
    if name in ORDERS:
        rows.sort(key=lambda row: order_of(row, name), reverse=chosen.sort.startswith("-"))
    return rows


def is_wanted(offer: ProductOffer, source: Source | None, chosen: RatesChosen) -> bool:
    """Say whether the filters leave a product."""
    text = chosen.q.lower()
    if (
        text
        and text not in offer.code.lower()
        and text != offer.asset.lower()
        and text not in offer.name.lower()
    ):
        return False
    if chosen.policy and (chosen.policy == "floating") != offer.can_change:
        return False
    if chosen.state == "sourced":
        return source is not None
    return chosen.state != "announced" or offer.next_rate is not None


def row_of(offer: ProductOffer, cost: Cost, source: Source | None) -> dict[str, Any]:
    """Give a row of the list."""
    return {
        "offer": offer,
        "source": source,
        "principal": cost.principal,
        "cost": floor_to_unit(cost.day_basis, DAYS_IN_YEAR, offer.scale),
    }


def order_of(row: Mapping[str, Any], name: str) -> tuple[bool, Any, str]:
    """Give what a row is put in order by; products without a rate come last."""
    offer: ProductOffer = row["offer"]
    if name == "cost":
        return False, row["cost"], offer.code
    if name == "product" or offer.rate is None:
        return offer.rate is None and name != "product", "" if name == "product" else ZERO, offer.code
    return (
        False,
        offer.rate.headline_apr if name == "apr" else offer.rate.effective_at.timestamp(),
        offer.code,
    )


@shows("/console/rates.csv", allow=SEES)
def export_rates(visit: Visit, chosen: RatesChosen) -> Download:
    """Give the rates as a file."""
    heads = (
        "product", "asset", "kind", "headline_apr", "is_up_to", "effective_at", "next_apr", "next_effective_at",
        "policy", "source", "principal", "cost_per_day",
    )  # fmt: skip
    return csv_file(heads, (cells_of(row) for row in rates_shown(visit, chosen)), "rates.csv")


def cells_of(row: Mapping[str, Any]) -> list[Any]:
    """Write a row of the list for a file."""
    offer: ProductOffer = row["offer"]
    rate, following = offer.rate, offer.next_rate
    return [
        offer.code,
        offer.asset,
        offer.kind,
        None if rate is None else rate.headline_apr,
        None if rate is None else rate.is_up_to,
        None if rate is None else rate.effective_at,
        None if following is None else following.headline_apr,
        None if following is None else following.effective_at,
        "floating" if offer.can_change else "locked",
        None if row["source"] is None else row["source"].terms.kind,
        row["principal"],
        row["cost"],
    ]


@shows("/console/rates/{code}", allow=SEES)
def show_rate(visit: Visit, code: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show all rates of a product, what was really paid, and the source that it follows with its readings."""
    offer = show_product(visit.tx, code, visit.now)
    rates = shown_rates(visit.tx, offer.code)
    try:
        source = find_source(visit.tx, offer.code)
    except SourceNotFound:
        source = None
    shown = {
        "offer": offer,
        "rates": rates,
        "series": rate_series(visit, rates),
        "history": list(reversed(rate_history(visit.tx, offer.code))),
        "told": holders_told(visit.tx, offer.code),
        "realised": realised_of(visit.tx, offer),
        "source": source,
        "readings": readings_of(visit.tx, offer.code, READINGS_SHOWN),
        "typed": typed,
        "source_values": source_values(source),
    }
    return View("rate.html", shown)


def source_values(source: Source | None) -> dict[str, str]:
    """Give what the form for a source begins with: that of the source that is followed."""
    if source is None:
        return {"kind": "json", "stale_hours": "24", "desk_share": "10", "apr_min": "0", "step_max": "0.5"}
    terms = source.terms
    figures = {
        name: percent(getattr(terms, name)) for name in ("desk_share", "apr_min", "apr_max", "step_max")
    }
    return {
        "kind": terms.kind,
        "url": terms.url,
        "figure_path": terms.figure_path or "",
        "time_path": terms.time_path or "",
        "is_percent": "1" if terms.is_percent else "",
        "stale_hours": str(terms.stale_hours),
        **figures,
    }


@shows("/console/rates/{code}/revisions.csv", allow=SEES)
def export_revisions(visit: Visit, code: str) -> Download:
    """Give every tier of every revision of a product's rate as a file, newest first."""
    heads = (
        "product", "revision", "effective_at", "published_at", "amount_from", "amount_to", "apr", "proposed_by",
        "approved_by", "reading", "holders_told",
    )  # fmt: skip
    offer = show_product(visit.tx, code, visit.now)
    told = holders_told(visit.tx, offer.code)
    rows = (
        [
            offer.code, each.rate.revision, each.rate.effective_at, each.published_at, *tier_cells(tier),
            each.proposed_by, each.approved_by, each.reading, told.get(each.rate.revision),
        ]
        for each in reversed(rate_history(visit.tx, offer.code))
        for tier in each.rate.tiers
    )  # fmt: skip
    return csv_file(heads, rows, f"{offer.code}-rates.csv")


def tier_cells(tier: Tier) -> tuple[str, str | None, str]:
    """Write a tier for a file."""
    upper = None if tier.amount_to is None else plain(tier.amount_to)
    return plain(tier.amount_from), upper, trimmed(tier.apr)
