"""What days cost as the schedule last counted it, for pages: they must be there at once on a desk of any size.

To count is one pass over all open positions, half a second for a million of them. Whatever decides about money, a run's
limits or the effect of a request, counts for itself; what is kept here is only shown, with the instant it is from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from staddle.db import Tx, queries
from staddle.treasury.foresee import Cost, count_costs

sql = queries(__package__)
GOOD_FOR = timedelta(minutes=15)
"""What is older is counted anew by whoever wants to see it: then nobody keeps the schedule."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the products cost, by code, and when that was counted by the machine's clock: None is just now."""

    costs: Mapping[str, Cost]
    counted_at: datetime | None


def keep_costs(tx: Tx, costs: Mapping[str, Cost], machine_now: datetime) -> None:
    """Keep what was just counted in place of what was kept before."""
    kept = {
        "codes": list(costs),
        "positions": [each.positions for each in costs.values()],
        "principals": [each.principal for each in costs.values()],
        "day_bases": [each.day_basis for each in costs.values()],
        "machine_now": machine_now,
    }
    tx.execute(sql.forget_costs)
    tx.execute(sql.keep_costs, kept)


def counted_costs(tx: Tx, now: datetime, machine_now: datetime) -> Counted:
    """Give what was counted last, where that is recent, else what is counted now; pass it to `runway`."""
    rows = tx.execute(sql.counted_costs, {"since": machine_now - GOOD_FOR}).fetchall()
    if not rows:
        return Counted(count_costs(tx, now), None)
    costs = {row.code: Cost(row.positions, row.principal, row.day_basis) for row in rows}
    return Counted(costs, rows[0].counted_at)
