"""A real receiver of webhooks on this machine: it keeps what it gets, and answers as a test tells it to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.living import Living

from staddle import notices
from staddle.config import Config
from staddle.db import Database
from staddle.keyring import Keyring
from staddle.ledger import lock_cells, save_cells
from staddle.notices import Allowed
from staddle.server.deliver import Deliverer

MACHINE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""The machine's clock when a test begins."""
SECRET_KEY = "A" * 43 + "="
KEYRING = Keyring(Config.from_environ({"STADDLE_SECRET_KEY": SECRET_KEY}))
ALLOWED = Allowed.parse(["127.0.0.1"])


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[BaseHTTPRequestHandler, Received], None]


def answering(status: int, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """An answer of a status, always the same."""

    def answer(handler: BaseHTTPRequestHandler, _received: Received) -> None:
        handler.send_response(status)
        for name, value in [*headers, ("content-length", str(len(body)))]:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


OK = answering(204)


class Receiver:
    """What has come, in order, and how it is answered; `answer` may be changed at any time."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}/hook"
        self.received: list[Received] = []
        self.came = threading.Condition()
        self.answer: Answer = OK

    @property
    def kinds(self) -> list[str]:
        return [each.event["type"] for each in self.received]

    def wait_for(self, count: int, seconds: int = 20) -> None:
        """Wait until so many have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.received) >= count, seconds), self.kinds


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listen on a free port until the test is over."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, self.rfile.read(length).decode())
            with receiving.came:
                receiving.received.append(received)
                receiving.came.notify_all()
            receiving.answer(self, received)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Listening(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128  # five are too few for two deliverers at once: the rest would be hung up on

        def handle_error(self, request: object, client_address: object) -> None:
            """A sender that hangs up is no concern of the test's output."""

    server = Listening(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiving = Receiver(server.server_port, "http" if tls is None else "https")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiving
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Desk:
    """A living desk whose machine has a clock that a test sets, and one integrator."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.living = Living(database)
        self.now = MACHINE

    def endpoint(self, url: str, kinds: list[str] | None = None, client: str = "exchange") -> int:
        with self.database.transaction() as tx:
            return notices.create_endpoint(
                tx, client, url, kinds, "Test", ALLOWED, KEYRING, self.now
            ).endpoint_id

    def secret(self, endpoint_id: int) -> str:
        with self.database.transaction() as tx:
            return notices.reveal_secret(tx, "exchange", endpoint_id, KEYRING)

    def passes(self, **length: float) -> None:
        self.now += timedelta(**length)

    def happens(self, customer_id: int, count: int = 1) -> None:
        """Something happens to a customer, as often as wanted: notices of one kind, counted in their bodies."""
        cell = customer_id % 256
        for number in range(count):
            with self.database.transaction() as tx:
                locked = lock_cells(tx, [cell])
                body = {"amount": str(Decimal(number + 1)), "position_id": 7}
                notices.write_notices(
                    tx, locked, [notices.Notice(customer_id, "subscription", body)], self.living.now
                )
                save_cells(tx, locked)

    def deliverer(self, **given: Any) -> Deliverer:
        return Deliverer(self.database, KEYRING, ALLOWED, lambda: self.now, **given)

    def deliver(self) -> int:
        return self.deliverer().deliver_due()

    def delivery(self, endpoint_id: int, number: int = 0) -> tuple[notices.Delivery, list[notices.Attempt]]:
        """One delivery with its log; the oldest is number 0."""
        with self.database.transaction() as tx:
            found = notices.list_deliveries(tx, None, endpoint_id, None, None, 1000)
            return notices.show_delivery(tx, None, endpoint_id, found[-1 - number].notice_id)
