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
from staddle.rewards import instant_after, move_clock

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
        to = instant_after(tx, edge.operator or SCHEDULER, length, edge.key)
    return _move(edge, to, is_lived)


@works(app.clock, "set", "by")
def set_to(
    edge: Edge, to: Annotated[str, typer.Argument(metavar="INSTANT", help="Such as 2026-01-31T15:30:00Z.")],
    is_lived: WithRuns = False,
) -> Shown:  # fmt: skip
    """Move a sandbox's clock forward to an instant."""
    return _move(edge, parse_instant(to), is_lived)


def _move(edge: Edge, to: datetime, is_lived: bool) -> Shown:
    with progress_bar(edge) as tell:
        reports = move_clock(edge.database, edge.operator or SCHEDULER, to, is_lived=is_lived, tell=tell)
    now = edge.now()
    told = f"It is {instant(format_instant(now))}; {count_of(len(reports), 'run')}."
    return Shown({"now_at": now, "runs": len(reports)}, lambda _: said(told), held_error(reports))
