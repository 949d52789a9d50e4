"""The streams' way out: an operation of `events.py` says who may and from where, and then the connection stays open."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from staddle.api.edge import answer, refuse
from staddle.api.events import EVENT_STREAM, Ticket
from staddle.api.operation import Operation
from staddle.errors import TooManyStreams
from staddle.server.exchange import Reply, incoming
from staddle.server.service import Service
from staddle.server.stream import Streams

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Proxies must not gather events before they pass them on."""


def is_stream(operation: Operation) -> bool:
    """Say whether an operation's answer is a stream of events."""
    return operation.media_type == EVENT_STREAM


def stream_route(operation: Operation, service: Service, streams: Streams) -> HTTPRouteHandler:
    """Make the route handler of a stream."""

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        asked = incoming(request.scope, b"")
        last = asked.headers.get("last-event-id")
        if last is not None:
            asked = replace(asked, query_string=urlencode({"after": last}))
        reply = await answer(operation, service, asked)
        if reply.status != 200:
            return plain(reply)
        may = msgspec.json.decode(reply.body, type=Ticket)
        try:
            events = open_stream(streams, may)
        except TooManyStreams as error:
            return plain(refuse(error))
        return Stream(events, headers=HEADERS, media_type=EVENT_STREAM)

    handle.__name__ = operation.name
    handler: Any = HTTPRouteHandler(operation.path, http_method="GET", status_code=200)
    made: HTTPRouteHandler = handler(handle)
    return made


def open_stream(streams: Streams, may: Ticket) -> AsyncIterator[bytes]:
    """Open the stream that a ticket is for; raises TooManyStreams."""
    if may.customer_id is None:
        return streams.of_desk(may.cursor)
    return streams.of_customer(may.customer_id, may.cursor)


def plain(reply: Reply) -> Response[bytes]:
    """Send a reply that is no stream."""
    return Response(
        reply.body, status_code=reply.status, headers=dict(reply.headers), media_type=reply.media_type
    )
