"""The ledger: transfers of the whole desk, one with its act and chain, and the statement of an account."""

from datetime import UTC, date

from msgspec.structs import asdict, replace

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.console.words import account_words, customer_address, kind_words
from staddle.customers import find_customers, find_customers_by_id
from staddle.errors import InvalidTime, TransferNotFound
from staddle.ledger import (
    KINDS,
    AccountKind,
    LedgerTransfer,
    TransferFilter,
    TransferPlace,
    all_assets,
    export_transfers,
    house_balances,
    transfer_of,
    transfers_of_desk,
)
from staddle.ledger.accounts import asset_id_of, kind_of
from staddle.pages.page import Chosen, Download, View, Visit, shows
from staddle.pages.periods import day_of, midnight
from staddle.rewards import latest_closings, rewards_behind
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

SEES = operator("viewer")
CLOSINGS_SHOWN = 5
NOBODY = -1
COLUMNS = (
    "transfer_id",
    "act_id",
    "kind",
    "asset",
    "amount",
    "debit",
    "credit",
    "customer_id",
    "position_id",
    "effective_at",
    "recorded_at",
    "key",
    "corrects_id",
)


class TransfersChosen(Chosen, frozen=True, kw_only=True):
    """What the list of transfers is narrowed down by; days as a browser's field gives them."""

    kind: str = ""
    asset: str = ""
    account: str = ""
    customer: str = ""
    from_on: str = ""
    to_on: str = ""


@shows("/console/ledger", allow=SEES)
def show_ledger(visit: Visit, chosen: TransfersChosen, cursor: str = "") -> View:
    """List the transfers of the desk, newest first, with the house's accounts and the last closings beside them."""
    accounts = account_words(visit)
    # An old link still opens; the file, which somebody may take for all that they asked for, refuses what there is not.
    chosen = replace(
        chosen,
        kind=chosen.kind if chosen.kind in KINDS else "",
        account=chosen.account if chosen.account in accounts else "",
    )
    wanted = wanted_transfers(visit, chosen)
    page = transfers_of_desk(
        visit.tx, wanted, read_cursor(cursor or None, TransferPlace), PAGE_LENGTH, visit.now
    )
    say, kinds = visit.say, kind_words(visit)
    coins = [(each.code, each.code) for each in all_assets(visit.tx).values()]
    listing = listing_of(
        "/console/ledger",
        columns=[
            Column("transfer", say("Transfer")),
            Column("effective_at", say("Took effect")),
            Column("kind", say("Kind")),
            Column("amount", say("Amount"), is_figure=True),
            Column("from", say("From")),
            Column("to", say("To")),
            Column("customer", say("Customer")),
        ],
        filters=[
            Filter("kind", say("Kind"), choices=[("", say("All")), *((each, kinds[each]) for each in KINDS)]),
            Filter("asset", say("Coin"), choices=[("", say("All")), *coins]),
            Filter("account", say("Account"), choices=[("", say("All")), *accounts.items()]),
            Filter("customer", say("Customer's reference")),
            Filter("from_on", say("From"), "date"),
            Filter("to_on", say("Through"), "date"),
        ],
        chosen=asdict(chosen),
        rows=page.items,
        cursor=cursor or None,
        next_cursor=None if page.next is None else write_cursor(page.next),
        export="/console/ledger.csv",
    )
    shown = {
        "listing": listing,
        "people": people_of(visit, page.items),
        "address": customer_address,
        "kinds": kinds,
        "accounts": accounts,
        "looked_to": page.next.effective_at if page.next and len(page.items) < PAGE_LENGTH else None,
        "house": house_of(visit),
        "closings": latest_closings(visit.tx, CLOSINGS_SHOWN),
    }
    return View("ledger.html", shown, part="list")


@shows("/console/ledger.csv", allow=SEES)
def download_ledger(visit: Visit, chosen: TransfersChosen) -> Download:
    """Give all transfers that the filters leave as a file, newest first."""
    found = export_transfers(visit.tx, wanted_transfers(visit, chosen), visit.now)
    return csv_file(COLUMNS, ([getattr(each, name) for name in COLUMNS] for each in found), "transfers.csv")


def wanted_transfers(visit: Visit, chosen: TransfersChosen) -> TransferFilter:
    """Put the filters together; days are those of UTC, both included. Raises InvalidTime."""
    first, last = day_of(visit, chosen.from_on, "from_on"), day_of(visit, chosen.to_on, "to_on")
    if first is not None and last is not None and last < first:
        raise InvalidTime("The last day is before the first one.")
    customer_id, reference = None, chosen.customer.strip()
    if reference:
        found = find_customers(visit.tx, [reference]).get(reference)
        customer_id = NOBODY if found is None else found.customer_id
    return TransferFilter(
        kind=chosen.kind or None,
        asset=chosen.asset or None,
        account=chosen.account or None,
        customer_id=customer_id,
        from_at=None if first is None else midnight(first, UTC),
        until_at=None if last is None else midnight(date.fromordinal(last.toordinal() + 1), UTC),
    )


def people_of(visit: Visit, transfers: list[LedgerTransfer]) -> dict[int, str]:
    """Give the references of those whom some transfers are of."""
    numbers = [each.customer_id for each in transfers if each.customer_id is not None]
    return {number: each.reference for number, each in find_customers_by_id(visit.tx, numbers).items()}


def house_of(visit: Visit) -> list[tuple[str, dict[str, object]]]:
    """Give what the house's accounts hold, a row for each coin."""
    assets = all_assets(visit.tx)
    rows: dict[str, dict[str, object]] = {}
    for account, amount in house_balances(visit.tx).items():
        coin = assets[asset_id_of(account)].code
        rows.setdefault(coin, {})[AccountKind(kind_of(account)).name.lower()] = amount
    return sorted(rows.items())


@shows("/console/ledger/transfers/{transfer}", allow=SEES)
def show_transfer(visit: Visit, transfer: str) -> View:
    """Show a transfer with its act, what it corrects or is corrected by, the rewards behind it, and its seal."""
    if not (transfer.isascii() and transfer.isdigit() and len(transfer) <= 18):
        raise TransferNotFound
    found = transfer_of(visit.tx, int(transfer))
    settled, reversed_ = rewards_behind(visit.tx, found.transfer)
    person = people_of(visit, [found.transfer]).get(found.transfer.customer_id or 0)
    shown = {
        "found": found,
        "it": found.transfer,
        "settled": settled,
        "reversed": reversed_,
        "person": person,
        "address": None if person is None else customer_address(person),
        "kinds": kind_words(visit),
        "accounts": account_words(visit),
    }
    return View("transfer.html", shown)
