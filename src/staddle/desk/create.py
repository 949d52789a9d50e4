"""Setting the desk up, once, and reading it."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from staddle.days import distribution_at
from staddle.db import Tx, queries
from staddle.errors import AlreadyExists, DeskNotFound, InvalidChoice, InvalidName, InvalidTime

sql = queries(__package__)

RUN_CHANGE_MAX = Decimal("0.5")
RUNWAY_DAYS_MIN = 30


@dataclass(frozen=True, slots=True)
class Desk:
    """The settings of this database. `clock_at` is the sandbox's own clock, None in production."""

    name: str
    is_sandbox: bool
    clock_at: datetime | None
    distribution_time: time
    run_change_max: Decimal
    """A run whose total differs from the last by more than this fraction is held (rule 20)."""
    runway_days_min: int
    """The reward pool should last this many days (rule 31)."""
    created_at: datetime
    redemptions_times_max: Decimal
    """More redemptions in 24 hours than so many times the average of the 30 days before are unusual."""
    redemptions_share_max: Decimal
    """More redemptions in 24 hours than this fraction of what is staked are unusual."""


def create_desk(
    tx: Tx,
    name: str,
    is_sandbox: bool,
    distribution_time: time,
    now: datetime,
    run_change_max: Decimal = RUN_CHANGE_MAX,
    runway_days_min: int = RUNWAY_DAYS_MIN,
) -> Desk:
    """Set up the desk and the books of every cell; a sandbox's clock starts at `now`.

    A database is a sandbox or in production once and for all. Creating the same desk again gives the one
    that is there; with another name, kind or distribution time it is AlreadyExists.
    """
    check_name(name)
    check_limits(run_change_max, runway_days_min)
    if distribution_time.tzinfo is not None:
        raise InvalidTime("The distribution time is a time of day in UTC, written without a zone.")
    wanted = {
        "name": name,
        "is_sandbox": is_sandbox,
        "clock_at": now if is_sandbox else None,
        "distribution_time": distribution_time,
        "run_change_max": run_change_max,
        "runway_days_min": runway_days_min,
        "now": now,
    }
    if tx.execute(sql.create_desk, wanted).fetchone() is not None:
        tx.execute(sql.create_cells, {"watermark_at": last_distribution_at(now, distribution_time)})
        return find_desk(tx)
    desk = find_desk(tx)
    if (desk.name, desk.is_sandbox, desk.distribution_time) != (name, is_sandbox, distribution_time):
        kind = "sandbox" if desk.is_sandbox else "production"
        raise AlreadyExists(f"This database already holds the {kind} desk {desk.name!r}.")
    return desk


def find_desk(tx: Tx) -> Desk:
    """Read the desk; raises DeskNotFound in a database without one."""
    row = tx.execute(sql.find_desk).fetchone()
    if row is None:
        raise DeskNotFound
    return Desk(*row)


def last_distribution_at(now: datetime, distribution_time: time) -> datetime:
    """Give the last distribution instant at or before `now`."""
    today = distribution_at(now.astimezone(UTC).date(), distribution_time)
    return today if today <= now else today - timedelta(days=1)


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown on one line."""
    if not 1 <= len(name) <= 80 or not name.isprintable() or name != name.strip():
        raise InvalidName("The name of a desk has 1 to 80 printable characters.")


def check_redemption_limits(times_max: Decimal, share_max: Decimal) -> None:
    """Refuse limits that no day's redemptions could be held against."""
    if not times_max.is_finite() or not 1 < times_max <= 1_000_000:
        raise InvalidChoice(
            "Unusual is so many times the average of redemptions: a number above 1, such as 5.",
            field="redemptions_times_max",
        )
    if not share_max.is_finite() or not 0 < share_max <= 1:
        raise InvalidChoice(
            "Unusual is a fraction of what is staked: above 0 and at most 1, such as 0.1.",
            field="redemptions_share_max",
        )


def check_limits(run_change_max: Decimal, runway_days_min: int) -> None:
    """Refuse limits that no run could be held against."""
    if not run_change_max.is_finite() or not 0 < run_change_max <= 1_000_000:
        raise InvalidChoice("The greatest change from run to run is a fraction above 0, such as 0.5.")
    if not 0 <= runway_days_min <= 36_500:
        raise InvalidChoice("The shortest runway is a number of days, 0 or more.")
