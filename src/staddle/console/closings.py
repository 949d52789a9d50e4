"""Closings: the trial balance of each closed day, and what moved on it."""

from collections.abc import Iterator
from datetime import date

from staddle.console.csv_file import Cell, csv_file
from staddle.console.words import account_words, kind_words
from staddle.errors import ClosingNotFound
from staddle.pages.page import Download, View, Visit, shows
from staddle.pages.periods import day_of
from staddle.rewards import find_closing, latest_closings
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

SEES = operator("viewer")
SHOWN = 30
COLUMNS = ("closed_on", "asset", "account", "debit", "credit", "change")


@shows("/console/ledger/closings", allow=SEES)
def show_closings(visit: Visit, cursor: str = "") -> View:
    """List closed days, newest first, each with its totals by coin."""
    found = latest_closings(visit.tx, SHOWN + 1, read_cursor(cursor or None, date))
    shown = {
        "closings": found[:SHOWN],
        "next_cursor": write_cursor(found[SHOWN - 1].closed_on) if len(found) > SHOWN else None,
        "is_first": not cursor,
        "accounts": account_words(visit),
    }
    return View("closings.html", shown)


@shows("/console/ledger/closings/{closed_on}", allow=SEES)
def show_closing(visit: Visit, closed_on: str) -> View:
    """Show the trial balance of a closed day."""
    found = find_closing(visit.tx, closing_day(visit, closed_on))
    shown = {"it": found, "kinds": kind_words(visit), "accounts": account_words(visit)}
    return View("closing.html", shown)


@shows("/console/ledger/closings/{closed_on}/file", allow=SEES)
def download_closing(visit: Visit, closed_on: str) -> Download:
    """Give the trial balance of a closed day as a file."""
    found = find_closing(visit.tx, closing_day(visit, closed_on))
    rows: Iterator[list[Cell]] = (
        [found.closed_on, each.asset, line.account, line.debit, line.credit, line.change]
        for each in found.assets
        for line in each.lines
    )
    return csv_file(COLUMNS, rows, f"trial-balance-{found.closed_on}.csv")


def closing_day(visit: Visit, text: str) -> date:
    """Read the day; raises InvalidTime, or ClosingNotFound for none."""
    day = day_of(visit, text, "closed_on")
    if day is None:
        raise ClosingNotFound
    return day
