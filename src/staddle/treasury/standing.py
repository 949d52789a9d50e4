"""What all open positions hold, added up by where they stand in the tiers: what a day costs, at any rates, exactly.

A day's basis (see accrual/rules.py) of x coins that fill the tiers from the bottom is a straight line within a band,
and a position earns what reaches up to its top less what lies below it. So the sum over any number of positions needs
only how many tops and bottoms lie in each band, and their sums: a few rows, from one pass over the positions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.money import EXACT, ZERO
from staddle.products import Tier

sql = queries(__package__)
Tiers = Sequence[Tier]


@dataclass(frozen=True, slots=True)
class Standing:
    """Open positions of one product that stand alike: their tops lie in the band from `top_from` on, what they stand
    upon ends in the band from `offset_from` on. `locked_revision` 0 follows the product's rate.
    """

    product_id: int
    locked_revision: int
    is_touched: bool
    """Whether they are still open at the instant that was asked about."""
    top_from: Decimal
    offset_from: Decimal
    positions: int
    holders: int
    """Of them, those that are the oldest of a holding."""
    principal: Decimal
    offset: Decimal


def standings(
    tx: Tx, now: datetime, at: datetime, tiers: Iterable[Tier] = (), asset_id: int | None = None
) -> list[Standing]:
    """Add up the open positions of an asset, or of all, by product, locked revision and band.

    Bands are cut at the bounds of every rate there is, and of `tiers`. A position that reached its maturity by `now`
    earns nothing more and is left out; `at` decides what is touched.
    """
    bounds = {row.bound for row in tx.execute(sql.tier_bounds).fetchall()}
    cut = sorted({ZERO, *bounds, *(tier.amount_from for tier in tiers)})
    tx.execute(sql.expect_a_few_sums)
    named = {"now": now, "at": at, "bounds": cut, "asset_id": asset_id}
    return [
        Standing(
            product_id=row.product_id,
            locked_revision=row.locked_revision,
            is_touched=row.is_touched,
            top_from=cut[row.top_band - 1],
            offset_from=cut[row.offset_band - 1],
            positions=row.positions,
            holders=row.holders,
            principal=row.principal,
            offset=row.offset,
        )
        for row in tx.execute(sql.standings, named).fetchall()
    ]


def line_at(tiers: Tiers, bound: Decimal) -> tuple[Decimal, Decimal]:
    """Give (APR, base) of the band that `bound` lies in: x coins there earn x * APR + base in a day, undivided."""
    base = apr_below = ZERO
    apr = ZERO
    for tier in tiers:
        if tier.amount_from > bound:
            break
        step = EXACT.subtract(apr_below, tier.apr)
        base = EXACT.add(base, EXACT.multiply(step, tier.amount_from))
        apr = apr_below = tier.apr
    return apr, base


def day_basis_of(standing: Standing, tiers: Tiers) -> Decimal:
    """Give what these positions earn in a day at these tiers, undivided by 365; without tiers nothing."""
    top_apr, top_base = line_at(tiers, standing.top_from)
    low_apr, low_base = line_at(tiers, standing.offset_from)
    top = EXACT.add(standing.principal, standing.offset)
    earned = EXACT.subtract(EXACT.multiply(top, top_apr), EXACT.multiply(standing.offset, low_apr))
    bases = EXACT.multiply(Decimal(standing.positions), EXACT.subtract(top_base, low_base))
    return EXACT.add(earned, bases)


def rates_in_force(tx: Tx, at: datetime) -> dict[tuple[int, int], Tiers]:
    """Read the tiers of every schedule at an instant, by product and locked revision; 0 is the product's own rate."""
    found: dict[tuple[int, int], list[Tier]] = {}
    for row in tx.execute(sql.rates_in_force, {"at": at}).fetchall():
        tier = Tier(row.amount_from, row.amount_to, row.apr)
        found.setdefault((row.product_id, row.locked_revision), []).append(tier)
    return dict(found)


def add_up(standing: Iterable[Standing], rates: Mapping[tuple[int, int], Tiers]) -> Decimal:
    """Give what positions earn in a day at these rates, undivided by 365."""
    return sum(
        (day_basis_of(each, rates.get((each.product_id, each.locked_revision), ())) for each in standing),
        ZERO,
    )
