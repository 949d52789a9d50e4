"""What a run owes, or will owe, by product: worked out without writing anything (product.md rule 20)."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.days import distribution_at, last_run_on
from staddle.db import Tx
from staddle.desk import find_desk
from staddle.errors import RunNotFound
from staddle.products import find_product, list_products
from staddle.products.offer import STATES
from staddle.rewards.plan import foresee
from staddle.rewards.report import report_of


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one product owes."""

    asset: str
    product: str
    rewards: int
    amount: Decimal


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run owes; of one that is finished, what it owed."""

    run_on: date
    distributed_at: datetime
    lines: list[PlannedLine]


def dry_run(tx: Tx, run_on: date | None, now: datetime) -> DryRun:
    """Work out what a run owes, by default the last one that is due. Raises RunNotFound before the desk's first."""
    desk = find_desk(tx)
    day = last_run_on(now, desk.distribution_time) if run_on is None else run_on
    cutoff = distribution_at(day, desk.distribution_time)
    if cutoff <= desk.created_at:
        raise RunNotFound(f"There is no reward run of {day}: the desk is younger.")
    return DryRun(run_on=day, distributed_at=cutoff, lines=lines_of(tx, day, cutoff, now))


def lines_of(tx: Tx, run_on: date, cutoff: datetime, now: datetime) -> list[PlannedLine]:
    """Give the lines of a run: those of its plan once it is finished, else what it would owe now."""
    done = report_of(tx, run_on)
    if done is not None and done.state == "finished":
        return [
            PlannedLine(
                asset=line.asset,
                product=line.product,
                rewards=line.rewards_planned,
                amount=line.amount_planned,
            )
            for line in done.lines
        ]
    offers = {find_product(tx, each.code).product_id: each for each in list_products(tx, now, STATES)}
    owed = foresee(tx, run_on, cutoff)
    return [
        PlannedLine(asset=offers[each].asset, product=offers[each].code, rewards=count, amount=amount)
        for each, (count, amount) in owed.items()
    ]
