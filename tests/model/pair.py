"""A desk and its oracle, side by side: every act is done on both, and both must say and hold the same.

`marks` counts which boundaries were met, so that a test can prove that it was there.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeVar, cast

from tests.living import Living, assert_books_hold, halt
from tests.model.life import DAY, Life, Position, Product, Refusal

from staddle import customers, ledger, positions, products
from staddle.db import Database
from staddle.errors import StaddleError
from staddle.ledger import AccountKind

START = datetime(2026, 3, 1, 9, 17, 43, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCOUNTS = {
    AccountKind.SPOT: "spot",
    AccountKind.FUNDING: "funding",
    AccountKind.EARN: "earn",
    AccountKind.ACCRUED: "accrued",
}
MARKS = {
    "matured at the very second",
    "one second before its maturity nothing ends",
    "left a second before 24 hours",
    "left at 24 hours to the second",
    "a holding that ends on a tier's edge",
    "the last unit of a quota",
    "one unit more than the quota",
    "all redeemed",
    "paid rewards above the principal",
    "a revision inside a day",
    "catch-up over several days",
    "two runs at once",
    "renewed, noticed late",
    "moved to flexible",
    "the target cannot take it",
    "a quote overtaken by a payout",
    "a rate guard redeemed",
    "auto-subscribed",
    "a partial redemption over two positions",
    "rewards paid at maturity",
}
Answer = TypeVar("Answer")
Said = TypeVar("Said")


Account = Literal["spot", "funding"]


def the_one(outcomes: list[ledger.Outcome[Answer]]) -> Answer:
    """Give the answer of a list of one, or raise its refusal."""
    return outcomes[0].unwrap()


def tiers(*bands: tuple[str, str | None, str]) -> list[tuple[str, str | None, str]]:
    """Name bands as the desk takes them."""
    return list(bands)


THREE = tiers(("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))
SHELF: list[dict[str, Any]] = [
    {"code": "FLEX", "asset": "USDT", "bands": THREE, "quota": "20000", "personal_cap": "9000"},
    {
        "code": "FIX1",
        "asset": "USDT",
        "bands": tiers(("0", "1000", "0.2"), ("1000", None, "0.07")),
        "term_days": 1,
        "quota": "3000",
        "at_maturity": "renew",
        "flexible_product": "FLEX",
    },
    {
        "code": "FIX3",
        "asset": "USDT",
        "bands": THREE,
        "term_days": 3,
        "at_maturity": "to_flexible",
        "flexible_product": "FLEX",
        "rate_policy": "floating",
        "early_redemption": "keep_fraction",
        "kept_fraction": "0.3",
    },
    {"code": "YFLEX", "asset": "YEN", "bands": tiers(("0", "100", "3.65"), ("100", None, "0.365"))},
    {"code": "YFIX5", "asset": "YEN", "bands": tiers(("0", None, "100")), "term_days": 5},
    {
        "code": "YMAT2",
        "asset": "YEN",
        "bands": tiers(("0", "50", "7.5"), ("50", None, "1.1")),
        "term_days": 2,
        "payout": "at_maturity",
        "early_redemption": "reduced_apr",
        "reduced_apr": "0.5",
        "reduced_apr_days_min": 1,
        "at_maturity": "redeem",
        "flexible_product": "YFLEX",
    },
    {
        "code": "YNOT2",
        "asset": "YEN",
        "bands": tiers(("0", None, "1")),
        "term_days": 2,
        "early_redemption": "not_allowed",
    },
]


class Pair:
    """The desk `living` and the oracle `life`, with three customers in three cells."""

    def __init__(self, database: Database, distribution_time: time = time(0)) -> None:
        self.marks: Counter[str] = Counter()
        self.living = Living(database, START, distribution_time)
        self.life = Life(distribution_time)
        self.life.last_run = self.life.last_distribution(START)
        self.quotes: list[tuple[int, int, datetime, tuple[Any, ...]]] = []
        for terms in SHELF:
            self.put_on_sale(dict(terms))
        for reference in ("anna", "bert", "cleo"):
            self.life.customers.append(self.living.customer(reference))

    @property
    def now(self) -> datetime:
        """The one clock."""
        return self.living.now

    def put_on_sale(self, terms: dict[str, Any]) -> None:
        """The same product for both."""
        bands = terms.pop("bands")
        self.living.product(bands=bands, amount_min="1", **terms)
        policy = terms.get("early_redemption", "forfeit_all")
        figure = Fraction(terms.get("kept_fraction") or terms.get("reduced_apr") or 0)
        is_fixed = "term_days" in terms
        product = Product(
            code=terms["code"],
            asset=terms["asset"],
            scale=self.living.assets[terms["asset"]].scale,
            amount_min=Fraction(1),
            term_days=terms.get("term_days"),
            is_locked=terms.get("rate_policy", "locked" if is_fixed else "floating") == "locked",
            pays_at_maturity=terms.get("payout") == "at_maturity",
            early=(policy, figure, terms.get("reduced_apr_days_min", 0)),
            at_maturity=terms.get("at_maturity", "redeem"),
            flexible=terms.get("flexible_product"),
            quota=Fraction(terms["quota"]) if "quota" in terms else None,
            personal_cap=Fraction(terms["personal_cap"]) if "personal_cap" in terms else None,
        )
        product.rates.append((self.now, as_tiers(bands)))
        self.life.products[product.code] = product

    # Doing the same on both

    def both(self, act: Callable[[], Answer], oracle: Callable[[], Said]) -> tuple[Answer, Said] | None:
        """Do an act on both; None if both refuse it, by the same code."""
        try:
            answer, refusal = act(), None
        except StaddleError as error:
            refusal = error.code()
        said, objection = None, None
        try:
            said = oracle()
        except Refusal as error:
            objection = str(error)
        assert refusal == objection, f"the desk says {refusal}, the oracle {objection}"
        return None if refusal is not None else (answer, cast("Said", said))

    def mark(self, name: str, is_met: object = True) -> None:
        """Note that a boundary was met."""
        assert name in MARKS
        if is_met:
            self.marks[name] += 1

    def passes(self, length: timedelta) -> None:
        """Let time pass."""
        self.living.now += length

    def comes_to(self, instant: datetime) -> None:
        """Let the clock come to an instant, unless it is past."""
        self.living.now = max(self.now, instant)

    # Money in, out and between

    def deposit(self, customer: int, asset: str, amount: str) -> None:
        """Coins come in."""
        self.living.deposit(customer, asset, amount)
        self.life.move(customer, asset, "spot", Fraction(amount))

    def withdraw(self, customer: int, asset: str, account: Account, amount: Decimal) -> None:
        """Coins leave, if they are there."""
        command = customers.Withdraw(
            customer_id=customer,
            key=self.living.key(),
            asset=asset,
            account=account,
            amount=amount,
        )

        def act() -> object:
            with self.living.database.transaction() as tx:
                outcome = customers.withdraw(tx, [command], self.now)[0]
            return outcome.unwrap()

        self.both(act, lambda: self.take(customer, asset, account, Fraction(amount)))

    def take(self, customer: int, asset: str, account: str, amount: Fraction) -> None:
        """The oracle's side of money that leaves an account."""
        if amount > self.life.balance(customer, asset, account):
            raise Refusal("insufficient_funds")
        self.life.move(customer, asset, account, -amount)

    def transfer(
        self, customer: int, asset: str, source: Account, destination: Account, amount: Decimal
    ) -> None:
        """Coins move between the customer's own accounts."""
        command = customers.TransferBetween(
            customer_id=customer,
            key=self.living.key(),
            asset=asset,
            source=source,
            destination=destination,
            amount=amount,
        )

        def act() -> object:
            with self.living.database.transaction() as tx:
                outcome = customers.transfer(tx, [command], self.now)[0]
            return outcome.unwrap()

        if self.both(act, lambda: self.take(customer, asset, source, Fraction(amount))) is not None:
            self.life.move(customer, asset, destination, Fraction(amount))

    # Positions

    def subscribe(
        self, customer: int, code: str, amount: str, source: str = "spot", at_maturity: str | None = None
    ) -> Position | None:
        """Preview, then subscribe: both say the same, and the same as the oracle."""
        wording = {"source": source, "at_maturity": at_maturity}
        wanted, left = Fraction(amount), self.life.quota_left(self.life.products[code])
        command = self.living.subscription(customer, code, amount, **wording)
        with self.living.database.transaction() as tx:
            previewed = positions.preview(tx, [command], self.now)[0]
        done = self.both(
            lambda: the_one(self.living.subscribe_all([command])),
            lambda: self.life.subscribe(customer, code, wanted, source, self.now, at_maturity),
        )
        unit = Fraction(1, 10 ** self.life.products[code].scale)
        if done is None:
            assert previewed.error is not None
            self.mark("one unit more than the quota", left is not None and wanted == left + unit)
            return None
        answer, position = done
        preview = previewed.unwrap()
        assert [getattr(preview, name) for name in preview.__struct_fields__ if name != "position_id"] == [
            getattr(answer, name) for name in answer.__struct_fields__ if name != "position_id"
        ]
        assert answer.position_id == position.number
        assert answer.quota_left == (None if left is None else left - wanted)
        held = sum((p.principal for p in self.life.holding(customer, code)), Fraction(0))
        edges = [high for _, high, _ in position.product.tiers_at(self.now)]
        self.mark("a holding that ends on a tier's edge", held in edges)
        self.mark("the last unit of a quota", left is not None and wanted == left)
        return position

    def redeem(self, customer: int, code: str, amount: str | None, destination: str = "funding") -> None:
        """Redeem a part or all."""
        held = self.life.holding(customer, code)
        ages = [self.now - p.start for p in held if p.product.term_days is None]
        done = self.both(
            lambda: self.living.redeem(customer, code, amount, destination),
            lambda: self.life.redeem(
                customer, code, None if amount is None else Fraction(amount), destination, self.now
            ),
        )
        if done is None:
            return
        answer, (principal, rewards) = done
        assert (Fraction(answer.amount), Fraction(answer.rewards_paid)) == (principal, rewards)
        left = sum((p.principal for p in self.life.holding(customer, code)), Fraction(0))
        assert Fraction(answer.left) == left
        self.mark("all redeemed", left == 0)
        self.mark("left at 24 hours to the second", any(age % DAY == timedelta(0) for age in ages if age))
        self.mark("left a second before 24 hours", any((age + SECOND) % DAY == timedelta(0) for age in ages))
        self.mark("a partial redemption over two positions", left > 0 and len(answer.position_ids) > 1)

    def quote(self, customer: int, position: Position) -> int | None:
        """Ask for a quote; gives its number among those of this pair."""

        def oracle() -> tuple[Any, ...]:
            self.life.mature([customer], self.now)
            found = self.life.leaving(self.life.check_leaving(customer, position.number), self.now)
            return (found.returned, found.rewards, found.forfeited, found.kept)

        done = self.both(lambda: self.living.quote(customer, position.number), oracle)
        if done is None:
            return None
        quote, figures = done
        assert (
            tuple(map(Fraction, (quote.returned, quote.rewards, quote.rewards_forfeited, quote.rewards_kept)))
            == figures
        )
        taken_back = sum((Fraction(payout.taken_back) for payout in quote.payouts), Fraction(0))
        assert taken_back == figures[2]
        self.quotes.append((quote.quote_id, position.number, self.now, self.figures(position)))
        return len(self.quotes) - 1

    def figures(self, position: Position) -> tuple[Any, ...]:
        """What a customer agrees to: every payout with what is taken back, what is cancelled, and where it goes."""
        leaving = self.life.leaving(position, self.now)
        earned = self.life.paid_after(position, position.full_days(self.now))
        return (leaving.rewards, earned, leaving.returned, leaving.forfeited, position.redeem_to)

    def confirm(self, number: int) -> None:
        """Confirm a quote: carried out with its figures, or refused because it is too old or they have changed."""
        quote_id, position_number, quoted_at, agreed = self.quotes[number]
        position = self.life.positions[position_number]

        def oracle() -> Any:
            self.life.mature([position.customer], self.now)
            if self.now > quoted_at + timedelta(minutes=5):
                raise Refusal("quote_expired")
            self.life.check_leaving(position.customer, position.number)
            if self.figures(position) != agreed:
                self.mark("a quote overtaken by a payout")
                raise Refusal("quote_changed")
            return self.life.leave(position, self.now)

        done = self.both(lambda: self.living.confirm(position.customer, quote_id), oracle)
        if done is not None:
            quote, left = done
            assert (Fraction(quote.returned), Fraction(quote.rewards)) == (left.returned, left.rewards)
            principal = position.held[-2][1]
            self.mark("paid rewards above the principal", left.forfeited == principal < left.rewards)

    def choose(self, position: Position, at_maturity: str, redeem_to: str) -> None:
        """Choose what happens at maturity."""

        def oracle() -> None:
            if position.matures_at is None:
                raise Refusal("not_a_fixed_position")
            if position.ended_by is not None or position.matures_at <= self.now:
                raise Refusal("position_matured")
            if at_maturity == "to_flexible" and position.product.flexible is None:
                raise Refusal("invalid_choice")
            position.at_maturity, position.redeem_to = at_maturity, redeem_to

        self.both(
            lambda: self.living.choose(position.customer, position.number, at_maturity, redeem_to), oracle
        )

    def set_auto(self, customer: int, code: str, source: str, rest: str) -> None:
        """Switch auto-subscribe on."""
        command = positions.SetAutoSubscribe(
            customer_id=customer,
            key=self.living.key(),
            product=code,
            source=source,
            floor=Decimal(rest),
            agreement_version=self.living.agreement,
        )
        with self.living.database.transaction() as tx:
            positions.set_auto_subscribe(tx, [command], self.now)[0].unwrap()
        self.life.auto[customer, self.life.products[code].asset] = (code, source, Fraction(rest))

    def set_guard(self, customer: int, code: str, apr_min: str, action: str) -> None:
        """Set a rate guard."""
        command = positions.SetRateGuard(
            customer_id=customer, key=self.living.key(), product=code, apr_min=Decimal(apr_min), action=action
        )
        with self.living.database.transaction() as tx:
            positions.set_rate_guard(tx, [command], self.now)[0].unwrap()
        self.life.guards[customer, code] = (Fraction(apr_min), action)

    # The desk

    def revise(self, code: str, bands: list[tuple[str, str | None, str]], after: timedelta) -> None:
        """Announce a rate for later."""
        product, at = self.life.products[code], self.now + after
        if at <= product.rates[-1][0] or at == self.now:
            return
        self.living.revise(code, bands=bands, at=at)
        product.rates.append((at, as_tiers(bands)))

    def switch(self, code: str, what: str) -> None:
        """Halt or resume subscribing or redeeming."""
        product = self.life.products[code]
        with self.living.database.transaction() as tx:
            if what == "subscribing" and not product.subscribe_is_halted:
                halt(tx, code, "subscribing", "Maintenance", self.now)
            elif what == "subscribing":
                halt(tx, code, "subscribing", None, self.now)
            elif not product.redeem_is_halted:
                halt(tx, code, "redeeming", "Maintenance", self.now)
            else:
                halt(tx, code, "redeeming", None, self.now)
        if what == "subscribing":
            product.subscribe_is_halted = not product.subscribe_is_halted
        else:
            product.redeem_is_halted = not product.redeem_is_halted

    def close(self, code: str) -> None:
        """Close a product for good; nothing but subscribing stops."""
        if not self.life.products[code].is_closed:
            with self.living.database.transaction() as tx:
                products.close_product(tx, "ada", code, self.now)
            self.life.products[code].is_closed = True

    # Rewards and maturities

    def tick(self) -> None:
        """End what has matured."""
        due = [p for p in self.life.positions.values() if p.ended_by is None and p.matures_at is not None]
        self.mark("matured at the very second", any(p.matures_at == self.now for p in due))
        self.mark(
            "one second before its maturity nothing ends", any(p.matures_at == self.now + SECOND for p in due)
        )
        ended = self.living.tick()
        before = dict(self.life.positions)
        assert ended == self.life.mature(None, self.now)
        self.mark_maturities(before)

    def mark_maturities(self, before: dict[int, Position]) -> None:
        """Note how the positions ended that stood open before."""
        opened = [p for number, p in self.life.positions.items() if number not in before and p.renewed_from]
        self.mark("renewed, noticed late", any(p.product.term_days and p.start < self.now for p in opened))
        self.mark("moved to flexible", any(p.product.term_days is None for p in opened))
        for position in before.values():
            if position.ended_by == "maturity" and position.at_maturity != "redeem":
                self.mark("the target cannot take it")
            if position.ended_by == "maturity" and position.product.pays_at_maturity and position.days_paid:
                self.mark("rewards paid at maturity")

    def run_due(self, most: int = 100, at_once: int = 1) -> None:
        """Do the runs that are due, the oldest first, at most so many; each by so many threads at once."""
        assert self.life.last_run is not None
        done = 0
        while self.life.last_run + DAY <= self.now and done < most:
            distributed_at = self.life.last_run + DAY
            if at_once > 1:
                with ThreadPoolExecutor(at_once) as pool:
                    doing = [pool.submit(self.living.run, distributed_at.date()) for _ in range(at_once)]
                assert all(each.result().state == "finished" for each in doing)
                self.mark("two runs at once", any(p.ended_by is None for p in self.life.positions.values()))
            else:
                assert self.living.run(distributed_at.date()).state == "finished"
            before = dict(self.life.positions)
            self.life.run(distributed_at)
            self.mark_maturities(before)
            done += 1
        self.mark("catch-up over several days", done > 2)

    def after_run(self) -> None:
        """What the desk does for customers after a run: auto-subscribe, then rate guards."""
        assert self.life.last_run is not None
        run_on = self.life.last_run.date()
        cells = {customer % 256 for customer in self.life.customers}
        with self.living.database.transaction() as tx:
            fresh = [o for o in positions.auto_subscribe(tx, cells, run_on, self.now) if o.error is None]
        done = self.life.auto_subscribe(run_on, self.now)
        assert len([o for o in fresh if not o.is_replay]) == done
        self.mark("auto-subscribed", done)
        with self.living.database.transaction() as tx:
            redeemed = positions.apply_rate_guards(tx, cells, self.now)
        done = self.life.apply_guards(self.now)
        assert len([o for o in redeemed if o.error is None and not o.is_replay]) == done
        self.mark("a rate guard redeemed", done)

    # Comparing

    def compare(self) -> None:
        """Every balance, every position, every reward, every quota, and the house's own accounts."""
        with self.living.database.transaction() as tx:
            assets = {asset.asset_id: asset.code for asset in ledger.all_assets(tx).values()}
            held = tx.execute("SELECT account_id, amount FROM balance WHERE amount <> 0").fetchall()
            stands = tx.execute(
                "SELECT position_id, principal, ended_by, renewed_from, at_maturity FROM position"
            ).fetchall()
            paid = tx.execute("SELECT position_id, run_on, amount FROM reward").fetchall()
            quotas = tx.execute("SELECT code, used FROM quota JOIN product USING (product_id)").fetchall()
            assert_books_hold(tx)
        balances, house = {}, Counter[tuple[str, int]]()
        for account_id, amount in held:
            asset, kind = assets[ledger.asset_id_of(account_id)], ledger.kind_of(account_id)
            customer = ledger.customer_of(account_id)
            if customer:
                balances[customer, asset, ACCOUNTS[kind]] = Fraction(amount)
            else:
                house[asset, kind] += Fraction(amount)  # type: ignore[assignment]
        expected = {key: amount for key, amount in self.life.balances.items() if amount}
        assert balances == expected, difference(balances, expected)
        assert {(row[0], Fraction(row[1]), *row[2:]) for row in stands} == {
            (p.number, p.principal, p.ended_by, p.renewed_from, p.at_maturity)
            for p in self.life.positions.values()
        }
        rewards = {(row[0], row[1]): Fraction(row[2]) for row in paid}
        assert len(rewards) == len(paid)
        assert rewards == self.life.rewards, difference(rewards, self.life.rewards)
        assert {row[0]: Fraction(row[1]) for row in quotas} == {
            code: self.life.held_of(code) for code in self.life.products
        }
        for asset in self.living.assets:
            earned = sum(
                (r for (n, _), r in rewards.items() if self.life.positions[n].product.asset == asset),
                Fraction(0),
            )
            assert house[asset, AccountKind.REWARD_EXPENSE] == -earned
            assert house[asset, AccountKind.FORFEITED_REWARDS] == self.life.forfeited.get(asset, 0)
        self.mark_revisions()

    def mark_revisions(self) -> None:
        """Note paid days in the middle of which a rate was revised."""
        for position in self.life.positions.values():
            for at, _ in position.product.rates[1:]:
                inside = at - position.start
                is_paid = inside > timedelta(0) and inside // DAY < position.days_paid
                self.mark(
                    "a revision inside a day", is_paid and inside % DAY and not position.product.is_locked
                )


def difference(desk: dict[Any, Fraction], oracle: dict[Any, Fraction]) -> str:
    """Say where the two differ, and by how much."""
    keys = [key for key in {**desk, **oracle} if desk.get(key) != oracle.get(key)]
    lines = [f"{key}: desk {float(desk.get(key, 0))}, oracle {float(oracle.get(key, 0))}" for key in keys]
    return "\n".join(lines)


def as_tiers(bands: list[tuple[str, str | None, str]]) -> list[tuple[Fraction, Fraction | None, Fraction]]:
    """Read bands as the oracle takes them."""
    return [
        (Fraction(low), None if high is None else Fraction(high), Fraction(apr)) for low, high, apr in bands
    ]
