"""A desk with forty mixed days behind it: every kind of position, act and ending, in several cells, mostly sealed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.living import Living

from staddle import customers, rewards, treasury
from staddle.db import Database
from staddle.rewards.park import park as park_position

START = datetime(2026, 1, 22, 15, 30, tzinfo=UTC)
NAMES = ("anna", "bert", "carl", "dora", "emil", "fred", "gina", "hugo")


def live(database: Database) -> Living:
    """Open the desk and live forty days, with a late run, a parked position, a catch-up and revisions among them."""
    living = Living(database, start=START)
    put_on_sale(living)
    people = {name: living.customer(name, USDT="20000", BTC="3") for name in NAMES}
    opened = {name: open_all(living, customer) for name, customer in people.items()}
    for day in range(1, 41):
        living.passes(hours=23, minutes=50)
        if not 20 <= day < 23:
            living.catch_up()
        if day == 12:
            rewards.seal_all(database, living.now)
        if day % 4 == 0:
            rewards.close_all(database, living.now)
        spend_a_day(living, people, opened, day)
        living.passes(minutes=10)
    living.catch_up()
    rewards.seal_all(database, living.now)
    rewards.close_all(database, living.now)
    living.deposit(people["hugo"], "BTC", "0.25")
    return living


def put_on_sale(living: Living) -> None:
    """Tiered and flat, floating and locked, daily and at maturity, with every rule for leaving early."""
    tiers = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
    living.product("FLEX", "USDT", bands=tiers, quota="1000000", amount_min="1")
    living.product("COIN", "BTC", apr="0.013")
    living.product("ALL", "USDT", apr="0.08", term_days=30, personal_cap="9000")
    living.product(
        "KEEP", "USDT", apr="5", term_days=30, early_redemption="keep_fraction", kept_fraction="0.05"
    )
    living.product(
        "CHEAP",
        "USDT",
        apr="0.2",
        term_days=30,
        early_redemption="reduced_apr",
        reduced_apr="0.01",
        reduced_apr_days_min=3,
    )
    living.product("STAY", "USDT", bands=tiers, term_days=7, early_redemption="not_allowed")
    living.product("AGAIN", "USDT", apr="0.09", term_days=5, at_maturity="renew", quota="50000")
    living.product(
        "LAST",
        "USDT",
        apr="0.07",
        term_days=14,
        payout="at_maturity",
        rate_policy="floating",
        at_maturity="to_flexible",
        flexible_product="FLEX",
    )
    living.product("DEAR", "USDT", apr="90", term_days=20)


def open_all(living: Living, customer: int) -> dict[str, int]:
    """Subscribe to one of each."""
    amounts = {"FLEX": "700.5", "ALL": "1000", "KEEP": "500", "CHEAP": "800", "STAY": "450", "AGAIN": "250"}
    amounts |= {"LAST": "600", "DEAR": "10", "COIN": "0.5"}
    return {
        product: living.subscribe(customer, product, amount, source="spot")
        for product, amount in amounts.items()
    }


def spend_a_day(living: Living, people: dict[str, int], opened: dict[str, dict[str, int]], day: int) -> None:
    """Do what this day has in store."""
    name = NAMES[day % len(NAMES)]
    customer = people[name]
    if day % 2:
        living.subscribe(customer, "FLEX", str(100 + day))
    if day % 3 == 0:
        living.redeem(customer, "FLEX", str(50 + day), "spot" if day % 2 else "funding")
    if day % 5 == 0:
        living.subscribe(customer, "STAY", str(400 + day))
        living.subscribe(customer, "LAST", str(60 + day))
        living.tick()
    if day in (2, 9, 27):
        living.revise(
            "FLEX",
            bands=[("0", "400", f"0.0{day % 7 + 1}"), ("400", None, "0.004")],
            at=living.now + timedelta(hours=7),
        )
        living.revise("LAST", f"0.0{day % 5 + 1}", at=living.now + timedelta(hours=30))
    if day == 16:
        correct_a_deposit(living, people["gina"])
    acts = acts_of(living, people, opened)
    if day in acts:
        acts[day]()


def correct_a_deposit(living: Living, customer: int) -> None:
    """Credit a customer by mistake, and reverse it with two people."""
    mistake = living.deposit(customer, "BTC", "7")
    with living.database.transaction() as tx:
        number = treasury.ask_correction(tx, "ada", mistake.transfer_id, "Credited twice", living.now)
        treasury.approve_correction(tx, "bob", number, living.now)


def acts_of(
    living: Living, people: dict[str, int], opened: dict[str, dict[str, int]]
) -> dict[int, Callable[[], object]]:
    """What happens once, by its day."""
    return {
        3: lambda: living.choose(people["fred"], opened["fred"]["AGAIN"], "redeem"),
        4: lambda: living.leave_early(people["anna"], opened["anna"]["ALL"]),
        6: lambda: living.leave_early(people["bert"], opened["bert"]["KEEP"]),
        8: lambda: living.leave_early(people["carl"], opened["carl"]["CHEAP"]),
        9: lambda: living.leave_early(people["dora"], opened["dora"]["LAST"]),
        11: lambda: living.leave_early(people["emil"], opened["emil"]["DEAR"]),
        17: lambda: park(living, opened["hugo"]["COIN"]),
        18: lambda: withdraw(living, people["hugo"]),
        21: lambda: living.leave_early(people["fred"], opened["fred"]["ALL"]),
        25: lambda: retry(living, opened["hugo"]["COIN"]),
        30: lambda: living.new_terms("ALL", personal_cap=None),
        31: lambda: living.subscribe(people["gina"], "ALL", "2000"),
        37: lambda: living.redeem(people["gina"], "FLEX", None),
    }


def park(living: Living, position_id: int) -> None:
    """Put a position aside as the run does when it cannot pay it."""
    with living.database.transaction() as tx:
        park_position(tx, position_id, living.now.date(), Decimal(0), "a test", living.now)


def retry(living: Living, position_id: int) -> None:
    """Pay a parked position what it missed."""
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position_id, living.now)


def withdraw(living: Living, customer: int) -> None:
    """Take coins out, and move some between accounts."""
    out = customers.Withdraw(
        customer_id=customer, key=living.key(), asset="USDT", account="spot", amount=Decimal(7)
    )
    across = customers.TransferBetween(
        customer_id=customer,
        key=living.key(),
        asset="USDT",
        source="spot",
        destination="funding",
        amount=Decimal("0.5"),
    )
    with living.database.transaction() as tx:
        customers.withdraw(tx, [out], living.now)[0].unwrap()
        customers.transfer(tx, [across], living.now)[0].unwrap()
