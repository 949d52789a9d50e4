"""`staddle ledger` and `staddle search`: transfers, accounts, closed days, and finding any of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import ledger as books
from staddle import rewards as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import CustomerRef
from staddle.cli.edge import At, reads
from staddle.cli.show import amount, card, grid, listing, said
from staddle.days import parse_instant
from staddle.desk import find_desk
from staddle.errors import InvalidTime
from staddle.search import find_anything

Count = Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)]
AssetCode = Annotated[str, typer.Argument(metavar="ASSET", help="Such as USDT.")]
Since = Annotated[str | None, typer.Option("--from", help="From this instant on.")]
Until = Annotated[str | None, typer.Option("--until", help="Before this instant.")]


@reads(app.app, "search")
def search(
    at: At, text: Annotated[str, typer.Argument(help="A reference, e-mail, name or number.")]
) -> Shown:
    """Find a customer, position, transfer, approval, product or day by a few letters or its number."""
    found = find_anything(at.tx, text)
    columns = ["kind", "title", "detail"]
    return Shown({"found": found}, lambda data: listing("", data["found"], columns, "Nothing is called so."))


@reads(app.ledger, "transfers")
def transfers(
    at: At,
    kind: Annotated[str | None, typer.Option(help="Such as deposit or forfeiture.")] = None,
    asset: Annotated[str | None, typer.Option(help="Such as USDT.")] = None,
    account: Annotated[str | None, typer.Option(help="Debited or credited, such as reward_pool.")] = None,
    customer: Annotated[str | None, typer.Option(help="The integrator's reference.")] = None,
    since: Since = None,
    until: Until = None,
    count: Count = 20,
) -> Shown:
    """List transfers of the whole desk, newest first."""
    wanted = books.TransferFilter(
        kind=kind,
        asset=asset,
        account=account,
        customer_id=None if customer is None else at.customer_id(customer),
        from_at=None if since is None else parse_instant(since),
        until_at=None if until is None else parse_instant(until),
    )
    found: list[books.LedgerTransfer] = []
    place: books.TransferPlace | None = None
    while len(found) < count:
        page = books.transfers_of_desk(at.tx, wanted, place, count - len(found), at.now)
        found += page.items
        place = page.next
        if place is None:
            break
    columns = ["transfer_id", "effective_at", "kind", "amount", "asset", "debit", "credit", "customer_id"]
    return Shown({"transfers": found}, lambda data: listing("", data["transfers"], columns))


@reads(app.ledger, "transfer")
def transfer(at: At, transfer_id: Annotated[int, typer.Argument(help="Its number.")]) -> Shown:
    """Show a transfer with its act and chain."""
    found = books.transfer_of(at.tx, transfer_id)
    settled, taken_back = room.rewards_behind(at.tx, found.transfer)
    return Shown({"found": found, "settled": settled, "taken_back": taken_back}, _transfer_view)


def _transfer_view(data: Document) -> RenderableType:
    found = data["found"]
    one = found["transfer"]
    chain = {
        "request": found["request"] and found["request"]["act"],
        "was corrected by": found["corrected_by_id"],
        "seal": found["seal"] and found["seal"]["number"],
        "hash": found["seal"] and found["seal"]["hash"],
    }
    columns = ["transfer_id", "kind", "amount", "debit", "credit", "position_id"]
    parts = [card(one), card(chain), listing("Its act", found["act"], columns)]
    for name, title in (("taken_back", "Rewards taken back"), ("settled", "Rewards settled with it")):
        if data[name]:
            parts.append(listing(title, data[name], ["receipt", "product", "day", "amount", "forfeited"]))
    return said(f"Transfer {one['transfer_id']}.", *parts)


@reads(app.ledger, "account")
def account(
    at: At,
    customer: CustomerRef,
    asset: AssetCode,
    name: Annotated[str, typer.Argument(metavar="ACCOUNT", help="spot, funding, earn or accrued.")],
    since: Since = None,
    until: Until = None,
    count: Count = 1000,
) -> Shown:
    """Show an account of a customer: opening balance, each row with the balance after it."""
    period = period_of(at, since, until)
    number = at.customer_id(customer)
    found = room.account_statement(at.tx, number, asset, name, period, None, count, at.now)
    return Shown({"statement": found, "is_complete": found.next is None}, _account_view)


def _account_view(data: Document) -> RenderableType:
    found = data["statement"]
    columns = ["at", "type", "other", "change", "balance", "reference"]
    parts = [listing("", found["lines"], columns, "Nothing has moved in this period.")]
    if not data["is_complete"]:
        parts.append("There are more rows: ask for a later period, or for more with --count.")
    sentence = f"Opening {amount(found['opening'], found['asset'])}, "
    return said(f"{sentence}closing {amount(found['closing'], found['asset'])}.", *parts)


def period_of(at: At, since: str | None, until: str | None) -> tuple[datetime, datetime]:
    """Give the period that is meant; by default all there is."""
    begins = find_desk(at.tx).created_at - timedelta(days=3650) if since is None else parse_instant(since)
    ends = at.now + timedelta(microseconds=1) if until is None else parse_instant(until)
    return begins.astimezone(UTC), ends.astimezone(UTC)


@reads(app.ledger, "house-account")
def house_account(
    at: At,
    asset: AssetCode,
    name: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT", help="custody, reward_expense, reward_pool or forfeited_rewards."),
    ],
    count: Count = 30,
) -> Shown:
    """Show a house account by closed day and kind, newest first."""
    return Shown(room.house_statement(at.tx, asset, name, count), _house_view)


def _house_view(data: Document) -> RenderableType:
    rows = [
        [day["closed_on"], line["kind"], str(line["count"]), amount(line["change"]), amount(day["closing"])]
        for day in data["days"]
        for line in day["lines"]
    ]
    heads = ["Day", "Kind", "Times", "Change", "Balance at its end"]
    balance = amount(data["balance"], data["asset"])
    since = amount(data["since_closing"], data["asset"])
    return said(f"Balance {balance}, of it {since} since the newest closed day.", grid("", heads, rows))


@reads(app.ledger, "closings")
def closings(at: At, count: Count = 30) -> Shown:
    """List closed days, newest first."""
    return Shown({"closings": room.latest_closings(at.tx, count)}, _closings_view)


def _closings_view(data: Document) -> RenderableType:
    rows = [
        [day["closed_on"], each["asset"], amount(each["debits"]), amount(each["credits"]), each["difference"]]
        for day in data["closings"]
        for each in day["assets"]
    ]
    return grid("", ["Day", "Asset", "Debits", "Credits", "Difference"], rows)


@reads(app.ledger, "trial-balance")
def trial_balance(at: At, day: Annotated[str, typer.Argument(help="Such as 2026-01-31.")]) -> Shown:
    """Show the trial balance of a closed day, and what moved on it."""
    try:
        closed_on = date.fromisoformat(day)
    except ValueError:
        raise InvalidTime(f"{day[:40]!r} is not a day such as 2026-01-31.") from None
    return Shown(room.find_closing(at.tx, closed_on), _trial_balance_view)


def _trial_balance_view(data: Document) -> RenderableType:
    parts: list[RenderableType] = []
    for each in data["assets"]:
        rows = [
            [line["account"], amount(line["debit"]), amount(line["credit"]), amount(line["change"])]
            for line in each["lines"]
        ]
        rows.append(["sum", amount(each["debits"]), amount(each["credits"]), ""])
        parts.append(grid(each["asset"], ["Account", "Debit", "Credit", "Change"], rows))
        moved = [
            [move["kind"], move["debit"], move["credit"], str(move["count"]), amount(move["amount"])]
            for move in each["movements"]
        ]
        parts.append(grid("", ["Moved", "From", "To", "Times", "Amount"], moved))
    return said(f"The books of {data['closed_on']}, closed before its distribution.", *parts)
