"""Deliverers hammer one another while receivers fail at random and people replay: in order, all of it, none stuck."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

from tests.faults.books import prove
from tests.faults.keepers import wait_until
from tests.stories.receiver import KEYRING, Desk, Received, answering, receiver

from staddle import notices
from staddle.db import Database
from staddle.notices.lanes import Due, Result

CUSTOMERS = 12
EACH = 8


def test_in_order_and_whole_whatever_fails_and_whoever_delivers(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(CUSTOMERS)]
    moves = random.Random(11)
    taken: list[Received] = []
    lock = threading.Lock()
    failures: list[BaseException] = []

    def sometimes(handler: BaseHTTPRequestHandler, received: Received) -> None:
        with lock:
            is_taken = moves.random() < 0.7
            if is_taken:
                taken.append(received)
        answering(204 if is_taken else moves.choice([500, 429, 302]))(handler, received)

    def trying(work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with receiver() as receiving:
        receiving.answer = sometimes
        endpoint = desk.endpoint(receiving.url)

        def write() -> None:
            for _ in range(EACH):
                for customer_id in customers:
                    desk.living.deposit(customer_id, "USDT", "1")

        def deliver() -> None:
            for _ in range(8):
                desk.deliver()
                with lock:
                    desk.now += timedelta(minutes=1)

        def replay() -> None:
            for _ in range(10):
                with database.transaction() as tx:
                    notices.replay_since(tx, None, endpoint, desk.living.now, desk.now)
                with database.transaction() as tx:
                    for each in notices.list_deliveries(tx, None, endpoint, "delivered", None, 3):
                        notices.replay_delivery(tx, None, endpoint, each.notice_id, desk.now)

        desk.living.asset("USDT")
        working = [trying(write), *(trying(deliver) for _ in range(3)), trying(replay)]
        for thread in working:
            thread.join(120)
        assert failures == []
        desk.deliver()
        while desk.living.rows("SELECT FROM webhook_delivery WHERE state = 'pending'"):
            desk.passes(hours=1)
            desk.deliver()
    for customer_id in customers:
        firsts = dict.fromkeys(
            int(each.event["data"]["transfer_id"])
            for each in taken
            if each.event["customer_id"] == str(customer_id)
        )
        assert len(firsts) == EACH
        assert list(firsts) == sorted(firsts), "each is taken for the first time after those before it"
    prove(database)


def claimed(desk: Desk) -> Due:
    """One delivery, made and claimed."""
    desk.endpoint("https://hooks.example.com/")
    desk.happens(desk.living.customer("anna"))
    with desk.database.transaction() as tx:
        notices.fan_out(tx, desk.now)
    with desk.database.transaction() as tx:
        [due] = notices.claim_lanes(tx, [], KEYRING, desk.now)
    return due


def begin(work: Callable[[], object], database: Database) -> threading.Thread:
    """Do something beside us, and wait until it is done or waits for us."""
    thread = threading.Thread(target=work)
    thread.start()

    def is_waiting() -> bool:
        with database.owner() as owner:
            row = owner.execute(
                "SELECT count(*) AS count FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone()
        return row is not None and row.count > 0

    wait_until(lambda: not thread.is_alive() or is_waiting(), 20, "it waits, or is done")
    return thread


def test_what_happens_while_a_customers_last_delivery_is_written_down_gets_its_turn(
    database: Database,
) -> None:
    desk = Desk(database)
    due = claimed(desk)
    desk.happens(due.told.customer_id)

    def make() -> None:
        with database.transaction() as tx:
            notices.fan_out(tx, desk.now)

    with database.transaction() as tx:
        notices.record_results(tx, [Result(due, desk.now, 1, 204, None, "")], desk.living.now, desk.now)
        making = begin(make, database)
    making.join(20)
    prove(database)
    assert desk.living.rows("SELECT claim FROM webhook_lane") == [(None,)]


def test_a_result_is_written_down_while_the_next_delivery_is_being_made(database: Database) -> None:
    desk = Desk(database)
    due = claimed(desk)
    desk.happens(due.told.customer_id)

    def write_down() -> None:
        with database.transaction() as tx:
            notices.record_results(tx, [Result(due, desk.now, 1, 204, None, "")], desk.living.now, desk.now)

    with database.transaction() as tx:
        notices.fan_out(tx, desk.now)
        writing = begin(write_down, database)
    writing.join(20)
    prove(database)
    assert desk.living.rows("SELECT claim FROM webhook_lane") == [(None,)]


def test_a_replay_and_a_result_of_the_same_delivery_wait_for_each_other_in_one_order(
    database: Database,
) -> None:
    desk = Desk(database)
    due = claimed(desk)

    def write_down() -> None:
        with database.transaction() as tx:
            notices.record_results(tx, [Result(due, desk.now, 1, 204, None, "")], desk.living.now, desk.now)

    with database.transaction() as tx:
        notices.replay_delivery(tx, None, due.endpoint_id, due.told.notice_id, desk.now)
        writing = begin(write_down, database)
        assert notices.replay_since(tx, None, due.endpoint_id, desk.living.now, desk.now) == 1
    writing.join(20)
    prove(database)
    assert desk.living.rows("SELECT state FROM webhook_delivery") == [("delivered",)]


def test_of_two_results_of_one_lane_only_that_of_the_claim_that_stands_is_written_down(
    database: Database,
) -> None:
    """A process that stood still for longer than its claim finds the lane due and claims it once more."""
    desk = Desk(database)
    first = claimed(desk)
    desk.now = first.claimed_until
    with database.transaction() as tx:
        [second] = notices.claim_lanes(tx, [], KEYRING, desk.now)
    results = [Result(due, desk.now, 1, status, None, "") for due, status in ((first, 500), (second, 204))]
    with database.transaction() as tx:
        assert notices.record_results(tx, results, desk.living.now, desk.now) == 1
    assert desk.living.rows("SELECT status FROM webhook_attempt") == [(204,)]
    assert desk.living.rows("SELECT state FROM webhook_delivery") == [("delivered",)]
    prove(database)
