"""Deliverers hammer one another while receivers fail at random and people replay: in order, all of it, none stuck."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

from tests.faults.books import prove
from tests.stories.receiver import Desk, Received, answering, receiver

from staddle import notices
from staddle.db import Database

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
            for _ in range(12):
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
