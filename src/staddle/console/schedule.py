"""The schedule: what will happen to products by itself, day by day; and what waits for somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Literal

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Filter, listing_of
from staddle.console.products import SEES
from staddle.ledger import all_assets
from staddle.pages.page import Download, View, Visit, shows
from staddle.products import Coming, ProductOffer, list_products, schedule, waiting_drafts
from staddle.products.schedule import DAYS_MAX

Happens = Literal["", "opens", "closes", "rate", "would_open"]
FILE = ("at", "what", "product", "name", "asset", "version", "revision", "headline_before", "headline_apr")
USUAL_DAYS = 90


@dataclass(frozen=True, slots=True)
class Day:
    """What comes on one day, in UTC."""

    on: date
    coming: Sequence[Coming]


@shows("/console/schedule", allow=SEES)
def show_schedule(
    visit: Visit, days: int = USUAL_DAYS, what: Happens = "", asset: str = "", cursor: str = ""
) -> View:
    """Show what comes, day by day."""
    found = coming_of(visit, days, what, asset)
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    some = found[start : start + PAGE_LENGTH]
    listing = listing_of(
        "/console/schedule",
        columns=[],
        filters=filters(visit),
        chosen={"days": "" if days == USUAL_DAYS else str(days), "what": what, "asset": asset},
        rows=some,
        cursor=cursor or None,
        next_cursor=str(start + PAGE_LENGTH) if len(found) > start + PAGE_LENGTH else None,
        export="/console/schedule.csv",
    )
    shown = {"listing": listing, "days": by_day(some), "waiting": waiting(visit)}
    return View("schedule.html", shown, part="list")


@shows("/console/schedule.csv", allow=SEES)
def download_schedule(visit: Visit, days: int = USUAL_DAYS, what: Happens = "", asset: str = "") -> Download:
    """Give what comes as a file."""
    rows = ([getattr(each, name) for name in FILE] for each in coming_of(visit, days, what, asset))
    return csv_file(FILE, rows, "schedule.csv")


def filters(visit: Visit) -> list[Filter]:
    """Name what the schedule can be filtered by."""
    say = visit.say
    coins = sorted(each.code for each in all_assets(visit.tx).values())
    how_far = [
        ("", say("90 days")),
        ("7", say("7 days")),
        ("30", say("30 days")),
        ("365", say("A year")),
        (str(DAYS_MAX), say("All")),
    ]
    happens = [
        ("", say("Everything")),
        ("opens", say("Opens")),
        ("closes", say("Closes")),
        ("rate", say("Another rate")),
        ("would_open", say("Would open, if approved")),
    ]
    return [
        Filter("days", say("How far"), choices=how_far),
        Filter("what", say("What"), choices=happens),
        Filter("asset", say("Coin"), choices=[("", say("All coins")), *((code, code) for code in coins)]),
    ]


def coming_of(visit: Visit, days: int, what: str, asset: str) -> list[Coming]:
    """Read what comes and fits the filters."""
    return [
        each
        for each in schedule(visit.tx, visit.now, min(max(days, 1), DAYS_MAX))
        if (not what or each.what == what) and (not asset or each.asset == asset)
    ]


def by_day(coming: Sequence[Coming]) -> list[Day]:
    """Put what comes together by its day."""
    days: dict[date, list[Coming]] = {}
    for each in coming:
        days.setdefault(each.at.astimezone(UTC).date(), []).append(each)
    return [Day(on, some) for on, some in days.items()]


def waiting(visit: Visit) -> list[tuple[ProductOffer, int]]:
    """List the products with drafts that wait: what would change once somebody approves."""
    drafts = waiting_drafts(visit.tx)
    offers = list_products(visit.tx, visit.now, ("draft", "live")) if drafts else []
    return [(each, drafts[each.code]) for each in offers if each.code in drafts]
