"""Whether the service is well, for those who run it: /livez, /readyz and /metrics.

The first two answer anybody with one word. Reasons and figures are for whoever has STADDLE_METRICS_TOKEN; without that
setting nobody gets them.
"""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from litestar import Request, Response, get

from staddle.db.connect import connect_owner
from staddle.db.migrate import pending
from staddle.errors import AddressNotFound, DatabaseUnavailable, SignInNeeded, StaddleError
from staddle.server.app import Edge
from staddle.server.metrics import Books
from staddle.server.service import Service, machine_now

LOOKED_FOR = timedelta(seconds=1)
"""So long an answer of /readyz holds: anybody may ask, and each look takes a connection to the database."""
LOOK_SECONDS = 3
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
AnyRequest = Request[Any, Any, Any]


@dataclass(slots=True)
class Health:
    """What was last found."""

    service: Service
    reasons: Sequence[str] = ()
    looked_at: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> Sequence[str]:
        """Say why the service is not ready; nothing where it is."""
        if self.service.is_stopping:
            return ["the service is stopping"]
        async with self.lock:
            at = machine_now()
            if self.looked_at is None or at - self.looked_at > LOOKED_FOR:
                self.reasons = await asyncio.to_thread(look_at_database, self.service)
                self.looked_at = machine_now()
        return self.reasons


def look_at_database(service: Service) -> list[str]:
    """Try the database on a connection of its own, so that a full pool is not taken for a server that is gone."""
    try:
        with connect_owner(service.database.dsn, LOOK_SECONDS) as connection:
            missing = pending(connection)
    except (StaddleError, psycopg.Error) as error:
        said = error.message if isinstance(error, DatabaseUnavailable) else "it cannot be asked"
        return [f"the database: {said}"]
    return [f"the database has not had the migration {name}" for name in missing]


def edge(service: Service) -> Edge:
    """Make the routes."""
    health, books = Health(service), Books(service.database)

    @get("/livez", sync_to_thread=False)
    def livez() -> Response[str]:
        """Say that this process answers."""
        return word("ok")

    @get("/readyz")
    async def readyz(request: AnyRequest) -> Response[Any]:
        """Say whether requests can be answered now."""
        reasons = await health.look()
        status = 503 if reasons else 200
        if not may_see(service, request):
            return word("not ready" if reasons else "ok", status)
        return Response({"is_ready": not reasons, "reasons": list(reasons)}, status_code=status)

    @get("/metrics")
    async def metrics(request: AnyRequest) -> Response[bytes]:
        """Give the figures in Prometheus' format."""
        if service.config.metrics_token is None:
            raise AddressNotFound
        if not may_see(service, request):
            raise SignInNeeded("Please send STADDLE_METRICS_TOKEN as a bearer token.")
        page = await service.in_thread(lambda: books.page(machine_now()))
        return Response(page, media_type=METRICS_TYPE, headers={"Cache-Control": "no-store"})

    return Edge([livez, readyz, metrics])


def may_see(service: Service, request: AnyRequest) -> bool:
    """Whether the request carries the token of those who run the service."""
    expected = service.config.metrics_token
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if expected is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), expected.encode())


def word(text: str, status: int = 200) -> Response[str]:
    """Answer with a word, never kept by a cache."""
    return Response(text, status_code=status, media_type="text/plain", headers={"Cache-Control": "no-store"})
