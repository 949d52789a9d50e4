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
    assets,
    authenticator,
    auto_subscribe,
    earn,
    external,
    history,
    keys,
    leave,
    look,
    messages,
    positions,
    product,
    recover,
    redeem,
    security,
    settings,
    sign_in,
    sign_up,
    statements,
    step_up,
    subscribe,
    transfer,
)
from staddle.web.edge import answer, failed
from staddle.web.page import PAGES, Page

FILES = (
    *(earn, product, subscribe, agreement),
    *(positions, redeem, leave),
    *(assets, transfer, history, statements),
    *(messages, settings, look, keys, auto_subscribe),
    *(sign_in, sign_up, recover, external, step_up, security, authenticator),
    as_app,
)
"""The files whose pages there are; importing them declares them."""


def edge(service: Service) -> Edge:
    """Make the routes of all pages."""
    return Edge([*(route(page, service) for page in PAGES.values()), *as_app.ROUTES, static, nowhere])


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
    found = file_at(f"/static/{name}", "gzip" in request.headers.get("accept-encoding", ""))
    if found is None:
        raise AddressNotFound
    return Response(found.content, media_type=found.media_type, headers=dict(found.headers))


@get("/{path:path}", status_code=404, sync_to_thread=False)
def nowhere(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Say on a page that there is nothing at an address, to a browser; a program is told as the API tells it."""
    is_read = "text/html" in request.headers.get("accept", "")
    if not is_read or request.url.path.startswith("/v1/"):
        raise AddressNotFound
    reply = failed(AddressNotFound(), incoming(request.scope, b""), request.url.path)
    return Response(reply.body, **_told(reply))


def _told(reply: Reply) -> dict[str, Any]:
    return {"status_code": reply.status, "headers": dict(reply.headers), "media_type": reply.media_type}
