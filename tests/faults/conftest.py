"""The lived-in desk, and what is left of an act that was not disturbed."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache

import pytest
from tests.faults import lived
from tests.faults.acts import perform
from tests.faults.books import Books, books_of, prove

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
def lived_copy(server: Server, lived_template: str) -> Callable[[], AbstractContextManager[Database]]:
    """A copy of the lived-in desk for the length of a block."""
    numbers = itertools.count(1)

    @contextmanager
    def make() -> Iterator[Database]:
        name = f"{lived_template}_{next(numbers)}"
        server.drop(name)
        server.create(name, lived_template)
        with Database(server.dsn_of(name)) as database:
            yield database
        server.drop(name)

    return make


@pytest.fixture
def copy(lived_copy: Callable[[], AbstractContextManager[Database]]) -> Iterator[Copy]:
    """Copies of the lived-in desk, dropped after the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(lived_copy())


@pytest.fixture(scope="session")
def before(lived_copy: Callable[[], AbstractContextManager[Database]]) -> Books:
    """The books of the lived-in desk before anything is done to it: proved once, for whatever equals them."""
    with lived_copy() as database:
        prove(database)
        return books_of(database)


@pytest.fixture(scope="session")
def undisturbed(lived_copy: Callable[[], AbstractContextManager[Database]]) -> Undisturbed:
    """What an act answers, and the books that it leaves, when nothing happens to it; done once for each act."""

    @cache
    def of(act: str) -> tuple[str, Books]:
        with lived_copy() as database:
            return perform(database, act), books_of(database)

    return of
