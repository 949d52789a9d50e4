"""The statement of an account: a customer's row by row with the balance after each, a house account by day and kind."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from staddle.console.csv_file import Cell, csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.console.words import account_words, customer_address, customer_in, kind_words
from staddle.pages.page import Download, View, Visit, shows
from staddle.pages.periods import instants_of
from staddle.rewards import Place, account_statement, export_account, house_statement
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

SEES = operator("viewer")
DAYS_SHOWN, DAYS_EXPORTED = 30, 4_000
LINE = ("at", "type", "change", "balance", "other", "product", "position_id", "reference", "key", "note")


@shows("/console/customers/{reference}/accounts/{asset}/{account}", allow=SEES)
def show_account(
    visit: Visit,
    reference: str,
    asset: str,
    account: str,
    from_on: str = "",
    to_on: str = "",
    cursor: str = "",
) -> View:
    """Show a customer's account: every transfer and reward of a period with the balance after it."""
    customer = customer_in(visit.tx, reference)
    here = f"{customer_address(customer.reference)}/accounts/{asset}/{account}"
    place = read_cursor(cursor or None, Place)
    found = account_statement(
        visit.tx,
        customer.customer_id,
        asset,
        account,
        period(visit, from_on, to_on),
        place,
        PAGE_LENGTH,
        visit.now,
    )
    say = visit.say
    listing = listing_of(
        here,
        columns=[
            Column("at", say("Took effect")),
            Column("type", say("Kind")),
            Column("other", say("From or to")),
            Column("change", say("Change"), is_figure=True),
            Column("balance", say("Balance"), is_figure=True),
            Column("reference", say("Where it comes from")),
        ],
        filters=[Filter("from_on", say("From"), "date"), Filter("to_on", say("Through"), "date")],
        chosen={"from_on": from_on, "to_on": to_on},
        rows=found.lines,
        cursor=cursor or None,
        next_cursor=None if found.next is None else write_cursor(found.next),
        export=f"{here}/file",
    )
    shown = {
        "listing": listing,
        "found": found,
        "customer": customer,
        "address": customer_address(customer.reference),
        "kinds": kind_words(visit),
        "accounts": account_words(visit),
    }
    return View("account.html", shown, part="list")


@shows("/console/customers/{reference}/accounts/{asset}/{account}/file", allow=SEES)
def download_account(
    visit: Visit, reference: str, asset: str, account: str, from_on: str = "", to_on: str = ""
) -> Download:
    """Give all rows of a customer's account in a period as a file."""
    number = customer_in(visit.tx, reference).customer_id
    found = export_account(visit.tx, number, asset, account, period(visit, from_on, to_on), visit.now)
    rows = ([getattr(each, name) for name in LINE] for each in found)
    return csv_file(LINE, rows, f"{account}-{asset}.csv")


def period(visit: Visit, from_on: str, to_on: str) -> tuple[datetime, datetime]:
    """Give the period that is meant, in days of UTC; a desk's first instant is taken in whatever is asked for."""
    begins, ends = instants_of(visit, from_on, to_on, UTC)
    return (begins - timedelta(days=3650) if not from_on else begins), ends


@shows("/console/ledger/accounts/{asset}/{house_account}", allow=SEES)
def show_house_account(visit: Visit, asset: str, house_account: str, cursor: str = "") -> View:
    """Show a house account over all cells: each closed day with what every kind of transfer moved."""
    before = read_cursor(cursor or None, date)
    found = house_statement(visit.tx, asset, house_account, DAYS_SHOWN + 1, before)
    days = found.days[:DAYS_SHOWN]
    shown = {
        "found": found,
        "days": days,
        "next_cursor": write_cursor(days[-1].closed_on) if len(found.days) > DAYS_SHOWN else None,
        "is_first": not cursor,
        "here": f"/console/ledger/accounts/{asset}/{house_account}",
        "kinds": kind_words(visit),
        "accounts": account_words(visit),
    }
    return View("house_account.html", shown)


@shows("/console/ledger/accounts/{asset}/{house_account}/file", allow=SEES)
def download_house_account(visit: Visit, asset: str, house_account: str) -> Download:
    """Give the closed days of a house account as a file, newest first, a line for each kind."""
    found = house_statement(visit.tx, asset, house_account, DAYS_EXPORTED)
    rows: Iterator[list[Cell]] = (
        [day.closed_on, day.opening, line.kind, line.other_account, line.count, line.change, day.closing]
        for day in found.days
        for line in day.lines
    )
    columns = ("closed_on", "opening", "kind", "other_account", "count", "change", "closing")
    return csv_file(columns, rows, f"{house_account}-{asset}.csv")
