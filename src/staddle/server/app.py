"""Assembles the application out of the edges' routes: limits, headers, errors of the framework."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.config.response_cache import ResponseCacheConfig
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from staddle.errors import (
    AddressNotFound,
    MalformedRequest,
    MethodNotAllowed,
    RequestTooLarge,
    StaddleError,
)
from staddle.server.problem import MEDIA_TYPE, problem_of
from staddle.server.service import Service

BODY_MAX = 1 << 20
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
OF_FRAMEWORK: dict[int, type[StaddleError]] = {
    404: AddressNotFound,
    405: MethodNotAllowed,
    413: RequestTooLarge,
}
Routes = Callable[[Service], Sequence[HTTPRouteHandler]]


def assemble(service: Service, edges: Sequence[Routes]) -> Litestar:
    """Make the ASGI application of one process out of its edges' routes; it stops the service when it ends."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield
        service.stop()
        service.database.close()

    return Litestar(
        route_handlers=[route for edge in edges for route in edge(service)],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=BODY_MAX,
        exception_handlers={HTTPException: of_framework, Exception: of_ours},
        after_request=with_headers,
        response_cache_config=ResponseCacheConfig(),
        logging_config=None,
    )


async def with_headers(response: Response[Any]) -> Response[Any]:
    """Put the headers that protect browsers on every answer; a page may have set its own before."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def of_framework(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Tell what Litestar itself refuses in our own words."""
    kind = OF_FRAMEWORK.get(error.status_code, MalformedRequest if error.status_code < 500 else None)
    return respond(kind() if kind is not None else error)


def of_ours(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Tell whatever else went wrong outside an operation."""
    return respond(error)


def respond(error: Exception) -> Response[bytes]:
    """Write problem details."""
    problem = problem_of(error)
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(HEADERS)
    )
