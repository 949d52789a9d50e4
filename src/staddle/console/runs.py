"""Runs: the list of all, with what each paid and how long it took, and when the next one is due."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal

from staddle.console.csv_file import Cell, csv_file
from staddle.console.listing import Column, Filter, listing_of
from staddle.console.today import next_run, paid_by_asset
from staddle.money import ZERO
from staddle.pages.page import Download, View, Visit, shows
from staddle.rewards import RunReport, latest_runs, parked_page, run_spans
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor
from staddle.server.tasks import leader_seen, open_task

SEE = operator("viewer")
PAGE_LENGTH = 30
FILE_MAX = 10_000
State = Literal["held", "released", "executing", "paused", "finished"]
Sort = Literal["run", "-run"]


@shows("/console/runs", allow=SEE)
def show_runs(
    visit: Visit, state: State | None = None, sort: Sort | None = None, cursor: str | None = None
) -> View:
    """List the runs, newest first unless asked otherwise, with the next one and who does it."""
    before = read_cursor(cursor, date)
    oldest = sort == "run"
    found = latest_runs(visit.tx, PAGE_LENGTH + 1, before, state, is_oldest_first=oldest)
    shown = found[:PAGE_LENGTH]
    spans = run_spans(visit.tx, [each.run_on for each in shown])
    say = visit.say
    states = ("finished", "executing", "paused", "held", "released")
    listing = listing_of(
        "/console/runs",
        columns=[
            Column("run", say("Run of"), is_sortable=True),
            Column("state", say("State")),
            Column("owed", say("Owed"), is_figure=True),
            Column("parked", say("Put aside"), is_figure=True),
            Column("took", say("Took"), is_figure=True),
            Column("by", say("Started by")),
        ],
        filters=[
            Filter("state", say("State"), choices=[("", say("Any")), *((each, each) for each in states)])
        ],
        chosen={"state": state, "sort": sort},
        rows=[(each, paid_by_asset(each), took(visit, spans.get(each.run_on))) for each in shown],
        cursor=cursor,
        next_cursor=write_cursor(shown[-1].run_on) if len(found) > PAGE_LENGTH else None,
        export="/console/runs.csv",
    )
    values = {
        "listing": listing,
        "next_run_at": next_run(visit),
        "worker": leader_seen(visit.tx, visit.at.machine_now),
        "catching_up": open_task(visit.tx, "catch_up"),
        "has_parked": bool(parked_page(visit.tx, 1)),
    }
    return View("runs.html", values, part="list")


@shows("/console/runs.csv", allow=SEE)
def save_runs(visit: Visit, state: State | None = None, sort: Sort | None = None) -> Download:
    """Give every run as a file, a line for each product."""
    runs = latest_runs(visit.tx, FILE_MAX, None, state, is_oldest_first=sort == "run")
    columns = [
        *("run_on", "distributed_at", "state", "started_by", "released_by", "planned_at", "finished_at"),
        *("asset", "product", "rewards_planned", "amount_planned", "rewards_paid", "amount_paid"),
    ]
    return csv_file(columns, lines(runs), "runs.csv")


def lines(runs: list[RunReport]) -> Iterator[list[Cell]]:
    """Give a line for each product of each run; a run that owed nothing has one, too."""
    for each in runs:
        head: list[Cell] = [each.run_on, each.distributed_at, each.state, each.started_by]
        head += [each.released_by, each.planned_at, each.finished_at]
        for line in each.lines:
            counts = (line.rewards_planned, line.amount_planned, line.rewards_paid, line.amount_paid)
            yield [*head, line.asset, line.product, *counts]
        if not each.lines:
            yield [*head, None, None, 0, ZERO, 0, ZERO]


def took(visit: Visit, span: object) -> str:
    """Say how long a run took, from its first attempt to the end of its last, by the database's clock."""
    began, ended = getattr(span, "began_at", None), getattr(span, "ended_at", None)
    if began is None or ended is None:
        return ""
    seconds = Decimal(int((ended - began).total_seconds() * 10)) / 10
    if seconds < 120:
        return visit.say("%(n)s s", n=visit.formats.number(seconds))
    return visit.say("%(n)s min", n=visit.formats.number(int(seconds // 60)))
