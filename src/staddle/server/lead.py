"""Who keeps the schedule: one of many processes, by a row that it counts up (docs/decisions/0013).

The leader adds one to `beat` every two seconds. Another process that has seen the same beat for nine seconds of its own
clock puts itself in the leader's place, if the row still stands as it was seen. So no two machines' clocks are ever
compared, and it does not matter how a leader is lost: killed, stopped, cut off, or its machine gone. A leader that has
not been able to count for six seconds leaves off by itself.

Whoever takes over first cuts off the sessions of the leader before, which it knows by their name: one that stands still
in the middle of a transaction holds locks that customers and the next run wait for.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Sequence

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import namedtuple_row

from staddle.db import Tx, queries
from staddle.db.connect import APP_OPTIONS

sql = queries(__package__)
log = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
LEAVES_OFF_SECONDS = 6.0
"""A leader that could not count for so long does nothing more."""
TAKES_OVER_SECONDS = 9.0
"""A leader that has stood still for so long is followed by whoever sees it first; more than LEAVES_OFF_SECONDS."""
TIMEOUTS: Sequence[str] = ("-c statement_timeout=3000", "-c lock_timeout=2000")
CONNECTION = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}
"""A server that has gone without a word is noticed in seconds, and not after the two hours of TCP."""


def name_of_this_process() -> str:
    """Give a name that no other process has: host, number, and some chance for containers that share both."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{os.urandom(4).hex()}"


def fence(connection: Tx, holder: str) -> None:
    """Cut off the sessions of an earlier leader; what they had under way is rolled back, to be done again.

    Where the server does not permit it, their locks last until they wake up or the server notices that they are gone.
    """
    try:
        with connection.transaction():
            connection.execute(sql.as_owner)
            connection.execute(sql.fence, {"name": holder})
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("the sessions of %s could not be ended: %s", holder, error)


class Lead:
    """This process's part in the choice of a leader, on a connection of its own that it renews when it is lost.

    `clock` gives seconds that only go forward. It is called from one thread; `is_leader` may be asked from any.
    """

    def __init__(self, dsn: str, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        given = str(conninfo_to_dict(dsn).get("options") or "")
        options = " ".join([given, *APP_OPTIONS, *TIMEOUTS]).strip()
        self._dsn = make_conninfo(dsn, options=options, application_name=name, **CONNECTION)
        self._clock = clock
        self._connection: Tx | None = None
        self._beaten_at: float | None = None
        self._seen: tuple[str, int] | None = None
        self._seen_at = 0.0

    @property
    def is_leader(self) -> bool:
        """Whether this process keeps the schedule, by a beat that is recent enough."""
        beaten_at = self._beaten_at
        return beaten_at is not None and self._clock() - beaten_at < LEAVES_OFF_SECONDS

    def look(self) -> bool:
        """Count up as the leader, or look whether the leader still does; gives `is_leader`.

        Called every second or two. A database that cannot be reached is no error: nobody leads meanwhile.
        """
        try:
            connection = self._connect()
            if self._beaten_at is not None:
                self._beat(connection)
            else:
                self._watch(connection)
        except (psycopg.Error, OSError):
            self._drop()
        return self.is_leader

    def step_down(self) -> None:
        """Leave the schedule to others at once, where this process has it, and close the connection."""
        self._beaten_at = None
        try:
            if self._connection is not None:
                self._connection.execute(sql.step_down, {"holder": self.name})
        except (psycopg.Error, OSError):
            pass
        self._drop()

    def _beat(self, connection: Tx) -> None:
        # The instant is taken before the question, so that an answer that was long under way counts as old.
        asked_at = self._clock()
        if connection.execute(sql.beat, {"holder": self.name}).fetchone() is not None:
            self._beaten_at = asked_at
        else:
            self._beaten_at, self._seen = None, None

    def _watch(self, connection: Tx) -> None:
        asked_at = self._clock()
        row = connection.execute(sql.leader).fetchone()
        if row is None:
            connection.execute(sql.have_leader)
            row = connection.execute(sql.leader).fetchone()
        assert row is not None
        seen = (row.holder, row.beat)
        if seen != self._seen:
            self._seen, self._seen_at = seen, asked_at
        if row.holder not in ("", self.name) and asked_at - self._seen_at < TAKES_OVER_SECONDS:
            return
        claim = {"holder": self.name, "seen_holder": row.holder, "seen_beat": row.beat}
        if connection.execute(sql.take_over, claim).fetchone() is not None:
            self._beaten_at = asked_at
            if row.holder not in ("", self.name):
                fence(connection, row.holder)

    def _connect(self) -> Tx:
        if self._connection is None or self._connection.broken or self._connection.closed:
            self._connection = psycopg.connect(self._dsn, autocommit=True, row_factory=namedtuple_row)
        return self._connection

    def _drop(self) -> None:
        """Give a connection up that has failed; a leader stays one until its last beat is too old."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        if self._beaten_at is not None and not self.is_leader:
            self._beaten_at, self._seen = None, None
