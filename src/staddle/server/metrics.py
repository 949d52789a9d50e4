"""What is measured, for Prometheus: requests, batches, connections, and figures of the books when they are asked for.

Several processes count into files of one folder (PROMETHEUS_MULTIPROC_DIR, which `staddle serve` makes and removes);
whichever is asked adds all of them up.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from staddle.db import Database, Tx, queries
from staddle.desk import now_of
from staddle.treasury import Runway, runway

sql = queries(__package__)
MEMORY = Path("/proc/self/statm")
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
RUNWAY_EVERY = timedelta(minutes=5)
"""Looking ahead reads every open position, so it is not done for every scrape."""
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REQUEST_SECONDS = Histogram(
    "staddle_request_seconds",
    "Requests answered, by how long they took.",
    ["operation", "status"],
    buckets=_SECONDS,
)
BATCH_SIZE = Histogram("staddle_batch_size", "Requests committed together.", ["act"], buckets=_SIZES)
BATCH_SECONDS = Histogram("staddle_batch_seconds", "How long batches took.", ["act"], buckets=_SECONDS)
BATCH_ALONE = Counter(
    "staddle_batch_alone", "Batches that failed as a whole and were done one by one.", ["act"]
)
QUEUE_LENGTH = Gauge(
    "staddle_queue_length", "Requests that wait for a batch.", ["act"], multiprocess_mode="livesum"
)
CONNECTIONS = Gauge(
    "staddle_database_connections",
    "Connections to the database: used, idle, or wanted by a request that waits for one.",
    ["state"],
    multiprocess_mode="livesum",
)
MEMORY_BYTES = Gauge(
    "staddle_resident_memory_bytes", "Memory of each process.", ["role"], multiprocess_mode="liveall"
)
IS_LEADER = Gauge(
    "staddle_is_leader", "1 where a process of this service keeps the schedule.", multiprocess_mode="livesum"
)
JOB_SECONDS = Histogram(
    "staddle_job_seconds",
    "Jobs of the schedule that were done, by how long they took.",
    ["job"],
    buckets=(0.01, 0.1, 1, 10, 60, 300, 1800),
)
JOB_FAILURES = Counter("staddle_job_failures", "Jobs of the schedule that have failed.", ["job"])
WEBHOOK_ATTEMPTS = Counter("staddle_webhook_attempts", "Attempts to deliver a webhook.", ["outcome"])


_requests: dict[tuple[str, int], Histogram] = {}


def observe_request(operation: str, status: int, seconds: float) -> None:
    """Count a request; called for every one, so what is looked up once is kept."""
    kept = _requests.get((operation, status))
    if kept is None:
        kept = _requests[operation, status] = REQUEST_SECONDS.labels(operation, str(status))
    kept.observe(seconds)


def observe_batch(act: str, size: int, seconds: float, is_whole: bool) -> None:
    """Count a batch; `is_whole` is False where it failed as a whole."""
    BATCH_SIZE.labels(act).observe(size)
    BATCH_SECONDS.labels(act).observe(seconds)
    if not is_whole:
        BATCH_ALONE.labels(act).inc()


def observe_job(job: str, what: str, figures: Mapping[str, Any]) -> None:
    """Count what the schedule tells: who leads, what was done, what has failed."""
    if job == "leader":
        IS_LEADER.set(int(what == "leads"))
    elif what == "done":
        JOB_SECONDS.labels(job).observe(float(figures["seconds"]))
    elif what == "failed":
        JOB_FAILURES.labels(job).inc()


def observe_webhook(status: int | None, is_delivered: bool) -> None:
    """Count an attempt to deliver a webhook: delivered, refused by the receiver, or not answered at all."""
    outcome = "delivered" if is_delivered else "refused" if status is not None else "unanswered"
    WEBHOOK_ATTEMPTS.labels(outcome).inc()


def measure(role: str, database: Database, waiting: Mapping[str, int]) -> None:
    """Take what is not counted as it happens: queues, connections, memory. Called every few seconds."""
    for act, length in waiting.items():
        QUEUE_LENGTH.labels(act).set(length)
    for state, count in database.connections().items():
        CONNECTIONS.labels(state).set(count)
    if MEMORY.exists():
        MEMORY_BYTES.labels(role).set(int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))


class Books(Collector):
    """The figures of the books, read in one transaction for each scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._runway: tuple[datetime, Sequence[Runway]] | None = None
        self._machine_now: datetime | None = None

    def page(self, machine_now: datetime) -> bytes:
        """Write the page: what all processes have counted, and what the books say."""
        self._machine_now = machine_now
        registry = CollectorRegistry()
        folder = os.environ.get(FOLDER)
        if folder is None:
            registry = prometheus_client.REGISTRY
        else:
            forget_dead(Path(folder))
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return prometheus_client.generate_latest(registry) + prometheus_client.generate_latest(_One(self))

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        assert self._machine_now is not None
        at = self._machine_now
        with self._database.transaction() as tx:
            row = tx.execute(sql.figures, {"now": now_of(tx, at), "machine_now": at}).fetchone()
            alarms = tx.execute(sql.alarm_counts).fetchall()
            jobs = tx.execute(sql.jobs).fetchall()
            ahead = self._look_ahead(tx, at)
        assert row is not None
        for name, about in FIGURES.items():
            value = getattr(row, name)
            if value is not None:
                yield GaugeMetricFamily(f"staddle_{name}", about, value=float(value))
        yield by_label("alarms_open", "Open alarms.", "kind", {each.kind: each.count for each in alarms})
        done = {each.name: each.done_at.timestamp() for each in jobs if each.done_at is not None}
        yield by_label("job_done_timestamp_seconds", "When a job was last noted as done.", "job", done)
        failing = {each.name: each.failures for each in jobs}
        yield by_label("job_failures_in_a_row", "Failures of a job since it was last done.", "job", failing)
        days = {each.asset: each.days_left for each in ahead if each.days_left is not None}
        yield by_label("runway_days", "Whole days that a reward pool pays for.", "asset", days)
        pools = {each.asset: each.left for each in ahead}
        yield by_label("reward_pool", "What is left in a reward pool, in coins.", "asset", pools)

    def _look_ahead(self, tx: Tx, machine_now: datetime) -> Sequence[Runway]:
        if self._runway is None or machine_now - self._runway[0] > RUNWAY_EVERY:
            self._runway = (machine_now, runway(tx, now_of(tx, machine_now)))
        return self._runway[1]


FIGURES: Mapping[str, str] = {
    "run_lag_seconds": "How long ago, by the desk's clock, the distribution was up to which every cell is paid.",
    "run_pieces": "Pieces of the newest reward run.",
    "run_pieces_paid": "Pieces of the newest reward run that are paid.",
    "run_is_held": "1 where the newest reward run waits for a second person.",
    "approvals_waiting": "What waits for a second person.",
    "webhook_lag_seconds": "Age, by the machine's clock, of the oldest delivery that has come due and is not made.",
    "webhook_notices_behind": "Notices of which deliveries are still to be made, by the endpoint furthest behind.",
    "webhooks_pending": "Deliveries that wait, counted up to 10,000.",
    "webhooks_dead": "Deliveries that were given up and are still to be looked at, counted up to 10,000.",
}
"""The figures of the statement `figures`, and what each of them says."""


class _One(CollectorRegistry):
    """A registry of the books alone."""

    def __init__(self, books: Books) -> None:
        super().__init__(auto_describe=False)
        self._books = books

    def collect(self) -> Iterator[Metric]:
        yield from self._books.collect()


def by_label(name: str, about: str, label: str, values: Mapping[str, Any]) -> GaugeMetricFamily:
    """Make a gauge of one label."""
    family = GaugeMetricFamily(f"staddle_{name}", about, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], float(value))
    return family


def forget_dead(folder: Path) -> None:
    """Forget what processes that are gone last said of themselves; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if not is_alive(int(pid)):
            multiprocess.mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
