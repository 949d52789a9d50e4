"""Moving a sandbox's clock, alone or living through all that falls due on the way."""

from collections.abc import Callable
from datetime import datetime, timedelta

from staddle.days import format_instant, parse_instant
from staddle.db import Database, Tx
from staddle.desk import find_desk, set_clock
from staddle.desk.clock import LAST_INSTANT
from staddle.desk.log import log_if_person
from staddle.errors import InvalidTime, NotASandbox
from staddle.ledger.once import write_once
from staddle.rewards.report import RunReport
from staddle.rewards.run import Progress
from staddle.rewards.tick import tick_through


def instant_after(tx: Tx, by: str, length: timedelta, key: str) -> datetime:
    """Give the instant that a sandbox's clock is to come to; the key keeps it, so that a repeat moves no further.

    Raises NotASandbox, InvalidTime or RequestKeyReused.
    """
    now = find_desk(tx).clock_at
    if now is None:
        raise NotASandbox
    if length > LAST_INSTANT - now:
        raise InvalidTime("This is beyond the end of the calendar.")
    asked = {"seconds": length // timedelta(seconds=1)}
    meant = {"to": format_instant(now + length)}
    outcome = write_once(tx, by, "advance_clock", asked, key, now, lambda: meant)
    return parse_instant(outcome.unwrap()["to"])


def move_clock(
    database: Database,
    by: str,
    to: datetime,
    *,
    is_lived: bool,
    tell: Callable[[Progress], None] = lambda _: None,
) -> list[RunReport]:
    """Move a sandbox's clock to an instant; where it `is_lived`, do at each distribution on the way what is due.

    Gives the runs; it stops at one that waits for a second person. Raises NotASandbox or InvalidTime.
    """
    with database.transaction() as tx:
        now = find_desk(tx).clock_at
        if now is not None and to > now:
            details = {"to": format_instant(to), "is_lived": is_lived}
            log_if_person(tx, by, "move_clock", "desk", details, now)
    if is_lived:
        return [report for ticked in tick_through(database, by, to, tell) for report in ticked.runs]
    with database.transaction() as tx:
        set_clock(tx, to)
    return []
