"""The jobs of the schedule, a line each at the end of the file: what is done, and how often it is looked at."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import psycopg

from staddle.days import distribution_at, format_instant, last_run_on, parse_instant
from staddle.db import queries
from staddle.desk import find_desk, raise_alarm, raise_all
from staddle.errors import DatabaseUnavailable, StaddleError
from staddle.identity import forget_expired
from staddle.ledger import CELL_COUNT
from staddle.money import plain
from staddle.notices import dead_counts
from staddle.positions import apply_rate_guards, auto_subscribe
from staddle.positions.publish_rate import announce_rate
from staddle.products import rate_history
from staddle.products.revise import RateRevised
from staddle.rewards import (
    Progress,
    RunReport,
    SealProgress,
    catch_up,
    close_all,
    latest_runs,
    mature_all,
    parked_positions,
    report_of,
    seal_all,
)
from staddle.server.announce import announce
from staddle.server.asked import do_asked, do_next
from staddle.server.read_rates import read_sources_due
from staddle.server.schedule import Job, Work
from staddle.server.tasks import RUNS, put
from staddle.server.watch import Outbox, watch_redemptions
from staddle.server.weigh import forget_weights
from staddle.treasury import count_costs, keep_costs, keep_foresight, runway

sql = queries(__package__)
SCHEDULER = "scheduler"
"""Who starts a run that nobody started by hand."""
LATE_AFTER = timedelta(minutes=15)
"""So long after its distribution time a run that is not finished is late."""
HELD_AGAIN_AFTER = timedelta(minutes=5)
"""So often a run that waits is planned anew: a pool may have been funded meanwhile."""
AUDIT_AFTER = timedelta(hours=3)
"""So long after a distribution the books are audited."""
LOOKS_BACK = timedelta(minutes=1)
"""A rate may be committed a moment after the instant from which it is in force."""
QUOTES_KEPT = timedelta(days=1)
CELLS_AT_ONCE = 64


def mature(work: Work) -> None:
    """End what has reached maturity (rule 23); with nothing to end this is one look into an index."""
    with work.database.transaction() as tx:
        row = tx.execute(sql.next_maturity).fetchone()
    assert row is not None
    if row.matures_at is not None and row.matures_at <= work.now:
        work.told("progress", {"matured": mature_all(work.database, work.now)})


class Runs:
    """Every run that is due, in order (rules 20 and 21); one outside its limits raises an alarm and waits."""

    def __init__(self) -> None:
        self._held_at: datetime | None = None

    def __call__(self, work: Work) -> None:
        """Do what is due, and remember when a run was last found held."""
        with work.database.transaction() as tx:
            due_on = last_run_on(work.now, find_desk(tx).distribution_time)
            newest = next(iter(latest_runs(tx, 1)), None)
        if newest is not None and newest.run_on >= due_on and newest.state == "finished":
            self._note(work, [])
            return
        if newest is not None and newest.state == "held" and not self._may_try(work.machine_now):
            return
        if newest is not None and newest.state == "paused":
            return

        def tell(progress: Progress) -> None:
            figures = {"pieces_paid": progress.pieces_paid, "pieces": progress.pieces}
            work.tell({"run_on": str(progress.run_on), **figures, "rewards": progress.rewards})

        reports = catch_up(work.database, SCHEDULER, work.now, tell, work.process)
        self._note(work, reports)
        if reports:
            work.hurry()

    def _may_try(self, machine_now: datetime) -> bool:
        return self._held_at is None or machine_now - self._held_at >= HELD_AGAIN_AFTER

    def _note(self, work: Work, reports: Sequence[RunReport]) -> None:
        held = {
            str(each.run_on): {"held_because": each.held_because} for each in reports if each.state == "held"
        }
        self._held_at = work.machine_now if held else None
        with work.database.transaction() as tx:
            raise_all(tx, "run_held", held, work.now)


class Late:
    """A run that is not finished long after its distribution time, found so twice in a row.

    Twice, because the clock of a sandbox may just have leapt over the hour.
    """

    def __init__(self) -> None:
        self._found: date | None = None

    def __call__(self, work: Work) -> None:
        """Look whether the last run is done; raise the alarm, or clear it."""
        with work.database.transaction() as tx:
            desk = find_desk(tx)
            run_on = last_run_on(work.now - LATE_AFTER, desk.distribution_time)
            due_at = distribution_at(run_on, desk.distribution_time)
            report = report_of(tx, run_on)
            if due_at <= desk.created_at or (report is not None and report.state == "finished"):
                self._found = None
                raise_all(tx, "run_late", {}, work.now)
                return
            if self._found == run_on:
                told = {"due_at": format_instant(due_at), "state": None if report is None else report.state}
                if report is not None and report.state == "paused":
                    told |= {"paused_by": report.paused_by, "paused_because": report.paused_because}
                raise_alarm(tx, "run_late", str(run_on), told, work.now)
            self._found = run_on


def begin_revisions(work: Work) -> str:
    """When a rate takes effect: tell holders who were not told beforehand, and apply the guards (rules 10 and 16)."""
    after = parse_instant(work.mark) - LOOKS_BACK if work.mark else work.now
    with work.database.transaction() as tx:
        begun = tx.execute(sql.revisions_begun, {"after": after, "now": work.now}).fetchall()
        for row in begun:
            if row.is_told or row.revision == 1:
                continue
            found = next(e for e in rate_history(tx, row.code) if e.rate.revision == row.revision)
            revised = RateRevised(
                product_id=row.product_id, product=row.code, rate=found.rate, published_at=found.published_at
            )
            announce_rate(tx, revised, work.now)
    if begun or work.mark is None:
        for_customers(work, None)
    return format_instant(work.now) if begun or work.mark is None else work.mark


def serve_customers(work: Work) -> str | None:
    """After each run, once: rate guards, then auto-subscribe (rule 16)."""
    with work.database.transaction() as tx:
        run_on = last_run_on(work.now, find_desk(tx).distribution_time)
        report = report_of(tx, run_on)
    if work.mark == str(run_on) or report is None or report.state != "finished":
        return work.mark
    for_customers(work, run_on)
    return str(run_on)


def for_customers(work: Work, run_on: date | None) -> None:
    """Apply guards and, after a run, auto-subscribe; some cells at a time, and each alone where some fail."""
    failed: Exception | None = None
    for start in range(0, CELL_COUNT, CELLS_AT_ONCE):
        work.go_on()
        cells = range(start, start + CELLS_AT_ONCE)
        try:
            serve_cells(work, cells, run_on)
        except DatabaseUnavailable:
            raise
        except (StaddleError, psycopg.Error):
            failed = serve_each(work, cells, run_on) or failed
    if failed is not None:
        raise failed


def serve_cells(work: Work, cells: Collection[int], run_on: date | None) -> None:
    """Serve the customers of some cells."""
    with work.database.transaction() as tx:
        apply_rate_guards(tx, cells, work.now)
    if run_on is not None:
        with work.database.transaction() as tx:
            auto_subscribe(tx, cells, run_on, work.now)


def serve_each(work: Work, cells: Collection[int], run_on: date | None) -> Exception | None:
    """Serve cells one by one, so that what fails in one stops no other; gives what the last of them failed by."""
    failed: Exception | None = None
    for cell in cells:
        try:
            serve_cells(work, [cell], run_on)
        except DatabaseUnavailable:
            raise
        except (StaddleError, psycopg.Error) as error:
            failed = error
    return failed


def seal(work: Work) -> None:
    """Chain by hash what is new in the books."""

    def tell(progress: SealProgress) -> None:
        work.tell({"groups_done": progress.groups_done, "groups": progress.groups, "seals": progress.seals})

    seal_all(work.database, work.now, tell)


def close_days(work: Work) -> None:
    """Close the books of every day whose run is finished; with nothing to close this is one look."""
    close_all(work.database, work.now, lambda day: work.tell({"closed_on": str(day)}))


def read_rates(work: Work) -> None:
    """Read the rate sources ahead of the distribution (rule 33)."""
    readings = read_sources_due(work.database, work.now, work.machine_now, work.http_hosts)
    work.told("progress", {"readings": len(readings)})


def forget_quotes(work: Work) -> None:
    """Forget quotes that expired long ago."""
    for cell in range(CELL_COUNT):
        with work.database.transaction() as tx:
            tx.execute(sql.forget_quotes, {"cell": cell, "before": work.now - QUOTES_KEPT})


def forget_access(work: Work) -> None:
    """Forget sessions, challenges, tokens and failed attempts that let nobody in any more, and what requests cost."""
    with work.database.transaction() as tx:
        forget_expired(tx, work.machine_now)
        forget_weights(tx, work.machine_now)


def watch_positions(work: Work) -> None:
    """Say which positions are parked."""
    with work.database.transaction() as tx:
        parked = {
            str(row.position_id): {"product": row.product, "run_on": str(row.run_on), "reason": row.reason}
            for row in parked_positions(tx)
        }
        raise_all(tx, "position_parked", parked, work.now)


def watch_pools(work: Work) -> None:
    """Say which reward pools will not last (rule 31), and keep what days cost for whoever looks at the pages."""
    with work.database.transaction() as tx:
        costs = count_costs(tx, work.now)
        keep_costs(tx, costs, work.machine_now)
        short = {
            each.asset: {"days_left": each.days_left, "cost_per_day": plain(each.cost_per_day)}
            for each in runway(tx, work.now, costs)
            if each.is_alarm
        }
        raise_all(tx, "runway_short", short, work.now)


def foresee_days(work: Work) -> None:
    """Work out the coming days, for whoever looks at the ladder and supposes something."""
    with work.database.transaction() as tx:
        keep_foresight(tx, work.now, work.machine_now)


def audit_books(work: Work) -> str | None:
    """Prove the whole ledger once a day, some hours after the distribution, and whenever somebody has asked for it."""
    with work.database.transaction() as tx:
        run_on = last_run_on(work.now - AUDIT_AFTER, find_desk(tx).distribution_time)
        is_due = work.mark is None or work.mark < str(run_on)
        if is_due:
            put(tx, SCHEDULER, "audit", "", work.machine_now)
    was_done = do_next(work, ["audit"])
    return str(run_on) if is_due and was_done else work.mark


def do_asked_runs(work: Work) -> None:
    """Do the runs that somebody has asked for."""
    do_asked(work, RUNS)


def do_asked_plans(work: Work) -> None:
    """Work out the plans that somebody has asked for."""
    do_asked(work, ["plan"])


def watch_webhooks(work: Work) -> None:
    """Raise an alarm for each endpoint to which something could not be delivered, until it was sent again."""
    with work.database.transaction() as tx:
        dead = {
            f"endpoint {number}": {"client_id": client_id, "dead_count": count}
            for number, (client_id, count) in dead_counts(tx).items()
        }
        raise_all(tx, "webhook_dead", dead, work.now)


def announce_changes(work: Work) -> None:
    """Tell everybody what has come to pass by itself: products that open or sell out, finished runs, alarms."""
    announce(work.database, work.now)


def jobs() -> list[Job]:
    """Make the jobs of one scheduler; what they remember from one time to the next is their own."""
    return [
        Job("maturities", 5, mature, follows_desk=True),
        Job("runs", 5, Runs(), follows_desk=True),
        Job("asked_runs", 1, do_asked_runs),
        Job("asked_plans", 1, do_asked_plans),
        Job("revisions", 5, begin_revisions, follows_desk=True),
        Job("customers", 5, serve_customers, follows_desk=True),
        Job("rate_sources", 300, read_rates, follows_desk=True),
        Job("closings", 30, close_days, follows_desk=True),
        Job("seals", 180, seal),
        Job("late_runs", 30, Late()),
        Job("parked", 60, watch_positions),
        Job("runway", 120, watch_pools, follows_desk=True),
        Job("foresight", 600, foresee_days, follows_desk=True),
        Job("redemptions", 300, watch_redemptions, follows_desk=True),
        Job("quotes", 3_600, forget_quotes),
        Job("access", 3_600, forget_access),
        Job("audit", 1, audit_books),
        Job("webhooks", 60, watch_webhooks),
        Job("outbox", 30, Outbox()),
        Job("announcements", 2, announce_changes, follows_desk=True),
    ]
