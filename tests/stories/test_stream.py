"""The stream tells what happens as it happens, resumes exactly, beats when nothing happens, and drops the slow."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tests.stories.receiver import Desk

from staddle import errors, notices
from staddle.db import Database
from staddle.server.stream import HEARTBEAT, Streams

QUICK = 20


def live(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test in an event loop of its own, not for ever."""
    asyncio.run(asyncio.wait_for(test(), 60))


async def next_event(stream: AsyncIterator[bytes]) -> tuple[str, dict[str, Any]]:
    """The id and the data of the next event; heartbeats are passed by."""
    while True:
        async with asyncio.timeout(QUICK):
            part = await anext(stream)
        fields = dict(line.split(": ", 1) for line in part.decode().splitlines() if line and line[0] != ":")
        if "data" in fields:
            data: dict[str, Any] = json.loads(fields["data"])
            assert fields["event"] == data["type"]
            return fields["id"], data


async def first_cursor(stream: AsyncIterator[bytes]) -> str:
    """The cursor that is sent at once."""
    async with asyncio.timeout(QUICK):
        part = await anext(stream)
    return part.decode().split("id: ")[1].strip()


def test_each_is_told_what_concerns_them_and_the_desk_is_told_all(database: Database) -> None:
    desk = Desk(database)
    anna, bert = desk.living.customer("anna"), desk.living.customer("bert")
    desk.happens(anna)

    async def test() -> None:
        streams = Streams(database)
        of_anna, of_bert = streams.of_customer(anna, None), streams.of_customer(bert, None)
        of_desk = streams.of_desk(None)
        for stream in (of_anna, of_bert, of_desk):
            await first_cursor(stream)
        await asyncio.to_thread(desk.happens, anna, 2)
        with database.transaction() as tx:
            notices.publish(tx, "rewards_distributed", {"run_on": "2026-01-23"}, desk.living.now)
        told = [await next_event(of_anna) for _ in range(3)]
        assert [data["type"] for _, data in told] == ["subscription", "subscription", "rewards_distributed"]
        assert told[0][1]["customer_reference"] == "anna"
        assert (await next_event(of_bert))[1]["type"] == "rewards_distributed"
        of_all = [(await next_event(of_desk))[1] for _ in range(3)]
        assert {data["id"] for data in of_all} == {data["id"] for _, data in told}
        await streams.close()

    live(test)


def test_a_reader_who_comes_again_with_the_last_id_misses_nothing_and_gets_nothing_twice(
    database: Database,
) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")

    async def test() -> None:
        streams = Streams(database)
        stream = streams.of_customer(anna, None)
        cursor = await first_cursor(stream)
        desk.happens(anna, 5)
        for amount in ("1", "2"):
            cursor, data = await next_event(stream)
            assert data["data"]["amount"] == amount
        await stream.aclose()  # type: ignore[attr-defined]
        assert len(streams) == 0
        desk.happens(anna, 1)
        again = streams.of_customer(anna, cursor)
        assert [(await next_event(again))[1]["data"]["amount"] for _ in range(4)] == ["3", "4", "5", "1"]
        await streams.close()

    live(test)


def test_when_nothing_happens_the_heart_beats(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")

    async def test() -> None:
        streams = Streams(database, heartbeat_seconds=0.1)
        stream = streams.of_customer(anna, None)
        await first_cursor(stream)
        assert [await anext(stream) for _ in range(3)] == [HEARTBEAT] * 3
        desk.happens(anna)
        assert (await next_event(stream))[1]["type"] == "subscription"
        await streams.close()

    live(test)


def test_a_reader_who_takes_nothing_is_dropped_and_others_are_served(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")

    async def test() -> None:
        streams = Streams(database, patience_seconds=0.5)
        is_reading = asyncio.Event()

        async def take_nothing() -> None:
            stream = streams.of_customer(anna, None)
            await first_cursor(stream)
            await next_event(stream)
            is_reading.set()
            await asyncio.sleep(QUICK)

        slow = asyncio.create_task(take_nothing())
        quick = streams.of_customer(anna, None)
        await first_cursor(quick)
        while len(streams) < 2:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(desk.happens, anna, 3)
        await asyncio.wait_for(is_reading.wait(), QUICK)

        async def read_on() -> None:
            while True:
                await next_event(quick)

        reading = asyncio.create_task(read_on())
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(slow, QUICK)
        assert len(streams) == 1
        assert not reading.done()
        reading.cancel()
        await streams.close()

    live(test)


def test_there_are_no_more_streams_than_a_process_can_hold(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")

    async def test() -> None:
        streams = Streams(database, streams_max=2)
        opened = [streams.of_customer(anna, None), streams.of_desk(None)]
        for stream in opened:
            await first_cursor(stream)
        with pytest.raises(errors.TooManyStreams):
            streams.of_desk(None)
        await opened[0].aclose()  # type: ignore[attr-defined]
        await first_cursor(streams.of_desk(None))
        await streams.close()

    live(test)


def test_a_backlog_of_many_pages_comes_whole_and_in_order(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(3)]
    with database.transaction() as tx:
        start = notices.desk_cursor_now(tx)
    for customer_id in customers:
        desk.happens(customer_id, 80)

    async def test() -> None:
        streams = Streams(database)
        stream = streams.of_desk(start)
        found = [(await next_event(stream))[1] for _ in range(240)]
        for customer_id in customers:
            amounts = [each["data"]["amount"] for each in found if each["customer_id"] == str(customer_id)]
            assert amounts == [str(number) for number in range(1, 81)]
        await streams.close()

    live(test)
