"""A served desk as in tests/api, and visitors who look at its pages as a browser does, without any script."""

from collections.abc import Iterator

import pytest
from tests.api.conftest import copied, lived, service
from tests.api.world import Service
from tests.web.visitor import OPEN, Visitor, visitor_of

__all__ = ["copied", "lived", "service"]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close every browser at the end of the test that opened it."""
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def somebody(service: Service) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(service.url)


@pytest.fixture
def ada(service: Service) -> Visitor:
    """The customer ada, who has just proved who she is."""
    return visitor_of(service, "ada")


@pytest.fixture
def ben(service: Service) -> Visitor:
    """The customer ben, who has just proved who he is."""
    return visitor_of(service, "ben")
