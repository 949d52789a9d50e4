"""The addresses of the pages, made from their declarations, and of the built front end."""

from typing import Any

from litestar import Request, Response, get

from staddle.errors import AddressNotFound
from staddle.pages.edge import failed
from staddle.pages.routes import response_of, routes_of
from staddle.server.app import Edge
from staddle.server.exchange import incoming
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
from staddle.web.viewer import WEB

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
    return Edge([*routes_of(WEB, service), *as_app.ROUTES, static, nowhere])


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
    return response_of(failed(WEB, AddressNotFound(), incoming(request.scope, b""), request.url.path))
