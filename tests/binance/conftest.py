"""A desk for the whole run, served without the wait between acts, and ada and ben, who have coins and keys.

A file that turns the desk upside down has one of its own: a `living` fixture over `fresh_desk`.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from tests.api.world import Service, serving
from tests.binance.world import START, Signer, hmac_key, products
from tests.living import Living

from staddle.db import Database, Server

_numbers = itertools.count(1)
FreshDesk = Callable[[], AbstractContextManager[Living]]


@pytest.fixture(scope="session")
def fresh_desk(server: Server, template: str) -> FreshDesk:
    """What makes a desk with products of every kind, and two customers with coins in both wallets."""

    @contextmanager
    def make() -> Iterator[Living]:
        name = f"binance_{os.getpid()}_{next(_numbers)}"
        server.drop(name)
        server.create(name, template)
        with Database(server.dsn_of(name)) as database:
            living = Living(database, START)
            products(living)
            for reference in ("ada", "ben"):
                customer_id = living.customer(reference, USDT="10000", BTC="5")
                living.deposit(customer_id, "USDT", "1000", "funding")
            yield living
        server.drop(name)

    return make


@pytest.fixture(scope="session")
def living(fresh_desk: FreshDesk) -> Iterator[Living]:
    """The desk of the whole run."""
    with fresh_desk() as living:
        yield living


@pytest.fixture(scope="session")
def service(living: Living) -> Iterator[Service]:
    """The service of one process over that desk."""
    with serving(living, STADDLE_BINANCE_PACE_SECONDS="0") as service:
        yield service


@pytest.fixture(scope="module")
def ada(service: Service) -> Signer:
    """Ada's bot."""
    return Signer(service.http, hmac_key(service.database, "ada"))


@pytest.fixture(scope="module")
def ben(service: Service) -> Signer:
    """Ben's bot."""
    return Signer(service.http, hmac_key(service.database, "ben"))
