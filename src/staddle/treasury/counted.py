"""What days cost as the schedule last counted it, for pages: they must be there at once on a desk of any size.

To count is one pass over all open positions, half a second for a million of them. Whatever decides about money, a run's
limits or the effect of a request, counts for itself; what is kept here is only shown, with the instant it is from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from staddle.db import Tx, queries
from staddle.treasury.foresee import Cost, count_costs
from staddle.treasury.ladder import Ladder, ladder
from staddle.treasury.outlook import KeptGroups, groups_to_keep

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


class Foresight(msgspec.Struct, frozen=True):
    """What the coming days are worked out from, and the ladder of every asset, as they were on one day."""

    now: datetime
    groups: KeptGroups
    ladders: list[Ladder]


def keep_foresight(tx: Tx, now: datetime, machine_now: datetime) -> None:
    """Read and work out what pages show of the coming days, and keep it in place of what was kept before."""
    found = Foresight(now, groups_to_keep(tx, now), ladder(tx, now))
    tx.execute(sql.keep_foresight, {"body": msgspec.json.encode(found).decode(), "machine_now": machine_now})


def counted_foresight(
    tx: Tx, now: datetime, machine_now: datetime
) -> tuple[Foresight | None, datetime | None]:
    """Give what was kept of the coming days, where that is recent and of the same day, and when it was counted."""
    row = tx.execute(sql.counted_foresight, {"since": machine_now - GOOD_FOR}).fetchone()
    if row is None:
        return None, None
    found = msgspec.json.decode(row.body, type=Foresight)
    if found.now.astimezone(UTC).date() != now.astimezone(UTC).date():
        return None, None
    return found, row.counted_at


def counted_ladder(
    tx: Tx, now: datetime, machine_now: datetime, asset: str
) -> tuple[Ladder | None, datetime | None]:
    """Give the ladder of a coin as it was counted last, else as it is now; None where there is nothing of it."""
    kept, counted_at = counted_foresight(tx, now, machine_now)
    found = ladder(tx, now, asset) if kept is None else kept.ladders
    return next((each for each in found if each.asset == asset), None), counted_at
