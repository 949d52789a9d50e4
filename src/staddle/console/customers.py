"""Customers: the list, and one of them with all that an operator may know; no password, key or secret is ever shown."""

from datetime import date

from msgspec.structs import asdict

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.console.words import account_words, customer_address, customer_in, ending_words, kind_words
from staddle.customers import (
    Customer,
    CustomerFilter,
    CustomerOrder,
    CustomerPlace,
    consents_of,
    customers_of_desk,
    export_customers,
    preferences_of,
)
from staddle.errors import LoginNotFound
from staddle.identity import Login, list_api_keys, login_of_customer, read_security_log
from staddle.ledger import TransferFilter, all_assets, transfers_of_desk
from staddle.notices import latest_notices_of
from staddle.pages.page import NOTHING_TYPED, Chosen, Download, Typed, View, Visit, shows
from staddle.positions import assets_of, positions_of, standing_choices
from staddle.rewards import RewardFilter, reward_totals, rewards_received
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

SEES = operator("viewer")
FEW = 10
ORDERS: dict[str, CustomerOrder] = {
    "joined_at": "joined_at",
    "-joined_at": "-joined_at",
    "reference": "reference",
}


class CustomersChosen(Chosen, frozen=True, kw_only=True):
    """What the list of customers is narrowed down by."""

    reference: str = ""
    name: str = ""
    country: str = ""
    vip_level: str = ""
    sort: str = ""


@shows("/console/customers", allow=SEES)
def show_customers(visit: Visit, chosen: CustomersChosen, cursor: str = "") -> View:
    """List customers, who joined last first, or by the beginning of their reference or name."""
    order, place = ORDERS.get(chosen.sort, "-joined_at"), read_cursor(cursor or None, CustomerPlace)
    page = customers_of_desk(visit.tx, wanted_customers(chosen), order, place, PAGE_LENGTH)
    say = visit.say
    listing = listing_of(
        "/console/customers",
        columns=[
            Column("reference", say("Reference"), is_sortable=True),
            Column("name", say("Name")),
            Column("country", say("Country")),
            Column("vip_level", say("VIP level"), is_figure=True),
            Column("joined_at", say("Joined"), is_sortable=True),
        ],
        filters=[
            Filter("reference", say("Reference begins with")),
            Filter("name", say("Name begins with")),
            Filter("country", say("Country"), hint="DE"),
            Filter("vip_level", say("VIP level"), "number"),
        ],
        chosen={**asdict(chosen), "sort": page.order if chosen.sort else ""},
        rows=page.items,
        cursor=cursor or None,
        next_cursor=None if page.next is None else write_cursor(page.next),
        export="/console/customers.csv",
    )
    return View("customers.html", {"listing": listing, "address": customer_address}, part="list")


@shows("/console/customers.csv", allow=SEES)
def download_customers(visit: Visit, chosen: CustomersChosen) -> Download:
    """Give all customers that the filters leave as a file."""
    order = ORDERS.get(chosen.sort, "-joined_at")
    found = export_customers(visit.tx, wanted_customers(chosen), order)
    columns = ("reference", "customer_id", "name", "country", "vip_level", "joined_at")
    rows = ([getattr(each, column) for column in columns] for each in found)
    return csv_file(columns, rows, "customers.csv")


def wanted_customers(chosen: CustomersChosen) -> CustomerFilter:
    """Put the filters together; what can be no VIP level is the level that nobody has."""
    level = chosen.vip_level.strip()
    return CustomerFilter(
        reference=chosen.reference.strip() or None,
        name=" ".join(chosen.name.split()) or None,
        country=chosen.country.strip().upper() or None,
        vip_level=None if not level else int(level) if level.isdecimal() and len(level) < 5 else -1,
    )


@shows("/console/customers/{reference}", allow=SEES)
def show_customer_of_desk(visit: Visit, reference: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show a customer: what they have, hold and earned, what they agreed to and were told, and who came in as them."""
    customer = customer_in(visit.tx, reference)
    tx, number, now = visit.tx, customer.customer_id, visit.now
    login = login_or_none(visit, customer)
    open_ones = positions_of(tx, number, now, "open", None, None, FEW + 1)
    shown = {
        "customer": customer,
        "address": customer_address(customer.reference),
        "balances": assets_of(tx, number),
        "positions": open_ones[:FEW],
        "has_more_positions": len(open_ones) > FEW,
        "ended": positions_of(tx, number, now, "ended", None, None, FEW),
        "transfers": transfers_of_desk(tx, TransferFilter(customer_id=number), None, FEW, now).items,
        "totals": reward_totals(tx, number, RewardFilter(), now),
        "rewards": rewards_received(tx, number, RewardFilter(), None, FEW, now),
        "consents": consents_of(tx, number),
        "notices": latest_notices_of(tx, number, count=FEW),
        "login": login,
        "keys": list_api_keys(tx, number),
        "entries": read_security_log(tx, number, 2 * FEW),
        "preferences": preferences_of(tx, number),
        "standing": standing_choices(tx, number),
        "assets": [each.code for each in all_assets(tx).values()],
        "typed": typed,
        "kinds": kind_words(visit),
        "accounts": account_words(visit),
        "endings": ending_words(visit),
        "today": date.isoformat(now.date()),
    }
    return View("customer.html", shown)


def login_or_none(visit: Visit, customer: Customer) -> Login | None:
    """Read what the customer signs in with, if anything."""
    try:
        return login_of_customer(visit.tx, customer.customer_id)
    except LoginNotFound:
        return None
