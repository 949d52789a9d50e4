"""Customers who subscribe over HTTP without a pause, for tests of what happens to a service meanwhile."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
from tests.api.world import Service, session_of_customer
from tests.living import Living

from staddle import desk
from staddle.db import Database

CALLERS = 12
REQUESTS_MAX = 400
AMOUNT = "1"


def desk_for_load(database: Database) -> Living:
    """A desk with one product and its customers."""
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08", amount_min="1", step="1")
    for number in range(CALLERS):
        living.customer(f"customer-{number}", USDT="10000")
    with database.transaction() as tx:
        desk.set_clock(tx, living.now)
    return living


def tokens_of(living: Living) -> list[str]:
    """A session of each customer; it outlives the service."""
    return [session_of_customer(living.database, f"customer-{number}") for number in range(CALLERS)]


@dataclass
class Load:
    """Customers who subscribe without a pause until the service is gone; `answers` by key, None where none came."""

    url: str
    tokens: list[str]
    answers: dict[tuple[int, str], httpx.Response | None] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    is_patient: bool = False
    """Whether everybody tries again where nobody listens."""

    def run(self, caller: int) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            for number in range(REQUESTS_MAX):
                if self.stop.is_set():
                    return
                key = f"key {caller} {number}"
                self.answers[caller, key] = None
                try:
                    self.answers[caller, key] = subscribe(http, self.tokens[caller], key)
                except httpx.ConnectError:
                    del self.answers[caller, key]  # nothing was sent
                    if not self.is_patient:
                        return
                    time.sleep(0.05)
                except httpx.TransportError:
                    continue  # the next one may find another process

    @property
    def answered(self) -> int:
        return sum(answer is not None for answer in list(self.answers.values()))


def subscribe(http: httpx.Client, token: str, key: str) -> httpx.Response:
    body = {"product": "FLEX", "amount": AMOUNT, "agreement_version": 1}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return http.post("/v1/subscriptions", json=body, headers=headers)


@contextlib.contextmanager
def under_load(
    service: Service, tokens: list[str], answered: int = 40, is_patient: bool = False
) -> Iterator[Load]:
    """Let everybody call; the block begins once some were answered, and ends when nobody calls any more."""
    load = Load(service.url, tokens, is_patient=is_patient)
    with ThreadPoolExecutor(CALLERS) as threads:
        calling = [threads.submit(load.run, caller) for caller in range(CALLERS)]
        until = time.monotonic() + 30
        while load.answered < answered and time.monotonic() < until and not all(c.done() for c in calling):
            time.sleep(0.01)
        try:
            yield load
        finally:
            load.stop.set()
        for each in calling:
            each.result()
