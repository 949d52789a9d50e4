"""Any life of a desk, act by act beside the oracle of life.py: random ones, and told ones that meet every boundary."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.living import assert_audited
from tests.model.life import DAY, Position
from tests.model.pair import MARKS, SECOND, THREE, Account, Pair, tiers

from staddle.db import Database
from staddle.rewards.seal import seal_all

LIVES = int(os.environ.get("STADDLE_TEST_LIVES", "30"))
"""How many random lives are led; more of them find more, and take longer."""

CODES = ("FLEX", "FIX1", "FIX3", "YFLEX", "YFIX5", "YMAT2", "YNOT2")
FLEXIBLE = ("FLEX", "YFLEX")
who = st.integers(0, 2)
which = st.integers(0, 99)
amounts = st.one_of(
    st.sampled_from(
        ["1", "100", "499.99999999", "500", "1000", "3000", "5000", "0.5", "0.001", "9000", "7", "62.13"]
    ),
    st.decimals("1", "4000", places=2).map(str),
    st.decimals("1", "800", places=8).map(str),
)
lengths = st.one_of(
    st.timedeltas(timedelta(microseconds=1), timedelta(hours=30)),
    st.sampled_from([SECOND, timedelta(hours=1), DAY - SECOND, DAY, 2 * DAY, 3 * DAY]),
)


def cut(amount: str, scale: int) -> str:
    """Cut a decimal's text to so many decimals."""
    whole, _, decimals = amount.partition(".")
    return f"{whole}.{decimals[:scale]}" if decimals else whole


class Lives(RuleBasedStateMachine):
    """Random acts on a desk and its oracle."""

    make_database: Callable[[], Database]
    marks: Counter[str]

    @initialize(hour=st.sampled_from([time(0), time(0), time(18, 30)]))
    def begin(self, hour: time) -> None:
        self.pair = Pair(self.make_database(), hour)
        for customer in self.pair.life.customers:
            self.pair.deposit(customer, "USDT", "12000")
            self.pair.deposit(customer, "YEN", "3000")
        anna, bert, cleo = self.pair.life.customers
        for customer, code, amount in (
            *(
                (anna, "FLEX", "300.12345678"),
                (anna, "FLEX", "411"),
                (anna, "FIX1", "1090.5"),
                (anna, "FIX3", "450"),
            ),
            *(
                (anna, "FIX3", "150.00000001"),
                (bert, "FLEX", "8000"),
                (bert, "FIX3", "600"),
                (bert, "YFIX5", "500"),
            ),
            *(
                (cleo, "YMAT2", "45.01"),
                (cleo, "YMAT2", "60"),
                (cleo, "YFLEX", "99.99"),
                (cleo, "YFLEX", "7"),
            ),
        ):
            self.pair.subscribe(customer, code, amount)
            self.pair.passes(timedelta(minutes=7))

    def customer(self, number: int) -> int:
        return self.pair.life.customers[number]

    def position(self, number: int, is_fixed: bool = True) -> Position | None:
        found = [
            p for p in self.pair.life.positions.values() if (p.product.term_days is not None) == is_fixed
        ]
        recent = [p for p in found if p.ended_by is None] * 3 + found[-3:]
        return recent[number % len(recent)] if recent else None

    @rule(
        who=who,
        code=st.sampled_from(CODES),
        amount=amounts,
        source=st.sampled_from(["spot", "spot", "funding"]),
        choice=st.sampled_from([None, None, "renew", "to_flexible"]),
    )
    def subscribe(self, who: int, code: str, amount: str, source: str, choice: str | None) -> None:
        product = self.pair.life.products[code]
        if product.term_days is None or (choice == "to_flexible" and product.flexible is None):
            choice = None
        self.pair.subscribe(self.customer(who), code, amount, source, choice)

    @rule(who=who, code=st.sampled_from(CODES), over=st.integers(0, 1))
    def subscribe_to_an_edge(self, who: int, code: str, over: int) -> None:
        """As much as brings the holding to the next tier's end, or a unit more; or the rest of the quota."""
        life, product = self.pair.life, self.pair.life.products[code]
        held = sum(p.principal for p in life.holding(self.customer(who), code))
        ends = [
            high for _, high, _ in product.tiers_at(self.pair.now) if high is not None and high > held + 1
        ]
        left = life.quota_left(product)
        goal = (ends[0] - held) if ends else (left or 0)
        amount = Decimal(int(goal * 10**product.scale) + over).scaleb(-product.scale)
        if amount > 0:
            self.pair.subscribe(self.customer(who), code, f"{amount:f}")

    @rule(
        who=who,
        code=st.sampled_from(FLEXIBLE),
        amount=st.one_of(st.none(), amounts),
        to=st.sampled_from(["spot", "funding"]),
    )
    def redeem(self, who: int, code: str, amount: str | None, to: str) -> None:
        scale = self.pair.life.products[code].scale
        if amount is not None:
            amount = cut(amount, scale)
        self.pair.redeem(self.customer(who), code, amount, to)

    @rule(who=who, code=st.sampled_from(FLEXIBLE), rest=st.sampled_from(["1", "0.5", "10"]))
    def redeem_all_but(self, who: int, code: str, rest: str) -> None:
        held = sum((p.principal for p in self.pair.life.holding(self.customer(who), code)), Fraction(0))
        scale = self.pair.life.products[code].scale
        amount = Decimal(int(held * 10**scale)).scaleb(-scale) - Decimal(rest)
        if amount > 0:
            self.pair.redeem(self.customer(who), code, f"{amount:f}")

    @rule(number=which, is_confirmed=st.booleans(), after=st.sampled_from([0, 0, 299, 300, 301]))
    def leave_early(self, number: int, is_confirmed: bool, after: int) -> None:
        position = self.position(number)
        if position is not None:
            quote = self.pair.quote(position.customer, position)
            self.pair.passes(after * SECOND)
            if quote is not None and is_confirmed:
                self.pair.confirm(quote)

    @precondition(lambda self: self.pair.quotes)
    @rule(number=which)
    def confirm_later(self, number: int) -> None:
        self.pair.confirm(-1 - number % min(3, len(self.pair.quotes)))

    @rule(
        number=which,
        choice=st.sampled_from(["redeem", "renew", "to_flexible"]),
        to=st.sampled_from(["spot", "funding"]),
    )
    def choose(self, number: int, choice: str, to: str) -> None:
        position = self.position(number)
        if position is not None:
            self.pair.choose(position, choice, to)

    @rule(
        who=who,
        asset=st.sampled_from(["USDT", "YEN"]),
        amount=st.sampled_from(["1", "500", "20000"]),
        way=st.sampled_from([("spot", "funding"), ("funding", "spot"), ("funding", None), (None, "spot")]),
    )
    def move_money(
        self, who: int, asset: str, amount: str, way: tuple[Account | None, Account | None]
    ) -> None:
        source, destination = way
        if source is None:
            self.pair.deposit(self.customer(who), asset, amount)
        elif destination is None:
            self.pair.withdraw(self.customer(who), asset, source, Decimal(amount))
        else:
            self.pair.transfer(self.customer(who), asset, source, destination, Decimal(amount))

    @rule(
        who=who,
        code=st.sampled_from(FLEXIBLE),
        auto=st.sampled_from([("spot", "0"), ("funding", "0"), ("spot", "900"), None, None]),
        guard=st.sampled_from([("0.05", "redeem"), ("1", "redeem"), ("1", "stop")]),
    )
    def ask_the_desk(self, who: int, code: str, auto: tuple[str, str] | None, guard: tuple[str, str]) -> None:
        if auto is None:
            self.pair.set_guard(self.customer(who), code, *guard)
        else:
            self.pair.set_auto(self.customer(who), code, *auto)

    @rule(
        code=st.sampled_from(CODES),
        after=lengths,
        bands=st.sampled_from(
            [
                THREE,
                tiers(("0", None, "0.04")),
                tiers(("0", "10", "0.9"), ("10", "700", "0"), ("700", None, "2")),
            ]
        ),
    )
    def revise(self, code: str, after: timedelta, bands: list[tuple[str, str | None, str]]) -> None:
        self.pair.revise(code, bands, after)

    @rule(
        code=st.sampled_from(CODES),
        what=st.sampled_from(["subscribing", "redeeming", "subscribing", "close"]),
    )
    def switch(self, code: str, what: str) -> None:
        if what == "close" and code in ("FIX1", "YFLEX"):
            self.pair.close(code)
        elif what != "close":
            self.pair.switch(code, what)

    @rule(length=lengths)
    def passes(self, length: timedelta) -> None:
        self.pair.passes(length)

    @rule(
        number=which,
        is_fixed=st.booleans(),
        off=st.sampled_from([-SECOND, timedelta(0), timedelta(0), timedelta(microseconds=1)]),
    )
    def comes_to_a_boundary(self, number: int, is_fixed: bool, off: timedelta) -> None:
        """To the end of an accrual day of a position, or to its maturity, or a second before."""
        position = self.position(number, is_fixed)
        if position is not None:
            ends = position.start + (position.full_days(self.pair.now) + 1) * DAY
            self.pair.comes_to((position.matures_at or ends if number % 2 else ends) + off)

    @rule(number=which, off=st.sampled_from([-SECOND, timedelta(0)]))
    def leave_as_a_day_ends(self, number: int, off: timedelta) -> None:
        """Redeem all that is flexible as a day of a position completes, or a second before."""
        position = self.position(number, is_fixed=False)
        if position is not None:
            self.pair.comes_to(position.start + (position.full_days(self.pair.now) + 1) * DAY + off)
            self.pair.redeem(position.customer, position.product.code, None)

    @rule(number=which, off=st.sampled_from([-SECOND, timedelta(0)]))
    def tick_as_a_term_ends(self, number: int, off: timedelta) -> None:
        """Look for what has matured at the maturity of a position, or a second before."""
        position = self.position(number)
        if position is not None and position.matures_at is not None:
            self.pair.comes_to(position.matures_at + off)
            self.pair.tick()

    @rule()
    def tick(self) -> None:
        self.pair.tick()

    @rule(most=st.sampled_from([1, 2, 100, 100]), at_once=st.sampled_from([1, 1, 2]), is_served=st.booleans())
    def run(self, most: int, at_once: int, is_served: bool) -> None:
        self.pair.run_due(most, at_once)
        if is_served:
            self.pair.after_run()

    @invariant()
    def is_as_the_oracle_says(self) -> None:
        if hasattr(self, "pair"):
            self.pair.compare()

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.run_due()
            self.pair.compare()
            assert_audited(self.pair.living.database)
            self.marks.update(self.pair.marks)
            self.pair.living.database.close()


def lead_lives(number: int) -> None:
    """Lead as many random lives as are asked for, others for each number."""
    how = settings(
        max_examples=LIVES,
        stateful_step_count=40,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Lives), settings=how)


@pytest.mark.timeout(1200)  # up to five sets of lives, on a busy machine too
def test_any_life_of_a_desk_is_as_the_rules_say(make_database: Callable[[], Database]) -> None:
    """Each of them, and together they come to most of the boundaries: more are led where the first do not."""
    Lives.make_database = staticmethod(make_database)
    Lives.marks = Counter()
    lead_lives(0)
    for number in range(1, 5):
        if len(Lives.marks) <= 12:
            lead_lives(number)
    assert len(Lives.marks) > 12, f"random lives met too few boundaries: {Lives.marks}"


def tell_of_seconds(pair: Pair, anna: int, bert: int) -> None:
    """23:59:59 against 24:00:00, the maturity second, a revision inside a day, and who can take what matured."""
    pair.revise("FLEX", tiers(("0", "300", "0.5"), ("300", None, "0.01")), timedelta(hours=30))
    for customer in (anna, bert):
        pair.subscribe(customer, "FLEX", "100.12345678")
    renewing = pair.subscribe(anna, "FIX1", "1700.55")
    moving = pair.subscribe(bert, "FIX3", "900")
    pair.subscribe(anna, "YMAT2", "49.99")
    pair.subscribe(anna, "YMAT2", "0.99")
    pair.subscribe(anna, "YMAT2", "17")
    assert renewing is not None
    assert moving is not None
    assert moving.matures_at is not None
    pair.passes(DAY - SECOND)
    pair.redeem(anna, "FLEX", None)
    pair.tick()
    pair.compare()
    pair.passes(SECOND)
    pair.redeem(bert, "FLEX", None, "spot")
    pair.tick()
    pair.compare()
    pair.passes(timedelta(hours=40))
    pair.tick()
    pair.subscribe(bert, "FLEX", "8100")
    pair.comes_to(moving.matures_at - SECOND)
    pair.tick()
    assert moving.ended_by is None
    pair.comes_to(moving.matures_at)
    pair.tick()
    assert moving.ended_by == "to_flexible"
    pair.run_due()
    pair.compare()
    stuck = pair.subscribe(bert, "FIX3", "1")
    pair.passes(5 * DAY)
    pair.run_due()
    assert stuck is not None
    assert stuck.ended_by == "maturity"


def tell_of_edges(pair: Pair, anna: int, bert: int) -> None:
    """Tier edges, the last unit of a quota, partial redemptions that take the newest first."""
    pair.subscribe(anna, "FLEX", "499.99999999")
    pair.passes(timedelta(hours=5))
    pair.subscribe(anna, "FLEX", "1.00000001")
    pair.subscribe(anna, "FLEX", "4499")
    pair.passes(timedelta(hours=50))
    pair.run_due(at_once=2)
    pair.compare()
    pair.redeem(anna, "FLEX", "4499.5")
    pair.compare()
    pair.redeem(anna, "FLEX", "4499.2")
    pair.subscribe(bert, "FIX1", "2999.00000001")
    pair.subscribe(anna, "FIX1", "1")
    pair.redeem(anna, "FLEX", "499.99999999")
    pair.subscribe(anna, "FIX1", "1.00000000")
    pair.choose(next(iter(pair.life.holding(bert, "FIX1"))), "redeem", "spot")
    pair.passes(timedelta(days=4, hours=3))
    pair.run_due()
    pair.compare()
    left = pair.life.quota_left(pair.life.products["FIX1"])
    assert left is not None
    units = int(left * 10**8)
    pair.subscribe(bert, "FIX1", f"{Decimal(units + 1).scaleb(-8):f}")
    pair.subscribe(bert, "FIX1", f"{Decimal(units).scaleb(-8):f}")
    pair.passes(timedelta(days=1))
    pair.run_due()


def tell_of_leaving(pair: Pair, anna: int, bert: int) -> None:
    """Early redemption with more paid than staked, overtaken quotes, a rate guard, auto-subscribe."""
    rich = pair.subscribe(anna, "YFIX5", "1000")
    kept = pair.subscribe(bert, "FIX3", "1234.56789")
    younger = pair.subscribe(bert, "FIX3", "2000")
    reduced = pair.subscribe(anna, "YMAT2", "500")
    assert rich is not None
    assert kept is not None
    assert younger is not None
    assert reduced is not None
    pair.passes(timedelta(hours=38, minutes=40))
    overtaken, leaving = pair.quote(bert, kept), pair.quote(anna, reduced)
    pair.passes(timedelta(minutes=4))
    pair.run_due()
    assert overtaken is not None
    assert leaving is not None
    pair.confirm(overtaken)
    pair.confirm(leaving)
    pair.compare()
    fresh = pair.quote(bert, kept)
    assert fresh is not None
    pair.passes(timedelta(minutes=5))
    pair.confirm(fresh)
    assert kept.ended_by == "early_redemption"
    pair.compare()
    again = pair.quote(bert, younger)
    assert again is not None
    pair.confirm(again)
    pair.compare()
    pair.run_due()
    pair.comes_to(rich.start + 4 * DAY + timedelta(hours=20))
    pair.run_due()
    over = pair.quote(anna, rich)
    assert over is not None
    pair.confirm(over)
    pair.compare()
    pair.set_auto(bert, "FLEX", "spot", "900")
    pair.set_guard(bert, "FLEX", "0.11", "redeem")
    pair.after_run()
    pair.compare()
    pair.revise("FLEX", tiers(("0", None, "0.1")), timedelta(hours=9))
    pair.passes(timedelta(days=2))
    pair.run_due()
    pair.after_run()


def test_told_lives_meet_every_boundary_and_are_as_the_rules_say(
    make_database: Callable[[], Database],
) -> None:
    marks: Counter[str] = Counter()
    for tell, hour in ((tell_of_seconds, time(0)), (tell_of_edges, time(18, 30)), (tell_of_leaving, time(0))):
        pair = Pair(make_database(), hour)
        for customer in pair.life.customers:
            pair.deposit(customer, "USDT", "12000")
            pair.deposit(customer, "YEN", "3000")
        anna, bert, _ = pair.life.customers
        tell(pair, anna, bert)
        pair.compare()
        pair.passes(timedelta(days=3))
        pair.run_due()
        pair.compare()
        seal_all(pair.living.database, pair.now)
        assert_audited(pair.living.database)
        marks.update(pair.marks)
        pair.living.database.close()
    assert set(marks) == MARKS, f"never met: {MARKS - set(marks)}"
