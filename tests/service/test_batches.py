"""Requests of one moment are committed as one list, and each ends with an outcome of its own (group commit)."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living, assert_audited

from staddle import errors
from staddle.db import Database, Tx, queries
from staddle.ledger import Outcome
from staddle.positions import Subscribe, Subscribed, subscribe
from staddle.server.batch import CROWD_MIN, Batcher

sql = queries("staddle.server")
Answer = Callable[[Tx, Sequence[Subscribe]], Sequence[Outcome[Subscribed]]]


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08", amount_min="1", step="1", quota="50")
    return living


def answering(living: Living, sizes: list[int]) -> Answer:
    def answer(tx: Tx, commands: Sequence[Subscribe]) -> Sequence[Outcome[Subscribed]]:
        sizes.append(len(commands))
        return subscribe(tx, commands, living.now)

    return answer


def commands_of(living: Living, count: int) -> list[Subscribe]:
    customers = [living.customer(f"customer {number}", USDT="5") for number in range(count)]
    return [living.subscription(customer, "FLEX", "1") for customer in customers]


async def ask_all(batcher: Batcher[Any, Any], asked: Sequence[Any]) -> list[Any]:
    return await asyncio.gather(*(batcher.ask(each) for each in asked), return_exceptions=True)


def test_requests_of_one_moment_share_a_transaction_and_the_quota_is_never_oversold(living: Living) -> None:
    sizes: list[int] = []
    batcher = Batcher(living.database, "subscribe", answering(living, sizes), threads=2, batch_max=40)
    outcomes = asyncio.run(ask_all(batcher, commands_of(living, 60)))
    batcher.stop()
    assert sum(outcome.error is None for outcome in outcomes) == 50
    assert {type(outcome.error) for outcome in outcomes if outcome.error is not None} == {errors.QuotaFull}
    assert sum(sizes) == 60
    assert len(sizes) < 30
    assert max(sizes) <= 40
    assert_audited(living.database)


def test_a_crowd_waits_for_its_turn_and_takes_along_what_has_come_meanwhile(living: Living) -> None:
    sizes: list[int] = []
    asked = commands_of(living, 20)
    batcher = Batcher(living.database, "subscribe", answering(living, sizes), batch_max=16)

    async def story() -> list[Any]:
        with living.database.transaction() as elsewhere:
            elsewhere.execute(sql.take_turn)  # as another process does while it answers many
            first = [asyncio.create_task(batcher.ask(each)) for each in asked[:CROWD_MIN]]
            while batcher.waiting:
                await asyncio.sleep(0.001)
            rest = [asyncio.create_task(batcher.ask(each)) for each in asked[CROWD_MIN:]]
            done, _ = await asyncio.wait(first + rest, timeout=0.2)
            assert not done
        return await asyncio.gather(*first, *rest)

    outcomes = asyncio.run(story())
    batcher.stop()
    assert [outcome.error for outcome in outcomes] == [None] * 20
    assert sizes == [16, 4]
    assert_audited(living.database)


def test_a_few_requests_wait_for_nobodys_turn(living: Living) -> None:
    sizes: list[int] = []
    asked = commands_of(living, CROWD_MIN - 1)
    batcher = Batcher(living.database, "subscribe", answering(living, sizes))

    async def story() -> list[Any]:
        with living.database.transaction() as elsewhere:
            elsewhere.execute(sql.take_turn)
            return await asyncio.wait_for(ask_all(batcher, asked), 10)

    outcomes = asyncio.run(story())
    batcher.stop()
    assert [outcome.error for outcome in outcomes] == [None] * (CROWD_MIN - 1)


def test_told_to_stop_while_it_waits_for_its_turn_a_crowd_is_answered_and_nothing_is_left(
    living: Living,
) -> None:
    sizes: list[int] = []
    asked = commands_of(living, 12)
    batcher = Batcher(living.database, "subscribe", answering(living, sizes))

    async def story() -> list[Any]:
        with living.database.transaction() as elsewhere:
            elsewhere.execute(sql.take_turn)
            tasks = [asyncio.create_task(batcher.ask(each)) for each in asked[:CROWD_MIN]]
            while batcher.waiting:
                await asyncio.sleep(0.001)
            tasks += [asyncio.create_task(batcher.ask(each)) for each in asked[CROWD_MIN:]]
            await asyncio.sleep(0)
            stopping = asyncio.get_running_loop().run_in_executor(None, batcher.stop)
            while not batcher.is_stopping:
                await asyncio.sleep(0.001)
        outcomes = await asyncio.gather(*tasks)
        await stopping
        return outcomes

    outcomes = asyncio.run(story())
    assert [outcome.error for outcome in outcomes] == [None] * 12
    assert sum(sizes) == 12


def test_a_batch_that_fails_as_a_whole_is_done_one_by_one(living: Living) -> None:
    good = commands_of(living, 8)
    poison = good[3]

    def answer(tx: Tx, commands: Sequence[Subscribe]) -> Sequence[Outcome[Subscribed]]:
        outcomes = subscribe(tx, commands, living.now)
        if poison in commands:
            raise ZeroDivisionError("only this one")
        return outcomes

    batcher = Batcher(living.database, "subscribe", answer)
    outcomes = asyncio.run(ask_all(batcher, good))
    batcher.stop()
    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, ZeroDivisionError)]
    assert failed == [3]
    assert all(outcome.error is None for outcome in outcomes if isinstance(outcome, Outcome))
    assert len(living.rows("SELECT 1 FROM position")) == 7
    assert_audited(living.database)


def test_stopping_finishes_what_waits_and_refuses_what_comes_later(living: Living) -> None:
    gate = threading.Event()
    asked = commands_of(living, 10)

    def answer(tx: Tx, commands: Sequence[Subscribe]) -> Sequence[Outcome[Subscribed]]:
        gate.wait(10)
        return subscribe(tx, commands, living.now)

    batcher = Batcher(living.database, "subscribe", answer, batch_max=3)

    async def story() -> list[Any]:
        waiting = asyncio.create_task(ask_all(batcher, asked))
        while batcher.waiting < 7:  # the first three are being answered
            await asyncio.sleep(0.001)
        stopping = asyncio.get_running_loop().run_in_executor(None, batcher.stop)
        while not batcher.is_stopping:
            await asyncio.sleep(0.001)
        with pytest.raises(errors.Stopping):
            await batcher.ask(asked[0])
        gate.set()
        outcomes = await waiting
        await stopping
        return outcomes

    outcomes = asyncio.run(story())
    assert [outcome.error for outcome in outcomes] == [None] * 10


def test_whoever_stops_waiting_changes_nothing_and_the_key_says_so(living: Living) -> None:
    asked = commands_of(living, 3)
    batcher = Batcher(living.database, "subscribe", answering(living, []))

    async def leave_at_once() -> list[Any]:
        gone = asyncio.create_task(batcher.ask(asked[0]))
        await asyncio.sleep(0)
        gone.cancel()
        return await ask_all(batcher, asked[1:])

    outcomes = asyncio.run(leave_at_once())
    assert [outcome.error for outcome in outcomes] == [None, None]
    again = asyncio.run(ask_all(batcher, asked[:1]))[0]
    batcher.stop()
    assert again.is_replay
    assert again.unwrap().amount == Decimal(1)
    assert len(living.rows("SELECT 1 FROM position")) == 3


def test_a_crowd_beyond_the_queue_is_refused_at_once(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staddle.server.batch.QUEUE_MAX", 2)
    gate = threading.Event()

    def answer(tx: Tx, commands: Sequence[Subscribe]) -> Sequence[Outcome[Subscribed]]:
        gate.wait(10)
        return subscribe(tx, commands, living.now)

    batcher = Batcher(living.database, "subscribe", answer, batch_max=1)
    asked = commands_of(living, 8)

    async def story() -> list[Any]:
        task = asyncio.create_task(ask_all(batcher, asked))
        await asyncio.sleep(0.05)
        gate.set()
        return await task

    outcomes = asyncio.run(story())
    batcher.stop()
    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.Stopping)]
    assert 3 <= len(refused) < 8
    assert len(living.rows("SELECT 1 FROM position")) == 8 - len(refused)
