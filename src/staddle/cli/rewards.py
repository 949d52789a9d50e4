"""`staddle rewards` and `staddle tick`: the daily run and everything around it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.progress import Progress as Bar

from staddle import approvals
from staddle import rewards as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.approvals import asked, asked_view
from staddle.cli.arguments import PositionId, RunOn, parse_date
from staddle.cli.edge import At, Edge, reads, works, writes
from staddle.cli.show import amount, count_of, grid, instant, listing, said
from staddle.days import distribution_at, last_run_on
from staddle.desk import find_desk
from staddle.errors import RunOutsideLimits, RunPaused

SCHEDULER = "scheduler"
"""Who starts a run that nobody started by hand."""
RunOnOrLast = Annotated[
    str | None,
    typer.Argument(metavar="[DATE]", help="The date of the run; default the last one that is due."),
]


def run_date(edge: Edge, text: str | None) -> tuple[date, datetime, datetime]:
    """Give the date of a run, its distribution instant, and the desk's time."""
    now = edge.now()
    with edge.transaction() as tx:
        at = find_desk(tx).distribution_time
    run_on = last_run_on(now, at) if text is None else parse_date(text)
    return run_on, distribution_at(run_on, at), now


@contextmanager
def progress_bar(edge: Edge) -> Iterator[Callable[[room.Progress], None]]:
    """Show how far a run is, where somebody is looking."""
    with Bar(
        console=edge.console, disable=edge.is_json or not edge.console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("run", total=None)

        def tell(progress: room.Progress) -> None:
            words = f"run of {progress.run_on}: {progress.rewards:,} rewards"
            bar.update(task, completed=progress.pieces_paid, total=progress.pieces, description=words)

        yield tell


@reads(app.rewards, "plan")
def plan(at: At, run_on: RunOnOrLast = None) -> Shown:
    """Work out what a run owes, by product; nothing is written."""
    return Shown(room.dry_run(at.tx, None if run_on is None else parse_date(run_on), at.now), _plan_view)


def _plan_view(data: Document) -> RenderableType:
    columns = ["product", "rewards", "amount", "amount_before", "change", "change_percent"]
    limits = [f"[bold red]Outside: {each['because']}.[/]" for each in data["limits"] if not each["is_within"]]
    within = [] if limits or not data["limits"] else ["[green]Within every limit.[/]"]
    lines = listing(f"Plan of {data['run_on']}", data["lines"], columns, "Nothing is owed.")
    return Group(lines, *limits, *within)


@works(app.rewards, "run", "by")
def run(edge: Edge, run_on: RunOnOrLast = None) -> Shown:
    """Pay the rewards of one date; again, it changes nothing. Outside its limits it waits for a second person."""
    day, _, now = run_date(edge, run_on)
    with progress_bar(edge) as tell:
        report = room.run(edge.database, day, edge.operator or SCHEDULER, now, tell)
    return Shown(report, report_view, held_error([report]))


def held_error(reports: Sequence[room.RunReport]) -> RunOutsideLimits | RunPaused | None:
    """Say of runs that the last of them waits for a second person or is paused, if it does."""
    if not reports or reports[-1].state not in ("held", "paused"):
        return None
    held = reports[-1]
    if held.state == "paused":
        return RunPaused(
            f"The run of {held.run_on} was paused by {held.paused_by}: {held.paused_because}.",
            run_on=held.run_on,
        )
    return RunOutsideLimits(
        f"The run of {held.run_on} is outside its limits and waits for a second person: {held.held_because}.",
        run_on=held.run_on,
    )


@writes(app.rewards, "release")
def release(at: At, run_on: RunOn) -> Shown:
    """Ask for a run that is outside its limits to be executed; a second person approves, then run it again."""
    day = parse_date(run_on)
    answer = at.once(
        "ask_release",
        {"run_on": run_on},
        lambda: asked(at, approvals.ask_release(at.tx, at.by, day, at.now)),
    )
    return Shown(answer.data, asked_view, is_replay=answer.is_replay)


@writes(app.rewards, "pause")
def pause(
    at: At, run_on: RunOn, because: Annotated[str, typer.Option(help="Why; others will read it.")]
) -> Shown:
    """Pause a run between two of its pieces; the schedule leaves it alone until it is resumed."""
    what: dict[str, object] = {"run_on": run_on, "because": because}
    do = lambda: room.pause_run(at.tx, at.by, parse_date(run_on), because, at.now)  # noqa: E731
    answer = at.once("pause_run", what, do)
    return Shown(answer.data, _paused_view, is_replay=answer.is_replay)


def _paused_view(data: Document) -> RenderableType:
    return said(
        f"The run of {data['run_on']} is paused; {data['pieces_paid']} of {data['pieces']} pieces are paid.",
        f"Next: staddle rewards resume {data['run_on']}",
    )


@writes(app.rewards, "resume")
def resume(at: At, run_on: RunOn) -> Shown:
    """Let a paused run go on; the schedule takes it up within seconds."""
    day = parse_date(run_on)
    answer = at.once("resume_run", {"run_on": run_on}, lambda: room.resume_run(at.tx, at.by, day, at.now))
    return Shown(answer.data, _resumed_view, is_replay=answer.is_replay)


def _resumed_view(data: Document) -> RenderableType:
    return said(
        f"The run of {data['run_on']} goes on as soon as a worker looks.",
        f"Without one: staddle rewards run {data['run_on']}",
    )


@reads(app.rewards, "attempts")
def attempts(at: At, run_on: RunOn) -> Shown:
    """Show which process executed a run, from when to when, and how each attempt ended."""
    columns = ["attempt", "process", "started_by", "began_at", "ended_at", "outcome", "pieces_paid", "pieces"]
    found = room.attempts_of(at.tx, parse_date(run_on))
    return Shown(
        {"attempts": found},
        lambda data: listing("", data["attempts"], columns, "Nobody has executed it yet."),
    )


@reads(app.rewards, "reconcile")
def reconcile(at: At, run_on: RunOn) -> Shown:
    """Hold what a run planned against what it paid, what acts settled before it, and what was parked."""
    return Shown(room.reconcile(at.tx, parse_date(run_on)), _reconciled_view)


def _reconciled_view(data: Document) -> RenderableType:
    columns = ["product", "planned", "paid_by_run", "settled_by_acts", "parked", "difference"]
    sentence = "[bold green]Nothing is left over.[/]" if data["is_even"] else f"The run is {data['state']}."
    return Group(
        listing(f"Run of {data['run_on']}", data["products"], columns, "Nothing was owed."), sentence
    )


@reads(app.rewards, "report")
def report(at: At, run_on: RunOn) -> Shown:
    """Show what a run planned and paid, by product."""
    return Shown(room.find_report(at.tx, parse_date(run_on)), report_view)


def report_view(data: Document) -> RenderableType:
    """Show the report of a run."""
    sentence = f"The run of {data['run_on']} is {data['state']}"
    why = {"held": data["held_because"], "paused": f"by {data['paused_by']}: {data['paused_because']}"}
    sentence += f": {why[data['state']]}." if data["state"] in why else "."
    heads = ["Product", "Rewards owed", "Amount owed", "Paid by the run", "Amount paid"]
    rows = [
        [
            line["product"],
            f"{line['rewards_planned']:,}",
            amount(line["amount_planned"], line["asset"]),
            f"{line['rewards_paid']:,}",
            amount(line["amount_paid"], line["asset"]),
        ]
        for line in data["lines"]
    ]
    parts: list[RenderableType] = [grid("", heads, rows) if rows else "[dim]Nothing was owed.[/]"]
    if data["parked_count"]:
        parts.append(f"[bold red]{data['parked_count']} parked.[/] Next: staddle rewards parked")
    if data["state"] == "held":
        parts.append(f"Next: staddle rewards release {data['run_on']}, then staddle approvals approve")
    if data["state"] == "paused":
        parts.append(f"Next: staddle rewards resume {data['run_on']}")
    return said(sentence, *parts)


@reads(app.rewards, "list")
def runs(at: At, count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 14) -> Shown:
    """List the latest runs, newest first."""
    return Shown({"runs": room.latest_runs(at.tx, count)}, lambda data: runs_table("", data["runs"]))


def runs_table(title: str, reports: list[Document]) -> RenderableType:
    """Show runs side by side."""
    rows = [
        [
            each["run_on"],
            each["state"],
            f"{sum(line['rewards_planned'] for line in each['lines']):,}",
            f"{sum(line['rewards_paid'] for line in each['lines']):,}",
            str(each["parked_count"]),
            " + ".join(filter(None, [each["started_by"], each["released_by"]])),
            instant(each["finished_at"]),
        ]
        for each in reports
    ]
    heads = ["Run", "State", "Rewards owed", "Paid by the run", "Parked", "By", "Finished"]
    return grid(title, heads, rows) if rows else "[dim]There has been no run yet.[/]"


@works(app.rewards, "catch-up", "by")
def catch_up(edge: Edge) -> Shown:
    """Do every run that is due and not finished, in order, each at its own day's rates."""
    now = edge.now()
    with progress_bar(edge) as tell:
        reports = room.catch_up(edge.database, edge.operator or SCHEDULER, now, tell)
    return Shown({"runs": reports}, _caught_up_view, held_error(reports))


def _caught_up_view(data: Document) -> RenderableType:
    if not data["runs"]:
        return said("Nothing is due: every run is finished.")
    return Group(*[report_view(each) for each in data["runs"]])


@reads(app.rewards, "parked")
def parked(
    at: At,
    is_all: Annotated[bool, typer.Option("--all", help="Those too that have been paid since.")] = False,
) -> Shown:
    """List positions whose rewards could not be paid."""
    columns = ["position_id", "run_on", "amount", "reason", "parked_at", "retried_at"]
    found = room.parked_positions(at.tx, is_all)
    return Shown({"parked": found}, lambda data: listing("", data["parked"], columns, "Nothing is parked."))


@writes(app.rewards, "retry")
def retry(at: At, position_id: PositionId) -> Shown:
    """Pay a parked position all that it is owed, and let runs pay it again."""

    def do() -> dict[str, object]:
        settled = room.retry_parked(at.tx, at.by, position_id, at.now)
        return {"position_id": position_id, "days": settled.days, "paid": settled.paid}

    return at.once("retry_parked", {"position_id": position_id}, do)


@works(app.app, "tick", "by")
def tick(edge: Edge) -> Shown:
    """Do all that is due now: runs, maturities, rate guards, auto-subscribe, seals."""
    now = edge.now()
    with progress_bar(edge) as tell:
        ticked = room.tick(edge.database, edge.operator or SCHEDULER, now, tell)
    return Shown({"now_at": now, **_as_dict(ticked)}, _tick_view, held_error(ticked.runs))


def _as_dict(ticked: room.Ticked) -> dict[str, object]:
    return {
        name: getattr(ticked, name)
        for name in ("runs", "matured", "guards_applied", "auto_subscribed", "seals", "closings")
    }


def _tick_view(data: Document) -> RenderableType:
    parts = [
        f"{count_of(len(data['runs']), 'run')}, {count_of(data['matured'], 'maturity')} between runs, "
        f"{count_of(data['guards_applied'], 'guard')} applied, {data['auto_subscribed']} auto-subscribed, "
        f"{count_of(data['seals'], 'seal')}, {count_of(data['closings'], 'day')} closed.",
        *[report_view(each) for each in data["runs"] if each["state"] != "finished"],
    ]
    is_held = len(parts) > 1
    sentence = "was done until a run that waits" if is_held else "is done"
    return said(f"All that was due at {instant(data['now_at'])} {sentence}.", *parts)
