"""What positions will earn and hold on each of the next days, as sums: pure arithmetic upon an outlook."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from staddle.days import DAY, run_on_of
from staddle.money import EXACT, ZERO
from staddle.treasury.outlook import Group, Outlook, day_basis, successor


class Sums(NamedTuple):
    """Of each day from today on: `bases` is what its distribution pays, undivided by 365 (today's has what is overdue
    too), `principals` what stands at its end.
    """

    bases: list[Decimal]
    principals: list[Decimal]


class Life(NamedTuple):
    """A group and what becomes of it, one after the other, within the days asked about."""

    stages: tuple[Group, ...]


def lives(outlook: Outlook, days: int) -> list[Life]:
    """Follow every group through its maturities (rule 23)."""
    last = outlook.today + timedelta(days=days)
    found = []
    for group in outlook.groups:
        stages = [group]
        while stages[-1].last_on is not None and stages[-1].last_on < last:
            following = successor(outlook, stages[-1])
            if following is None:
                break
            stages.append(following)
        found.append(Life(tuple(stages)))
    return found


def sum_up(
    outlook: Outlook, found: list[Life], days: int, kind_of: Callable[[Life, Group], str]
) -> dict[str, Sums]:
    """Add up by day and by what `kind_of` calls each stage of a life."""
    steps: dict[str, Sums] = {}
    for life in found:
        opened = 0
        for stage in life.stages:
            kind = kind_of(life, stage)
            sums = steps.setdefault(kind, Sums([ZERO] * (days + 1), [ZERO] * (days + 1)))
            closed = index_of(outlook, stage.matures_on, days)
            if closed > opened:
                add_between(sums.principals, opened, closed, stage.principal)
            opened = closed
            for first_on, last_on, basis in stretches(outlook, stage, days):
                add_distributions(outlook, sums.bases, first_on, last_on, basis, days)
    return {kind: Sums(summed(sums.bases), summed(sums.principals)) for kind, sums in steps.items()}


def stretches(outlook: Outlook, group: Group, days: int) -> Iterator[tuple[date, date, Decimal]]:
    """Give the distributions that pay a group, first and last, and what each pays: as long as its rate is the same."""
    end = outlook.today + timedelta(days=days - 1)
    last_on = end if group.last_on is None else min(end, group.last_on)
    starts = [group.first_on]
    if not group.locked_revision:
        ruling = (
            first_ruled(outlook, each.effective_at, group) for each in outlook.rates.get(group.product_id, ())
        )
        starts += sorted({on for on in ruling if group.first_on < on <= last_on})
    for index, start in enumerate(starts):
        stop = starts[index + 1] - timedelta(days=1) if index + 1 < len(starts) else last_on
        if stop >= start:
            yield start, stop, day_basis(group, outlook.tiers_of(group, start))


def first_ruled(outlook: Outlook, effective_at: datetime, group: Group) -> date:
    """Give the first distribution that pays a day which began under a rate (rule 6)."""
    return run_on_of(effective_at + 2 * DAY - group.phase, outlook.distribution_time)


def index_of(outlook: Outlook, on: date | None, days: int) -> int:
    """Give the row of a date: what lies before today counts today, what comes later than all rows behind them."""
    return days if on is None else min(days, max(0, (on - outlook.today).days))


def add_distributions(
    outlook: Outlook, bases: list[Decimal], first_on: date, last_on: date, basis: Decimal, days: int
) -> None:
    """Add what a stretch of distributions pays; those that are overdue are all paid today."""
    overdue = (min(last_on, outlook.today - timedelta(days=1)) - first_on).days + 1
    if overdue > 0:
        add_between(bases, 0, 1, EXACT.multiply(basis, Decimal(overdue)))
    first, last = index_of(outlook, first_on, days), (last_on - outlook.today).days + 1
    if last > first:
        add_between(bases, first, min(last, days), basis)


def add_between(steps: list[Decimal], first: int, end: int, amount: Decimal) -> None:
    """Note that an amount is there from one row on, and no more from another."""
    steps[first] = EXACT.add(steps[first], amount)
    steps[end] = EXACT.subtract(steps[end], amount)


def summed(steps: list[Decimal]) -> list[Decimal]:
    """Turn what comes and goes into what is there, row by row."""
    found, there = [], ZERO
    for step in steps[:-1]:
        there = EXACT.add(there, step)
        found.append(there)
    return found
