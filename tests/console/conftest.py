"""A served desk as in tests/api, and operators who look at the console as a browser does, without any script.

ada, bob            operators of all roles
only("viewer")      somebody with that one role, and viewer
stranger            somebody who is not signed in
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.api.conftest import copied, lived, operators, service
from tests.api.world import Service, session_of_operator
from tests.web.visitor import OPEN, Visitor

__all__ = ["copied", "lived", "operators", "service"]
Only = Callable[[str], Visitor]


def operator_of(service: Service, name: str) -> Visitor:
    """Give an operator's browser, signed in by a session of its own; they have just proved who they are."""
    visitor = Visitor(service.url)
    visitor.http.cookies.set("staddle_console", session_of_operator(service.database, name))
    return visitor


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close every browser at the end of the test that opened it."""
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def stranger(service: Service) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(service.url)


@pytest.fixture
def ada(service: Service) -> Visitor:
    """The operator ada, who has every role."""
    return operator_of(service, "ada")


@pytest.fixture
def bob(service: Service) -> Visitor:
    """The operator bob, who has every role."""
    return operator_of(service, "bob")


@pytest.fixture
def only(service: Service, operators: dict[str, Any]) -> Only:
    """Gives the browser of an operator who has one role, and viewer."""
    return lambda role: operator_of(service, f"only-{role}")
