"""Products: the list of all, whatever their state, with what comes next of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import asdict

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.ledger import all_assets
from staddle.money import floor_to_unit
from staddle.pages.page import Chosen, Download, View, Visit, shows
from staddle.products import Coming, ProductOffer, list_products, schedule, waiting_drafts
from staddle.products.offer import STATES
from staddle.products.schedule import DAYS_MAX
from staddle.server.allow import operator

SEES, MAKES = operator("viewer"), operator("product")
Sort = Literal[
    "", "asset", "-asset", "headline", "-headline", "term", "-term", "quota", "-quota", "principal", "-principal"
]  # fmt: skip
FILE = (
    *("product", "name", "asset", "kind", "term_days", "status", "version", "waiting_drafts"),
    *("headline_apr", "is_up_to"),
    *("principal", "quota", "quota_left", "opens_at", "closes_at", "subscribing_paused", "redeeming_paused"),
    *("next_at", "next"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A product with what comes of it next, and how many drafts wait."""

    offer: ProductOffer
    coming: Coming | None
    drafts: int

    @property
    def is_paused(self) -> bool:
        """Whether something is halted."""
        return (self.offer.subscribe_halt, self.offer.redeem_halt) != (None, None)

    @property
    def taken(self) -> Decimal | None:
        """The part of the quota that is taken, in thousandths of it cut; None where there is no quota."""
        total = self.offer.quota_total
        if total is None:
            return None
        return floor_to_unit(self.offer.quota_used, total, 3) if total else Decimal(1)


class ProductsChosen(Chosen, frozen=True, kw_only=True):
    """What the list of products is narrowed down by; `q` are words of their code, name and coin."""

    q: str = ""
    asset: str = ""
    kind: Literal["", "flexible", "fixed"] = ""
    state: str = ""
    sort: Sort = ""


@shows("/console/products", allow=SEES)
def show_products(visit: Visit, chosen: ProductsChosen, cursor: str = "") -> View:
    """List the products, whatever their state."""
    found = rows_of(visit, chosen)
    codes = [row.offer.code for row in found]
    start = codes.index(cursor) + 1 if cursor in codes else 0
    some = found[start : start + PAGE_LENGTH]
    has_more = len(found) > start + PAGE_LENGTH
    listing = listing_of(
        "/console/products",
        columns=columns(visit),
        filters=filters(visit),
        chosen=asdict(chosen),
        rows=some,
        cursor=cursor if start else None,
        next_cursor=some[-1].offer.code if has_more else None,
        export="/console/products.csv",
    )
    return View("products.html", {"listing": listing, "count": len(found)}, part="list")


@shows("/console/products.csv", allow=SEES)
def download_products(visit: Visit, chosen: ProductsChosen) -> Download:
    """Give the products that the filters leave as a file."""
    return csv_file(FILE, (cells_of(row) for row in rows_of(visit, chosen)), "products.csv")


def rows_of(visit: Visit, chosen: ProductsChosen) -> list[Row]:
    """Read the products that the filters leave, in an order; those in none that one asks for are left out."""
    next_of: dict[str, Coming] = {}
    for coming in schedule(visit.tx, visit.now, DAYS_MAX):
        next_of.setdefault(coming.product, coming)
    drafts = waiting_drafts(visit.tx)
    rows = [
        Row(offer, next_of.get(offer.code), drafts.get(offer.code, 0))
        for offer in list_products(visit.tx, visit.now, STATES)
    ]
    words = chosen.q[:100].casefold().split()
    wanted = [
        row
        for row in rows
        if (not chosen.asset or row.offer.asset == chosen.asset)
        and (not chosen.kind or row.offer.kind == chosen.kind)
        and is_in(row, chosen.state)
        and all(word in f"{row.offer.code} {row.offer.name} {row.offer.asset}".casefold() for word in words)
    ]
    return ordered(wanted, chosen.sort)


def is_in(row: Row, state: str) -> bool:
    """Say whether a product is in a state; those that were discarded are only shown to who asks for them."""
    if state == "paused":
        return row.is_paused
    if state == "waiting":
        return row.drafts > 0
    return row.offer.status == state if state else row.offer.status != "discarded"


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """Put rows into an order; what has no figure to go by stands at the end of either."""
    keys: dict[str, Callable[[Row], Any]] = {
        "asset": lambda row: row.offer.asset,
        "headline": lambda row: row.offer.rate and row.offer.rate.headline_apr,
        "term": lambda row: row.offer.terms.term_days,
        "quota": lambda row: row.taken,
        "principal": lambda row: row.offer.quota_used,
    }
    key = keys.get(sort.removeprefix("-"))
    if key is None:
        return list(rows)
    known = sorted((row for row in rows if key(row) is not None), key=key, reverse=sort.startswith("-"))
    return known + [row for row in rows if key(row) is None]


def cells_of(row: Row) -> list[Any]:
    """Write a product as a row of the file."""
    offer, coming = row.offer, row.coming
    return [
        *(offer.code, offer.name, offer.asset, offer.kind, offer.terms.term_days, offer.status, offer.version),
        row.drafts,
        *((offer.rate.headline_apr, offer.rate.is_up_to) if offer.rate else (None, None)),
        *(offer.quota_used, offer.quota_total, offer.quota_left, offer.terms.opens_at, offer.terms.closes_at),
        *(offer.subscribe_halt, offer.redeem_halt),
        *((coming.at, coming.what) if coming else (None, None)),
    ]  # fmt: skip


def columns(visit: Visit) -> list[Column]:
    """Name the columns of the list."""
    return [
        Column("product", visit.say("Product")),
        Column("asset", visit.say("Coin"), is_sortable=True),
        Column("term", visit.say("Kind"), is_sortable=True),
        Column("headline", visit.say("APR"), is_sortable=True, is_figure=True),
        Column("state", visit.say("State")),
        Column("quota", visit.say("Quota taken"), is_sortable=True),
        Column("principal", visit.say("Principal"), is_sortable=True, is_figure=True),
        Column("next", visit.say("What comes next")),
    ]


def filters(visit: Visit) -> list[Filter]:
    """Name what the list can be filtered by."""
    say = visit.say
    coins = sorted(asset.code for asset in all_assets(visit.tx).values())
    return [
        Filter("q", say("Search"), hint=say("Code or name")),
        Filter("asset", say("Coin"), choices=[("", say("All coins")), *((code, code) for code in coins)]),
        Filter(
            "kind",
            say("Kind"),
            choices=[
                ("", say("Flexible and fixed")),
                ("flexible", say("Flexible")),
                ("fixed", say("Fixed term")),
            ],
        ),
        Filter(
            "state",
            say("State"),
            choices=[
                ("", say("All but discarded")),
                ("open", say("Open")),
                ("scheduled", say("Opens later")),
                ("sold_out", say("Sold out")),
                ("paused", say("Something is paused")),
                ("closed", say("Closed")),
                ("retired", say("Retired")),
                ("draft", say("Never on sale yet")),
                ("waiting", say("With a draft that waits")),
                ("discarded", say("Discarded")),
            ],
        ),
    ]
