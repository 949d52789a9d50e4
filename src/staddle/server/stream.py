"""Events as they happen (Server-Sent Events): one look at the cells for all connections, and each wakes when concerned.

A connection is a generator that the framework pulls: it reads the feed from where its reader stands, so nothing is kept
in memory for a reader, `Last-Event-ID` resumes exactly, and what a slow one has not fetched yet waits in the database.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec

from staddle.customers import find_customers_by_id
from staddle.db import Database, Tx
from staddle.errors import StaddleError, TooManyStreams
from staddle.ledger import HOUSE
from staddle.notices import Feed, customer_cursor_now, customer_feed, desk_cursor_now, desk_feed
from staddle.notices.feed import customers_told
from staddle.server.event import shown_event

LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
PATIENCE_SECONDS = 30.0
"""A reader that has not taken what was sent to it for so long is dropped; it resumes when it comes again."""
LASTS_SECONDS = 900.0
"""A stream ends after this long, so that whoever may read no more is noticed when they come again."""
STREAMS_MAX = 10_000
READS_AT_ONCE = 4
PAGE = 100
HEARTBEAT = b": still here\n\n"
Read = TypeVar("Read")
log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Reader:
    """A connection: whose it is (None: the desk's), whether there is news, and since when it has been sending."""

    customer_id: int | None
    task: "asyncio.Task[object] | None" = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    sending_since: float | None = None
    is_dropped: bool = False


class Streams:
    """The connections of one process; they live in one event loop, and look only while there are any."""

    def __init__(
        self,
        database: Database,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        lasts_seconds: float = LASTS_SECONDS,
        streams_max: int = STREAMS_MAX,
    ) -> None:
        self._database = database
        self._heartbeat_seconds = heartbeat_seconds
        self._patience_seconds = patience_seconds
        self._lasts_seconds = lasts_seconds
        self._streams_max = streams_max
        self._readers: set[_Reader] = set()
        self._looking: asyncio.Task[None] | None = None
        self._reading = asyncio.Semaphore(READS_AT_ONCE)

    def __len__(self) -> int:
        return len(self._readers)

    def of_customer(self, customer_id: int, after: str | None) -> AsyncIterator[bytes]:
        """Stream what happens to a customer, and what is announced to them, behind a cursor or from now on.

        Raises TooManyStreams, and InvalidCursor when it is first pulled.
        """
        return self._stream(
            _Reader(customer_id),
            after,
            lambda tx: customer_cursor_now(tx, customer_id),
            lambda tx, cursor: customer_feed(tx, customer_id, cursor, PAGE),
        )

    def of_desk(self, after: str | None) -> AsyncIterator[bytes]:
        """Stream what happens to all customers and to the desk, for integrators."""
        return self._stream(
            _Reader(None),
            after,
            desk_cursor_now,
            lambda tx, cursor: desk_feed(tx, cursor, PAGE),
        )

    async def close(self) -> None:
        """End all streams; their readers come again, elsewhere or later."""
        for reader in self._readers:
            reader.is_dropped = True
            reader.news.set()
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    def _stream(
        self,
        reader: _Reader,
        after: str | None,
        now_cursor: Callable[[Tx], str],
        page: Callable[[Tx, str], Feed],
    ) -> AsyncIterator[bytes]:
        if len(self._readers) >= self._streams_max:
            raise TooManyStreams
        return self._events(reader, after, now_cursor, page)

    async def _events(
        self,
        reader: _Reader,
        after: str | None,
        now_cursor: Callable[[Tx], str],
        page: Callable[[Tx, str], Feed],
    ) -> AsyncIterator[bytes]:
        reader.task = asyncio.current_task()
        self._readers.add(reader)
        self._look_from_now_on()
        try:
            cursor = after if after is not None else await self._read(now_cursor)
            # The cursor comes first, so that a reader who has had no event yet can resume, too.
            yield b"retry: 2000\nid: " + cursor.encode() + b"\n\n"
            ends_at = asyncio.get_running_loop().time() + self._lasts_seconds
            while not reader.is_dropped and asyncio.get_running_loop().time() < ends_at:
                reader.news.clear()
                found, parts = await self._read(partial(_written, page=page, cursor=cursor))
                cursor = found.cursor
                for part in parts:
                    reader.sending_since = asyncio.get_running_loop().time()
                    yield part
                    reader.sending_since = None
                while found.is_last and not await self._has_news(reader, ends_at):
                    reader.sending_since = asyncio.get_running_loop().time()
                    yield HEARTBEAT
                    reader.sending_since = None
        finally:
            self._readers.discard(reader)

    async def _has_news(self, reader: _Reader, ends_at: float) -> bool:
        """Wait for news or for the stream's end, or until it is time for a heartbeat."""
        left = ends_at - asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.news.wait(), min(self._heartbeat_seconds, max(left, 0)))
        return reader.news.is_set() or left <= self._heartbeat_seconds

    async def _read(self, read: Callable[[Tx], Read]) -> Read:
        """Read on a thread, with few others at a time: an announcement wakes everybody."""
        async with self._reading:
            return await self._in_transaction(read)

    async def _in_transaction(self, read: Callable[[Tx], Read]) -> Read:
        def in_thread() -> Read:
            with self._database.transaction() as tx:
                return read(tx)

        return await asyncio.to_thread(in_thread)

    def _look_from_now_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Look for new notices while anybody reads, wake whom they concern, and drop who is too slow."""
        before: list[int] | None = None
        while self._readers:
            try:
                before, told = await self._in_transaction(partial(customers_told, counts=before))
            except StaddleError as error:
                log.warning("the streams wait for the database: %s", error.message)
                told = set()
            now = asyncio.get_running_loop().time()
            for reader in list(self._readers):
                if told and (reader.customer_id is None or HOUSE in told or reader.customer_id in told):
                    reader.news.set()
                if reader.sending_since is not None and now - reader.sending_since > self._patience_seconds:
                    self._drop(reader)
            await asyncio.sleep(LOOK_SECONDS)

    def _drop(self, reader: _Reader) -> None:
        """End the connection of a reader who takes nothing; it stands where it stood."""
        self._readers.discard(reader)
        reader.is_dropped = True
        if reader.task is not None:
            reader.task.cancel()


def _written(tx: Tx, page: Callable[[Tx, str], Feed], cursor: str) -> tuple[Feed, list[bytes]]:
    """Read a page of the feed, written as Server-Sent Events, each with the cursor behind it as its id."""
    found = page(tx, cursor)
    customers = find_customers_by_id(
        tx, {event.told.customer_id for event in found.events if event.told.customer_id}
    )
    parts = []
    for event in found.events:
        customer = customers.get(event.told.customer_id)
        shown = shown_event(event.told, None if customer is None else customer.reference)
        lines = (b"id: ", event.cursor.encode(), b"\nevent: ", shown.type.encode())
        parts.append(b"".join((*lines, b"\ndata: ", msgspec.json.encode(shown), b"\n\n")))
    return found, parts
