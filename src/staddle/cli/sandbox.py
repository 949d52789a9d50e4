"""`staddle clock` and `staddle demo`: a sandbox has a clock of its own."""

from datetime import datetime
from typing import Annotated

import typer

from staddle import desk
from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.edge import At, Edge, reads, works
from staddle.cli.rewards import SCHEDULER, held_error, progress_bar
from staddle.cli.show import count_of, instant, said
from staddle.days import format_instant, parse_duration, parse_instant
from staddle.desk.clock import LAST_INSTANT
from staddle.errors import InvalidTime, NotASandbox
from staddle.ledger.once import write_once
from staddle.rewards import RunReport, tick_through

WithRuns = Annotated[
    bool,
    typer.Option("--with-runs", help="Live through it: stop at each distribution time and do what is due."),
]


@reads(app.clock, "show")
def show(at: At) -> Shown:
    """Show what time it is at the desk."""
    kind = "sandbox" if desk.find_desk(at.tx).is_sandbox else "production"
    return Shown({"now_at": at.now, "kind": kind}, lambda data: said(f"{instant(data['now_at'])}, {kind}."))


@works(app.clock, "advance", "by", "key")
def advance(
    edge: Edge,
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 3d, 36h or 1d12h.")],
    is_lived: WithRuns = False,
) -> Shown:
    """Move a sandbox's clock forward."""
    length = parse_duration(duration)
    with edge.transaction() as tx:
        now = desk.find_desk(tx).clock_at
        if now is None:
            raise NotASandbox
        if length > LAST_INSTANT - now:
            raise InvalidTime("This is beyond the end of the calendar.")
        to = now + length
        # The key keeps the instant that is meant, so that a repeat moves to the same one and not further.
        by = edge.operator or SCHEDULER
        outcome = write_once(
            tx, by, "advance_clock", {"by": duration}, edge.key, now, lambda: {"to": format_instant(to)}
        )
    return _move(edge, parse_instant(outcome.unwrap()["to"]), is_lived)


@works(app.clock, "set", "by")
def set_to(
    edge: Edge, to: Annotated[str, typer.Argument(metavar="INSTANT", help="Such as 2026-01-31T15:30:00Z.")],
    is_lived: WithRuns = False,
) -> Shown:  # fmt: skip
    """Move a sandbox's clock forward to an instant."""
    return _move(edge, parse_instant(to), is_lived)


def _move(edge: Edge, to: datetime, is_lived: bool) -> Shown:
    reports: list[RunReport] = []
    if to < edge.now():
        raise InvalidTime("A clock only moves forward.")
    if is_lived:
        with progress_bar(edge) as tell:
            ticks = tick_through(edge.database, edge.operator or SCHEDULER, to, tell)
        reports = [report for each in ticks for report in each.runs]
    else:
        with edge.transaction() as tx:
            desk.set_clock(tx, to)
    now = edge.now()
    told = f"It is {instant(format_instant(now))}; {count_of(len(reports), 'run')}."
    return Shown({"now_at": now, "runs": len(reports)}, lambda _: said(told), held_error(reports))
