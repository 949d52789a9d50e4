"""A small lived-in desk behind a real `staddle serve`, and those who call it.

The desk is lived in once for each process of the test run and copied for each service; then everything comes over
HTTP. Its clock is a sandbox's and stands still unless a test moves it:

    def test_something(service: Service, ada: Caller) -> None:
        done = ada.post("/v1/transfers", {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"})
        assert done.status_code == 200
        service.passes(days=1)
"""

import base64
import itertools
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import httpx
from tests.cli.shell import url_of
from tests.living import Living

from staddle import desk, identity, rewards
from staddle.config import Config
from staddle.customers import find_customer
from staddle.db import Database
from staddle.errors import LoginNotFound
from staddle.identity.sessions import open_session
from staddle.keyring import Keyring

SECRET_KEY = base64.b64encode(bytes(range(32))).decode()
ROLES = ("viewer", "support", "product", "treasury", "admin")
SEEN = identity.Seen("127.0.0.1", "tests")
HERE = identity.Caller("operator", operator="ada", roles=frozenset(ROLES))
"""The operator ada, at work without HTTP."""
STARTS_WITHIN = 60.0


@dataclass
class Caller:
    """Somebody who calls the API. Every write gets a new idempotency key unless the test gives one (or None)."""

    http: httpx.Client
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    name: str = "nobody"

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Read something."""
        return self.http.get(path, params=query, headers=self._headers(None))

    def post(self, path: str, body: Any = None, *, key: str | None = "") -> httpx.Response:
        """Send a POST; key=None leaves the idempotency key out."""
        return self.send("POST", path, body, key=key)

    def put(self, path: str, body: Any = None, *, key: str | None = "") -> httpx.Response:
        """Send a PUT."""
        return self.send("PUT", path, body, key=key)

    def delete(self, path: str, *, key: str | None = "") -> httpx.Response:
        """Send a DELETE."""
        return self.send("DELETE", path, None, key=key)

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = "") -> httpx.Response:
        """Send a write, or any request with a body."""
        return self.ask(method, path, body=body, key=new_key() if key == "" else key)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> httpx.Response:
        """Send a request with all that it can have; a body of text is sent as CSV, any other as JSON."""
        headers = self._headers(key)
        if isinstance(body, str):
            headers["Content-Type"] = "text/csv"
            return self.http.request(method, path, params=query, content=body.encode(), headers=headers)
        if body is None:
            return self.http.request(method, path, params=query, headers=headers)
        return self.http.request(method, path, params=query, json=body, headers=headers)

    def acting_for(self, reference: str) -> "Caller":
        """The same client, who now acts for a customer."""
        headers = {**self.headers, "Staddle-Customer": reference}
        return Caller(self.http, self.token, headers, f"{self.name} for {reference}")

    def _headers(self, key: str | None) -> dict[str, str]:
        headers = dict(self.headers)
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return headers


def new_key() -> str:
    """Make an idempotency key that nobody has used."""
    return secrets.token_hex(8)


@dataclass
class Service:
    """A running service over a desk of its own. `url` is where it answers, `living` what lived there before."""

    database: Database
    url: str
    living: Living
    process: "subprocess.Popen[bytes]"
    http: httpx.Client
    start: "Start"

    def caller(self, token: str | None, name: str = "somebody") -> Caller:
        """Somebody who holds this token."""
        return Caller(self.http, token, name=name)

    def customer(self, reference: str) -> Caller:
        """A customer in a session of their own that has just stepped up; whoever is not there is added."""
        return self.caller(session_of_customer(self.database, reference), reference)

    def operator(self, name: str) -> Caller:
        """An operator in a session of their own."""
        return self.caller(session_of_operator(self.database, name), name)

    def api_key(self, reference: str, scopes: Collection[str] = tuple(identity.CUSTOMER_SCOPES)) -> Caller:
        """A customer's API key."""
        return self.caller(api_key_of(self.database, reference, scopes), f"a key of {reference}")

    def client(self, client_id: str, scopes: Collection[str] = tuple(identity.CLIENT_SCOPES)) -> Caller:
        """An integrator's client with a token of these scopes."""
        return self.caller(token_of_client(self.database, client_id, scopes), client_id)

    def customer_id(self, reference: str) -> int:
        """The id of a customer."""
        with self.database.transaction() as tx:
            return find_customer(tx, reference).customer_id

    def passes(self, **length: float) -> datetime:
        """Let time pass on the desk's clock: days=1, hours=.."""
        with self.database.transaction() as tx:
            self.living.now = desk.advance_clock(tx, timedelta(**length))
        return self.living.now

    def catch_up(self) -> None:
        """Do every run that is due."""
        rewards.catch_up(self.database, "ada", self.living.now)

    def restart(self) -> None:
        """End the service as a deployment does, and start it again at the same address."""
        stop(self.process)
        self.process = self.start.begin()


@dataclass
class Start:
    """How a service is started."""

    dsn: str
    port: int
    processes: int
    environ: dict[str, str] = field(default_factory=dict)
    said: BinaryIO | None = None
    """Where its log goes, if not where that of the tests goes."""
    worker: str = "--no-worker"
    """Whether the schedule is kept, too; then a sandbox's clock is not the test's alone."""

    def begin(self) -> "subprocess.Popen[bytes]":
        """Start the service and wait until it answers."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("STADDLE_")}
        environ |= {
            "STADDLE_DATABASE_URL": url_of(self.dsn),
            "STADDLE_SECRET_KEY": SECRET_KEY,
            "STADDLE_PROCESSES": str(self.processes),
            **self.environ,
        }
        program = Path(sys.executable).parent / "staddle"
        command = [str(program), "serve", self.worker, "--listen", f"127.0.0.1:{self.port}"]
        process = subprocess.Popen(command, env=environ, stderr=self.said)
        try:
            wait_until_it_answers(process, f"http://127.0.0.1:{self.port}")
        except BaseException:
            stop(process)
            raise
        return process


def wait_until_it_answers(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Ask until there is an answer, as a load balancer does; fails if the process ends or takes too long."""
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, f"the service ended with {process.returncode}"
        try:
            if httpx.get(f"{url}/v1/openapi.json", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not answer within {STARTS_WITHIN} seconds")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask the service to end, and wait until it has."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def serving(
    living: Living, processes: int = 1, said: BinaryIO | None = None, **environ: str
) -> Iterator[Service]:
    """Serve a desk with a real `staddle serve` of so many processes."""
    start = Start(living.database.dsn, free_port(), processes, environ, said)
    url = f"http://127.0.0.1:{start.port}"
    with httpx.Client(base_url=url, timeout=30) as http:
        service = Service(living.database, url, living, start.begin(), http, start)
        try:
            yield service
        finally:
            stop(service.process)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


# Those who call


def session_of_customer(database: Database, reference: str) -> str:
    """Open a session for a customer, who gets a login the first time; gives the token."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        customer = find_customer(tx, reference)
        try:
            login = identity.login_of_customer(tx, customer.customer_id)
        except LoginNotFound:
            email = f"{reference}@example.com"
            login = identity.add_customer_login(tx, HERE, reference, email, PASSWORD_HASH, SEEN, now)
        return open_session(tx, login, "password", now, SEEN, now).token


def session_of_operator(database: Database, name: str) -> str:
    """Open a session for an operator, who gets a login the first time; gives the token."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        try:
            login = identity.login_of(tx, identity.operator_caller(tx, name))
        except LoginNotFound:
            login = identity.add_operator_login(tx, "ada", name, f"{name}@desk.example", PASSWORD_HASH, now)
        return open_session(tx, login, "password", now, SEEN, now).token


def api_key_of(database: Database, reference: str, scopes: Collection[str]) -> str:
    """Make an API key for a customer; gives its secret."""
    new = identity.NewApiKey(name=f"key {next(_numbers)}", scopes=list(scopes))
    with database.transaction() as tx:
        customer_id = find_customer(tx, reference).customer_id
        added = identity.add_api_key(tx, keyring(), HERE, customer_id, new, SEEN, datetime.now(UTC))
    assert added.secret is not None
    return added.secret


def token_of_client(database: Database, client_id: str, scopes: Collection[str]) -> str:
    """Make an integrator's client with these scopes; gives an access token of it."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        made = identity.add_client(tx, "ada", client_id, f"Client {client_id}", list(scopes), now)
        return identity.grant_access(tx, client_id, made.secret, None, now).token


def keyring() -> Keyring:
    """The keys that the service has."""
    return Keyring(Config.from_environ({"STADDLE_SECRET_KEY": SECRET_KEY, "STADDLE_HOME": "/nowhere"}))


PASSWORD = "a long walk along the sea"
PASSWORD_HASH = identity.new_password(PASSWORD)
_numbers = itertools.count(1)
