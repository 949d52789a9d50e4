"""Customers who look at their money in a browser without scripts: the desk, and what they see on a page.

The desk is that of tests/api/lived.py, and a little more: ada has left a fixed term early, moved coins sixty times,
and has coins of a size that shows whether anything is rounded. eva has nothing at all.
"""

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from tests.api.lived import live
from tests.api.world import Service, new_key, serving, session_of_customer

from staddle.customers import NewCustomer, add_customers, find_customer
from staddle.db import Database, Server

TRANSFERS = 60
_numbers = itertools.count(1)
_opened: list[httpx.Client] = []


@pytest.fixture(scope="module")
def service(server: Server, template: str) -> Iterator[Service]:
    """The service over a desk of this file's own."""
    name = f"money_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        living = live(database)
        with database.transaction() as tx:
            ada = find_customer(tx, "ada").customer_id
            add_customers(tx, [NewCustomer(reference="eva")], living.now)
        living.leave_early(ada, living.positions_of(ada, "USDT-30D")[0].position_id)
        living.deposit(ada, "SOL", "1234567.00000001")
        with serving(living) as service:
            caller = service.customer("ada")
            for number in range(TRANSFERS):
                body = {
                    "asset": "SOL",
                    "amount": f"0.{number + 1:08}",
                    "source": "spot",
                    "destination": "funding",
                }
                assert caller.post("/v1/transfers", body).status_code == 200
            yield service
            while _opened:
                _opened.pop().close()
    server.drop(name)


@dataclass
class Browser:
    """A browser, which keeps the cookies that it gets; it follows no redirects by itself."""

    http: httpx.Client

    def get(self, path: str, headers: dict[str, str] | None = None, /, **query: str) -> httpx.Response:
        """Open a page."""
        return self.http.get(path, params=query or None, headers=headers)

    def send(self, path: str, fields: dict[str, str], site: str = "same-origin") -> httpx.Response:
        """Send a form as it stands."""
        return self.http.post(path, data=fields, headers={"Sec-Fetch-Site": site})


def browser_of(service: Service, reference: str | None) -> Browser:
    """Give a browser in which a customer is signed in, or nobody."""
    http = httpx.Client(base_url=service.url, timeout=30)
    _opened.append(http)
    if reference is not None:
        http.cookies.set("staddle", session_of_customer(service.database, reference))
    return Browser(http)


@pytest.fixture
def ada(service: Service) -> Browser:
    """Ada's browser."""
    return browser_of(service, "ada")


class _Seen(HTMLParser):
    """Reads the rows of all tables, the values of all fields and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.titles: list[list[str]] = []
        self.fields: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self.alert = ""
        self.figures: list[dict[str, str]] = []
        self._in_cell = self._in_alert = self._in_link = False

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in pairs}
        if tag == "tr":
            self.rows.append([])
            self.titles.append([])
        elif tag in ("td", "th"):
            self._in_cell = True
            self.rows[-1].append("")
        elif tag == "time" and self.titles:
            self.titles[-1].append(named.get("title", ""))
        elif tag == "input":
            self.fields[named.get("name", "")] = named.get("value", "")
        elif tag == "a":
            self.links.append((named.get("href", ""), ""))
            self._in_link = True
        elif tag == "figure":
            self.figures.append(named)
        if named.get("role") == "alert":
            self._in_alert = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False
        if tag == "a":
            self._in_link = False
        if tag == "div":
            self._in_alert = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell and self.rows:
            self.rows[-1][-1] += data
        if self._in_alert:
            self.alert += data
        if self._in_link:
            self.links[-1] = (self.links[-1][0], self.links[-1][1] + data)


@dataclass
class Seen:
    """What somebody sees on a page; `titles` are the UTC times behind those shown, by row."""

    rows: Sequence[Sequence[str]]
    titles: Sequence[Sequence[str]]
    fields: dict[str, str]
    links: Sequence[tuple[str, str]]
    text: str
    alert: str
    figures: Sequence[dict[str, str]]


def seen(response: httpx.Response) -> Seen:
    """Read a page."""
    parser = _Seen()
    parser.feed(response.text)
    rows = [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in parser.rows]
    text = re.sub(r"\s+", " ", parser.text)
    links = [(to, re.sub(r"\s+", " ", words).strip()) for to, words in parser.links]
    return Seen(rows, parser.titles, parser.fields, links, text, parser.alert.strip(), parser.figures)


def balances(service: Service, reference: str) -> dict[str, Any]:
    """Read what the API says that a customer has."""
    return {each["asset"]: each for each in service.customer(reference).get("/v1/balances").json()["items"]}


def query_of(address: str) -> dict[str, str]:
    """Give the query of an address by name."""
    return dict(parse_qsl(urlsplit(address).query))


__all__ = [
    "Browser", "Seen", "ada", "balances", "browser_of", "new_key", "query_of", "seen", "service",
]  # fmt: skip
