"""The Binance API beside the service's own load: how long its clients wait, who give up after one second."""

import hashlib
import hmac
import random
import time as clock
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from bench.fill import say
from bench.subscribe import customer_id
from staddle import identity
from staddle.db import Database
from staddle.identity import Caller, NewApiKey
from staddle.keyring import Keyring

P99_MAX = 0.5
BOTS = 4
EARN = "/sapi/v1/simple-earn"
ROUND: list[tuple[str, str, Mapping[str, str]]] = [
    ("GET", f"{EARN}/flexible/list", {"size": "100"}),
    ("GET", f"{EARN}/flexible/position", {"size": "100"}),
    ("GET", f"{EARN}/locked/position", {"size": "100"}),
    ("POST", f"{EARN}/flexible/subscribe", {"productId": "HOT", "amount": "1", "autoSubscribe": "false"}),
    ("GET", f"{EARN}/flexible/history/subscriptionRecord", {"size": "100"}),
    ("GET", f"{EARN}/flexible/history/rewardsRecord", {"size": "100"}),
    ("POST", f"{EARN}/flexible/redeem", {"productId": "HOT", "amount": "1"}),
    ("GET", f"{EARN}/account", {}),
]
Load = Callable[[], dict[str, Any]]


def measure(database: Database, keyring: Keyring, port: int, seconds: int, load: Load) -> int:
    """Have some bots ask in turn for all that a tracker and a trader ask, while the service is under its full load."""
    keys = [give_key(database, keyring, number) for number in range(BOTS)]
    with ThreadPoolExecutor(BOTS + 1) as threads:
        loaded = threads.submit(load)
        until = clock.monotonic() + seconds
        bots = [threads.submit(ask, port, key, until) for key in keys]
        waited = sorted(wait for bot in bots for wait in bot.result())
        beside = loaded.result()
    p50, p99 = waited[len(waited) // 2], waited[int(len(waited) * 0.99)]
    say(
        f"  the Binance API beside {beside['rate']:,.0f} subscriptions/s: {len(waited)} requests of {BOTS} bots, "
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {waited[-1] * 1000:.0f} ms"
    )
    return int(p99 > P99_MAX)


def give_key(database: Database, keyring: Keyring, number: int) -> tuple[str, str]:
    """Give a customer a key that signs; tells its id and secret."""
    now, owner = datetime.now(UTC), customer_id(number)
    caller = Caller("customer", customer_id=owner, session_id="of the bench", stepped_up_at=now)
    new = NewApiKey(name="bench", scopes=["read", "subscribe", "redeem"], kind="hmac", agreement_version=1)
    with database.transaction() as tx:
        added = identity.add_api_key(tx, keyring, caller, owner, new, identity.UNSEEN, now)
    assert added.secret is not None
    return added.api_key.api_key_id, added.secret


def ask(port: int, key: tuple[str, str], until: float) -> list[float]:
    """Ask for everything again and again, each time from another address, for an address has a weight to spend."""
    waited = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        while clock.monotonic() < until:
            for method, path, parameters in ROUND:
                query = urlencode({"timestamp": int(clock.time() * 1000), "recvWindow": 60_000, **parameters})
                signature = hmac.new(key[1].encode(), query.encode(), hashlib.sha256).hexdigest()
                address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
                headers = {"X-MBX-APIKEY": key[0], "X-Forwarded-For": address}
                began = clock.perf_counter()
                answer = http.request(method, f"{path}?{query}&signature={signature}", headers=headers)
                waited.append(clock.perf_counter() - began)
                assert answer.status_code == 200, answer.text
    return waited
