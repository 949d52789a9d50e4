"""A small desk with a past, to break things on: lived through once, copied for every case.

It stands at NOW, with completed days that no run has paid yet, positions that have matured since the last run, an
open quote, days ahead whose runs have several pieces, and customers in several cells.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.living import Living

from staddle import positions, treasury
from staddle.db import Database
from staddle.rewards.seal import seal_all

START = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)
NOW = START + timedelta(days=3, hours=2, minutes=30)
"""18:00 on the 13th: three accrual days are completed, the last run, of the 13th, has paid two."""
RUN_ON = date(2026, 1, 14)
RUN_AT = datetime(2026, 1, 14, 0, 5, tzinfo=UTC)
PIECES = 4
NAMES = ("anna", "bert", "carl", "dora", "emil", "fred")


def live(database: Database) -> None:
    """Open the desk on the 10th, subscribe, redeem and run until NOW."""
    living = Living(database, start=START)
    with database.transaction() as tx:
        for days in range(3):
            tx.execute("SELECT open_reward_day(%s, %s)", [RUN_ON + timedelta(days=days), PIECES])
    living.product("FLEX", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.03")], quota="100000")
    living.product("OPEN", "BTC", apr="0.02")
    living.product("LONG", "USDT", apr="0.08", term_days=30)
    living.product("SHORT", "USDT", apr="0.10", term_days=3)
    living.product("AGAIN", "USDT", apr="0.09", term_days=2, at_maturity="renew", quota="50000")
    living.product(
        "LATER",
        "USDT",
        apr="0.07",
        term_days=3,
        payout="at_maturity",
        at_maturity="to_flexible",
        flexible_product="FLEX",
        early_redemption="keep_fraction",
        kept_fraction="0.5",
    )
    for number, name in enumerate(NAMES):
        customer = living.customer(name, USDT="20000", BTC="3")
        for product, amount in (
            ("FLEX", 400),
            ("LONG", 1000),
            ("SHORT", 300),
            ("AGAIN", 250),
            ("LATER", 700),
        ):
            living.subscribe(customer, product, str(amount + number))
    for days in range(1, 3):
        living.comes(START + timedelta(days=days))
        living.catch_up()
        for name in NAMES[:4]:
            living.subscribe(customer_of(database, name), "FLEX", str(200 + days))
            living.subscribe(customer_of(database, name), "OPEN", "0.5")
    living.redeem(customer_of(database, "bert"), "FLEX", "150")
    living.comes(NOW - timedelta(minutes=1))
    living.catch_up()
    ask = positions.AskToLeave(
        customer_id=customer_of(database, "carl"),
        key="the lived quote",
        position_id=position_of(database, "carl", "LONG"),
    )
    with database.transaction() as tx:
        positions.ask_to_leave(tx, [ask], living.now)[0].unwrap()
    look_ahead(living)


def look_ahead(living: Living) -> None:
    """Two who subscribe idle coins daily, a guard that has been passed, a move of the pool that waits, some seals."""
    database = living.database
    auto = [
        positions.SetAutoSubscribe(
            customer_id=customer_of(database, name),
            key="auto",
            product="FLEX",
            floor=Decimal(100),
            agreement_version=1,
        )
        for name in ("emil", "fred")
    ]
    guard = positions.SetRateGuard(
        customer_id=customer_of(database, "anna"),
        key="guard",
        product="OPEN",
        apr_min=Decimal("0.5"),
        action="redeem",
    )
    move = treasury.AskPoolMove(key="fund", by="ada", move="funding", asset="BTC", amount=Decimal(5))
    with database.transaction() as tx:
        assert all(outcome.error is None for outcome in positions.set_auto_subscribe(tx, auto, living.now))
        positions.set_rate_guard(tx, [guard], living.now)[0].unwrap()
    with database.transaction() as tx:
        treasury.ask_pool_move(tx, [move], living.now)[0].unwrap()
    seal_all(database, living.now)
    living.passes(seconds=30)
    living.redeem(customer_of(database, "dora"), "FLEX", "50")


def customer_of(database: Database, name: str) -> int:
    """The id of a customer."""
    return number_of(database, "SELECT customer_id FROM customer WHERE reference = %s", name)


def position_of(database: Database, name: str, product: str) -> int:
    """The id of the oldest open position of a customer in a product."""
    return number_of(
        database,
        "SELECT min(position_id) FROM position JOIN product USING (product_id) JOIN customer USING (cell, customer_id)"
        " WHERE reference = %s AND code = %s AND ended_at IS NULL",
        name,
        product,
    )


def quote_of(database: Database, name: str) -> int:
    """The id of a customer's newest quote."""
    return number_of(
        database,
        "SELECT max(quote_id) FROM quote JOIN customer USING (cell, customer_id) WHERE reference = %s",
        name,
    )


def number_of(database: Database, query: str, *values: object) -> int:
    """The one number that a query finds."""
    with database.transaction() as tx:
        row = tx.execute(query, values).fetchone()
    assert row is not None, query
    assert row[0] is not None, query
    return int(row[0])
