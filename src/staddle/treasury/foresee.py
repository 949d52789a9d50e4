"""Looking ahead: how long the reward pool lasts, and what falls due on which day (product.md rule 31)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.errors import InvalidChoice
from staddle.ledger import HOUSE, AccountKind, Asset, account_of, all_assets, house_balances
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit
from staddle.treasury.standing import add_up, rates_in_force, standings

sql = queries(__package__)
DAYS_MAX = 3_650


class Runway(msgspec.Struct, frozen=True, kw_only=True):
    """The reward pool of an asset. `funded` is what treasury has put in, `cost` what rewards have cost so far, `left`
    the difference; `day_basis` / 365 is exactly what a day costs at the rates in force, `cost_per_day` the same cut
    at the asset's decimals.
    """

    asset: str
    funded: Decimal
    cost: Decimal
    left: Decimal
    forfeited_income: Decimal
    """Income from forfeitures that was not moved to the pool; it is no part of `left`."""
    day_basis: Decimal
    cost_per_day: Decimal
    days_left: int | None
    """Whole days that the pool pays for; None while nothing is earned."""
    is_alarm: bool
    """Fewer days than the desk's `runway_days_min`."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a product's open positions hold, and what a day of them costs, undivided by 365."""

    positions: int
    principal: Decimal
    day_basis: Decimal


class Maturities(msgspec.Struct, frozen=True, kw_only=True):
    """What falls due on a day in UTC, in one asset; what is overdue falls due today.

    `principal_redeemed` is the part of `principal` that leaves staking unless its customers choose otherwise;
    `rewards` are those accrued until maturity (rule 18), at the rates announced.
    """

    due_on: date
    asset: str
    position_count: int
    principal: Decimal
    principal_redeemed: Decimal
    rewards: Decimal


def runway(tx: Tx, now: datetime, costs: Mapping[str, Cost] | None = None) -> list[Runway]:
    """Say of every asset with a pool or with open positions how long its reward pool lasts.

    `costs` is what was counted before, where that is near enough; else it is counted now.
    """
    balances = house_balances(tx)
    day_bases = day_bases_of(tx, count_costs(tx, now) if costs is None else costs)
    days_min = find_desk(tx).runway_days_min
    found = [
        runway_of(asset, balances, day_bases.get(asset.asset_id, ZERO), days_min)
        for asset in all_assets(tx).values()
    ]
    in_use = [each for each in found if each.funded or each.cost or each.day_basis or each.forfeited_income]
    return sorted(in_use, key=lambda each: each.asset)


def day_bases_of(tx: Tx, costs: Mapping[str, Cost]) -> dict[int, Decimal]:
    """Add up by asset what a day of its products costs, undivided by 365."""
    assets = {row.code: row.asset_id for row in tx.execute(sql.products_of_assets).fetchall()}
    day_bases: dict[int, Decimal] = {}
    for code, cost in costs.items():
        day_bases[assets[code]] = EXACT.add(day_bases.get(assets[code], ZERO), cost.day_basis)
    return day_bases


def count_costs(tx: Tx, now: datetime) -> dict[str, Cost]:
    """Count what a day costs by product, at the rates in force; reads every open position once."""
    codes = {row.product_id: row.code for row in tx.execute(sql.products_of_assets).fetchall()}
    rates = rates_in_force(tx, now)
    costs: dict[str, Cost] = {}
    for each in standings(tx, now, now):
        code = codes[each.product_id]
        before = costs.get(code, Cost(0, ZERO, ZERO))
        costs[code] = Cost(
            before.positions + each.positions,
            EXACT.add(before.principal, each.principal),
            EXACT.add(before.day_basis, add_up([each], rates)),
        )
    return costs


def runway_of(asset: Asset, balances: dict[int, Decimal], day_basis: Decimal, days_min: int) -> Runway:
    """Hold an asset's pool against what a day costs. A pool that is overdrawn lasts no day."""
    funded, expense, income = (
        EXACT.quantize(balances.get(account_of(HOUSE, asset, kind), ZERO), asset.unit)
        for kind in (AccountKind.REWARD_POOL, AccountKind.REWARD_EXPENSE, AccountKind.FORFEITED_REWARDS)
    )
    left = EXACT.add(funded, expense)
    days_left = days_paid_for(left, day_basis)
    return Runway(
        asset=asset.code,
        funded=funded,
        cost=EXACT.subtract(ZERO, expense),
        left=left,
        forfeited_income=income,
        day_basis=day_basis,
        cost_per_day=floor_to_unit(day_basis, DAYS_IN_YEAR, asset.scale),
        days_left=days_left,
        is_alarm=days_left is not None and days_left < days_min,
    )


def days_paid_for(left: Decimal, day_basis: Decimal) -> int | None:
    """Give the whole days that a pool pays for; None while nothing is earned."""
    if day_basis <= 0:
        return None
    return int(EXACT.divide_int(EXACT.multiply(max(left, ZERO), Decimal(DAYS_IN_YEAR)), day_basis))


def maturities(tx: Tx, now: datetime, days: int = 30, asset: str | None = None) -> list[Maturities]:
    """Say what falls due on each of the next `days` days, today included, of one asset or by asset. Raises
    InvalidChoice.
    """
    if not 1 <= days <= DAYS_MAX:
        raise InvalidChoice(f"Maturities are foreseen for 1 to {DAYS_MAX} days.")
    today = datetime.combine(now.astimezone(UTC).date(), time(0), UTC)
    tx.execute(sql.expect_a_few_sums)
    named = {"now": now, "until": today + timedelta(days=days), "asset": asset}
    rows = tx.execute(sql.maturities, named).fetchall()
    return [Maturities(**row._asdict()) for row in rows]
