"""Looking ahead: what falls due on each day, and what would come of other rates, growth, a run, or funding."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from staddle.console.csv_file import csv_file
from staddle.console.treasury import midnight_of, read_coins
from staddle.days import parse_instant
from staddle.errors import InvalidAmount, InvalidTime, StaddleError
from staddle.ledger import find_asset
from staddle.money import EXACT, parse_decimal
from staddle.pages.chart import series_of
from staddle.pages.page import NOTHING_TYPED, Download, Typed, View, Visit, shows
from staddle.server.allow import operator
from staddle.treasury import Ladder, Supposed, WhatIf, counted_foresight, counted_ladder, what_if

SEES = operator("viewer")
HUNDREDTH = Decimal("0.01")
LADDER_HEADS = (
    "on", "principal", "principal_leaving", "rewards_daily", "rewards_at_maturity", "leaving_in_all",
)  # fmt: skip
DAY_HEADS = ("on", "principal", "cost", "funded", "forfeited", "left")


@shows("/console/treasury/{asset}/ladder", allow=SEES)
def show_ladder(visit: Visit, asset: str) -> View:
    """Show what falls due on each of the next 120 days, beside what could be taken at any time."""
    coin = find_asset(visit.tx, asset)
    found, counted_at = ladder_of(visit, coin.code)
    shown: dict[str, Any] = {"asset": coin, "ladder": found, "series": None, "counted_at": counted_at}
    if found is not None:
        falls_due = [
            format(day.principal_leaving + day.rewards_daily + day.rewards_at_maturity, "f")
            for day in found.days
        ]
        instants = [midnight_of(day.on) for day in found.days]
        shown["series"] = series_of(instants, falls_due, visit.say("Falls due"), coin.code)
    return View("ladder.html", shown)


def ladder_of(visit: Visit, asset: str) -> tuple[Ladder | None, datetime | None]:
    """Read the ladder of an asset, None while nobody has anything of it, and when it was counted."""
    return counted_ladder(visit.tx, visit.now, visit.at.machine_now, asset)


def supposed(visit: Visit, asset: str, typed: Typed) -> Supposed:
    """Work out what comes of what is supposed, from the positions as they were counted last."""
    kept, _ = counted_foresight(visit.tx, visit.now, visit.at.machine_now)
    return what_if(visit.tx, wanted_of(asset, typed), visit.now, None if kept is None else kept.groups)


@shows("/console/treasury/{asset}/ladder.csv", allow=SEES)
def export_ladder(visit: Visit, asset: str) -> Download:
    """Give the ladder as a file."""
    coin = find_asset(visit.tx, asset)
    found, _ = ladder_of(visit, coin.code)
    days = [] if found is None else found.days
    rows = ([coin.code, *(getattr(day, name) for name in LADDER_HEADS)] for day in days)
    return csv_file(("asset", *LADDER_HEADS), rows, f"{coin.code}-ladder.csv")


@shows("/console/treasury/{asset}/what-if", allow=SEES)
def show_what_if(visit: Visit, asset: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show what comes of what is supposed, day by day; without anything, what happens if nobody does anything."""
    coin = find_asset(visit.tx, asset)
    outcome: Supposed | None = None
    refused: StaddleError | None = None
    try:
        outcome = supposed(visit, coin.code, typed)
    except StaddleError as error:
        refused = error
    shown: dict[str, Any] = {"asset": coin, "typed": typed, "outcome": outcome, "refused": refused}
    if outcome is not None:
        instants = [midnight_of(day.on) for day in outcome.days]
        for name, label in (("left", visit.say("Left in the pool")), ("cost", visit.say("Rewards"))):
            values = [format(getattr(day, name), "f") for day in outcome.days]
            shown[f"{name}_series"] = series_of(instants, values, label, coin.code)
    return View("what_if.html", shown, part="outcome")


@shows("/console/treasury/{asset}/what-if.csv", allow=SEES)
def export_what_if(visit: Visit, asset: str, typed: Typed = NOTHING_TYPED) -> Download:
    """Give the days of a supposition as a file."""
    coin = find_asset(visit.tx, asset)
    outcome = supposed(visit, coin.code, typed)
    rows = ([coin.code, *(getattr(day, name) for name in DAY_HEADS)] for day in outcome.days)
    return csv_file(("asset", *DAY_HEADS), rows, f"{coin.code}-what-if.csv")


def wanted_of(asset: str, typed: Typed) -> WhatIf:
    """Read what is supposed out of the form; a field left empty supposes nothing. Errors name their field."""
    return WhatIf(
        asset=asset,
        apr_factor=read_field(typed, "apr_factor", read_figure),
        apr=read_field(typed, "apr", read_percent),
        apr_from=read_field(typed, "apr_from", read_instant),
        growth=read_field(typed, "growth", read_coins),
        growth_fraction=read_field(typed, "growth_percent", read_percent),
        leaving_on=read_field(typed, "leaving_on", read_day),
        flexible_fraction=read_field(typed, "flexible_percent", read_percent),
        fixed_fraction=read_field(typed, "fixed_percent", read_percent),
        funding=read_field(typed, "funding", read_coins),
        funding_on=read_field(typed, "funding_on", read_day),
    )


def read_field(typed: Typed, name: str, read: Any) -> Any:
    """Read a field of a form, None where it is empty; what cannot be read is refused with its name."""
    text = str(typed.get(name, "")).strip()
    if not text:
        return None
    try:
        return read(text)
    except StaddleError as error:
        error.field = name
        raise


def read_figure(text: str) -> Decimal:
    """Read a plain figure such as 1.5."""
    try:
        return parse_decimal(text)
    except InvalidAmount:
        raise InvalidAmount(f"{text[:40]!r} is not a plain figure such as 1.5.") from None


def read_percent(text: str) -> Decimal:
    """Read a figure in percent, such as 5 or 5 %, as a fraction."""
    return EXACT.multiply(read_figure(text.removesuffix("%").strip()), HUNDREDTH)


def read_instant(text: str) -> datetime:
    """Read an instant in UTC as a form has it, such as 2026-03-01T00:00."""
    return parse_instant(text if len(text) <= len("2026-03-01") or text.endswith("Z") else f"{text}Z")


def read_day(text: str) -> date:
    """Read a day such as 2026-03-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidTime(f"{text[:40]!r} is not a day such as 2026-03-01.") from None
