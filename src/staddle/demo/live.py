"""Living through days at the demo desk: customers by day, the tick at midnight, and what can happen to a desk."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from staddle import approvals, customers, desk, positions, products, rewards
from staddle.db import Database, Tx
from staddle.demo.catalogue import OPERATORS
from staddle.demo.decide import Wishes, decide
from staddle.demo.set_up import price_coins, revise, tier
from staddle.ledger import Outcome
from staddle.money import ZERO

ALICE, BOB, CAROL = OPERATORS
SCHEDULER = "scheduler"
MOMENTS = (timedelta(hours=8), timedelta(hours=13, minutes=30), timedelta(hours=20, minutes=15, seconds=7))
"""When customers come, after midnight."""
OUTAGE = range(40, 43)
"""On these nights nothing runs; the next one catches up."""
LIMITS_DAY, REVISION_DAY, SOLD_OUT_DAY, WHALE_DAY, HALT_DAY = 12, 33, 50, 56, 70


@dataclass(slots=True)
class Lived:
    """What happened, counted: acts done, refusals by (act, code), runs, maturities."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: list[rewards.RunReport] = field(default_factory=list)
    released: list[date] = field(default_factory=list)
    caught_up: int = 0
    auto_subscribed: int = 0
    guards_applied: int = 0

    def count(self, act: str, outcomes: Sequence[Outcome[Any]]) -> None:
        """Count what became of some commands."""
        for outcome in outcomes:
            if outcome.error is None:
                self.done[act] += 1
            else:
                self.refused[act, outcome.error.code()] += 1


@dataclass(frozen=True, slots=True)
class Life:
    """The desk that is lived through: its database, its customers, chance, and what has happened."""

    database: Database
    customer_ids: list[int]
    chance: Random
    lived: Lived


def live(
    database: Database,
    references: Sequence[str],
    days: int,
    seed: int,
    tell: Callable[[int, Lived], None] = lambda _, __: None,
) -> Lived:
    """Live through some days from the desk's clock on; the same seed lives the same life."""
    with database.transaction() as tx:
        start = desk.find_desk(tx).clock_at
        found = customers.find_customers(tx, references)
    assert start is not None
    ids = [found[reference].customer_id for reference in references]
    life = Life(database, ids, Random(seed), Lived())  # noqa: S311  chance that anybody can repeat
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(days):
        if day % 10 == 0:
            keep_statistics(database)
        live_a_day(life, day, midnight + timedelta(days=day))
        midnight_after = midnight + timedelta(days=day + 1)
        set_clock(database, midnight_after)
        if day not in OUTAGE or day == days - 1:
            tick(life, midnight_after)
        tell(day + 1, life.lived)
    return life.lived


def keep_statistics(database: Database) -> None:
    """Let the server count its rows: ninety days in a minute are too fast for the autovacuum that does so elsewhere."""
    with database.owner() as owner:
        owner.execute("ANALYZE")


def set_clock(database: Database, to: datetime) -> None:
    """Move the sandbox's clock, unless it is there already."""
    with database.transaction() as tx:
        if desk.now_of(tx, to) < to:
            desk.set_clock(tx, to)


def live_a_day(life: Life, day: int, midnight: datetime) -> None:
    """Let customers come, and do what operators do on a day like this."""
    for number, after in enumerate(MOMENTS):
        now = midnight + after
        set_clock(life.database, now)
        with life.database.transaction() as tx:
            now = desk.now_of(tx, now)
        if number == 0:
            operate(life, day, midnight, now)
        some = life.chance.sample(life.customer_ids, max(1, len(life.customer_ids) // 22))
        visit(life, some, f"day {day}.{number}", now)


def visit(life: Life, some: Sequence[int], moment: str, now: datetime) -> None:
    """Let some customers act at one moment; each act takes all commands of its kind at once."""
    with life.database.transaction() as tx:
        wishes = decide(tx, life.chance, some, moment, now)
    with life.database.transaction() as tx:
        life.lived.count("subscribe", positions.subscribe(tx, wishes.subscribe, now))
    with life.database.transaction() as tx:
        life.lived.count("redeem", positions.redeem(tx, wishes.redeem, now))
    with life.database.transaction() as tx:
        life.lived.count("choose at maturity", positions.choose_at_maturity(tx, wishes.choose, now))
    with life.database.transaction() as tx:
        life.lived.count("transfer", customers.transfer(tx, wishes.transfer, now))
    with life.database.transaction() as tx:
        life.lived.count("deposit", customers.deposit(tx, wishes.deposit, now))
    with life.database.transaction() as tx:
        life.lived.count("withdraw", customers.withdraw(tx, wishes.withdraw, now))
    leave(life, wishes, moment, now)


def leave(life: Life, wishes: Wishes, moment: str, now: datetime) -> None:
    """Quote early redemptions; most are confirmed, some too late, some not at all."""
    with life.database.transaction() as tx:
        asked = positions.ask_to_leave(tx, wishes.ask_to_leave, now)
    life.lived.count("ask to leave", asked)
    for command, outcome in zip(wishes.ask_to_leave, asked, strict=True):
        if outcome.error is not None or life.chance.randrange(4) == 0:
            continue
        is_late = life.chance.randrange(8) == 0
        confirm = positions.ConfirmLeave(
            customer_id=command.customer_id, key=f"{moment} confirm", quote_id=outcome.unwrap().quote_id
        )
        at = now + timedelta(minutes=6 if is_late else 2)
        set_clock(life.database, at)
        with life.database.transaction() as tx:
            life.lived.count("leave early", positions.confirm_leave(tx, [confirm], desk.now_of(tx, at)))


def operate(life: Life, day: int, midnight: datetime, now: datetime) -> None:
    """Do what operators do: prices, limits, a rate revision, a halt; and let one customer come with very much."""
    with life.database.transaction() as tx:
        price_coins(tx, day, now)
    if day == LIMITS_DAY:
        with life.database.transaction() as tx:
            desk.change_limits(tx, CAROL, Decimal("0.5"), 30, now)
    if day == REVISION_DAY:
        usdt = [tier("0", "500", "0.09"), tier("500", None, "0.02")]
        with life.database.transaction() as tx:
            revise(tx, "USDT-FLEX", usdt, midnight + timedelta(days=3), now)
            revise(tx, "BTC-FLEX", [tier("0", None, "0.02")], midnight + timedelta(days=5), now)
    if day == SOLD_OUT_DAY:
        take_the_rest(life, "BDX-90D", now)
    if day == WHALE_DAY:
        bring_a_whale(life, now)
    if day == HALT_DAY:
        with life.database.transaction() as tx:
            halt(tx, "BDX-FLEX", "The network is being upgraded.", now)
    if day == HALT_DAY + 2:
        with life.database.transaction() as tx:
            halt(tx, "BDX-FLEX", None, now)


def halt(tx: Tx, code: str, reason: str | None, now: datetime) -> None:
    """Pause subscribing to a product with two persons, or with no reason let it go on."""
    number = approvals.ask_halt(tx, CAROL, code, "subscribing", reason, now)
    products.approve_halt(tx, BOB, number, now)


def take_the_rest(life: Life, code: str, now: datetime) -> None:
    """The last customers take what is left of a small edition, so that it is sold out."""
    for customer_id in life.customer_ids:
        with life.database.transaction() as tx:
            offer = products.show_product(tx, code, now)
            left = min(offer.quota_left or ZERO, offer.terms.personal_cap or ZERO)
            if left < offer.terms.amount_min:
                return
            bring = customers.Deposit(
                customer_id=customer_id, key="the rest", asset=offer.asset, account="spot", amount=left
            )
            life.lived.count("deposit", customers.deposit(tx, [bring], now))
        stake = positions.Subscribe(
            customer_id=customer_id, key="takes the rest", product=code, amount=left, agreement_version=1
        )
        with life.database.transaction() as tx:
            life.lived.count("subscribe", positions.subscribe(tx, [stake], now))


def bring_a_whale(life: Life, now: datetime) -> None:
    """One customer stakes so much that the next run is outside its limits and waits for a second person."""
    whale = life.customer_ids[1]
    amount = Decimal(3_500) * len(life.customer_ids)
    bring = customers.Deposit(customer_id=whale, key="whale", asset="USDT", account="spot", amount=amount)
    stake = positions.Subscribe(
        customer_id=whale, key="whale stakes", product="USDT-30D", amount=amount, agreement_version=1
    )
    with life.database.transaction() as tx:
        life.lived.count("deposit", customers.deposit(tx, [bring], now))
        life.lived.count("subscribe", positions.subscribe(tx, [stake], now))


def tick(life: Life, now: datetime) -> None:
    """Do what is due at midnight; a run that waits is looked at and released by a second person."""
    lived = life.lived
    while True:
        ticked = rewards.tick(life.database, SCHEDULER, now)
        finished = [report for report in ticked.runs if report.state == "finished"]
        lived.caught_up += max(0, len(finished) - 1)
        lived.runs += finished
        lived.auto_subscribed += ticked.auto_subscribed
        lived.guards_applied += ticked.guards_applied
        held = [report for report in ticked.runs if report.state == "held"]
        if not held:
            return
        with life.database.transaction() as tx:
            number = approvals.ask_release(tx, CAROL, held[0].run_on, now)
            rewards.approve_release(tx, BOB, number, now)
        lived.released.append(held[0].run_on)
