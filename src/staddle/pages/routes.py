"""The addresses of a room's pages, made from their declarations."""

import re
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from staddle.pages.edge import answer
from staddle.pages.page import Page, pages_of
from staddle.pages.room import Room
from staddle.server.exchange import Reply, incoming
from staddle.server.service import Service


def routes_of(room: Room, service: Service) -> list[HTTPRouteHandler]:
    """Make the routes of all pages that a room has declared."""
    return [_route(room, page, service) for page in pages_of(room.name)]


def _route(room: Room, page: Page, service: Service) -> HTTPRouteHandler:
    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        reply = await answer(room, page, service, incoming(request.scope, await request.body()))
        return response_of(reply)

    handle.__name__ = f"{room.name}_{page.name}"
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", page.path)
    handler: Any = HTTPRouteHandler(path, http_method=page.method, status_code=200)
    made: HTTPRouteHandler = handler(handle)
    return made


def response_of(reply: Reply) -> Response[Any]:
    """Write a reply as the framework sends it; a file goes in pieces."""
    told: dict[str, Any] = {
        "status_code": reply.status,
        "headers": dict(reply.headers),
        "media_type": reply.media_type,
    }
    return Stream(reply.pieces(), **told) if reply.file else Response(reply.body, **told)
