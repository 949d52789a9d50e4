"""Assembles the application out of the edges' routes: limits, headers, errors of the framework."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from staddle.errors import (
    AddressNotFound,
    MalformedRequest,
    MethodNotAllowed,
    RequestTooLarge,
    StaddleError,
)
from staddle.server.direct import BODY_MAX, HEADERS, Answer, Application, Refuse, refuse, under
from staddle.server.metrics import measure
from staddle.server.parent import is_left_behind
from staddle.server.problem import MEDIA_TYPE, problem_of
from staddle.server.service import Service
from staddle.server.watch_requests import Bodies, watched

MEASURED_EVERY_SECONDS = 2.0
log = logging.getLogger(__name__)

OF_FRAMEWORK: dict[int, type[StaddleError]] = {
    404: AddressNotFound,
    405: MethodNotAllowed,
    413: RequestTooLarge,
}


@dataclass(frozen=True, slots=True)
class Edge:
    """The routes of an edge, and those of its addresses that go under the framework, by method and path; `refuse` tells
    what is wrong with a body there.
    """

    routes: Sequence[HTTPRouteHandler]
    direct: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    refuse: Refuse = refuse


def assemble(service: Service, edges: Sequence[Callable[[Service], Edge]]) -> Application:
    """Make the ASGI application of one process out of its edges; it stops the service when it ends."""
    bodies = Bodies(service.config.body_seconds)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        hear_the_stop(service)
        measuring = asyncio.create_task(keep_measuring(service))
        looking = asyncio.create_task(bodies.keep_looking())
        minding = asyncio.create_task(keep_minding_the_first())
        yield
        for task in (measuring, looking, minding):
            task.cancel()
        # Whatever was asked has been answered by now; the threads are waited for off the loop that they answer to.
        await asyncio.to_thread(service.stop)
        service.database.close()

    made = [edge(service) for edge in edges]
    application = Litestar(
        route_handlers=[route for edge in made for route in edge.routes],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=BODY_MAX,
        exception_handlers={HTTPException: of_framework, Exception: of_ours},
        after_request=with_headers,
        logging_config=None,
    )
    direct = {address: answer for edge in made for address, answer in edge.direct.items()}
    refusing = {address: edge.refuse for edge in made for address in edge.direct}
    return watched(under(application, direct, refusing), bodies)


def hear_the_stop(service: Service) -> None:
    """Tell the service at once that it is to stop, beside the server's own handler, which waits for open answers.

    The loop hears of signals by a descriptor of its own, so both are called.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def told(*_: object) -> None:
        service.stopping.set()
        loop.call_soon_threadsafe(service.end_streams)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
        signal.siginterrupt(number, False)


async def keep_measuring(service: Service) -> None:
    """Take the figures of this process every few seconds."""
    while True:
        measure("service", service.database, service.waiting())
        await asyncio.sleep(MEASURED_EVERY_SECONDS)


async def keep_minding_the_first() -> None:
    """Stop in order, as if told to, once the process that forked this one is gone."""
    while not is_left_behind():
        await asyncio.sleep(MEASURED_EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


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
    if problem.status == 500:
        log.error("a request failed outside of an operation", exc_info=error)
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(HEADERS)
    )
