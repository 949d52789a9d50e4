"""One lived-in desk for the run, copied and served for each file of tests; world.py says what one can do with it.

    service     the running service: its database, its clock, and callers by name
    http        a client without a login; ada, ben: customers in sessions of their own
    operators   operators by role (viewer, support, product, treasury, admin), each with that role alone, and `second`,
                who has all roles, as ada of the desk has
    client      an integrator's client with every scope

A file that needs another service, such as one of two processes, has a `service` fixture of its own over `copied`.
"""

import copy
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.api.lived import live
from tests.api.world import ROLES, Caller, Service, serving
from tests.living import Living

from staddle import desk
from staddle.db import Database, Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def lived(server: Server, template: str) -> Iterator[tuple[str, Living]]:
    """A desk in which ada and ben have lived for some days: the database to copy from."""
    name = f"api_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        living = live(database)
    yield name, living
    server.drop(name)


@pytest.fixture(scope="module")
def copied(server: Server, lived: tuple[str, Living]) -> Iterator[Living]:
    """A copy of that desk for one file of tests, with its database."""
    name = f"api_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    server.create(name, lived[0])
    with Database(server.dsn_of(name)) as database:
        living = copy.copy(lived[1])
        living.database = database
        yield living
    server.drop(name)


@pytest.fixture(scope="module")
def service(copied: Living) -> Iterator[Service]:
    """The service of one process over that copy."""
    with serving(copied) as service:
        yield service


@pytest.fixture
def http(service: Service) -> Caller:
    """Somebody without a login."""
    return service.caller(None, "nobody")


@pytest.fixture
def ada(service: Service) -> Caller:
    """The customer ada, in a session of hers."""
    return service.customer("ada")


@pytest.fixture
def ben(service: Service) -> Caller:
    """The customer ben, in a session of his."""
    return service.customer("ben")


@pytest.fixture(scope="module")
def operators(service: Service) -> dict[str, Caller]:
    """Operators, each with one role, by that role; and `second`, who has all."""
    now = datetime.now(UTC)
    with service.database.transaction() as tx:
        for name, roles in {**{f"only-{role}": [role] for role in ROLES}, "second": ROLES}.items():
            added = desk.add_operator(tx, "ada", name, now, roles)
            if added.grant_asked is not None:
                desk.approve_roles(tx, "bob", added.grant_asked, now)
    named = {role: service.operator(f"only-{role}") for role in ROLES}
    return named | {"first": service.operator("ada"), "second": service.operator("second")}


@pytest.fixture(scope="module")
def client(service: Service) -> Caller:
    """An integrator's client with every scope."""
    return service.client("exchange")
