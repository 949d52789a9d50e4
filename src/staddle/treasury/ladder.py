"""The liquidity ladder: what falls due on each of the next days, beside what could be asked for at any time."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec

from staddle.db import Tx, queries
from staddle.errors import InvalidChoice
from staddle.ledger import HOUSE, AccountKind, Asset, account_of, all_assets, find_asset, house_balances
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit
from staddle.treasury.by_day import Life, lives, sum_up
from staddle.treasury.foresee import Maturities, maturities
from staddle.treasury.outlook import DAYS_MAX, Group, read_outlook
from staddle.treasury.what_if import cut

sql = queries(__package__)


class LadderDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day, in UTC; what is overdue falls due today."""

    on: date
    principal: Decimal
    """What matures."""
    principal_leaving: Decimal
    """Of it, what leaves staking unless its customers choose otherwise."""
    rewards_daily: Decimal
    """What the distribution pays out, foreseen at the rates announced; cut so that the sum over the days is exact."""
    rewards_at_maturity: Decimal
    """Rewards that were accrued until maturity and are paid with it (rule 18)."""
    leaving_in_all: Decimal
    """All of this from today through this day: principal that leaves, and rewards."""


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset will be asked for, and what could be asked for at once."""

    asset: str
    custody: Decimal
    """What custody holds, by the books: all that is owed to customers, and the pool."""
    on_demand: Decimal
    """What customers could take at any time: all they have but principal of fixed terms. Rewards accrued until
    maturity are counted in.
    """
    flexible: Decimal
    """Of it, flexible principal."""
    fixed: Decimal
    """Principal of fixed terms."""
    coverage_fraction: Decimal | None
    """Custody over what could be taken at any time and what falls due within these days; None if that is nothing."""
    days: list[LadderDay]


def ladder(tx: Tx, now: datetime, asset_code: str | None = None, days: int = DAYS_MAX) -> list[Ladder]:
    """Work the ladder out, today included, for one asset or all that have any. Raises AssetNotFound, InvalidChoice."""
    if not 1 <= days <= DAYS_MAX:
        raise InvalidChoice(f"The ladder has 1 to {DAYS_MAX} days.")
    assets = all_assets(tx)
    wanted = list(assets.values()) if asset_code is None else [find_asset(tx, asset_code)]
    due: dict[str, dict[date, Maturities]] = defaultdict(dict)
    for each in maturities(tx, now, days, asset_code):
        due[each.asset][each.due_on] = each
    only = None if asset_code is None else wanted[0].asset_id
    paid = rewards_by_day(tx, now, only, days)
    held = {row.asset_id: row for row in tx.execute(sql.principal_held).fetchall()}
    balances = house_balances(tx)
    found = []
    today = now.astimezone(UTC).date()
    for asset in wanted:
        custody, owed = owed_of(asset, balances)
        row = held.get(asset.asset_id)
        fixed, flexible = (row.fixed, row.flexible) if row else (ZERO, ZERO)
        rungs = rungs_of(asset, today, days, due[asset.code], paid.get(asset.asset_id, []))
        on_demand = EXACT.subtract(owed, fixed)
        in_all = EXACT.add(on_demand, rungs[-1].leaving_in_all)
        if custody or owed:
            found.append(
                Ladder(
                    asset=asset.code,
                    custody=custody,
                    on_demand=on_demand,
                    flexible=flexible,
                    fixed=fixed,
                    coverage_fraction=floor_to_unit(max(custody, ZERO), in_all, 4) if in_all > 0 else None,
                    days=rungs,
                )
            )
    return sorted(found, key=lambda each: each.asset)


def rewards_by_day(tx: Tx, now: datetime, asset_id: int | None, days: int) -> dict[int, list[Decimal]]:
    """Foresee what distributions pay out on each day, by asset, undivided by 365; what accrues is left out."""
    outlook = read_outlook(tx, now, asset_id, days)

    def kind_of(_: Life, stage: Group) -> str:
        early = outlook.early.get((stage.product_id, stage.version))
        is_daily = early is not None and early.payout == "daily"
        return str(outlook.products[stage.product_id].asset_id) if is_daily else "accrues"

    sums = sum_up(outlook, lives(outlook, days), days, kind_of)
    return {int(kind): each.bases for kind, each in sums.items() if kind != "accrues"}


def owed_of(asset: Asset, balances: dict[int, Decimal]) -> tuple[Decimal, Decimal]:
    """Give what custody holds, and what of it is owed to customers: the house's accounts add up to minus that."""
    house = {kind: balances.get(account_of(HOUSE, asset, kind), ZERO) for kind in AccountKind if kind >= 8}
    custody = EXACT.subtract(ZERO, house[AccountKind.CUSTODY])
    return custody, EXACT.subtract(ZERO, sum(house.values(), ZERO))


def rungs_of(
    asset: Asset, today: date, days: int, due: dict[date, Maturities], paid: list[Decimal]
) -> list[LadderDay]:
    """Put the days of an asset together."""
    rungs: list[LadderDay] = []
    in_all, basis, cut_so_far = ZERO, Fraction(0), ZERO
    for index in range(days):
        on = today + timedelta(days=index)
        matures = due.get(on)
        basis += Fraction(paid[index]) if paid else 0
        rewards = EXACT.subtract(cut(basis / DAYS_IN_YEAR, asset.scale), cut_so_far)
        cut_so_far = EXACT.add(cut_so_far, rewards)
        leaving = ZERO if matures is None else matures.principal_redeemed
        accrued = ZERO if matures is None else matures.rewards
        in_all = EXACT.add(in_all, EXACT.add(EXACT.add(leaving, accrued), rewards))
        rungs.append(
            LadderDay(
                on=on,
                principal=ZERO if matures is None else matures.principal,
                principal_leaving=leaving,
                rewards_daily=rewards,
                rewards_at_maturity=accrued,
                leaving_in_all=in_all,
            )
        )
    return rungs
