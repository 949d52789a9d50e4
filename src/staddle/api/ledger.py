"""The ledger read over the whole desk: transfers with their chains, accounts, closed days; and the search."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Code, Id, Reference, id_of
from staddle.api.operation import reads
from staddle.api.pages import Cursor, Limit, Page, read_cursor, write_cursor
from staddle.api.statements import Instant, period
from staddle.customers import find_customer
from staddle.errors import PositionNotFound, TransferNotFound
from staddle.ledger import (
    LedgerTransfer,
    TransferFilter,
    TransferInFull,
    TransferPlace,
    transfer_of,
    transfers_of_desk,
)
from staddle.positions import (
    DeskPosition,
    PositionFilter,
    PositionOrder,
    PositionPlace,
    positions_of_desk,
)
from staddle.rewards import (
    AccountStatement,
    Closing,
    DayExplained,
    HouseStatement,
    LinkedReward,
    Place,
    account_statement,
    explain_day,
    find_closing,
    house_statement,
    latest_closings,
    rewards_behind,
)
from staddle.search import Found, find_anything
from staddle.server.allow import client, either, operator
from staddle.server.at import At

TAG = "Ledger"
SEE = operator("viewer")
SERVE = either(client("customers"), operator("viewer"))
HouseAccount = Literal["custody", "reward_expense", "reward_pool", "forfeited_rewards"]
CustomerAccount = Literal["spot", "funding", "earn", "accrued"]
AnyAccount = HouseAccount | CustomerAccount
TransferKind = Literal[
    "deposit",
    "withdrawal",
    "transfer",
    "subscription",
    "redemption",
    "accrued_payout",
    "forfeiture",
    "pool_funding",
    "pool_withdrawal",
    "income_to_pool",
    "correction",
]
SearchText = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, description="What somebody types.", examples=["anna"])
]
RunOn = Annotated[date, msgspec.Meta(description="The date of a run.")]


class TransferShown(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer in full, the rewards that its act settled, and those that it takes back as a forfeiture."""

    found: TransferInFull
    settled: list[LinkedReward]
    taken_back: list[LinkedReward]


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of an account, and where the next ones begin."""

    statement: AccountStatement
    next_cursor: str | None


@reads("/v1/search", allow=SEE, gives=list[Found], tag=TAG)
def search_desk(at: At, text: SearchText) -> list[Found]:
    """Find what a text could mean: customers by reference, e-mail, name; positions, transfers, approvals by number.

    What it names exactly comes first. References, names and addresses are found by how they begin.
    """
    return find_anything(at.tx, text)


@reads("/v1/ledger/transfers", allow=SEE, gives=Page[LedgerTransfer], tag=TAG)
def list_transfers_of_desk(
    at: At,
    kind: TransferKind | None = None,
    asset: Code | None = None,
    account: AnyAccount | None = None,
    customer: Reference | None = None,
    from_at: Instant | None = None,
    until_at: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[LedgerTransfer]:
    """List the transfers of all customers and of the house, newest first.

    A page may hold fewer than `limit`, even none, where much was looked through for it; it goes on while there is a
    `next_cursor`.
    """
    wanted = TransferFilter(
        kind=kind,
        asset=asset,
        account=account,
        customer_id=None if customer is None else find_customer(at.tx, customer).customer_id,
        from_at=from_at,
        until_at=until_at,
    )
    found = transfers_of_desk(at.tx, wanted, read_cursor(cursor, TransferPlace), limit, at.now)
    return Page(items=found.items, next_cursor=None if found.next is None else write_cursor(found.next))


@reads("/v1/ledger/transfers/{transfer_id}", allow=SEE, gives=TransferShown, tag=TAG)
def show_transfer_of_desk(at: At, transfer_id: Id) -> TransferShown:
    """Show a transfer with its act and its chain: request, corrections, rewards behind it, the seal that covers it."""
    found = transfer_of(at.tx, id_of(transfer_id, TransferNotFound))
    settled, taken_back = rewards_behind(at.tx, found.transfer)
    return TransferShown(found=found, settled=settled, taken_back=taken_back)


@reads("/v1/ledger/accounts/{asset}/{account}", allow=SEE, gives=HouseStatement, tag=TAG)
def show_house_account_by_day(
    at: At, asset: Code, account: HouseAccount, before: RunOn | None = None, limit: Limit = 30
) -> HouseStatement:
    """Show a house account over all customers, by closed day and kind, newest first; `before` goes on behind a day."""
    return house_statement(at.tx, asset, account, limit, before)


@reads("/v1/ledger/closings", allow=SEE, gives=Page[Closing], tag=TAG)
def list_closings(at: At, cursor: Cursor = None, limit: Limit = 30) -> Page[Closing]:
    """List closed days, newest first, each with its trial balance and what moved on it."""
    found = latest_closings(at.tx, limit + 1, read_cursor(cursor, date))
    more = write_cursor(found[limit - 1].closed_on) if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=more)


@reads("/v1/ledger/closings/{closed_on}", allow=SEE, gives=Closing, tag=TAG)
def show_closing_of_day(at: At, closed_on: RunOn) -> Closing:
    """Show the trial balance of a closed day."""
    return find_closing(at.tx, closed_on)


@reads("/v1/desk/positions", allow=SEE, gives=Page[DeskPosition], tag=TAG)
def list_positions_of_desk(
    at: At,
    product: Code | None = None,
    asset: Code | None = None,
    state: Literal["open", "ended", "all"] = "open",
    started_from: Instant | None = None,
    started_until: Instant | None = None,
    matures_from: Instant | None = None,
    matures_until: Instant | None = None,
    sort: PositionOrder = "-started_at",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[DeskPosition]:
    """List the positions of all customers: newest or oldest first, or open fixed ones by their maturity.

    Periods begin with their first instant and end before their last.
    """
    wanted = PositionFilter(
        product=product,
        asset=asset,
        state=state,
        started_from=started_from,
        started_until=started_until,
        matures_from=matures_from,
        matures_until=matures_until,
    )
    found = positions_of_desk(at.tx, wanted, sort, read_cursor(cursor, PositionPlace), limit)
    return Page(items=found.items, next_cursor=None if found.next is None else write_cursor(found.next))


@reads("/v1/customers/{reference}/accounts/{asset}/{account}", allow=SERVE, gives=AccountShown, tag=TAG)
def show_account_of_customer(
    at: At,
    reference: Reference,
    asset: Code,
    account: CustomerAccount,
    from_at: Instant | None = None,
    until_at: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> AccountShown:
    """Show one account of a customer, oldest row first: opening balance, each row with the balance after it."""
    number = find_customer(at.tx, reference).customer_id
    place = read_cursor(cursor, Place)
    found = account_statement(
        at.tx, number, asset, account, period(at, from_at, until_at), place, limit, at.now
    )
    return AccountShown(statement=found, next_cursor=None if found.next is None else write_cursor(found.next))


@reads(
    "/v1/customers/{reference}/positions/{position_id}/days/{run_on}",
    allow=SERVE,
    gives=DayExplained,
    tag=TAG,
)
def explain_day_of_position(at: At, reference: Reference, position_id: Id, run_on: RunOn) -> DayExplained:
    """Explain what a customer's position was paid on a run date, with the receipt, or why nothing."""
    number = find_customer(at.tx, reference).customer_id
    return explain_day(at.tx, number, id_of(position_id, PositionNotFound), run_on, at.now)
