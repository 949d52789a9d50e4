"""Acts in processes of their own, that die or stand still where a test wants them to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from staddle.db import Database

ROOT = Path(__file__).parents[2]


def start(
    module: str, *arguments: str, place: str | None = None, is_stopped: bool = False
) -> "subprocess.Popen[str]":
    """Start `python -m tests.faults.MODULE`, armed at a failpoint if one is named."""
    environ = {**os.environ}
    if place is not None:
        environ["STADDLE_TEST_FAILPOINT"] = place
        environ["STADDLE_TEST_FAILPOINT_ACTION"] = "stop" if is_stopped else "kill"
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.faults.{module}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ,
    )


def start_act(
    database: Database, act: str, place: str | None = None, is_stopped: bool = False
) -> "subprocess.Popen[str]":
    """Start an act upon a desk."""
    return start("perform", act, database.dsn, place=place, is_stopped=is_stopped)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end; gives exit code (or minus the signal) and what was printed. A traceback fails the test."""
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, out.strip()


def wait_until_stopped(process: "subprocess.Popen[str]") -> None:
    """Wait until a process stands still at its failpoint."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"it ended with {os.waitstatus_to_exitcode(status)} before it came there"


def go_on(process: "subprocess.Popen[str]") -> None:
    """Let a process that stands still go on."""
    process.send_signal(signal.SIGCONT)


def backends_of(database: Database) -> list[int]:
    """The pids of the server's processes that are connected to a desk, others than ours."""
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY xact_start NULLS LAST"
        ).fetchall()
    return [row[0] for row in rows]
