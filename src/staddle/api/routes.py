"""The addresses of the API, made from its operations, with the document that describes them."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from staddle.api import (
    accounts,
    approvals,
    choices,
    clock,
    custody,
    customers,
    desk,
    drafts,
    events,
    factors,
    imports,
    keys,
    leaving,
    ledger,
    logins,
    operators,
    positions,
    prices,
    products,
    rates,
    rewards,
    runs,
    sales,
    sign_in,
    staking,
    statements,
    tasks,
    treasury,
    webhooks,
)
from staddle.api.edge import answer
from staddle.api.openapi import openapi
from staddle.api.operation import OPERATIONS, Operation
from staddle.api.stream import is_stream, stream_route
from staddle.server.app import Edge
from staddle.server.exchange import Incoming, Reply, incoming
from staddle.server.service import Service
from staddle.server.stream import Streams

FILES = (
    *(prices, products, rates, sales, drafts),
    *(accounts, choices, clock, leaving, positions, rewards, staking, statements),
    *(custody, customers, imports, ledger),
    *(approvals, desk, operators, runs, tasks, treasury),
    *(events, webhooks),
    *(sign_in, factors, keys, logins),
)
"""The files whose operations there are; importing them declares them."""


def edge(service: Service) -> Edge:
    """Make the routes of all operations and of the OpenAPI document; those that come in batches go directly."""
    document = msgspec.json.encode(openapi(service.config.public_url))

    @get("/v1/openapi.json", sync_to_thread=False)
    def openapi_json() -> Response[bytes]:
        """Give the OpenAPI document."""
        return Response(document, media_type="application/json")

    operations = list(OPERATIONS.values())
    streams = Streams(service.database)
    service.streams.append(streams.close)
    direct: dict[tuple[str, str], Callable[[Incoming], Awaitable[Reply]]] = {
        (each.method, each.path): partial(answer, each, service)
        for each in operations
        if each.act is not None
    }
    routes = [
        stream_route(each, service, streams) if is_stream(each) else route(each, service)
        for each in operations
    ]
    return Edge([*routes, openapi_json], direct)


def route(operation: Operation, service: Service) -> HTTPRouteHandler:
    """Make the route handler of one operation."""

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        reply = await answer(operation, service, incoming(request.scope, await request.body()))
        if reply.file is not None:
            return Stream(
                reply.pieces(),
                status_code=reply.status,
                headers=dict(reply.headers),
                media_type=reply.media_type,
            )
        return Response(
            reply.body, status_code=reply.status, headers=dict(reply.headers), media_type=reply.media_type
        )

    handle.__name__ = operation.name
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", operation.path)
    # Each reply has its own status; the framework would let no 204 have an answer of another status beside it.
    handler: Any = HTTPRouteHandler(path, http_method=operation.method, status_code=200)
    made: HTTPRouteHandler = handler(handle)
    return made
