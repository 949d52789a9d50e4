"""What a run owes, or will owe, by product and asset, against the run before, without writing (product.md rule 20)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.days import distribution_at, last_run_on
from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.errors import RunNotFound
from staddle.money import EXACT, ZERO, floor_to_unit
from staddle.products import find_product, list_products
from staddle.products.offer import STATES
from staddle.rewards.limits import RunLimit, limits_of
from staddle.rewards.plan import foresee
from staddle.rewards.report import RunReport, report_of

sql = queries(__package__)


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one product owes, or all products of an asset, against the last run that was finished before.

    `rewards` counts the positions that are owed something: each is owed for one day in a run. `change` is exact,
    `change_percent` is of `amount_before`, cut to two decimals; None where nothing was owed before.
    """

    asset: str
    product: str | None
    rewards: int
    amount: Decimal
    amount_before: Decimal
    change: Decimal
    change_percent: Decimal | None


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run owes; of one that is finished, what it owed and the limits as it was held against them."""

    run_on: date
    distributed_at: datetime
    before_run_on: date | None
    """The run that it is held against; None before the first."""
    lines: list[PlannedLine]
    totals: list[PlannedLine]
    limits: list[RunLimit]


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What one product owes, by itself."""

    asset: str
    product: str
    rewards: int
    amount: Decimal


def dry_run(tx: Tx, run_on: date | None, now: datetime) -> DryRun:
    """Work out what a run owes, by default the last one that is due. Raises RunNotFound before the desk's first."""
    desk = find_desk(tx)
    day = last_run_on(now, desk.distribution_time) if run_on is None else run_on
    cutoff = distribution_at(day, desk.distribution_time)
    if cutoff <= desk.created_at:
        raise RunNotFound(f"There is no reward run of {day}: the desk is younger.")
    done = report_of(tx, day)
    if done is not None and done.state == "finished":
        return kept_plan(tx, done)
    foreseen = foresee(tx, day, cutoff)
    offers = {find_product(tx, each.code).product_id: each for each in list_products(tx, now, STATES)}
    owed = [
        Owed(asset=offers[each].asset, product=offers[each].code, rewards=count, amount=amount)
        for each, (count, amount) in foreseen.items()
    ]
    return against_before(tx, day, cutoff, owed, limits_of(tx, day, foreseen))


def kept_plan(tx: Tx, report: RunReport) -> DryRun:
    """Give the plan that a run was made with, as it was kept: nothing is worked out."""
    owed = [
        Owed(asset=each.asset, product=each.product, rewards=each.rewards_planned, amount=each.amount_planned)
        for each in report.lines
    ]
    return against_before(tx, report.run_on, report.distributed_at, owed, report.limits)


def against_before(
    tx: Tx, run_on: date, cutoff: datetime, owed: Sequence[Owed], limits: list[RunLimit]
) -> DryRun:
    """Hold what a run owes against the last finished one before it; products that owe nothing any more are told too."""
    rows = tx.execute(sql.last_plan, {"run_on": run_on}).fetchall()
    before = {(row.asset, row.product): row.amount for row in rows}
    now = {(each.asset, each.product): each for each in owed}
    lines = []
    for asset, product in sorted({*before, *now}):
        each = now.get((asset, product))
        count, amount = (0, ZERO) if each is None else (each.rewards, each.amount)
        lines.append(line(asset, product, count, amount, before.get((asset, product), ZERO)))
    return DryRun(
        run_on=run_on,
        distributed_at=cutoff,
        before_run_on=rows[0].run_on if rows else None,
        lines=lines,
        totals=totals_of(lines),
        limits=limits,
    )


def totals_of(lines: Sequence[PlannedLine]) -> list[PlannedLine]:
    """Add lines up by asset."""
    totals = []
    for asset in sorted({each.asset for each in lines}):
        of_asset = [each for each in lines if each.asset == asset]
        amount = sum((each.amount for each in of_asset), ZERO)
        before = sum((each.amount_before for each in of_asset), ZERO)
        totals.append(line(asset, None, sum(each.rewards for each in of_asset), amount, before))
    return totals


def line(asset: str, product: str | None, rewards: int, amount: Decimal, before: Decimal) -> PlannedLine:
    """Say what is owed and by how much it differs from before."""
    return PlannedLine(
        asset=asset,
        product=product,
        rewards=rewards,
        amount=amount,
        amount_before=before,
        change=EXACT.subtract(amount, before),
        change_percent=percent_of(amount, before),
    )


def percent_of(amount: Decimal, before: Decimal) -> Decimal | None:
    """Say by how many percent an amount differs from the one before, cut (not rounded) to two decimals."""
    if before == 0:
        return None
    change = EXACT.subtract(amount, before)
    size = floor_to_unit(EXACT.multiply(abs(change), Decimal(100)), before, 2)
    return EXACT.minus(size) if change < 0 and size != 0 else size
