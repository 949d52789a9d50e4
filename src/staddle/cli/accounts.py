"""`staddle deposit`, `withdraw`, `transfer`, `balances`: a customer's money."""

from typing import Annotated, Literal

import typer
from rich.console import RenderableType

from staddle import customers as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, shown
from staddle.cli.arguments import AccountName, AmountText, AssetCode, CustomerRef
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import amount, grid, said
from staddle.errors import InvalidChoice
from staddle.money import parse_decimal
from staddle.positions import assets_of

Account = Literal["spot", "funding"]


def account_named(text: str) -> Account:
    """Read the name of an account; raises InvalidChoice."""
    if text == "spot":
        return "spot"
    if text == "funding":
        return "funding"
    raise InvalidChoice(f"The account is spot or funding, not {text[:40]!r}.")


@writes(app.app, "deposit")
def deposit(
    at: At, customer: CustomerRef, asset: AssetCode, quantity: AmountText, account: AccountName = "spot"
) -> Shown:
    """Credit a customer with coins that custody has received."""
    command = room.Deposit(
        customer_id=at.customer_id(customer),
        key=at.key,
        asset=asset,
        account=account_named(account),
        amount=parse_decimal(quantity),
    )
    outcome = room.deposit(at.tx, [command], at.now)[0]
    return shown(
        outcome, lambda data: said(f"{_moved(data)} arrived in the {account} account of {customer}.")
    )


@writes(app.app, "withdraw")
def withdraw(
    at: At, customer: CustomerRef, asset: AssetCode, quantity: AmountText, account: AccountName = "spot"
) -> Shown:
    """Debit a customer with coins that leave custody."""
    command = room.Withdraw(
        customer_id=at.customer_id(customer),
        key=at.key,
        asset=asset,
        account=account_named(account),
        amount=parse_decimal(quantity),
    )
    outcome = room.withdraw(at.tx, [command], at.now)[0]
    return shown(outcome, lambda data: said(f"{_moved(data)} left the {account} account of {customer}."))


@writes(app.app, "transfer")
def transfer(
    at: At,
    customer: CustomerRef,
    asset: AssetCode,
    quantity: AmountText,
    source: Annotated[str, typer.Option("--from", help="spot or funding.")],
    destination: Annotated[str, typer.Option("--to", help="spot or funding.")],
) -> Shown:
    """Move coins between a customer's Spot and Funding accounts."""
    command = room.TransferBetween(
        customer_id=at.customer_id(customer),
        key=at.key,
        asset=asset,
        source=account_named(source),
        destination=account_named(destination),
        amount=parse_decimal(quantity),
    )
    outcome = room.transfer(at.tx, [command], at.now)[0]
    return shown(outcome, lambda data: said(f"{_moved(data)} went from {source} to {destination}."))


def _moved(data: Document) -> str:
    return amount(data["amount"], data["asset"])


@reads(app.app, "balances")
def balances(at: At, customer: CustomerRef) -> Shown:
    """Show the assets page: Spot, Funding, Earn, accrued, total and lifetime rewards of each coin."""
    found = assets_of(at.tx, at.customer_id(customer))
    return Shown({"customer": customer, "assets": found}, _assets_view)


def _assets_view(data: Document) -> RenderableType:
    return assets_table(data["customer"], data["assets"])


def assets_table(title: str, assets: list[Document]) -> RenderableType:
    """Show what a customer has of each coin."""
    columns = ["spot", "funding", "earn", "accrued", "total", "lifetime_rewards"]
    rows = [[each["asset"], *(amount(each[name]) for name in columns)] for each in assets]
    if not rows:
        return "[dim]Nothing has ever been in these accounts.[/]"
    return grid(title, ["Asset", "Spot", "Funding", "Earn", "Accrued", "Total", "Lifetime rewards"], rows)
