"""Setting the demo desk up: coins, people, products with two persons' approval, customers with money, funded pools."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random

from staddle import approvals, customers, desk, ledger, products, treasury
from staddle.db import Database, Tx
from staddle.demo.catalogue import (
    AGREEMENT,
    ASSETS,
    COUNTRIES,
    FIRST_NAMES,
    LARGEST,
    OPERATORS,
    POOLS,
    PRICES,
    SALES,
    START,
    STEADY,
    Sale,
)
from staddle.errors import DeskNotFound
from staddle.money import EXACT
from staddle.positions import SetAutoSubscribe, SetRateGuard, set_auto_subscribe, set_rate_guard
from staddle.positions.publish_rate import publish_rate

DESK_NAME = "Demo desk"
ALICE, BOB, _ = OPERATORS
WORKING = ("support", "product", "treasury")
WIDE_OPEN = Decimal(1000)
"""While the first customers come, rewards multiply from day to day; the limit is set once they have."""


def is_demo(database: Database) -> bool:
    """Say whether a database is empty or holds the demo desk: nothing else may be wiped by a demo."""
    with database.transaction() as tx:
        try:
            found = desk.find_desk(tx)
        except DeskNotFound:
            return True
    return found.is_sandbox and found.name == DESK_NAME


def set_up(database: Database, customer_count: int, seed: int) -> list[str]:
    """Make the desk as it stands on its first morning; gives the customers' references."""
    with database.transaction() as tx:
        desk.create_desk(tx, DESK_NAME, True, time(0), START, WIDE_OPEN)
        staff(tx)
        for code, name, scale in ASSETS:
            ledger.add_asset(tx, code, name, scale)
        price_coins(tx, 0, START)
        customers.publish_agreement(tx, ALICE, "Staking service agreement", AGREEMENT, START)
    for sale in SALES:
        with database.transaction() as tx:
            put_on_sale(tx, sale)
    for asset, amount in POOLS.items():
        fund(database, asset, amount * max(1, customer_count // 300), "opening", START)
    references = bring_customers(database, customer_count, Random(seed))  # noqa: S311  chance that anybody can repeat
    with database.transaction() as tx:
        choose_in_advance(tx, references)
    return references


def staff(tx: Tx) -> None:
    """Bring the people: the first one has to give the second one roles alone, and from then on two of them do."""
    for name in OPERATORS:
        added = approvals.add_operator(tx, ALICE, name, START, desk.ROLES if name == BOB else WORKING)
        if added.grant_asked is not None:
            desk.approve_roles(tx, BOB, added.grant_asked, START)
    for alarm in desk.list_alarms(tx):
        desk.dismiss_alarm(tx, BOB, alarm.alarm_id, START)


def price_coins(tx: Tx, day: int, now: datetime) -> None:
    """Say what the coins are worth on a day: up to a hundredth more or less, the same in every demo."""
    prices: list[desk.Price] = []
    for code, price in PRICES.items():
        swing = 0 if code in STEADY else (day * 7 + 3 * len(prices)) % 21 - 10
        worth = EXACT.multiply(price, Decimal(1000 + swing).scaleb(-3))
        prices.append(desk.Price(asset=code, quote="USD", price=worth, priced_at=now))
    desk.set_prices(tx, ALICE, prices, now)


def put_on_sale(tx: Tx, sale: Sale) -> None:
    """Draft a product and propose its rate as one person, approve both as another."""
    minimum = Decimal(sale.amount_min)
    given = {"opens_at": START, **sale.terms}
    terms = products.Terms(amount_min=minimum, step=minimum / 10, term_days=sale.term_days, **given)
    kind = "flexible" if sale.term_days is None else "fixed"
    products.draft_product(tx, ALICE, sale.code, sale.asset, kind, sale.name, terms, START)
    products.approve_terms(tx, BOB, sale.code, 1, START)
    tiers = [tier(*band) for band in sale.bands]
    revise(tx, sale.code, tiers, None, START)


def tier(low: str, high: str | None, apr: str) -> products.Tier:
    """Make a tier."""
    return products.Tier(Decimal(low), None if high is None else Decimal(high), Decimal(apr))


def revise(
    tx: Tx, code: str, tiers: list[products.Tier], effective_at: datetime | None, now: datetime
) -> None:
    """Publish a rate with two persons, and announce it to all who hold the product."""
    approval_id = approvals.ask_rate(tx, ALICE, code, tiers, effective_at, now)
    publish_rate(tx, BOB, approval_id, now)


def fund(database: Database, asset: str, amount: Decimal, key: str, now: datetime) -> None:
    """Fund a reward pool: one person asks, another approves."""
    with database.transaction() as tx:
        ask = treasury.AskPoolMove(
            key=f"ask {key} {asset}", by=ALICE, move="funding", asset=asset, amount=amount
        )
        asked = approvals.ask_pool_move(tx, [ask], now)[0].unwrap()
        approve = treasury.ApprovePoolMove(
            key=f"approve {key} {asset}", by=BOB, approval_id=asked.approval_id
        )
        treasury.approve_pool_move(tx, [approve], now)[0].unwrap()


def bring_customers(database: Database, count: int, chance: Random) -> list[str]:
    """Add customers and what they bring: two to four coins each, in Spot and in Funding."""
    wanted = []
    for number in range(count):
        name = FIRST_NAMES[number % len(FIRST_NAMES)]
        wanted.append(
            customers.NewCustomer(
                reference=f"{name}-{number:03d}",
                name=name.capitalize(),
                country=COUNTRIES[chance.randrange(len(COUNTRIES))],
                vip_level=chance.choice((0, 0, 0, 0, 1, 1, 2, 3, 5)),
                joined_at=START - timedelta(days=chance.randrange(400)),
            )
        )
    with database.transaction() as tx:
        added = [outcome.unwrap() for outcome in customers.add_customers(tx, wanted, START)]
        deposits = []
        for customer in added:
            for asset, _, _ in chance.sample(ASSETS, chance.randrange(2, 5)):
                for account in ("spot", "funding"):
                    hundredths = chance.randrange(1, LARGEST[asset] * 100)
                    share = Decimal(hundredths).scaleb(-2) / (1 if account == "spot" else 4)
                    deposits.append(
                        customers.Deposit(
                            customer_id=customer.customer_id,
                            key=f"opening {asset} {account}",
                            asset=asset,
                            account=account,
                            amount=share,
                        )
                    )
        for outcome in customers.deposit(tx, deposits, START):
            outcome.unwrap()
    return [customer.reference for customer in added]


def choose_in_advance(tx: Tx, references: list[str]) -> None:
    """Let some customers put rewards to work by themselves, and some guard themselves against low rates."""
    found = list(customers.find_customers(tx, references).values())
    auto = [
        SetAutoSubscribe(
            customer_id=customer.customer_id,
            key="auto",
            product="USDT-FLEX",
            source="funding",
            agreement_version=1,
        )
        for customer in found[::12]
    ]
    guards = [
        SetRateGuard(
            customer_id=customer.customer_id,
            key="guard",
            product="USDT-FLEX",
            apr_min=Decimal("0.1"),
            action="redeem",
        )
        for customer in {each.customer_id: each for each in [*found[::24], *found[5::20]]}.values()
    ]
    for outcome in set_auto_subscribe(tx, auto, START):
        outcome.unwrap()
    for guarded in set_rate_guard(tx, guards, START):
        guarded.unwrap()
