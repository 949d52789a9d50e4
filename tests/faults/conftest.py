"""The lived-in desk, and what is left of an act that was not disturbed."""

import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from tests.faults import lived
from tests.faults.acts import perform
from tests.faults.books import Books, books_of

from staddle.db import Database, Server

Copy = Callable[[], Database]
Undisturbed = Callable[[str], tuple[str, Books]]


@pytest.fixture(scope="session")
def lived_template(server: Server, template: str) -> Iterator[str]:
    """The desk at NOW, to be copied."""
    name = f"lived_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        lived.live(database)
    yield name
    server.drop(name)


@pytest.fixture(scope="session")
def copy(server: Server, lived_template: str) -> Iterator[Copy]:
    """Copies of the lived-in desk, dropped at the end."""
    made: list[Database] = []

    def make() -> Database:
        name = f"{lived_template}_{len(made) + 1}"
        server.drop(name)
        server.create(name, lived_template)
        made.append(Database(server.dsn_of(name)))
        return made[-1]

    yield make
    for database in made:
        database.close()
        server.drop(database.name)


@pytest.fixture(scope="session")
def before(copy: Copy) -> Books:
    """The books of the lived-in desk before anything is done to it."""
    return books_of(copy())


@pytest.fixture(scope="session")
def undisturbed(copy: Copy) -> Undisturbed:
    """What an act answers, and the books that it leaves, when nothing happens to it; done once for each act."""

    @cache
    def of(act: str) -> tuple[str, Books]:
        database = copy()
        return perform(database, act), books_of(database)

    return of
