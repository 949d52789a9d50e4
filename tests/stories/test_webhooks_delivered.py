"""Webhooks arrive: signed, at least once, in order for each customer, retried for three days, replayable."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.stories.receiver import ALLOWED, KEYRING, OK, Desk, Received, answering, receiver

from staddle import notices
from staddle.db import Database


def test_what_happens_to_a_customer_arrives_with_all_that_an_integrator_needs(database: Database) -> None:
    desk = Desk(database)
    desk.living.product("USDT-FLEX", "USDT", apr="0.08")
    anna = desk.living.customer("anna", USDT="1000")
    with receiver() as receiving:
        desk.endpoint(receiving.url)
        desk.living.subscribe(anna, "USDT-FLEX", "100")
        assert desk.deliver() == 1
        [received] = receiving.received
    event = received.event
    assert event["id"] == received.webhook_id
    assert (event["type"], event["customer_id"], event["customer_reference"]) == (
        "subscription",
        str(anna),
        "anna",
    )
    assert event["timestamp"] == desk.living.now.isoformat().replace("+00:00", "Z")
    assert event["data"]["product"] == "USDT-FLEX"
    assert event["data"]["amount"] == "100"
    assert event["data"]["position_id"].isdigit()
    assert received.path == "/hook"
    assert received.headers["host"] == f"127.0.0.1:{receiving.port}"
    assert received.headers["content-type"] == "application/json"


def test_the_signature_is_accepted_by_the_published_library_and_a_tampered_body_is_not(
    database: Database,
) -> None:
    desk = Desk(database)
    desk.now = datetime.now(UTC)
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
        [received] = receiving.received
    library = Webhook(desk.secret(endpoint))
    assert library.verify(received.body, received.headers) == received.event
    for body in (received.body.replace('"1"', '"2"'), received.body + " "):
        with pytest.raises(WebhookVerificationError):
            library.verify(body, received.headers)
    with pytest.raises(WebhookVerificationError):
        library.verify(received.body, received.headers | {"webhook-id": "evt_1"})
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "B" * 44).verify(received.body, received.headers)


def test_after_a_rotation_the_secret_before_signs_for_24_hours_beside_the_new_one(database: Database) -> None:
    desk = Desk(database)
    desk.now = datetime.now(UTC) - timedelta(hours=24)
    anna = desk.living.customer("anna")
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        before = desk.secret(endpoint)
        with database.transaction() as tx:
            notices.rotate_secret(tx, "exchange", endpoint, KEYRING, desk.now)
        after = desk.secret(endpoint)
        assert after != before
        desk.happens(anna)
        desk.deliver()
        desk.passes(hours=23, minutes=59)
        desk.happens(anna)
        desk.deliver()
        desk.passes(minutes=1)
        desk.happens(anna)
        desk.deliver()
    first, still, last = receiving.received
    assert len(first.headers["webhook-signature"].split()) == 2
    for secret in (before, after):
        Webhook(secret).verify(still.body, still.headers)
    Webhook(after).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(last.body, last.headers)


def test_an_endpoint_is_told_what_happens_from_its_beginning_on_and_only_the_kinds_it_wants(
    database: Database,
) -> None:
    desk = Desk(database)
    desk.living.product("USDT-FLEX", "USDT", apr="0.08")
    anna = desk.living.customer("anna", USDT="1000")
    desk.living.subscribe(anna, "USDT-FLEX", "100")
    with receiver() as all_of_it, receiver() as some:
        desk.endpoint(all_of_it.url)
        desk.endpoint(some.url, ["redemption"])
        desk.living.subscribe(anna, "USDT-FLEX", "200")
        desk.living.redeem(anna, "USDT-FLEX", "50")
        desk.deliver()
        assert all_of_it.kinds == ["subscription", "redemption"]
        assert some.kinds == ["redemption"]
        assert desk.deliver() == 0


def test_a_customers_later_event_waits_for_the_earlier_one_and_others_go_on(database: Database) -> None:
    desk = Desk(database)
    anna, bert = desk.living.customer("anna"), desk.living.customer("bert")

    def not_anna(handler: BaseHTTPRequestHandler, received: Received) -> None:
        is_anna = received.event["customer_reference"] == "anna"
        answering(500 if is_anna else 204)(handler, received)

    with receiver() as receiving:
        desk.endpoint(receiving.url)
        desk.happens(anna, 3)
        desk.happens(bert, 3)
        receiving.answer = not_anna
        desk.deliver()
        told = [
            (each.event["customer_reference"], each.event["data"]["amount"]) for each in receiving.received
        ]
        assert [amount for who, amount in told if who == "anna"] == ["1"]
        assert [amount for who, amount in told if who == "bert"] == ["1", "2", "3"]
        receiving.answer = OK
        desk.passes(seconds=7)
        desk.deliver()
    amounts = [
        each.event["data"]["amount"]
        for each in receiving.received
        if each.event["customer_reference"] == "anna"
    ]
    assert amounts == ["1", "1", "2", "3"]


def test_a_delivery_that_failed_is_tried_again_later_and_later_under_the_same_id(database: Database) -> None:
    desk = Desk(database)
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        receiving.answer = answering(503, b"busy")
        waits = []
        for _ in range(5):
            assert desk.deliver() == 1
            assert desk.deliver() == 0, "it waits"
            due_at = desk.delivery(endpoint)[0].due_at
            waits.append((due_at - desk.now).total_seconds())
            desk.now = due_at
        assert 5 <= waits[0] <= 6
        assert all(2 * earlier <= later <= 5 * earlier for earlier, later in pairwise(waits))
        receiving.answer = OK
        assert desk.deliver() == 1
    assert len({each.webhook_id for each in receiving.received}) == 1
    assert len({each.body for each in receiving.received}) == 1
    delivery, log = desk.delivery(endpoint)
    assert (delivery.state, delivery.attempt_count) == ("delivered", 6)
    assert [(each.number, each.status) for each in log] == [(n, 503) for n in range(1, 6)] + [(6, 204)]
    assert log[0].answer == "busy"


def test_after_three_days_of_failure_a_delivery_is_dead_and_the_next_one_has_its_turn(
    database: Database,
) -> None:
    desk = Desk(database)
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"), 2)
        receiving.answer = answering(500)
        began = desk.now
        while desk.delivery(endpoint)[0].state == "pending" if receiving.received else True:
            desk.deliver()
            assert desk.now - began <= timedelta(days=3)
            if desk.delivery(endpoint)[0].state == "pending":
                desk.now = desk.delivery(endpoint)[0].due_at
        assert desk.now - began == timedelta(days=3)
        delivery, log = desk.delivery(endpoint)
        assert delivery.state == "dead"
        assert 12 <= len(log) <= 25
        with database.transaction() as tx:
            assert [each.notice_id for each in notices.dead_letters(tx, 10)] == [delivery.notice_id]
            assert notices.dead_counts(tx) == {endpoint: ("exchange", 1)}, "an alarm stands for it"
        assert receiving.received[-1].event["data"]["amount"] == "2", "the next one has had its turn"

        receiving.answer = OK
        with database.transaction() as tx:
            notices.replay_delivery(tx, "exchange", endpoint, delivery.notice_id, desk.now)
        desk.deliver()
        assert desk.delivery(endpoint)[0].state == "delivered"
        with database.transaction() as tx:
            assert notices.dead_counts(tx) == {}
        assert {each.event["data"]["amount"] for each in receiving.received[-2:]} == {"1", "2"}


def test_all_since_an_instant_can_be_sent_again_also_what_was_not_wanted_then(database: Database) -> None:
    desk = Desk(database)
    desk.living.product("USDT-FLEX", "USDT", apr="0.08")
    anna = desk.living.customer("anna", USDT="1000")
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url, ["redemption"])
        desk.living.subscribe(anna, "USDT-FLEX", "1")
        since = desk.living.passes(minutes=1)
        desk.living.subscribe(anna, "USDT-FLEX", "100")
        desk.living.redeem(anna, "USDT-FLEX", "50")
        desk.deliver()
        assert receiving.kinds == ["redemption"]
        with database.transaction() as tx:
            notices.change_endpoint(tx, "exchange", endpoint, receiving.url, None, "", ALLOWED)
            assert notices.replay_since(tx, "exchange", endpoint, since, desk.now) == 2
        desk.deliver()
    assert receiving.kinds == ["redemption", "subscription", "redemption"]
    assert receiving.received[0].webhook_id == receiving.received[2].webhook_id
    assert receiving.received[0].event["data"] == receiving.received[2].event["data"]


def test_an_endpoint_that_is_gone_is_disabled_and_told_about_and_loses_nothing(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    with receiver() as gone, receiver() as other:
        endpoint = desk.endpoint(gone.url)
        desk.endpoint(other.url, ["webhook_disabled"], client="another")
        gone.answer = answering(410)
        desk.happens(anna)
        desk.deliver()
        with database.transaction() as tx:
            found = notices.find_endpoint(tx, "exchange", endpoint)
        assert (found.state, found.disabled_because) == ("disabled", "gone")
        [told] = other.received
        assert told.event["data"] == {
            "endpoint_id": str(endpoint),
            "client_id": "exchange",
            "because": "gone",
        }
        desk.happens(anna)
        desk.passes(days=1)
        desk.deliver()
        assert len(gone.received) == 1, "nothing is sent to it"
        gone.answer = OK
        with database.transaction() as tx:
            notices.enable_endpoint(tx, "exchange", endpoint, desk.now)
        desk.deliver()
        assert sorted(gone.kinds) == ["subscription", "subscription", "subscription", "webhook_disabled"]


def test_an_endpoint_that_has_failed_for_five_days_is_disabled(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        receiving.answer = answering(500)
        for _ in range(6):
            with database.transaction() as tx:
                assert notices.find_endpoint(tx, "exchange", endpoint).state == "enabled"
            desk.happens(anna)
            desk.deliver()
            desk.passes(days=1)
    with database.transaction() as tx:
        found = notices.find_endpoint(tx, "exchange", endpoint)
    assert (found.state, found.disabled_because) == ("disabled", "failing")


def test_a_revoked_endpoint_is_sent_nothing_more(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    with receiver() as receiving:
        endpoint = desk.endpoint(receiving.url)
        receiving.answer = answering(500)
        desk.happens(anna, 2)
        desk.deliver()
        with database.transaction() as tx:
            notices.revoke_endpoint(tx, "exchange", endpoint, desk.now)
        desk.happens(anna)
        desk.passes(hours=1)
        assert desk.deliver() == 0
        assert len(receiving.received) == 1
    assert desk.living.rows("SELECT state FROM webhook_delivery") == [("cancelled",), ("cancelled",)]
    assert desk.living.rows("SELECT * FROM webhook_lane") == []


def test_a_slow_endpoint_does_not_hold_up_another(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(20)]
    let_go = threading.Event()

    def slowly(handler: BaseHTTPRequestHandler, received: Received) -> None:
        let_go.wait(20)
        OK(handler, received)

    with receiver() as slow, receiver() as quick:
        slow.answer = slowly
        desk.endpoint(slow.url)
        desk.endpoint(quick.url)
        for customer_id in customers:
            desk.happens(customer_id)
        working = threading.Thread(target=desk.deliver)
        working.start()
        quick.wait_for(20)
        slow.wait_for(8)
        assert len(slow.received) == 8, "no more than eight at once"
        let_go.set()
        working.join(20)
        assert len(slow.received) == 20


def test_two_deliverers_at_once_send_each_event_once(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(15)]
    with receiver() as receiving:
        desk.endpoint(receiving.url)
        for customer_id in customers:
            desk.happens(customer_id, 4)
        working = [threading.Thread(target=desk.deliver) for _ in range(2)]
        for thread in working:
            thread.start()
        for thread in working:
            thread.join(60)
        desk.deliver()
    ids = [each.webhook_id for each in receiving.received]
    assert len(ids) == len(set(ids)) == 60
    for customer_id in customers:
        amounts = [
            each.event["data"]["amount"]
            for each in receiving.received
            if each.event["customer_id"] == str(customer_id)
        ]
        assert amounts == ["1", "2", "3", "4"]


def test_the_log_forgets_what_was_delivered_long_ago_and_keeps_what_is_dead(database: Database) -> None:
    desk = Desk(database)
    with receiver() as receiving:
        desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
        desk.passes(days=30)
        desk.deliver()
        assert len(desk.living.rows("SELECT * FROM webhook_attempt")) == 1
        desk.passes(seconds=1)
        desk.deliver()
    assert desk.living.rows("SELECT * FROM webhook_delivery") == []
    assert desk.living.rows("SELECT * FROM webhook_attempt") == []


def test_a_running_deliverer_sends_what_happens_until_it_is_stopped(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    stop = threading.Event()
    with receiver() as receiving:
        desk.endpoint(receiving.url)
        running = threading.Thread(target=desk.deliverer().run, args=[stop])
        running.start()
        desk.happens(anna, 2)
        receiving.wait_for(2)
        stop.set()
        running.join(20)
        assert not running.is_alive()
    assert [json.loads(each.body)["data"]["amount"] for each in receiving.received] == ["1", "2"]
    assert desk.living.rows("SELECT DISTINCT state FROM webhook_delivery") == [("delivered",)]
