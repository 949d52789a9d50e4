"""Workers as processes: `staddle worker` on a desk, who leads, and what the schedule has come to."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.cli.shell import url_of

from staddle.db import Database

PROGRAM = [sys.executable, "-c", "from staddle.cli import main; main()"]
ROOT = Path(__file__).parents[2]


class Workers:
    """Some `staddle worker` processes on one desk, each with its log in a file."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self, place: str | None = None, is_stopped: bool = False) -> "subprocess.Popen[bytes]":
        """Start one more, armed at a failpoint if one is named."""
        environ = os.environ | {"STADDLE_DATABASE_URL": url_of(self.database.dsn), "PYTHONUNBUFFERED": "1"}
        environ.pop("STADDLE_OPERATOR", None)
        if place is not None:
            environ["STADDLE_TEST_FAILPOINT"] = place
            environ["STADDLE_TEST_FAILPOINT_ACTION"] = "stop" if is_stopped else "kill"
        self.started += 1
        log = self.folder / f"worker-{self.started}.log"
        with log.open("wb") as file:
            process = subprocess.Popen([*PROGRAM, "worker"], stdout=file, stderr=file, cwd=ROOT, env=environ)
        self.running.append(process)
        return process

    def reap(self) -> list["subprocess.Popen[bytes]"]:
        """Give those that have ended since the last time."""
        ended = [process for process in self.running if process.poll() is not None]
        self.running = [process for process in self.running if process not in ended]
        return ended

    def leader(self) -> int | None:
        """The pid of the worker that the database names as the leader."""
        with self.database.owner() as owner:
            row = owner.execute("SELECT holder FROM leader").fetchone()
        found = None if row is None else re.fullmatch(r".*:(\d+):[0-9a-f]{8}", row.holder)
        return None if found is None else int(found[1])

    def logs(self) -> str:
        """All that they have logged."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))

    def at_work(self) -> set[str]:
        """The names of those that have come as far as looking who leads."""
        return set(re.findall(r"the schedule: ([\w.:-]+)", self.logs()))

    def stop(self) -> list[int]:
        """Tell all to stop, once each is at work and can be told; gives their exit codes."""
        wait_until(lambda: len(self.at_work()) == self.started, 30, "all are at work")
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in self.running]
        self.running = []
        return codes


@contextmanager
def workers_of(database: Database, folder: Path) -> Iterator[Workers]:
    """Workers for the length of a block; whoever is left is killed."""
    workers = Workers(database, folder)
    try:
        yield workers
    finally:
        for process in workers.running:
            process.kill()
            process.wait(30)


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is so; gives how many seconds it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def advance(database: Database, by: timedelta) -> None:
    """Move the sandbox's clock forward, by a process of its own; where the database is away, as soon as it is back."""
    environ = os.environ | {"STADDLE_DATABASE_URL": url_of(database.dsn)}
    words = ["clock", "advance", f"{int(by.total_seconds())}s", "--key", f"advance-{time.monotonic_ns()}"]
    for _ in range(30):
        ended = subprocess.run(
            [*PROGRAM, *words], check=False, env=environ, capture_output=True, timeout=60, cwd=ROOT
        )
        if ended.returncode != 75:
            break
    assert ended.returncode == 0, ended.stderr


def is_caught_up(database: Database) -> bool:
    """Whether all that was due at the desk's clock is done: the run, what follows it, and maturities."""
    with database.transaction() as tx:
        row = tx.execute(
            """SELECT (SELECT state FROM run WHERE run_on = (d.clock_at AT TIME ZONE 'UTC')::date) = 'finished'
                      AND (SELECT mark FROM job WHERE name = 'customers') = (d.clock_at AT TIME ZONE 'UTC')::date::text
                      AND NOT EXISTS (SELECT FROM position WHERE ended_at IS NULL AND matures_at <= d.clock_at) AS is_so
                 FROM desk d"""
        ).fetchone()
    return bool(row and row.is_so)
