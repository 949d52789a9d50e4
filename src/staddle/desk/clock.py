"""The desk's clock, and the limits of its runs: the settings that may change."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from staddle.days import format_instant
from staddle.db import Tx, queries
from staddle.desk.create import Desk, check_limits, check_redemption_limits, find_desk
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.errors import DeskNotFound, InvalidTime, NotASandbox
from staddle.money import plain

sql = queries(__package__)

LAST_INSTANT = datetime(9000, 1, 1, tzinfo=UTC)
"""No clock goes beyond it; terms and rates need room before the end of the calendar."""


def now_of(tx: Tx, machine_now: datetime) -> datetime:
    """Give what every act of this database takes as `now`: a sandbox's own clock, else the machine's."""
    return find_desk(tx).clock_at or machine_now


def advance_clock(tx: Tx, by: timedelta) -> datetime:
    """Move a sandbox's clock forward by a length of time; gives the new instant. Raises NotASandbox."""
    if by < timedelta(0):
        raise InvalidTime("A clock only moves forward.")
    clock_at = lock_sandbox(tx)
    if by > LAST_INSTANT - clock_at:
        raise InvalidTime("This is beyond the end of the calendar.")
    tx.execute(sql.set_clock, {"clock_at": clock_at + by})
    return clock_at + by


def set_clock(tx: Tx, to: datetime) -> datetime:
    """Move a sandbox's clock forward to an instant; gives the new instant. Raises NotASandbox."""
    clock_at = lock_sandbox(tx)
    if to < clock_at:
        raise InvalidTime(f"A clock only moves forward; it stands at {format_instant(clock_at)}.")
    return advance_clock(tx, to - clock_at)


def lock_sandbox(tx: Tx) -> datetime:
    """Hold the desk's row and give the sandbox's clock."""
    clock_at = lock_desk(tx).clock_at
    if clock_at is None:
        raise NotASandbox
    return clock_at


def lock_desk(tx: Tx) -> Desk:
    """Hold the desk's row."""
    row = tx.execute(sql.lock_desk).fetchone()
    if row is None:
        raise DeskNotFound
    return Desk(*row)


def change_limits(tx: Tx, by: str, run_change_max: Decimal, runway_days_min: int, now: datetime) -> Desk:
    """Change the limits outside which a reward run waits for a second person (rules 20 and 31)."""
    find_operator(tx, by)
    check_limits(run_change_max, runway_days_min)
    old = lock_desk(tx)
    tx.execute(sql.change_limits, {"run_change_max": run_change_max, "runway_days_min": runway_days_min})
    change = {
        "run_change_max": {"from": plain(old.run_change_max), "to": plain(run_change_max)},
        "runway_days_min": {"from": old.runway_days_min, "to": runway_days_min},
    }
    log(tx, by, "change_limits", "desk", change, now)
    return find_desk(tx)


def change_redemption_limits(
    tx: Tx, by: str, times_max: Decimal | None, share_max: Decimal | None, now: datetime
) -> Desk:
    """Change beyond what redemptions are unusual and alarmed; what is None stays. Logged where anything changes."""
    find_operator(tx, by)
    old = lock_desk(tx)
    times = old.redemptions_times_max if times_max is None else times_max
    share = old.redemptions_share_max if share_max is None else share_max
    check_redemption_limits(times, share)
    if (times, share) == (old.redemptions_times_max, old.redemptions_share_max):
        return old
    tx.execute(sql.change_redemption_limits, {"times_max": times, "share_max": share})
    change = {
        "redemptions_times_max": {"from": plain(old.redemptions_times_max), "to": plain(times)},
        "redemptions_share_max": {"from": plain(old.redemptions_share_max), "to": plain(share)},
    }
    log(tx, by, "change_redemption_limits", "desk", change, now)
    return find_desk(tx)
