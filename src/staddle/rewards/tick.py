"""Everything that is due now, in its order: maturities, runs, rate guards, auto-subscribe, seals, closings.

The scheduler of a service and `staddle tick` call it; doing it again at the same instant does nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from staddle.days import distribution_at, last_run_on
from staddle.db import Database
from staddle.desk import find_desk, now_of, set_clock
from staddle.ledger import CELL_COUNT
from staddle.positions import apply_rate_guards, auto_subscribe
from staddle.rewards.closing import close_all
from staddle.rewards.mature_all import mature_all
from staddle.rewards.report import RunReport, report_of
from staddle.rewards.run import Progress, catch_up
from staddle.rewards.seal import seal_all

CELLS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was due and has been done. Where `runs` ends with one that is held or paused, nothing is auto-subscribed."""

    matured: int
    runs: list[RunReport]
    guards_applied: int
    auto_subscribed: int
    seals: int
    closings: int


def tick(
    database: Database,
    started_by: str,
    now: datetime,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Ticked:
    """Do all that is due at `now` (rules 16, 21 and 23); a run outside its limits stops there and waits."""
    runs = catch_up(database, started_by, now, tell)
    closed = close_all(database, now)
    matured = mature_all(database, now)
    with database.transaction() as tx:
        last_on = last_run_on(now, find_desk(tx).distribution_time)
        last = report_of(tx, last_on)
    guarded, subscribed = 0, 0
    if last is not None and last.state == "finished":
        guarded, subscribed = do_for_customers(database, last_on, now)
    return Ticked(matured, runs, guarded, subscribed, seal_all(database, now), closed)


def do_for_customers(database: Database, run_on: date, now: datetime) -> tuple[int, int]:
    """Apply rate guards, then auto-subscribe, some cells in each transaction; gives how many of each were done."""
    guarded, subscribed = 0, 0
    for start in range(0, CELL_COUNT, CELLS_AT_ONCE):
        cells = range(start, start + CELLS_AT_ONCE)
        with database.transaction() as tx:
            outcomes = apply_rate_guards(tx, cells, now)
            guarded += sum(outcome.error is None and not outcome.is_replay for outcome in outcomes)
        with database.transaction() as tx:
            opened = auto_subscribe(tx, cells, run_on, now)
            subscribed += sum(outcome.error is None and not outcome.is_replay for outcome in opened)
    return guarded, subscribed


def tick_through(
    database: Database, started_by: str, to: datetime, tell: Callable[[Progress], None] = lambda _: None
) -> list[Ticked]:
    """Move a sandbox's clock to an instant, doing at each distribution time on the way what is due, and at the end.

    Stops where a run waits for a second person or is paused. Raises NotASandbox.
    """
    with database.transaction() as tx:
        at = find_desk(tx).distribution_time
        now = set_clock(tx, now_of(tx, to))
    instants = []
    instant = distribution_at(last_run_on(now, at) + timedelta(days=1), at)
    while instant < to:
        instants.append(instant)
        instant += timedelta(days=1)
    ticks: list[Ticked] = []
    for instant in [*instants, to]:
        with database.transaction() as tx:
            set_clock(tx, instant)
        ticks.append(tick(database, started_by, instant, tell))
        if ticks[-1].runs and ticks[-1].runs[-1].state != "finished":
            break
    return ticks
