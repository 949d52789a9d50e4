"""A lived-in database to copy from, made once for each process of the run."""

import os
from collections.abc import Iterator
from itertools import count

import pytest
from tests.books.lived import live

from staddle.db import Database, Server

_numbers = count(1)


@pytest.fixture(scope="session")
def lived(server: Server, template: str) -> Iterator[str]:
    name = f"lived_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        live(database)
        with database.owner() as owner:
            owner.execute("ANALYZE")
    yield name
    server.drop(name)


@pytest.fixture
def books(server: Server, lived: str) -> Iterator[Database]:
    """A copy of the lived-in database, to be damaged."""
    name = f"copy_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    server.create(name, lived)
    with Database(server.dsn_of(name)) as database:
        yield database
    server.drop(name)
