"""Positions: the list over all customers, one in full, and why a day was paid what it was, or nothing."""

from datetime import UTC, date, datetime
from typing import Literal

from msgspec.structs import asdict

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.console.words import account_words, customer_address, ending_words
from staddle.errors import PositionNotFound
from staddle.ledger import all_assets
from staddle.pages.page import NOTHING_TYPED, Chosen, Download, GoTo, Typed, View, Visit, shows
from staddle.pages.periods import day_of, midnight
from staddle.positions import (
    PositionFilter,
    PositionOrder,
    PositionPlace,
    customer_of_position,
    export_positions,
    position_of,
    positions_of_desk,
)
from staddle.positions.look_through import Whose
from staddle.rewards import explain_day, receipt_json
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

SEES = operator("viewer")
REWARDS_SHOWN = 60
ORDERS: dict[str, PositionOrder] = {
    "started_at": "started_at",
    "-started_at": "-started_at",
    "matures_at": "matures_at",
}
COLUMNS = (
    "position_id",
    "customer",
    "product",
    "asset",
    "principal",
    "opened_principal",
    "started_at",
    "matures_at",
    "ended_at",
    "ended_by",
    "is_parked",
)


class PositionsChosen(Chosen, frozen=True, kw_only=True):
    """What the list of positions is narrowed down by; days as a browser's field gives them."""

    product: str = ""
    asset: str = ""
    state: Literal["", "ended", "all"] = ""
    started_from: str = ""
    started_until: str = ""
    matures_from: str = ""
    matures_until: str = ""
    sort: str = ""


@shows("/console/positions", allow=SEES)
def show_positions_of_desk(visit: Visit, chosen: PositionsChosen, cursor: str = "") -> View:
    """List positions of all customers: newest or oldest first, or those that mature soonest."""
    order = ORDERS.get(chosen.sort, "-started_at")
    place = read_cursor(cursor or None, PositionPlace)
    page = positions_of_desk(visit.tx, wanted_positions(visit, chosen), order, place, PAGE_LENGTH)
    say = visit.say
    coins = [(each.code, each.code) for each in all_assets(visit.tx).values()]
    listing = listing_of(
        "/console/positions",
        columns=[
            Column("position", say("Position")),
            Column("customer", say("Customer")),
            Column("product", say("Product")),
            Column("principal", say("Principal"), is_figure=True),
            Column("started_at", say("Started"), is_sortable=True),
            Column("matures_at", say("Matures"), is_sortable=True),
            Column("state", say("State")),
        ],
        filters=[
            Filter("product", say("Product"), hint="USDT-FLEX"),
            Filter("asset", say("Coin"), choices=[("", say("All")), *coins]),
            Filter(
                "state",
                say("State"),
                choices=[("", say("Open")), ("ended", say("Ended")), ("all", say("All"))],
            ),
            Filter("started_from", say("Started from"), "date"),
            Filter("started_until", say("Started through"), "date"),
            Filter("matures_from", say("Matures from"), "date"),
            Filter("matures_until", say("Matures through"), "date"),
        ],
        chosen={**asdict(chosen), "sort": page.order if chosen.sort else ""},
        rows=page.items,
        cursor=cursor or None,
        next_cursor=None if page.next is None else write_cursor(page.next),
        export="/console/positions.csv",
    )
    shown = {"listing": listing, "address": customer_address, "endings": ending_words(visit)}
    return View("positions.html", shown, part="list")


@shows("/console/positions.csv", allow=SEES)
def download_positions(visit: Visit, chosen: PositionsChosen) -> Download:
    """Give all positions that the filters leave as a file."""
    order = ORDERS.get(chosen.sort, "-started_at")
    found = export_positions(visit.tx, wanted_positions(visit, chosen), order)
    return csv_file(COLUMNS, ([getattr(each, name) for name in COLUMNS] for each in found), "positions.csv")


def wanted_positions(visit: Visit, chosen: PositionsChosen) -> PositionFilter:
    """Put the filters together; days are those of UTC, the last one included. Raises InvalidTime."""
    return PositionFilter(
        product=chosen.product.strip() or None,
        asset=chosen.asset or None,
        state=chosen.state or "open",
        started_from=first_of(visit, chosen, "started_from"),
        started_until=behind(visit, chosen, "started_until"),
        matures_from=first_of(visit, chosen, "matures_from"),
        matures_until=behind(visit, chosen, "matures_until"),
    )


def first_of(visit: Visit, chosen: PositionsChosen, field: str) -> datetime | None:
    """Give the beginning of the day in a field."""
    day = day_of(visit, getattr(chosen, field), field)
    return None if day is None else midnight(day, UTC)


def behind(visit: Visit, chosen: PositionsChosen, field: str) -> datetime | None:
    """Give the end of the day in a field."""
    day = day_of(visit, getattr(chosen, field), field)
    return None if day is None else midnight(date.fromordinal(day.toordinal() + 1), UTC)


@shows("/console/positions/{position}", allow=SEES)
def show_position_of_desk(
    visit: Visit, position: str, rewards: str = "", run_on: str = "", typed: Typed = NOTHING_TYPED
) -> View | GoTo:
    """Show a position with all that its customer sees, and each reward's explanation."""
    if run_on:
        return GoTo(f"/console/positions/{position}/days/{run_on}")
    whose = owner_of(visit, position)
    full = position_of(visit.tx, whose.customer_id, int(position), visit.now)
    listed = full.rewards if rewards == "all" else full.rewards[:REWARDS_SHOWN]
    return View(
        "position.html",
        {
            "whose": whose,
            "address": customer_address(whose.reference),
            "full": full,
            "it": full.position,
            "listed": listed,
            "has_more": len(listed) < len(full.rewards),
            "accounts": account_words(visit),
            "endings": ending_words(visit),
            "typed": typed,
        },
    )


@shows("/console/positions/{position}/days/{run_on}", allow=SEES)
def explain_reward(visit: Visit, position: str, run_on: str) -> View:
    """Explain what a position was paid on a run date, figure by figure, or why nothing."""
    whose, day = owner_of(visit, position), day_of(visit, run_on, "run_on")
    if day is None:
        raise PositionNotFound
    found = explain_day(visit.tx, whose.customer_id, int(position), day, visit.now)
    shown = {
        "whose": whose,
        "address": customer_address(whose.reference),
        "day": found,
        "receipt": found.receipt,
        "accounts": account_words(visit),
    }
    return View("explained.html", shown)


@shows("/console/positions/{position}/days/{run_on}/receipt", allow=SEES)
def download_receipt_of_desk(visit: Visit, position: str, run_on: str) -> Download:
    """Give the receipt as the file that `staddle verify-receipt` checks."""
    whose, day = owner_of(visit, position), day_of(visit, run_on, "run_on")
    found = None if day is None else explain_day(visit.tx, whose.customer_id, int(position), day, visit.now)
    if found is None or found.receipt is None:
        raise PositionNotFound("No accrual day of this position was paid on this date.")
    return Download(
        receipt_json(found.receipt), "application/json", f"receipt-{found.receipt['receipt']}.json"
    )


def owner_of(visit: Visit, text: str) -> Whose:
    """Say whose position this is; raises PositionNotFound."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    whose = customer_of_position(visit.tx, int(text)) if is_number else None
    if whose is None:
        raise PositionNotFound
    return whose
