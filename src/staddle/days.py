"""The one calendar: UTC instants, accrual days of exactly 24 hours, distributions (product.md rules 5 and 6)."""

import re
from datetime import UTC, date, datetime, time, timedelta

from staddle.errors import InvalidTime

DAY = timedelta(hours=24)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant or a date (midnight UTC). An instant without a zone raises InvalidTime."""
    try:
        instant = datetime.fromisoformat(text)
        if len(text) == len("2026-01-31"):
            return instant.replace(tzinfo=UTC)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidTime(f"{text[:40]!r} is not an instant such as 2026-01-31T15:30:00Z.") from None
    raise InvalidTime(f"{text!r} names no time zone; write it in UTC with a Z at the end.")


def parse_duration(text: str) -> timedelta:
    """Read a length of time such as `3d`, `36h` or `1d12h30m`."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise InvalidTime(f"{text[:40]!r} is not a length of time such as 3d, 36h or 1d12h.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise InvalidTime(f"{text[:40]!r} is longer than the calendar.") from None


def format_instant(instant: datetime) -> str:
    """Write an instant in UTC as RFC 3339, with microseconds only where there are any."""
    in_utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return in_utc.isoformat()[:-6] + "Z"


def full_days(start: datetime, until: datetime) -> int:
    """Count the full 24-hour days between two instants; 0 if `until` is not after `start` (rule 5)."""
    return max(0, (until - start) // DAY)


def days_begun_before(start: datetime, instant: datetime) -> int:
    """Count the accrual days of a position started at `start` that begin before `instant`."""
    return max(0, -((start - instant) // DAY))


def distribution_at(run_on: date, distribution_time: time) -> datetime:
    """Give the instant at which the rewards of a run date are distributed."""
    return datetime.combine(run_on, distribution_time, UTC)


def run_on_of(completed_at: datetime, distribution_time: time) -> date:
    """Give the date of the first distribution at or after an accrual day's completion."""
    completed_at = completed_at.astimezone(UTC)
    same_day = completed_at.timetz().replace(tzinfo=None) <= distribution_time
    return completed_at.date() if same_day else completed_at.date() + timedelta(days=1)


def last_run_on(now: datetime, distribution_time: time) -> date:
    """Give the date of the last distribution at or before `now`."""
    now = now.astimezone(UTC)
    today_passed = now.timetz().replace(tzinfo=None) >= distribution_time
    return now.date() if today_passed else now.date() - timedelta(days=1)
