"""The deliverer: makes deliveries of new notices, sends what is due, and writes down what came of it.

Any number of them may run at once, in one process or many, and any may be killed: what it had claimed comes back.
All instants are of the machine's clock, given by the edge.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg

from staddle.db import Database
from staddle.desk import find_desk, now_of
from staddle.errors import DatabaseUnavailable, DeskNotFound
from staddle.keyring import Keyring
from staddle.notices import Allowed, claim_lanes, fan_out, forget_deliveries, record_results
from staddle.notices.lanes import Due, Result
from staddle.server.send import TOTAL_SECONDS, Clock, Resolve, Rules, Sender, resolve

LOOK_EVERY = timedelta(milliseconds=250)
PAUSE = timedelta(seconds=1)
FORGET_EVERY = timedelta(hours=1)
KEPT = timedelta(days=30)
"""How long what was delivered stays in the log; what could not be delivered stays until somebody sends it again."""
FORGET_AT_ONCE = 10_000
Read = TypeVar("Read")
log = logging.getLogger(__name__)


class Deliverer:
    """Delivers webhooks until it is stopped; `run` holds a thread of its own, `deliver_due` works off what is due."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        allowed: Allowed,
        clock: Clock,
        *,
        resolver: Resolve = resolve,
        trust: str | None = None,
        patience_seconds: int = TOTAL_SECONDS,
        observe: Callable[[Result], None] = lambda _result: None,
    ) -> None:
        """`trust` is a file of certificates to trust beside the system's; `observe` is told of each attempt."""
        self._database = database
        self._keyring = keyring
        self._allowed = allowed
        self._clock = clock
        self._resolver = resolver
        self._trust = trust
        self._patience_seconds = patience_seconds
        self._observe = observe
        self._sending: dict[asyncio.Task[Result | None], Due] = {}
        self._forget_at: datetime | None = None

    def deliver_due(self) -> int:
        """Send all that is due now, and what becomes due by it; gives the number of attempts."""
        return asyncio.run(self._deliver(lambda: True))

    def run(self, stop: threading.Event) -> None:
        """Deliver until told to stop; then what is being sent is waited for and written down.

        A database that cannot be reached, or anything else that goes wrong, is waited for.
        """
        while not stop.is_set():
            try:
                asyncio.run(self._deliver(lambda: False, stop))
            except DeskNotFound:
                stop.wait(LOOK_EVERY.total_seconds())
            except Exception as error:  # whatever it is, the next webhook must go out
                is_expected = isinstance(error, DatabaseUnavailable | psycopg.OperationalError)
                log.warning("webhooks wait: %r", error, exc_info=not is_expected)
                stop.wait(PAUSE.total_seconds())

    async def _deliver(self, ends_when_idle: Callable[[], bool], stop: threading.Event | None = None) -> int:
        rules = await self._in_thread(self._rules)
        sender = Sender(rules, self._clock, self._resolver, self._trust, self._patience_seconds)
        attempts = 0
        try:
            while True:
                is_stopping = stop is not None and stop.is_set()
                is_found = False if is_stopping else await self._begin(sender)
                if not self._sending and (is_stopping or (not is_found and ends_when_idle())):
                    return attempts
                attempts += await self._finish_some()
                await sender.forget_idle({due.endpoint_id for due in self._sending.values()})
        finally:
            for task in self._sending:
                task.cancel()
            self._sending.clear()
            await sender.close()

    async def _begin(self, sender: Sender) -> bool:
        """Make deliveries, claim what is due, and begin to send it; says whether there was anything."""
        moved, claimed = await self._in_thread(self._look)
        for due in claimed:
            self._sending[asyncio.create_task(sender.send(due))] = due
        return bool(moved or claimed)

    def _look(self) -> tuple[int, Sequence[Due]]:
        now = self._clock()
        with self._database.transaction() as tx:
            moved = fan_out(tx, now)
        with self._database.transaction() as tx:
            claimed = claim_lanes(tx, [due.endpoint_id for due in self._sending.values()], self._keyring, now)
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY
            with self._database.transaction() as tx:
                forget_deliveries(tx, now - KEPT, FORGET_AT_ONCE)
        return moved, claimed

    async def _finish_some(self) -> int:
        """Wait a moment for what is being sent, and write down together what has ended."""
        if not self._sending:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            return 0
        ended, _ = await asyncio.wait(
            self._sending, timeout=LOOK_EVERY.total_seconds(), return_when=asyncio.FIRST_COMPLETED
        )
        results = []
        for task in ended:
            del self._sending[task]
            result = task.result()
            if result is not None:
                results.append(result)
                self._observe(result)
        if results:
            await self._in_thread(lambda: self._record(results))
        return len(results)

    def _record(self, results: Sequence[Result]) -> None:
        now = self._clock()
        with self._database.transaction() as tx:
            record_results(tx, results, now_of(tx, now), now)

    def _rules(self) -> Rules:
        with self._database.transaction() as tx:
            return Rules(find_desk(tx).is_sandbox, self._allowed)

    async def _in_thread(self, read: Callable[[], Read]) -> Read:
        return await asyncio.get_running_loop().run_in_executor(None, read)


def deliver_due(database: Database, keyring: Keyring, allowed: Allowed, now: datetime) -> int:
    """Send all webhooks that are due at an instant; gives the number of attempts."""
    return Deliverer(database, keyring, allowed, lambda: now).deliver_due()
