"""The oracle: the rules of product.md told once more, day by day, in dictionaries and Fractions.

It shares no code with the product and none of its shortcuts: there is no anchor, no watermark, no tier offset and no
settling before a change. A position remembers when its principal changed; what a day earned is worked out from who
held what at the instant when the day completed. It is slow, and meant to be.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import floor

DAY = timedelta(hours=24)
Tiers = list[tuple[Fraction, Fraction | None, Fraction]]


@dataclass
class Product:
    """A product as the rules need it; no `term_days` is flexible, `early` is the policy and its figures."""

    code: str
    asset: str
    scale: int
    amount_min: Fraction
    term_days: int | None = None
    quota: Fraction | None = None
    personal_cap: Fraction | None = None
    is_locked: bool = False
    pays_at_maturity: bool = False
    early: tuple[str, Fraction, int] = ("forfeit_all", Fraction(0), 0)
    at_maturity: str = "redeem"
    flexible: str | None = None
    is_closed: bool = False
    subscribe_is_halted: bool = False
    redeem_is_halted: bool = False
    rates: list[tuple[datetime, Tiers]] = field(default_factory=list)

    def tiers_at(self, instant: datetime) -> Tiers:
        """The tiers in force at an instant (rule 6)."""
        return [tiers for effective_at, tiers in self.rates if effective_at <= instant][-1]


@dataclass
class Position:
    """One subscription; `held` says from which instant on it held how much."""

    number: int
    customer: int
    product: Product
    start: datetime
    held: list[tuple[datetime, Fraction]]
    at_maturity: str
    redeem_to: str = "funding"
    days_paid: int = 0
    ended_by: str | None = None
    renewed_from: int | None = None

    @property
    def matures_at(self) -> datetime | None:
        """Start + term days x 24 hours."""
        return None if self.product.term_days is None else self.start + self.product.term_days * DAY

    @property
    def principal(self) -> Fraction:
        """What it holds now."""
        return self.held[-1][1]

    @property
    def age(self) -> tuple[datetime, int]:
        """Older positions fill the lower tiers first; among equals the one that came first."""
        return self.start, self.number

    def standing_at(self, completion: datetime) -> Fraction:
        """What it held when a day completed: a change at that very instant comes after it."""
        return (
            [amount for instant, amount in self.held if instant < completion][-1]
            if self.start < completion
            else Fraction(0)
        )

    def full_days(self, until: datetime) -> int:
        """Completed 24-hour days, none after maturity (rules 5 and 6)."""
        days = max(0, (until - self.start) // DAY)
        return days if self.product.term_days is None else min(days, self.product.term_days)


class Refusal(Exception):
    """An act is refused; the message is the error's code."""


@dataclass
class Leaving:
    """What leaving a fixed position early brings."""

    returned: Fraction
    rewards: Fraction
    forfeited: Fraction
    kept: Fraction
    paid_days: int


class Life:
    """Everything that there is, by the rules."""

    def __init__(self, distribution_time: time) -> None:
        self.distribution_time = distribution_time
        self.products: dict[str, Product] = {}
        self.customers: list[int] = []
        self.balances: dict[tuple[int, str, str], Fraction] = {}
        self.positions: dict[int, Position] = {}
        self.rewards: dict[tuple[int, date], Fraction] = {}
        self.forfeited: dict[str, Fraction] = {}
        self.guards: dict[tuple[int, str], tuple[Fraction, str]] = {}
        self.guarded: set[tuple[int, str, int]] = set()
        self.auto: dict[tuple[int, str], tuple[str, str, Fraction]] = {}
        self.auto_done: set[tuple[int, str, date]] = set()
        self.opened: dict[int, int] = {}
        self.last_run: datetime | None = None

    # Looking

    def balance(self, customer: int, asset: str, account: str) -> Fraction:
        """A balance; what was never touched is zero."""
        return self.balances.get((customer, asset, account), Fraction(0))

    def move(self, customer: int, asset: str, account: str, amount: Fraction) -> None:
        """Add to a balance, or take from it; it is never below zero (rule 1)."""
        self.balances[customer, asset, account] = self.balance(customer, asset, account) + amount
        assert self.balances[customer, asset, account] >= 0

    def holding(self, customer: int, code: str) -> list[Position]:
        """The open positions of a customer in a product, oldest first."""
        found = [p for p in self.positions.values() if (p.customer, p.product.code) == (customer, code)]
        return sorted((p for p in found if p.ended_by is None), key=lambda p: p.age)

    def held_of(self, code: str) -> Fraction:
        """What all customers hold of a product: what is used of its quota."""
        return sum((p.principal for p in self.positions.values() if p.product.code == code), Fraction(0))

    def quota_left(self, product: Product) -> Fraction | None:
        """What is left of a quota."""
        return None if product.quota is None else max(Fraction(0), product.quota - self.held_of(product.code))

    # What a position earns

    def day_interest(self, position: Position, day: int) -> Fraction:
        """Interest of one accrual day, times 365: the APR at its start, principal and tiers at its completion."""
        began = position.start + (day - 1) * DAY
        completed = position.start + day * DAY
        tiers = position.product.tiers_at(position.start if position.product.is_locked else began)
        family = [
            p
            for p in self.positions.values()
            if p.customer == position.customer and p.product is position.product
        ]
        below = sum((p.standing_at(completed) for p in family if p.age < position.age), Fraction(0))
        top = below + position.standing_at(completed)
        interest = Fraction(0)
        for low, high, apr in tiers:
            inside = min(top, top if high is None else high) - max(below, low)
            interest += max(Fraction(0), inside) * apr
        return interest

    def paid_after(self, position: Position, days: int) -> Fraction:
        """Floor of the undivided sum over 365, at the asset's scale (rule 3)."""
        total = sum((self.day_interest(position, day) for day in range(1, days + 1)), Fraction(0))
        units = 10**position.product.scale
        return Fraction(floor(total / 365 * units), units)

    def run_on(self, instant: datetime) -> date:
        """The date of the first distribution at or after an instant."""
        late = instant.time() > self.distribution_time
        return instant.date() + timedelta(days=1 if late else 0)

    def last_distribution(self, instant: datetime) -> datetime:
        """The last distribution at or before an instant."""
        same_day = datetime.combine(instant.date(), self.distribution_time, instant.tzinfo)
        return same_day if same_day <= instant else same_day - DAY

    def pay(self, position: Position, until: datetime) -> Fraction:
        """Pay the completed days of a position that were not paid yet."""
        account = "accrued" if position.product.pays_at_maturity else "funding"
        paid = Fraction(0)
        for day in range(position.days_paid + 1, position.full_days(until) + 1):
            reward = self.paid_after(position, day) - self.paid_after(position, day - 1)
            if reward > 0:
                self.rewards[position.number, self.run_on(position.start + day * DAY)] = reward
                self.move(position.customer, position.product.asset, account, reward)
                paid += reward
            position.days_paid = day
        return paid

    def pay_younger(self, position: Position, until: datetime) -> None:
        """Before a position leaves its holding, those that will sink in the tiers are paid (rule 7)."""
        for other in self.holding(position.customer, position.product.code):
            if other.age > position.age:
                self.pay(other, until)

    # Acts

    def subscribe(
        self,
        customer: int,
        code: str,
        amount: Fraction,
        source: str,
        now: datetime,
        at_maturity: str | None = None,
    ) -> Position:
        """Rules 13 and 14."""
        product = self.products[code]
        if product.is_closed:
            raise Refusal("product_closed")
        if product.subscribe_is_halted:
            raise Refusal("subscribing_halted")
        if amount * 10**product.scale % 1 != 0:
            raise Refusal("too_many_decimals")
        if amount < product.amount_min:
            raise Refusal("below_minimum")
        holding = sum((p.principal for p in self.holding(customer, code)), Fraction(0))
        if product.personal_cap is not None and holding + amount > product.personal_cap:
            raise Refusal("personal_cap_reached")
        left = self.quota_left(product)
        if left is not None and amount > left:
            raise Refusal("quota_full")
        if amount > self.balance(customer, product.asset, source):
            raise Refusal("insufficient_funds")
        self.move(customer, product.asset, source, -amount)
        self.move(customer, product.asset, "earn", amount)
        return self.open(customer, product, amount, now, at_maturity or product.at_maturity)

    def open(
        self, customer: int, product: Product, amount: Fraction, start: datetime, at_maturity: str
    ) -> Position:
        """Open a position; numbers count up within a cell, which is the last byte of the customer's number."""
        cell = customer % 256
        self.opened[cell] = self.opened.get(cell, 0) + 1
        number = self.opened[cell] * 256 + cell
        self.positions[number] = Position(number, customer, product, start, [(start, amount)], at_maturity)
        return self.positions[number]

    def redeem(
        self, customer: int, code: str, amount: Fraction | None, destination: str, now: datetime
    ) -> tuple[Fraction, Fraction]:
        """Rule 22: newest first; gives principal and rewards."""
        product = self.products[code]
        self.mature([customer], now)
        if product.term_days is not None:
            raise Refusal("quote_required")
        if product.redeem_is_halted:
            raise Refusal("redeeming_halted")
        holding = self.holding(customer, code)
        total = sum((p.principal for p in holding), Fraction(0))
        if total == 0:
            raise Refusal("nothing_to_redeem")
        if amount is not None and amount <= 0:
            raise Refusal("invalid_amount")
        wanted = total if amount is None else amount
        if wanted > total:
            raise Refusal("more_than_held")
        if 0 < total - wanted < product.amount_min:
            raise Refusal("remainder_below_minimum")
        rest, rewards = wanted, Fraction(0)
        for position in reversed(holding):
            part = min(rest, position.principal)
            if part > 0:
                rewards += self.pay(position, now)
                self.give_back(position, part, destination, now, "redemption")
                rest -= part
        return wanted, rewards

    def give_back(
        self, position: Position, amount: Fraction, account: str, at: datetime, ended_by: str
    ) -> None:
        """Principal goes back from Earn."""
        position.held.append((at, position.principal - amount))
        if position.principal == 0:
            position.ended_by = ended_by
        self.move(position.customer, position.product.asset, "earn", -amount)
        self.move(position.customer, position.product.asset, account, amount)

    def leaving(self, position: Position, now: datetime) -> Leaving:
        """Rules 24 and 25: what leaving now would bring. Days that a punctual run has paid count as paid."""
        product = position.product
        policy, figure, days_min = product.early
        through = now if policy == "reduced_apr" else self.last_distribution(now)
        days = max(position.days_paid, position.full_days(through))
        rewards = self.paid_after(position, days)
        units = 10**product.scale
        kept = Fraction(0)
        if policy == "keep_fraction":
            kept = Fraction(floor(rewards * figure * units), units)
        if policy == "reduced_apr" and position.full_days(now) >= days_min:
            lower = position.principal * figure * position.full_days(now) / 365
            kept = min(rewards, Fraction(floor(lower * units), units))
        forfeited = rewards - kept
        if not product.pays_at_maturity:
            forfeited = min(forfeited, position.principal)
        returned = position.principal - (0 if product.pays_at_maturity else forfeited)
        return Leaving(returned, rewards, forfeited, rewards - forfeited, days)

    def check_leaving(self, customer: int, number: int) -> Position:
        """What may not be left early."""
        position = self.positions.get(number)
        if position is None or position.customer != customer:
            raise Refusal("position_not_found")
        if position.product.term_days is None:
            raise Refusal("not_a_fixed_position")
        if position.ended_by is not None:
            raise Refusal("position_ended" if position.ended_by == "early_redemption" else "position_matured")
        if position.product.early[0] == "not_allowed":
            raise Refusal("early_redemption_not_allowed")
        if position.product.redeem_is_halted:
            raise Refusal("redeeming_halted")
        return position

    def leave(self, position: Position, now: datetime) -> Leaving:
        """Carry an early redemption out."""
        product = position.product
        leaving = self.leaving(position, now)
        self.pay(position, position.start + leaving.paid_days * DAY)
        self.pay_younger(position, now)
        position.held.append((now, Fraction(0)))
        position.ended_by = "early_redemption"
        self.forfeited[product.asset] = self.forfeited.get(product.asset, Fraction(0)) + leaving.forfeited
        principal = position.held[-2][1]
        self.move(position.customer, product.asset, "earn", -principal)
        self.move(position.customer, product.asset, position.redeem_to, leaving.returned)
        if product.pays_at_maturity:
            self.move(position.customer, product.asset, "accrued", -leaving.rewards)
            self.move(position.customer, product.asset, "funding", leaving.kept)
        return leaving

    def mature(self, customers: list[int] | None, now: datetime) -> int:
        """Rule 23: cell by cell, in rounds of one position of each customer, as of each one's own maturity."""
        count = 0
        everybody = self.customers if customers is None else customers
        for cell in sorted({customer % 256 for customer in everybody}):
            here = sorted(customer for customer in everybody if customer % 256 == cell)
            while due := [
                p for p in (self.next_matured(customer, now) for customer in here) if p is not None
            ]:
                for position in due:
                    self.end(position)
                count += len(due)
        return count

    def next_matured(self, customer: int, now: datetime) -> Position | None:
        """The first position of a customer that has matured and stands open."""
        due = [
            (p.matures_at, p.number)
            for p in self.positions.values()
            if p.customer == customer
            and p.ended_by is None
            and p.matures_at is not None
            and p.matures_at <= now
        ]
        return self.positions[min(due)[1]] if due else None

    def end(self, position: Position) -> None:
        """End one position at its maturity: redeem, renew, or to flexible; where that cannot take it, redeem."""
        at = position.matures_at
        assert at is not None
        product, principal = position.product, position.principal
        self.pay(position, at)
        self.pay_younger(position, at)
        if product.pays_at_maturity:
            earned = self.paid_after(position, position.days_paid)
            self.move(position.customer, product.asset, "accrued", -earned)
            self.move(position.customer, product.asset, "funding", earned)
        target = {"renew": product, "to_flexible": self.products.get(product.flexible or "")}.get(
            position.at_maturity
        )
        position.held.append((at, Fraction(0)))
        position.ended_by = "maturity"
        if target is None or not self.can_take(position.customer, target, principal, at):
            self.move(position.customer, product.asset, "earn", -principal)
            self.move(position.customer, product.asset, position.redeem_to, principal)
            return
        position.ended_by = "renewal" if target is product else "to_flexible"
        choice = position.at_maturity if target is product else target.at_maturity
        renewed = self.open(position.customer, target, principal, at, choice)
        renewed.redeem_to, renewed.renewed_from = position.redeem_to, position.number

    def can_take(self, customer: int, target: Product, amount: Fraction, at: datetime) -> bool:
        """Whether a product can take over matured principal."""
        guard = self.guards.get((customer, target.code))
        if target.is_closed or target.subscribe_is_halted:
            return False
        if guard is not None and max(apr for _, _, apr in target.tiers_at(at)) < guard[0]:
            return False
        holding = sum((p.principal for p in self.holding(customer, target.code)), Fraction(0))
        if target.personal_cap is not None and holding + amount > target.personal_cap:
            return False
        left = self.quota_left(target)
        return amount >= target.amount_min and (left is None or amount <= left)

    def run(self, distributed_at: datetime) -> None:
        """Rules 17 to 21: end what has matured, then pay every completed day."""
        self.mature(None, distributed_at)
        for position in self.positions.values():
            if position.ended_by is None:
                self.pay(position, distributed_at)
        self.last_run = distributed_at

    def auto_subscribe(self, run_on: date, now: datetime) -> int:
        """Rule 16: idle balance above the floor, as much as the product's limits let in, once for each run."""
        asked = []
        for (customer, asset), (code, source, rest) in sorted(self.auto.items()):
            product = self.products[code]
            guard = self.guards.get((customer, code))
            idle = self.balance(customer, asset, source) - rest
            is_stopped = guard is not None and max(apr for _, _, apr in product.tiers_at(now)) < guard[0]
            if is_stopped or product.is_closed or (customer, asset, run_on) in self.auto_done:
                continue
            limits = [idle, self.quota_left(product)]
            if product.personal_cap is not None:
                limits.append(
                    product.personal_cap
                    - sum((p.principal for p in self.holding(customer, code)), Fraction(0))
                )
            amount = min(limit for limit in limits if limit is not None)
            if amount >= product.amount_min:
                asked.append((customer, asset, code, source, amount))
        done = 0
        for customer, asset, code, source, amount in asked:
            self.auto_done.add((customer, asset, run_on))
            try:
                self.subscribe(customer, code, amount, source, now)
                done += 1
            except Refusal:
                continue
        return done

    def apply_guards(self, now: datetime) -> int:
        """Rule 16: redeem where a floating rate was revised below the customer's lowest; once for each revision."""
        done = 0
        due = []
        for (customer, code), (lowest, action) in sorted(self.guards.items()):
            product = self.products[code]
            revision = len([1 for effective_at, _ in product.rates if effective_at <= now])
            is_below = max(apr for _, _, apr in product.tiers_at(now)) < lowest
            if (
                action == "redeem"
                and is_below
                and not product.redeem_is_halted
                and self.holding(customer, code)
            ):
                due.append((customer, code, revision))
        for customer, _, _ in due:
            self.mature([customer], now)
        for customer, code, revision in due:
            if (customer, code, revision) not in self.guarded:
                self.guarded.add((customer, code, revision))
                self.redeem(customer, code, None, "funding", now)
                done += 1
        return done
