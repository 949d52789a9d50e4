"""How the desk stands: all proved, or else what is to be done first. For somebody on call at four in the morning."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from staddle.days import distribution_at, last_run_on
from staddle.db import Tx
from staddle.desk import Alarm, find_desk, list_alarms
from staddle.rewards import RunReport, parked_positions
from staddle.rewards.report import report_of
from staddle.server.jobs import AUDIT_AFTER, LATE_AFTER
from staddle.server.schedule import job_statuses
from staddle.server.tasks import LeaderSeen, leader_seen

ALARMS_READ = 100
URGENT = (
    *("invariant_broken", "audit_failed"),
    *("run_late", "run_held", "position_parked", "runway_short", "unusual_redemptions"),
    *("job_failing", "outbox_behind"),
)
"""Kinds of alarms in the order in which somebody deals with them; others come after these."""


@dataclass(frozen=True, slots=True)
class ToDo:
    """Something to be done: what it is, about what, and the alarm that says so, if one does.

    `what` is a kind of alarm, or `no_worker`, `run_not_done`, `not_audited`.
    """

    what: str
    subject: str
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the desk stands at an instant."""

    run_on: date | None
    """The last run that was due; None on a desk that is younger than its first one."""
    run: RunReport | None
    audited_on: date | None
    """The last run after which the whole ledger was proved, if ever."""
    parked_count: int
    worker: LeaderSeen
    """Who keeps the schedule."""
    to_do: tuple[ToDo, ...]
    """What is to be done, the most urgent first. Nothing: the last run is paid, proved and audited."""

    @property
    def is_proved(self) -> bool:
        """Whether all that was due is done and proved, and nothing waits for anybody."""
        return not self.to_do


def standing(tx: Tx, now: datetime, machine_now: datetime) -> Standing:
    """Say how the desk stands; `now` is its own clock."""
    desk, jobs = find_desk(tx), {job.name: job for job in job_statuses(tx)}
    last_on = last_run_on(now, desk.distribution_time)
    run_on = last_on if distribution_at(last_on, desk.distribution_time) > desk.created_at else None
    report = None if run_on is None else report_of(tx, run_on)
    audit = jobs.get("audit")
    audited_on = date.fromisoformat(audit.mark) if audit is not None and audit.mark else None
    worker = leader_seen(tx, machine_now)
    alarms = list_alarms(tx, count=ALARMS_READ)
    found = [*_undone(now, desk.distribution_time, run_on, report, audited_on), *_alarmed(alarms)]
    if not worker.is_there:
        found.insert(0, ToDo("no_worker", "schedule"))
    return Standing(run_on, report, audited_on, len(parked_positions(tx)), worker, tuple(found))


def _undone(
    now: datetime, at: time, run_on: date | None, report: RunReport | None, audited_on: date | None
) -> Iterator[ToDo]:
    """Say what should have been done by itself and is not, whether an alarm has been raised yet or not."""
    if run_on is None:
        return
    distributed_at = distribution_at(run_on, at)
    is_done = report is not None and report.state == "finished"
    if not is_done and now - distributed_at > LATE_AFTER:
        yield ToDo("run_not_done", run_on.isoformat())
    is_audited = audited_on is not None and audited_on >= run_on
    if not is_audited and now - distributed_at > AUDIT_AFTER + LATE_AFTER:
        yield ToDo("not_audited", run_on.isoformat())


def _alarmed(alarms: list[Alarm]) -> list[ToDo]:
    """Put the open alarms into the order in which they are dealt with."""
    order = {kind: number for number, kind in enumerate(URGENT)}
    sorted_alarms = sorted(alarms, key=lambda alarm: (order.get(alarm.kind, len(order)), alarm.raised_at))
    return [ToDo(alarm.kind, alarm.subject, alarm) for alarm in sorted_alarms]
