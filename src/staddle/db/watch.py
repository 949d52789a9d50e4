"""The watcher: a small process beside the embedded server that outlives whoever started it.

It starts PostgreSQL, starts it again should it die while there are users, and stops it when the last user has
left, however that user left: users hold a shared lock on a file, and the kernel drops the lock of a killed
process. It runs by itself (standard library only, `python -I -S watch.py ...`), so that nothing of the
program that started it has to stay alive. Started by embedded.py, never by hand.

Locks, all of them flock(2) on files in the server's folder:
    users    shared by every user; the watcher waits for it alone, and holds it while the server stops
    watcher  held by the watcher for its life; inherited from whoever starts it, so there is never a second
    lease    inherited by every PostgreSQL process; free means that none of an earlier server is alive
"""

import contextlib
import ctypes
import fcntl
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
FAST: Final = signal.SIGINT
IMMEDIATE: Final = signal.SIGQUIT
STOP_SECONDS: Final = 300.0
STARTS_MAX: Final = 5
STARTS_WINDOW_SECONDS: Final = 60.0


def say(text: str) -> None:
    """Write a line into the watcher's log, which embedded.py shows when the server does not come up."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} watcher {os.getpid()}: {text}\n")
    sys.stderr.flush()


LIBC: Final = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Ask the kernel for a fast shutdown of the server should the watcher itself be killed (Linux).

    Run between fork and exec, where another thread's locks may be held for ever: one call into the kernel.
    """
    with contextlib.suppress(AttributeError):
        LIBC.prctl(PR_SET_PDEATHSIG, int(FAST), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what a dead postmaster leaves, so that it can be reaped (Linux)."""
    with contextlib.suppress(AttributeError):
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap(flags: int) -> None:
    """Reap children that have ended; with flags 0 wait until there is none left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, flags)[0] != 0:
            pass


def postmaster_of(folder: Path) -> int | None:
    """Give the pid in postmaster.pid if that process really is a PostgreSQL on this folder, else None."""
    try:
        pid = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    is_postgres = os.path.basename(arguments[0]) in {b"postgres", b"postmaster"}
    return pid if is_postgres and os.fsencode(folder) in arguments else None


def was_ready(folder: Path) -> bool:
    """Whether the server, dead or alive, came as far as accepting connections: line 8 of its pid file."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def processes_in(folder: Path) -> list[int]:
    """Find PostgreSQL processes by their working directory, which is always the data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
    return found


def send(pid: int, number: int) -> None:
    """Send a signal; a process that has just ended is as good."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def take_lease(path: Path, folder: Path) -> int:
    """Wait until no process of an earlier server is alive; give the lease's descriptor.

    A server whose watcher was killed shuts down by itself. The backends of a killed postmaster leave by
    themselves, unless they are busy: those are told to quit after a while, as the postmaster would have done.
    """
    lease = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began = time.monotonic()
    while True:
        reap(os.WNOHANG)
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - began
        else:
            return lease
        postmaster = postmaster_of(folder)
        if postmaster is not None:
            send(postmaster, FAST if waited < STOP_SECONDS else IMMEDIATE)
        elif waited > 5:
            for pid in processes_in(folder):
                send(pid, IMMEDIATE if waited < 15 else signal.SIGKILL)
        time.sleep(0.05 if waited < 2 else 0.5)


class Watcher:
    """One server, from its start to the moment when its last user has left."""

    def __init__(self, home: Path, socket_dir: Path, argv: list[str]) -> None:
        self.home = home
        self.socket_dir = socket_dir
        self.folder = home / "data"
        self.argv = argv
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.server: subprocess.Popen[bytes] | None = None
        self.starts: list[float] = []

    def run(self) -> int:
        """Give the exit code: 0 after an orderly stop, 1 when the server does not start."""
        users = os.open(self.home / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.events.put("told"))
        if not self.start():
            return 1
        threading.Thread(target=self.wait_until_unused, args=(users,), daemon=True).start()
        while True:
            event = self.events.get()
            if event != "died":
                self.stop()
                return 0
            if not self.start_again():
                return 1

    def start(self) -> bool:
        """Start PostgreSQL; False when it is somebody else's or cannot be started at all."""
        lease = take_lease(self.home / "lease", self.folder)
        if (owner := postmaster_of(self.folder)) is not None:
            say(f"the data folder is in use by process {owner}, which was not started by Staddle")
            return False
        # The lease is free, so the pid is nobody's, or a stranger's whom PostgreSQL would take for its own.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        self.starts.append(time.monotonic())
        try:
            self.server = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                pass_fds=[lease],
                preexec_fn=die_with_parent,  # noqa: PLW1509  # said there
                cwd=self.home,
            )
        except OSError as error:
            say(f"cannot run {self.argv[0]}: {error}")
            return False
        finally:
            os.close(lease)
        threading.Thread(target=self.wait_until_dead, args=(self.server,), daemon=True).start()
        return True

    def start_again(self) -> bool:
        """Start a server that died while it had users, unless it was never ready or dies too often."""
        code = self.server.returncode if self.server else None
        recent = [at for at in self.starts if time.monotonic() - at < STARTS_WINDOW_SECONDS]
        if not was_ready(self.folder):
            # A killed server leaves its pid file behind, one that refuses to start removes it.
            killed = code is not None and code < 0
            if not killed:
                say(f"the server ended with code {code}")
                return False
        if len(recent) >= STARTS_MAX:
            say(f"the server died {len(recent)} times within a minute")
            return False
        say(f"the server died with code {code}; starting it again")
        return self.start()

    def stop(self) -> None:
        """Shut the server down in order; wait for it."""
        server = self.server
        if server is None:
            return
        send(server.pid, FAST)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"the server did not stop within {STOP_SECONDS:.0f} s; telling it to quit")
            send(server.pid, IMMEDIATE)
            server.wait()
        reap(0)  # its log writer goes last
        with contextlib.suppress(OSError):
            self.socket_dir.rmdir()

    def wait_until_unused(self, users: int) -> None:
        """Wait for the users' lock alone, and keep it: new users wait until the stop is over."""
        fcntl.flock(users, fcntl.LOCK_EX)
        self.events.put("unused")

    def wait_until_dead(self, server: subprocess.Popen[bytes]) -> None:
        """Wait for the server's end, however it comes."""
        server.wait()
        self.events.put("died")


def main(arguments: list[str]) -> int:
    """Run `watch.py HOME SOCKET_DIR -- ARGV...`."""
    home, socket_dir, dashes, *argv = arguments
    assert dashes == "--"
    if os.fork():
        return 0  # whoever started the watcher is not to be its parent, and can reap this process at once
    os.umask(0o077)
    adopt_orphans()
    return Watcher(Path(home), Path(socket_dir), argv).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
