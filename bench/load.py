"""A load generator: so many connections, each with one request at a time. `python -m bench.load` is told what to do as
JSON on standard input and prints what it saw as JSON.
"""

import asyncio
import json
import re
import sys
import time as clock
from collections import Counter
from itertools import count
from typing import Any, cast

import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD = "POST /v1/subscriptions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer "


def body_of(amount: int) -> str:
    """The end of a request: how long its body is, and the body."""
    body = json.dumps({"product": "HOT", "amount": str(amount), "agreement_version": 1, "source": "spot"})
    return f"Content-Length: {len(body)}\r\n\r\n{body}"


BODIES = [body_of(1 + number) for number in range(100)]


class Connection(asyncio.Protocol):
    """One connection: sends the next request as soon as an answer is complete."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.received = b""
        self.began = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own is not of this class
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        self.began = clock.perf_counter()
        if self.began >= self.load.until:
            self.transport.close()
            return
        self.transport.write(self.load.next_request())

    def data_received(self, data: bytes) -> None:
        if self.received:
            data = self.received + data
        end = data.find(b"\r\n\r\n") + 4
        found = LENGTH.search(data, 0, end) if end > 3 else None
        if found is None or len(data) < end + int(found[1]):
            self.received = data
            return
        self.received = b""
        self.load.seconds.append(clock.perf_counter() - self.began)
        self.load.statuses[int(data[9:12])] += 1
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.open -= 1
        if error is not None or clock.perf_counter() < self.load.until:
            self.load.statuses[0] += 1
        if self.load.open == 0:
            self.load.done.set()


class Load:
    """What all connections share: where the next request comes from, and what was seen."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.numbers = count(told["first_number"])
        self.tokens: list[str] = told["tokens"]
        self.until = 0.0
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.open = told["connections"]
        self.done = asyncio.Event()

    def next_request(self) -> bytes:
        """The next request: a subscription of its own key, or the path that was asked for.

        All but the number and the token is made beforehand: it runs on the cores of what it measures.
        """
        number = next(self.numbers)
        token = self.tokens[number % len(self.tokens)]
        if self.told["path"] is not None:
            return f"GET {self.told['path']} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        return f"{HEAD}{token}\r\nIdempotency-Key: load {number}\r\n{BODIES[number % len(BODIES)]}".encode()

    async def run(self) -> dict[str, Any]:
        """Load for so many seconds, then wait for the answers that are still on their way."""
        loop = asyncio.get_running_loop()
        began = clock.perf_counter()
        self.until = began + self.told["seconds"]
        for _ in range(self.told["connections"]):
            await loop.create_connection(lambda: Connection(self), self.told["host"], self.told["port"])
        await self.done.wait()
        taken = clock.perf_counter() - began
        seconds = sorted(self.seconds)
        return {
            "requests": len(seconds),
            "rate": len(seconds) / taken,
            "statuses": dict(self.statuses),
            "p50": seconds[len(seconds) // 2],
            "p99": seconds[int(len(seconds) * 0.99)],
        }


def main() -> None:
    """Read what to do, do it, print what was seen."""
    told = json.load(sys.stdin)
    json.dump(uvloop.run(Load(told).run()), sys.stdout)


if __name__ == "__main__":
    main()
