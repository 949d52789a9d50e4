"""What the stories begin with: a sandbox desk with two operators, coins, customers, products."""

import itertools
from datetime import UTC, datetime, time
from decimal import Decimal

from staddle import customers, desk, ledger, positions, products
from staddle.db import Database, Tx

START = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)


def set_up(database: Database) -> Database:
    """A sandbox desk with the operators ada and bob, and the coins BTC (8 decimals) and USDT (6)."""
    with database.transaction() as tx:
        desk.create_desk(tx, "Test desk", True, time(0), START)
        desk.add_operator(tx, "ada", "ada", START)
        desk.add_operator(tx, "ada", "bob", START)
        ledger.add_asset(tx, "BTC", "Bitcoin", 8)
        ledger.add_asset(tx, "USDT", "Tether", 6)
    return database


def customer(tx: Tx, reference: str) -> int:
    """Add a customer, if need be, and give their id."""
    new = customers.NewCustomer(reference=reference)
    return customers.add_customers(tx, [new], START)[0].unwrap().customer_id


def fund(tx: Tx, reference: str, asset: str, amount: str, account: customers.Account = "spot") -> int:
    """Add a customer with coins and give their id."""
    number = customer(tx, reference)
    command = customers.Deposit(
        customer_id=number,
        key=f"{asset} {account} {amount}",
        asset=asset,
        account=account,
        amount=Decimal(amount),
    )
    customers.deposit(tx, [command], START)[0].unwrap()
    return number


def balances(tx: Tx, customer_id: int) -> dict[str, Decimal]:
    """Read a customer's balances as {"BTC spot": amount}."""
    assets = ledger.all_assets(tx)
    return {
        f"{assets[ledger.asset_id_of(account)].code} {ledger.kind_of(account).name.lower()}": amount
        for account, amount in ledger.balances_of_customer(tx, customer_id).items()
    }


FLEXIBLE = products.Terms(
    amount_min=Decimal("0.001"), step=Decimal("0.001"), opens_at=START, quota=Decimal(10)
)


def on_sale(
    tx: Tx, code: str, terms: products.Terms = FLEXIBLE, kind: str = "flexible", asset: str = "BTC"
) -> None:
    """Draft a product as ada and approve it as bob, at START."""
    products.draft_product(tx, "ada", code, asset, kind, f"Product {code}", terms, START)
    products.approve_terms(tx, "bob", code, 1, START)


def rate(
    tx: Tx, code: str, *bands: tuple[str, str | None, str], at: datetime | None = None
) -> products.RateRevised:
    """Publish a rate, proposed by ada and approved by bob at START; bands are (from, to, APR)."""
    tiers = [
        products.Tier(Decimal(low), None if high is None else Decimal(high), Decimal(apr))
        for low, high, apr in bands
    ]
    number = products.propose_rate(tx, "ada", code, tiers, at, START)
    return products.approve_rate(tx, "bob", number, START)


def agreement(tx: Tx) -> int:
    """Publish the agreement, if need be, and give its version."""
    return customers.publish_agreement(tx, "ada", "Staking service agreement", "Yours truly.", START)


def subscribe(
    tx: Tx, customer_id: int, product: str, amount: str, now: datetime = START
) -> positions.Subscribed:
    """Subscribe from Spot, each time under a new key; a refusal is raised."""
    command = positions.Subscribe(
        customer_id=customer_id,
        key=f"key {next(_keys)}",
        product=product,
        amount=Decimal(amount),
        agreement_version=agreement(tx),
    )
    return positions.subscribe(tx, [command], now)[0].unwrap()


def withdraw_all(tx: Tx, customer_id: int, product: str, now: datetime = START) -> positions.Redeemed:
    """Redeem all of a flexible holding; a refusal is raised."""
    command = positions.Redeem(
        customer_id=customer_id, key=f"key {next(_keys)}", product=product, amount=None
    )
    return positions.redeem(tx, [command], now)[0].unwrap()


_keys = itertools.count()
