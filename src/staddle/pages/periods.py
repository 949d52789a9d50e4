"""Periods as people type them: two days, both included, in a time zone."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from staddle.desk import find_desk
from staddle.errors import InvalidTime
from staddle.pages.page import Visit

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9000, 1, 1)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = timedelta(microseconds=1)


def instants_of(visit: Visit, from_on: str, to_on: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Give the instant at which a period begins and the one before which it ends; no days mean all until now.

    Raises InvalidTime, whose field is that of the wrong day.
    """
    first, last = day_of(visit, from_on, "from_on"), day_of(visit, to_on, "to_on")
    begins = find_desk(visit.tx).created_at if first is None else midnight(first, zone)
    ends = visit.now + INSTANT if last is None else midnight(last + timedelta(days=1), zone)
    if first is not None and last is not None and last < first:
        raise wrong(visit.say("The last day is before the first one."), "to_on")
    return (begins, ends) if begins <= ends else (begins, begins)


def day_of(visit: Visit, text: str, field: str) -> date | None:
    """Read a day such as 2026-01-31; None where there is none."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day < LAST_DAY:
        raise wrong(visit.say("%(day)s is not a day such as 2026-01-31.", day=text[:40]), field)
    return day


def midnight(day: date, zone: tzinfo) -> datetime:
    """Give the instant at which a day begins in a time zone."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def wrong(sentence: str, field: str) -> InvalidTime:
    """Make the refusal of a day; its sentence is in the viewer's language."""
    error = InvalidTime(sentence)
    error.field = field
    return error
