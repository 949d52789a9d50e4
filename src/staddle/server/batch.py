"""Group commit: requests that come at the same time become one list, one transaction, one commit.

There is no timer: the next batch is whatever came while the last one was being committed (design.md section 5). Each
request ends with an outcome of its own; a batch that fails as a whole is tried again one by one, so that a single
request can never take its neighbours with it.

Batches of a few requests go on beside each other in all processes. One of many would meet another's cells in the
database and wait there, half-way and with a list that no longer grows: so it waits for its turn first, and takes
along all that has come meanwhile (docs/decisions/0021).
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from staddle.db import Database, Tx, queries
from staddle.errors import StaddleError, Stopping

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
BATCH_MAX = 256
CROWD_MIN = 8
"""From so many requests on a batch waits for its turn: two batches in eight of the 256 cells each have one in common
once in five times, two in sixteen cells each twice in three.
"""
QUEUE_MAX = 20_000
"""Beyond it new requests are refused at once: they would wait for longer than their callers do."""
Observe = Callable[[str, int, float, bool], None]
"""Told of each batch: its name, its size, the seconds it took, and whether it was done as a whole."""
log = logging.getLogger(__name__)
sql = queries(__package__)


def observe_nothing(_name: str, _size: int, _seconds: float, _is_whole: bool) -> None:
    """Measure nothing."""


@dataclass(slots=True)
class Waiting(Generic[Asked, Answer]):
    """A request that waits for its batch, and the loop in which its caller awaits what becomes of it."""

    asked: Asked
    future: "asyncio.Future[Answer]"
    loop: asyncio.AbstractEventLoop


class Batcher(Generic[Asked, Answer]):
    """Collects requests of one kind, and answers them in lists on threads of its own.

    `answer` gets a transaction and a list, and gives an answer for each, in order; what it raises fails the whole
    list, and each is then tried alone. `observe` is told of each batch, for the metrics. `is_stopping` says that
    nothing more is taken.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        answer: Callable[[Tx, Sequence[Asked]], Sequence[Answer]],
        *,
        threads: int = 1,
        batch_max: int = BATCH_MAX,
        observe: Observe = observe_nothing,
    ) -> None:
        self.name = name
        self._database = database
        self._answer = answer
        self._batch_max = batch_max
        self._observe = observe
        self._queue: queue.SimpleQueue[Waiting[Asked, Answer] | None] = queue.SimpleQueue()
        self.is_stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch {name} {number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def ask(self, asked: Asked) -> Answer:
        """Put a request into the next batch and wait for what becomes of it.

        Whoever stops waiting changes nothing: the request is done all the same, and its key will say so.
        """
        if self.is_stopping or self.waiting > QUEUE_MAX:
            raise Stopping
        loop = asyncio.get_running_loop()
        waiting: Waiting[Asked, Answer] = Waiting(asked, loop.create_future(), loop)
        self._queue.put(waiting)
        return await waiting.future

    @property
    def waiting(self) -> int:
        """How many requests wait for a batch."""
        return self._queue.qsize()

    def stop(self, wait_seconds: float = 30.0) -> None:
        """Take nothing more, finish what is waiting, and end the threads."""
        self.is_stopping = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(wait_seconds)

    def _work(self) -> None:
        while batch := self._next_batch():
            began_at = time.perf_counter()
            is_whole = self._answer_batch(batch)
            self._observe(self.name, len(batch), time.perf_counter() - began_at, is_whole)

    def _next_batch(self) -> list[Waiting[Asked, Answer]]:
        """Wait for one request and take all that are there with it; an empty list says that this thread is to end."""
        batch: list[Waiting[Asked, Answer]] = []
        first = self._queue.get()
        if first is not None:
            batch.append(first)
            self._take_more(batch)
        return batch

    def _take_more(self, batch: list[Waiting[Asked, Answer]]) -> None:
        """Add what waits to a batch, as far as there is room."""
        while len(batch) < self._batch_max:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                return
            if more is None:
                self._queue.put(None)  # the end comes after this batch
                return
            batch.append(more)

    def _answer_batch(self, batch: list[Waiting[Asked, Answer]]) -> bool:
        """Answer a batch, or each of it alone where it fails as a whole; says whether it was done as a whole."""
        try:
            with self._database.transaction() as tx:
                if len(batch) >= CROWD_MIN:
                    tx.execute(sql.take_turn)
                    self._take_more(batch)
                answers = self._answer(tx, [waiting.asked for waiting in batch])
        except Exception as error:  # each is told on its own what became of it
            if len(batch) == 1:
                tell([(batch[0], None, error)])
                return True
            if not isinstance(error, StaddleError):
                log.warning("a batch of %s failed as a whole and is done one by one: %r", self.name, error)
            for waiting in batch:
                self._answer_batch([waiting])
            return False
        tell([(waiting, answer, None) for waiting, answer in zip(batch, answers, strict=True)])
        return True


def tell(ended: Sequence[tuple[Waiting[Any, Any], Any, Exception | None]]) -> None:
    """Hand the answers over to the loops that wait for them, with one call for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiting[Any, Any], Any, Exception | None]]] = {}
    for each in ended:
        by_loop.setdefault(each[0].loop, []).append(each)
    for loop, some in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, some)
        except RuntimeError:
            # The loop has ended: nobody waits any more, and the keys will tell.
            continue


def _resolve(ended: Sequence[tuple[Waiting[Any, Any], Any, Exception | None]]) -> None:
    for waiting, answer, error in ended:
        if waiting.future.done():
            continue
        if error is None:
            waiting.future.set_result(answer)
        else:
            waiting.future.set_exception(error)
