"""Coins and their prices: a coin's decimals are decided once and for all; a price is only ever shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from staddle.console.csv_file import Cell, csv_file
from staddle.console.listing import Column, Filter, listing_of
from staddle.console.products import MAKES, SEES
from staddle.desk import Price, add_asset, prices_of, set_prices
from staddle.errors import InvalidChoice, StaddleError
from staddle.ledger import Asset, all_assets
from staddle.money import SCALE_MAX, parse_decimal
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.pages.read import ungrouped
from staddle.products import list_products
from staddle.products.offer import STATES
from staddle.server.allow import operator

FRESH = timedelta(hours=24)
Sort = Literal["", "code", "-code", "decimals", "-decimals", "products", "-products"]
FILE = ("code", "name", "decimals", "products", "quote", "price", "priced_at")


@dataclass(frozen=True, slots=True)
class Row:
    """A coin with the products that are in it and what it is said to be worth."""

    asset: Asset
    products: int
    prices: Sequence[Price]


class CoinForm(Form, frozen=True, kw_only=True):
    """A new coin."""

    code: str
    name: str
    decimals: str


class PriceForm(Form, frozen=True, kw_only=True):
    """What a coin is worth now."""

    asset: str
    quote: str
    price: str


@shows("/console/coins", allow=SEES)
def show_coins(visit: Visit, q: str = "", sort: Sort = "", typed: Typed = NOTHING_TYPED) -> View:
    """List the coins with what they are worth."""
    rows = rows_of(visit, q, sort)
    listing = listing_of(
        "/console/coins",
        columns=[
            Column("code", visit.say("Coin"), is_sortable=True),
            Column("decimals", visit.say("Decimals"), is_sortable=True, is_figure=True),
            Column("products", visit.say("Products"), is_sortable=True, is_figure=True),
            Column("prices", visit.say("Price, only shown")),
        ],
        filters=[Filter("q", visit.say("Search"), hint=visit.say("Code or name"))],
        chosen={"q": q, "sort": sort},
        rows=rows,
        export="/console/coins.csv",
    )
    coins = sorted(each.code for each in all_assets(visit.tx).values())
    shown = {"listing": listing, "coins": coins, "typed": typed, "fresh_since": visit.now - FRESH}
    return View("coins.html", shown, part="list")


@shows("/console/coins.csv", allow=SEES)
def download_coins(visit: Visit, q: str = "", sort: Sort = "") -> Download:
    """Give the coins as a file, a row for each price."""
    return csv_file(FILE, cells_of(rows_of(visit, q, sort)), "coins.csv")


def cells_of(rows: Sequence[Row]) -> Iterator[list[Cell]]:
    """Write coins as rows of the file, one for each price."""
    for row in rows:
        coin: list[Cell] = [row.asset.code, row.asset.name, row.asset.scale, row.products]
        for each in row.prices:
            yield [*coin, each.quote, each.price, each.priced_at]
        if not row.prices:
            yield [*coin, None, None, None]


def rows_of(visit: Visit, q: str, sort: str) -> list[Row]:
    """Read the coins that a search leaves, in an order."""
    counts: dict[str, int] = {}
    for offer in list_products(visit.tx, visit.now, STATES):
        counts[offer.asset] = counts.get(offer.asset, 0) + 1
    prices = prices_of(visit.tx)
    words = q[:100].casefold().split()
    rows = [
        Row(each, counts.get(each.code, 0), [price for price in prices if price.asset == each.code])
        for each in sorted(all_assets(visit.tx).values(), key=lambda each: each.code)
        if all(word in f"{each.code} {each.name}".casefold() for word in words)
    ]
    by = sort.removeprefix("-")
    if by == "code":
        rows.sort(key=lambda row: row.asset.code, reverse=sort.startswith("-"))
    elif by:
        rows.sort(
            key=lambda row: row.asset.scale if by == "decimals" else row.products,
            reverse=sort.startswith("-"),
        )
    return rows


@sends("/console/coins", allow=MAKES, again=show_coins)
def add_coin_by_form(visit: Visit, form: CoinForm) -> GoTo:
    """Add a coin, once and for all."""
    if not (form.decimals.isascii() and form.decimals.isdigit() and int(form.decimals[:4]) <= SCALE_MAX):
        raise at("decimals", InvalidChoice(f"A coin has 0 to {SCALE_MAX} decimals."))
    scale = int(form.decimals)
    what = {"code": form.code, "name": form.name, "scale": scale}

    def add() -> dict[str, object]:
        made = add_asset(visit.tx, visit.at.by, form.code, form.name, scale, visit.now)
        return {"asset_id": made.asset_id, "code": made.code, "name": made.name, "scale": made.scale}

    once(visit, "add_asset", what, add)
    said = visit.say(
        "%(code)s is there, with %(scale)s decimals. Fund its reward pool before products in it open.",
        code=form.code,
        scale=scale,
    )
    return GoTo("/console/coins", said)


@sends("/console/coins/prices", allow=operator("product", "treasury"), again=show_coins)
def set_price_by_form(visit: Visit, form: PriceForm) -> GoTo:
    """Say what a coin is worth now."""
    try:
        figure = parse_decimal(ungrouped(form.price))
    except StaddleError as error:
        raise at("price", error) from None
    price = Price(asset=form.asset, quote=form.quote.upper(), price=figure, priced_at=visit.now)
    what = {"asset": form.asset, "quote": price.quote, "price": form.price}
    once(visit, "set_price", what, lambda: set_prices(visit.tx, visit.at.by, [price], visit.now)[0])
    return GoTo(
        "/console/coins", visit.say("The price of %(coin)s is kept; it is only shown.", coin=form.asset)
    )


def at(field: str, error: StaddleError) -> StaddleError:
    """Name the field of a form that a refusal is about."""
    error.field = field
    return error
