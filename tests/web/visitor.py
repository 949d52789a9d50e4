"""A browser without scripts: it keeps cookies, follows where it is sent, fills forms in and sends them."""

import html
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from tests.api.world import HERE, PASSWORD_HASH, SEEN, Service

from staddle import identity
from staddle.customers import find_customer
from staddle.errors import LoginNotFound
from staddle.identity.sessions import open_session

OPEN: list[httpx.Client] = []
"""What the test's end closes."""


@dataclass
class Visitor:
    """Somebody at a browser."""

    url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=30, headers={"Origin": self.url})
        OPEN.append(self.http)

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Look at a page; where it sends the browser is not followed."""
        return self.http.get(path, params=query or None)

    def see(self, path: str, **query: Any) -> str:
        """Give the text of a page that must be there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.headers.get('location')}"
        return text_of(answer)

    def send(self, path: str, *, key: str | None = None, **fields: Any) -> httpx.Response:
        """Send a form with a key of its own."""
        return self.http.post(path, data={"key": key or secrets.token_hex(8), **fields})

    def sent(self, path: str, **fields: Any) -> str:
        """Send a form that is taken, and give where it leads."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, f"{answer.status_code}: {text_of(answer)}"
        return answer.headers["location"]


def text_of(answer: httpx.Response) -> str:
    """Give what can be read on a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", answer.text)))


def alert_of(answer: httpx.Response) -> str:
    """Give the sentence of a refusal."""
    [alert] = re.findall(r'role="alert"[^>]*>(.*?)</div></div>', answer.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", alert)).strip()


def visitor_of(service: Service, reference: str, stepped_up: bool = True) -> Visitor:
    """Give a customer's browser, signed in by a session of its own."""
    now = datetime.now(UTC)
    with service.database.transaction() as tx:
        customer = find_customer(tx, reference)
        try:
            login = identity.login_of_customer(tx, customer.customer_id)
        except LoginNotFound:
            email = f"{reference}@example.com"
            login = identity.add_customer_login(tx, HERE, reference, email, PASSWORD_HASH, SEEN, now)
        token = open_session(tx, login, "password", now if stepped_up else None, SEEN, now).token
    visitor = Visitor(service.url)
    visitor.http.cookies.set("staddle", token)
    return visitor


def rows(service: Service, statement: str, *values: Any) -> list[Any]:
    """Read the database, to say what has changed there."""
    with service.database.transaction() as tx:
        return list(tx.execute(statement.encode(), values).fetchall())
