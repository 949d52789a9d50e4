"""A load generator: so many connections, each with one request at a time. `python -m bench.load` is told what to do as
JSON on standard input and prints what it saw as JSON.
"""

import asyncio
import json
import sys
import time as clock
from collections import Counter
from itertools import count
from typing import Any, cast

import uvloop


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
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return
        self.received = b""
        self.load.seconds.append(clock.perf_counter() - self.began)
        self.load.statuses[int(head[9:12])] += 1
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
        """The next request: a subscription of its own key, or the path that was asked for."""
        number = next(self.numbers)
        head = f"Host: bench\r\nAuthorization: Bearer {self.tokens[number % len(self.tokens)]}\r\n"
        if self.told["path"] is not None:
            return f"GET {self.told['path']} HTTP/1.1\r\n{head}\r\n".encode()
        body = json.dumps(
            {"product": "HOT", "amount": f"{1 + number % 100}", "agreement_version": 1, "source": "spot"}
        )
        return (
            f"POST /v1/subscriptions HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
            f"Idempotency-Key: load {number}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

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
