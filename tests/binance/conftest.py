"""A desk for each file of tests, served without the wait between acts, and ada, who has coins and a key."""

import itertools
from collections.abc import Iterator

import pytest
from tests.api.world import Service, serving
from tests.binance.world import START, Signer, hmac_key, products
from tests.living import Living

from staddle.db import Database, Server

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def living(server: Server, template: str) -> Iterator[Living]:
    """A desk with products of every kind, and two customers with coins in both wallets."""
    name = f"binance_{next(_numbers)}"
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


@pytest.fixture(scope="module")
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
