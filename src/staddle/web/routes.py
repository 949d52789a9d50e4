"""The addresses of the pages, made from their declarations, and of the built front end."""

import re
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from staddle.errors import AddressNotFound
from staddle.server.app import Edge
from staddle.server.exchange import Reply, incoming
from staddle.server.service import Service
from staddle.ui.static_files import file_at
from staddle.web import (
    agreement,
    as_app,
    authenticator,
    auto_subscribe,
    earn,
    external,
    keys,
    look,
    messages,
    recover,
    security,
    settings,
    sign_in,
    sign_up,
    step_up,
)
from staddle.web.edge import answer
from staddle.web.page import PAGES, Page

FILES = (
    agreement,
    as_app,
    authenticator,
    auto_subscribe,
    earn,
    external,
    keys,
    look,
    messages,
    recover,
    security,
    settings,
    sign_in,
    sign_up,
    step_up,
)
"""The files whose pages there are; importing them declares them."""


def edge(service: Service) -> Edge:
    """Make the routes of all pages."""
    return Edge([*(route(page, service) for page in PAGES.values()), static, *as_app.ROUTES])


def route(page: Page, service: Service) -> HTTPRouteHandler:
    """Make the route handler of one page."""

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        reply = await answer(page, service, incoming(request.scope, await request.body()))
        return Stream(reply.pieces(), **_told(reply)) if reply.file else Response(reply.body, **_told(reply))

    handle.__name__ = page.name
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", page.path)
    handler: Any = HTTPRouteHandler(path, http_method=page.method, status_code=200)
    made: HTTPRouteHandler = handler(handle)
    return made


@get("/static/{name:str}", sync_to_thread=False)
def static(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """Give a file of the built front end; its name changes with its content, so it may be kept for ever."""
    found = file_at(name, "gzip" in request.headers.get("accept-encoding", ""))
    if found is None:
        raise AddressNotFound
    return Response(found.body, media_type=found.media_type, headers=dict(found.headers))


def _told(reply: Reply) -> dict[str, Any]:
    return {"status_code": reply.status, "headers": dict(reply.headers), "media_type": reply.media_type}
