"""What the tests of the server's life need: users as real processes, and a look at what is running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from staddle.db.embedded import EmbeddedServer

USER = Path(__file__).parent / "user.py"
PROGRAMS = (b"watch.py\0", b"/postgres\0", b"/initdb\0")
SETTINGS = {"shared_buffers": "16MB", "fsync": "off"}


class User:
    """A process that holds the embedded server until its standard input is closed, or it is killed."""

    def __init__(
        self,
        home: Path,
        *,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        given = [f"{name}={value}" for name, value in {**SETTINGS, **(settings or {})}.items()]
        bin_dir = os.environ.get("STADDLE_TEST_BIN_DIR", "")
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(USER), str(home), bin_dir, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environ or {})},
        )
        self.said = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_ready(self) -> "User":
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == "ready\n", (line, self.process.communicate(timeout=60)[1])
        return self

    def leave(self) -> int:
        """Let the process end in order; give its exit code."""
        _, self.said = self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        _, self.said = self.process.communicate(timeout=60)


@contextmanager
def using(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[User]:
    """A user that is ready, and that has left at the end."""
    user = User(home, settings=settings)
    try:
        yield user.wait_until_ready()
    finally:
        if user.process.poll() is None:
            user.leave()


def server_of(home: Path) -> EmbeddedServer:
    """The server of a folder, to look at; this process does not become its user."""
    return EmbeddedServer(home)


def query(home: Path, statement: str) -> list[tuple[object, ...]]:
    """Run one statement on the server of the folder."""
    with psycopg.connect(server_of(home).dsn(), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(home: Path) -> int:
    """The pid of the server's first process."""
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def watcher(home: Path) -> int:
    """The pid of the server's watcher."""
    [found] = [pid for pid in processes_of(home) if b"watch.py" in arguments_of(pid)]
    return found


def arguments_of(pid: int) -> bytes:
    """The command line of a process; empty for one that has ended but was not reaped."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def processes_of(home: Path) -> list[int]:
    """Every PostgreSQL process and watcher of the folder, but not its users."""
    inside = home / "postgres"
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        arguments = arguments_of(pid)
        is_named = os.fsencode(inside) in arguments and any(name in arguments for name in PROGRAMS)
        with suppress(OSError):
            if is_named or os.readlink(entry / "cwd") in {str(inside), str(inside / "data")}:
                found.append(pid)
    return sorted(found)


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so; fail when it does not come about."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.02)


def kill(*pids: int) -> None:
    """SIGKILL."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
