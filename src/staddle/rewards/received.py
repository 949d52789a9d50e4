"""A customer's rewards over all of their history, and what they add up to (product.md rules 26 and 28)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle.days import DAY, distribution_at, run_on_of
from staddle.db import Tx, queries
from staddle.errors import InvalidTime
from staddle.ledger import cell_of, kind_of
from staddle.money import EXACT
from staddle.positions.facts import distribution_time

sql = queries(__package__)
FIRST_STRETCH = timedelta(days=32)
"""How far back is looked at once; twice as far each time, until there is enough."""


class RewardFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rewards are wanted; run dates are both included. None: all."""

    asset: str | None = None
    product: str | None = None
    position_id: int | None = None
    from_on: date | None = None
    to_on: date | None = None

    def about(self) -> dict[str, object]:
        """Give what names the positions, as statements take it."""
        return {"asset": self.asset, "product": self.product, "position_id": self.position_id}


class RewardReceived(msgspec.Struct, frozen=True, kw_only=True):
    """What one position earned for one accrual day. `forfeited` is how much of it an early redemption took back."""

    asset: str
    product: str
    position_id: int
    receipt: str
    """Names the receipt: the position's id and the run date."""
    day: int
    run_on: date
    amount: Decimal
    paid_to: str
    """funding, or accrued where rewards wait for maturity."""
    is_early: bool
    forfeited: Decimal


class RewardTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All rewards of one asset: what was earned, what early redemptions took back of it, and what remains."""

    asset: str
    rewards: Decimal
    rewards_forfeited: Decimal
    rewards_kept: Decimal


class RewardDay(msgspec.Struct, frozen=True, kw_only=True):
    """What all positions in one coin earned at one distribution: in all, taken back since, and kept."""

    run_on: date
    rewards: Decimal
    rewards_forfeited: Decimal
    rewards_kept: Decimal


def rewards_received(
    tx: Tx,
    customer_id: int,
    wanted: RewardFilter,
    before: tuple[date, int] | None,
    count: int,
    now: datetime,
) -> list[RewardReceived]:
    """Read up to `count` rewards of a customer, newest first; `before` names, by run date and position, the one to go
    on behind. Raises InvalidTime for a period that ends before it begins.
    """
    at = distribution_time(tx)
    period = period_of(tx, customer_id, wanted, at, now)
    if period is None:
        return []
    first, last = period
    named = {"cell": cell_of(customer_id), "customer_id": customer_id, **wanted.about()}
    place = {"before_run_on": before and before[0], "before_position_id": before and before[1]}
    rows: list[Any] = []
    for stretch in stretches(first, min(last, before[0]) if before else last):
        looked = {**named, **place, "first_run_on": stretch[0], "last_run_on": stretch[1]}
        rows += tx.execute(sql.rewards_of_customer, {**looked, "count": count - len(rows)}).fetchall()
        if len(rows) == count:
            break
    return [received(row, at) for row in rows]


def reward_totals(tx: Tx, customer_id: int, wanted: RewardFilter, now: datetime) -> list[RewardTotal]:
    """Add up a customer's rewards by asset, one statement for any length of history.

    The sums come from what the positions earned up to the period's ends, and not from adding up years of rewards; a
    test holds the one against the other. Raises InvalidTime.
    """
    at = distribution_time(tx)
    period = period_of(tx, customer_id, wanted, at, now)
    if period is None:
        return []
    first, last = period
    rows = tx.execute(
        sql.reward_totals,
        {
            "cell": cell_of(customer_id),
            "customer_id": customer_id,
            **wanted.about(),
            "from_at": distribution_at(first, at) - DAY,
            "through_at": distribution_at(last, at),
            "first_run_on": first,
            "last_run_on": last,
        },
    ).fetchall()
    return [
        RewardTotal(
            asset=row.asset,
            rewards=row.rewards,
            rewards_forfeited=row.forfeited,
            rewards_kept=EXACT.subtract(row.rewards, row.forfeited),
        )
        for row in rows
    ]


def reward_days(tx: Tx, customer_id: int, asset: str, from_on: date, to_on: date) -> list[RewardDay]:
    """Add a customer's rewards of one coin up by run date, both dates included; a day without rewards has no row."""
    named = {"cell": cell_of(customer_id), "customer_id": customer_id, "asset": asset}
    rows = tx.execute(sql.reward_days, {**named, "from_on": from_on, "to_on": to_on}).fetchall()
    return [
        RewardDay(
            run_on=row.run_on,
            rewards=row.rewards,
            rewards_forfeited=row.forfeited,
            rewards_kept=EXACT.subtract(row.rewards, row.forfeited),
        )
        for row in rows
    ]


def period_of(
    tx: Tx, customer_id: int, wanted: RewardFilter, at: time, now: datetime
) -> tuple[date, date] | None:
    """Give the first and the last run date that can have rewards of these positions; None where there are none."""
    if wanted.from_on is not None and wanted.to_on is not None and wanted.to_on < wanted.from_on:
        raise InvalidTime("The period ends before it begins.")
    named = {"cell": cell_of(customer_id), "customer_id": customer_id, **wanted.about()}
    row = tx.execute(sql.reward_bounds, named).fetchone()
    if row is None or row.started_at is None:
        return None
    first = max(wanted.from_on or date.min, run_on_of(row.started_at + DAY, at))
    last = min(wanted.to_on or date.max, run_on_of(now, at))
    return (first, last) if first <= last else None


def stretches(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Cut a period into stretches from its end on, each twice as long as the one before it."""
    length = FIRST_STRETCH
    while last >= first:
        begins = first if last - first < length else last - length + timedelta(days=1)
        yield begins, last
        last, length = begins - timedelta(days=1), 2 * length


def received(row: Any, at: time) -> RewardReceived:
    """Write a reward as its owner sees it."""
    first_run_on = run_on_of(row.started_at + DAY, at)
    return RewardReceived(
        asset=row.asset,
        product=row.product,
        position_id=row.position_id,
        receipt=f"{row.position_id}-{row.run_on}",
        day=(row.run_on - first_run_on).days + 1,
        run_on=row.run_on,
        amount=row.amount,
        paid_to=kind_of(row.credit_account).name.lower(),
        is_early=row.is_early,
        forfeited=row.forfeited,
    )
