"""Looking back: what rewards cost, what forfeitures brought, and how the pool was moved, day by day (rule 31)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.ledger import all_assets, find_asset, pool_left
from staddle.money import EXACT, ZERO

sql = queries(__package__)
DAYS_MAX = 3_650


class PoolDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day, in UTC, of an asset's reward pool.

    `rewards` are those of the distribution of this date, whenever the run was done; what acts have settled for the
    next distribution counts today. `left` = what was left the day before + funded + income_used - withdrawn - rewards,
    and today it is what the books say.
    """

    on: date
    asset: str
    rewards: Decimal
    forfeited: Decimal
    """Income from early redemptions; it is no part of the pool until it is used."""
    funded: Decimal
    withdrawn: Decimal
    income_used: Decimal
    """Income from forfeitures that was put into the pool."""
    left: Decimal
    """What the pool holds at the end of the day."""


Figures = dict[str, Decimal]


def pool_history(
    tx: Tx, asset_code: str, now: datetime, limit: int = 90, before: date | None = None
) -> list[PoolDay]:
    """Read the days of a pool, newest first: `limit` of them, those before a date where one is given.

    It reads run totals and the desk's own transfers, never rewards one by one. Raises AssetNotFound.
    """
    asset = find_asset(tx, asset_code)
    today = now.astimezone(UTC).date()
    first = find_desk(tx).created_at.astimezone(UTC).date()
    if before is not None and before <= first:
        return []
    newest = today if before is None else min(today, before - timedelta(days=1))
    oldest = max(first, newest - timedelta(days=min(limit, DAYS_MAX) - 1))
    moved = moved_by_day(tx, oldest, today).get(asset.asset_id, {})
    left = EXACT.quantize(pool_left(tx).get(asset.asset_id, ZERO), asset.unit)
    return [
        PoolDay(on=on, asset=asset.code, left=held, **{"rewards": ZERO, **_NOTHING, **figures})
        for on, figures, held in walk_back(moved, left, today, oldest)
        if on <= newest
    ]


def pool_days(tx: Tx, now: datetime, days: int) -> dict[str, list[PoolDay]]:
    """Read the last days of every pool, newest first, by asset: those in which anything has happened, all of them."""
    today = now.astimezone(UTC).date()
    first = find_desk(tx).created_at.astimezone(UTC).date()
    oldest = max(first, today - timedelta(days=days - 1))
    moved, left = moved_by_day(tx, oldest, today), pool_left(tx)
    return {
        asset.code: [
            PoolDay(on=on, asset=asset.code, left=held, **{"rewards": ZERO, **_NOTHING, **figures})
            for on, figures, held in walk_back(
                moved.get(asset.asset_id, {}), left.get(asset.asset_id, ZERO), today, oldest
            )
        ]
        for asset in all_assets(tx).values()
        if asset.asset_id in moved or left.get(asset.asset_id, ZERO)
    }


_NOTHING = dict.fromkeys(("forfeited", "funded", "withdrawn", "income_used"), ZERO)


def walk_back(
    moved: dict[date, Figures], left: Decimal, today: date, oldest: date
) -> Iterator[tuple[date, Figures, Decimal]]:
    """Go back from what the pool holds today, a day at a time, to what it held at the end of each."""
    on = today
    while on >= oldest:
        figures = moved.get(on, {})
        yield on, figures, left
        came = EXACT.add(figures.get("funded", ZERO), figures.get("income_used", ZERO))
        went = EXACT.add(figures.get("withdrawn", ZERO), figures.get("rewards", ZERO))
        left = EXACT.add(EXACT.subtract(left, came), went)
        on -= timedelta(days=1)


def moved_by_day(tx: Tx, oldest: date, today: date) -> dict[int, dict[date, Figures]]:
    """Read all that moved the pools, or the income, by asset and day."""
    found: dict[int, dict[date, Figures]] = {}

    def on(row: Any) -> Figures:
        return found.setdefault(row.asset_id, {}).setdefault(row.on, {})

    named = {
        "from_on": oldest,
        "from_at": datetime.combine(oldest, time(0), UTC),
        "today": today,
    }
    for row in tx.execute(sql.expense_by_day, named).fetchall():
        on(row)["rewards"] = row.amount
    for row in tx.execute(sql.moves_by_day, named).fetchall():
        on(row).update(funded=row.funded, withdrawn=row.withdrawn, income_used=row.income_used)
    for row in tx.execute(sql.forfeitures_by_day, named).fetchall():
        on(row)["forfeited"] = row.amount
    return found
