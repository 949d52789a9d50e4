"""The desk's clock, for everybody."""

from datetime import datetime, time

import msgspec

from staddle.api.operation import reads
from staddle.days import DAY, distribution_at, last_run_on
from staddle.desk import find_desk
from staddle.server.allow import ANYBODY
from staddle.server.at import At


class ClockShown(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is for this desk. A sandbox has a clock of its own, which stands still until it is moved."""

    now: datetime
    is_sandbox: bool
    desk: str
    distribution_time: time
    """The time of day, in UTC, at which rewards are distributed."""
    next_distribution_at: datetime


@reads("/v1/time", allow=ANYBODY, gives=ClockShown, tag="Desk")
def show_time(at: At) -> ClockShown:
    """Show the desk's clock, and when rewards are distributed next."""
    desk = find_desk(at.tx)
    last = distribution_at(last_run_on(at.now, desk.distribution_time), desk.distribution_time)
    return ClockShown(
        now=at.now,
        is_sandbox=desk.is_sandbox,
        desk=desk.name,
        distribution_time=desk.distribution_time,
        next_distribution_at=last + DAY,
    )
