"""A deliverer that is killed loses no webhook: what it had claimed comes back, and is sent again under the same id."""

import os
import signal
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.faults.keepers import wait_until, workers_of
from tests.faults.processes import start
from tests.stories.receiver import OK, SECRET_KEY, Desk, Received, answering, receiver

from staddle.db import Database
from staddle.notices.lanes import CLAIM


def test_killed_between_sending_and_writing_it_down_it_is_sent_again_with_the_same_id(
    database: Database,
) -> None:
    desk = Desk(database)
    desk.now = datetime.now(UTC)
    anna = desk.living.customer("anna")
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        desk.happens(anna, 2)
        process = start("deliver", database.dsn)

        def kill(handler: BaseHTTPRequestHandler, received: Received) -> None:
            os.kill(process.pid, signal.SIGKILL)
            OK(handler, received)

        receiving.answer = kill
        assert process.wait(60) == -signal.SIGKILL
        process.communicate()
        [first] = receiving.received
        assert desk.delivery(endpoint)[0].state == "pending"

        receiving.answer = OK
        desk.now = datetime.now(UTC)
        assert desk.deliver() == 0, "what was claimed is not taken by another before its time"
        desk.now += CLAIM
        assert desk.deliver() == 2
    again, second = receiving.received[1:]
    assert (again.webhook_id, again.body) == (first.webhook_id, first.body)
    assert second.webhook_id != first.webhook_id
    assert [each.event["data"]["amount"] for each in (first, again, second)] == ["1", "1", "2"]


def test_a_result_that_comes_after_its_claim_has_ended_changes_nothing(database: Database) -> None:
    """The first deliverer is so slow that a second one takes over, delivers, and is done before it."""
    desk = Desk(database)
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"), 2)

        def first_only(handler: BaseHTTPRequestHandler, received: Received) -> None:
            answering(204 if received.event["data"]["amount"] == "1" else 500)(handler, received)

        def overtaken(handler: BaseHTTPRequestHandler, received: Received) -> None:
            receiving.answer = first_only
            desk.now += CLAIM
            assert desk.deliver() == 2
            answering(500)(handler, received)

        receiving.answer = overtaken
        desk.deliver()
        assert [each.event["data"]["amount"] for each in receiving.received] == ["1", "1", "2"]
        delivery, log = desk.delivery(endpoint)
        waiting, _ = desk.delivery(endpoint, 1)
    assert (delivery.state, delivery.attempt_count) == ("delivered", 1)
    assert [each.status for each in log] == [204]
    assert (waiting.state, waiting.attempt_count) == ("pending", 1)
    assert desk.living.rows("SELECT due_at > %s AS later FROM webhook_lane", desk.now) == [(True,)]


def test_of_two_workers_one_is_killed_and_the_other_tells_what_happens_and_announces_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(database)
    desk.now = datetime.now(UTC)
    monkeypatch.setenv("STADDLE_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("STADDLE_WEBHOOK_ALLOW", "127.0.0.1")
    customers = [desk.living.customer(f"customer {number}") for number in range(6)]
    with receiver() as receiving, workers_of(database, tmp_path) as workers:
        desk.endpoint(receiving.url)
        pair = workers.start(), workers.start()
        wait_until(lambda: len(workers.at_work()) == 2 and workers.leader() is not None, 30, "one leads")
        doomed, other = sorted(pair, key=lambda worker: worker.pid == workers.leader())
        for customer_id in customers[:3]:
            desk.happens(customer_id, 2)
        receiving.wait_for(6)
        doomed.kill()
        doomed.wait(20)
        for customer_id in customers[3:]:
            desk.happens(customer_id, 2)
        desk.living.product("USDT-FLEX", "USDT", apr="0.08")
        receiving.wait_for(13, seconds=40)
        other.terminate()
        assert other.wait(30) == 0, workers.logs()
    assert {each.webhook_id for each in receiving.received if each.event["customer_id"]} == {
        f"evt_{row.notice_id}"
        for row in desk.living.rows("SELECT notice_id FROM notice WHERE customer_id <> 0")
    }
    assert "product_opened" in receiving.kinds
    for customer_id in customers:
        amounts = [
            each.event["data"]["amount"]
            for each in receiving.received
            if each.event["customer_id"] == str(customer_id)
        ]
        assert amounts == ["1", "2"]
