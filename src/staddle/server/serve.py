"""Serving: granian runs the processes, each of which assembles the application for itself.

    staddle serve ─┬─ process 1, 2, ..    answer requests; one that dies is replaced
                   └─ staddle worker      keeps the schedule and delivers webhooks; started again when it dies

Told to stop, all of them finish what they have begun: no new connection is taken, requests in flight are answered,
their connections closed. What is not done within STOP_SECONDS is killed; the idempotency keys then tell what happened.
"""

import logging
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from staddle.config import Config
from staddle.server.parent import Children, end_with_parent

HEADER_BYTES = 65_536
CONNECTIONS_MAX = 16_384
"""Of one process; idle ones cost some kilobytes each, and those beyond wait to be accepted."""
BACKLOG = 4_096
STOP_SECONDS = 25
WORKER_AGAIN_SECONDS = 2.0
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
LOGS = {
    "handlers": {},
    "loggers": {
        "_granian": {"handlers": [], "level": "INFO", "propagate": True},
        "granian.access": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
"""granian's own lines go where ours go."""
log = logging.getLogger(__name__)


def serve(config: Config, factory: str, worker: Sequence[str] | None) -> None:
    """Serve until the process is told to stop.

    `factory` names the function that makes the application; `worker` is the command of the process that keeps the
    schedule, None to leave it to others.
    """
    raise_file_limit()
    Children(os.getpid()).prepare()
    host, port = config.listen
    with metrics_folder():
        keeper = Keeper(worker) if worker is not None else None
        granian = Served(
            keeper,
            factory,
            factory=True,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            workers=config.processes,
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS_MAX,
            http1_settings=HTTP1Settings(
                header_read_timeout=config.idle_seconds * 1000, max_buffer_size=HEADER_BYTES, keep_alive=True
            ),
            log_access=False,
            log_dictconfig=LOGS,
            respawn_failed_workers=True,
            respawn_interval=0.1,
            workers_kill_timeout=STOP_SECONDS,
        )
        if keeper is not None:
            granian.on_startup(keeper.start)
        try:
            granian.serve()
        finally:
            if keeper is not None:
                keeper.wait()


class Served(Granian):  # type: ignore[misc, valid-type]  # it has one class for each kind of worker
    """granian, which tells the worker beside it of the stop at once, and not when everybody else has stopped."""

    def __init__(self, keeper: "Keeper | None", *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._keeper = keeper

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop everything; a process that heard of the stop by itself, before we told it, is no failure."""
        if self._keeper is not None:
            self._keeper.stop()
        try:
            super().shutdown(exit_code)
        except SystemExit:
            if not self.interrupt_signal:
                raise


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Make the folder in which the processes count together, before any of them begins to."""
    with TemporaryDirectory(prefix="staddle-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[METRICS_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[METRICS_FOLDER]


def raise_file_limit() -> None:
    """Take as many open files as this user may have: a connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # "as many as you like" is more than some systems allow
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Keeper:
    """Keeps one process at work: starts it, and starts it again when it ends before it is told to."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._is_stopping = threading.Event()
        self._told_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the process to stop."""
        if not self._is_stopping.is_set():
            self._told_at = time.monotonic()
        self._is_stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> None:
        """Wait for the process's end, until STOP_SECONDS have passed since it was told."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(max(0.0, self._told_at + STOP_SECONDS - time.monotonic()))
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _keep(self) -> None:
        while not self._is_stopping.is_set():
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # one call into the kernel
            )
            code = self._process.wait()
            if not self._is_stopping.is_set():
                log.error("the worker ended with code %s and is started again", code)
                self._is_stopping.wait(WORKER_AGAIN_SECONDS)


def worker_command() -> list[str]:
    """Give the command that runs `staddle worker` with this very Python."""
    return [sys.executable, "-c", "from staddle.cli import main; main()", "worker"]
