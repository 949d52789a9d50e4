"""The schedule: what is done by itself, when, by the one process of many that leads (docs/decisions/0013).

Once a second the leader looks at the clocks and starts the jobs that are due, each on a thread of its own, so that none
waits for another and none that fails stops another. Whatever a job does can be done again or by two at once: a leader
that is killed, or that wakes up after another has taken over, does no harm.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg.conninfo import make_conninfo

from staddle.db import Database, Tx, queries
from staddle.desk import clear_alarm, find_desk, raise_alarm
from staddle.errors import DatabaseUnavailable, InvariantBroken, StaddleError
from staddle.rewards import LeftOff
from staddle.server.lead import BEAT_SECONDS, CONNECTION, Lead, name_of_this_process

sql = queries(__package__)
log = logging.getLogger(__name__)

CONNECTIONS = 20
LOOK_SECONDS = 1.0
BACK_OFF_SECONDS_MAX = 300.0
FAILURES_TO_ALARM = 3
"""A job that fails once or twice, as when the database is started again, is no reason to wake anybody."""
NOTED_EVERY_SECONDS = 60.0
"""What a job that goes well has come to is written down so often, and whenever it has something to remember."""


class MustStop(LeftOff):
    """This process was told to stop, or does not lead any more. No error: it ends a job between two of its pieces."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a job works with. `now` is the desk's clock, `machine_now` the machine's."""

    database: Database
    now: datetime
    machine_now: datetime
    mark: str | None
    """What the job remembered when it was last done."""
    http_hosts: Collection[str]
    told: Callable[[str, Mapping[str, object]], None]
    """Called with figures of how far the job is."""
    must_stop: Callable[[], bool]
    hurry: Callable[[], None] = lambda: None
    """Called when something has happened that other jobs of the desk wait for: they are due at once."""
    process: str | None = None
    """The name of this process, as the leader's row has it."""

    def go_on(self) -> None:
        """Called between two pieces of work; raises MustStop where the rest is to be left for another time."""
        if self.must_stop():
            raise MustStop

    def tell(self, figures: Mapping[str, object]) -> None:
        """Say how far the job is, and whether it may go on."""
        self.told("progress", figures)
        self.go_on()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done again and again.

    `act` gives what the job is to remember, or None. `follows_desk`: it is due, too, when a sandbox's clock is moved.
    """

    name: str
    every_seconds: float
    act: Callable[[Work], str | None]
    follows_desk: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What `tell` is told: that a job began, how far it is, that it was done or has failed; or who leads."""

    job: str
    what: str
    """began, progress, done, failed, stopped; of the job `leader`: leads, follows."""
    figures: Mapping[str, object]


@dataclass(slots=True)
class Turn:
    """What this process knows of a job. Its instants are seconds of a clock that only goes forward."""

    due_at: float = 0.0
    failures: int = 0
    noted_at: float = -NOTED_EVERY_SECONDS
    is_halted: bool = False
    """A broken promise of the books is for people; the job is not tried again by this process."""
    running: "Future[None] | None" = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What the schedule has come to with a job, by the machine's clock."""

    name: str
    done_at: datetime | None
    done_by: str | None
    failed_at: datetime | None
    failures: int
    error: str | None
    mark: str | None


def machine_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


def job_statuses(tx: Tx) -> list[JobStatus]:
    """Read what the schedule has come to."""
    return [JobStatus(*row) for row in tx.execute(sql.jobs).fetchall()]


class Scheduler:
    """One process's part in the schedule, until `stop` is set.

    `tell` is called, from several threads, with everything that happens, for logs and metrics; it must not raise.
    """

    def __init__(
        self,
        database: Database,
        stop: threading.Event,
        tell: Callable[[Told], None],
        jobs: Sequence[Job],
        http_hosts: Collection[str] = (),
    ) -> None:
        self.lead = Lead(database.dsn, name_of_this_process())
        # Its own connections, by which the next leader knows and ends them, and which requests never wait for.
        dsn = make_conninfo(database.dsn, application_name=self.lead.name, **CONNECTION)
        self.database = Database(dsn, connections_max=CONNECTIONS)
        self._stop = stop
        self._tell = tell
        self._jobs = jobs
        self._http_hosts = http_hosts
        self._turns = {job.name: Turn() for job in jobs}
        self._desk_now: datetime | None = None

    def run_forever(self) -> None:
        """Keep the schedule while this process leads; returns once `stop` is set and the pieces under way are done."""
        ended = threading.Event()
        beats = threading.Thread(target=self._keep_the_lead, args=(ended,), name="leader", daemon=True)
        beats.start()
        try:
            with ThreadPoolExecutor(len(self._jobs), thread_name_prefix="job") as threads:
                while not self._stop.wait(LOOK_SECONDS):
                    if self.lead.is_leader:
                        self._start_due(threads)
        finally:
            # The lead is kept until the last piece is done, so that nobody begins the same one meanwhile.
            ended.set()
            beats.join()
            self.lead.step_down()
            self.database.close()

    def must_stop(self) -> bool:
        """Whether what is being done is to be left: this process was told to stop, or does not lead any more."""
        return self._stop.is_set() or not self.lead.is_leader

    def _keep_the_lead(self, ended: threading.Event) -> None:
        was_leader = None
        while True:
            is_leader = self.lead.look()
            if is_leader != was_leader:
                log.info("%s the schedule: %s", "keeps" if is_leader else "follows", self.lead.name)
                self._tell(Told("leader", "leads" if is_leader else "follows", {"name": self.lead.name}))
            was_leader = is_leader
            if ended.wait(BEAT_SECONDS if is_leader else LOOK_SECONDS):
                return

    def _start_due(self, threads: ThreadPoolExecutor) -> None:
        try:
            with self.database.transaction() as tx:
                desk = find_desk(tx)
        except (StaddleError, psycopg.Error) as error:
            log.warning("the schedule waits: %s", error)
            return
        machine_at = machine_now()
        now = desk.clock_at or machine_at
        is_moved = desk.clock_at is not None and desk.clock_at != self._desk_now
        self._desk_now = desk.clock_at
        at = time.monotonic()
        for job in self._jobs:
            turn = self._turns[job.name]
            if is_moved and job.follows_desk and turn.failures == 0:
                turn.due_at = at
            is_free = turn.running is None or turn.running.done()
            if is_free and at >= turn.due_at and not turn.is_halted:
                turn.due_at = at + job.every_seconds
                turn.running = threads.submit(self._do, job, now, machine_at)

    def _hurry(self) -> None:
        for job in self._jobs:
            if job.follows_desk and self._turns[job.name].failures == 0:
                self._turns[job.name].due_at = time.monotonic()

    def _do(self, job: Job, now: datetime, machine_at: datetime) -> None:
        """Do one job; whatever becomes of it is written down, and nothing is raised."""
        began_at = time.monotonic()
        self._tell(Told(job.name, "began", {}))
        try:
            mark = self._mark_of(job)
            work = Work(
                self.database,
                now,
                machine_at,
                mark,
                self._http_hosts,
                lambda what, figures: self._tell(Told(job.name, what, figures)),
                self.must_stop,
                self._hurry,
                self.lead.name,
            )
            work.go_on()
            new_mark = job.act(work)
            self._done(job, now, new_mark if new_mark != mark else None)
        except MustStop:
            self._tell(Told(job.name, "stopped", {}))
        except (DatabaseUnavailable, psycopg.OperationalError) as error:
            if self.lead.is_leader:
                self._failed(job, now, error)
            else:
                # Whoever has taken over cut us off, and does it in our stead.
                self._tell(Told(job.name, "stopped", {}))
        except Exception as error:  # one that fails never stops another
            self._failed(job, now, error)
        else:
            seconds = time.monotonic() - began_at
            self._tell(Told(job.name, "done", {"seconds": round(seconds, 3)}))

    def _mark_of(self, job: Job) -> str | None:
        with self.database.transaction() as tx:
            return next((each.mark for each in job_statuses(tx) if each.name == job.name), None)

    def _done(self, job: Job, now: datetime, mark: str | None) -> None:
        turn, at = self._turns[job.name], time.monotonic()
        is_first = turn.failures > 0 or turn.noted_at < 0
        if not is_first and mark is None and at - turn.noted_at < NOTED_EVERY_SECONDS:
            return
        done = {"name": job.name, "machine_now": machine_now(), "by": self.lead.name, "mark": mark}
        with self.database.transaction() as tx:
            tx.execute(sql.job_done, done)
            if is_first:
                clear_alarm(tx, "job_failing", job.name, now)
        turn.failures, turn.noted_at = 0, at

    def _failed(self, job: Job, now: datetime, error: Exception) -> None:
        """Write a failure down where that is possible, and try again later: 2, 4, 8 .. seconds, 5 minutes at most."""
        turn = self._turns[job.name]
        turn.failures += 1
        turn.due_at = time.monotonic() + min(2.0 ** min(turn.failures, 20), BACK_OFF_SECONDS_MAX)
        told = {"error": type(error).__name__, "message": str(error)[:500], "failures": turn.failures}
        log.error("the job %s has failed: %s", job.name, told["message"], exc_info=error)
        self._tell(Told(job.name, "failed", told))
        if isinstance(error, InvariantBroken):
            turn.is_halted = True
        failed = {
            "name": job.name,
            "machine_now": machine_now(),
            "error": f"{told['error']}: {told['message']}",
        }
        try:
            with self.database.transaction() as tx:
                row = tx.execute(sql.job_failed, failed).fetchone()
                assert row is not None
                if turn.is_halted:
                    raise_alarm(tx, "invariant_broken", job.name, told, now)
                elif row.failures >= FAILURES_TO_ALARM:
                    raise_alarm(tx, "job_failing", job.name, told, now)
        except Exception as second:  # with the database gone there is only the log
            log.warning("the failure of %s could not be written down: %s", job.name, second)
