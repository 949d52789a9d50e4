"""The addresses of the Binance Simple Earn API, made from its endpoints; nothing else is there."""

from functools import partial
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from staddle.binance import choices, histories, market, moves, positions, products, wallet
from staddle.binance.edge import Edge, told
from staddle.binance.endpoint import ENDPOINTS
from staddle.binance.refusal import refuse
from staddle.keyring import Keyring
from staddle.server.app import Edge as Routes
from staddle.server.direct import HEADERS
from staddle.server.service import Service

FILES = (market, wallet, products, positions, moves, choices, histories)
"""The files whose endpoints there are; importing them declares them."""


def edge(service: Service) -> Routes:
    """Make the routes: all endpoints go under the framework, so that what was signed is read as it was sent."""
    shared = Edge(service, Keyring(service.config))
    direct = {address: partial(shared.answer, endpoint) for address, endpoint in ENDPOINTS.items()}
    return Routes([unknown("/sapi"), unknown("/api")], direct, lambda error: told(error, None, {}))


def unknown(prefix: str) -> HTTPRouteHandler:
    """Make the route of all addresses that are none."""

    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:  # noqa: ARG001
        reply = told(refuse(-1020), None, HEADERS)
        return Response(
            reply.body, status_code=reply.status, headers=dict(reply.headers), media_type=reply.media_type
        )

    handle.__name__ = f"binance_unknown{prefix.replace('/', '_')}"
    handler: Any = HTTPRouteHandler(
        [prefix, f"{prefix}/{{path:path}}"], http_method=["GET", "POST", "PUT", "PATCH", "DELETE"]
    )
    made: HTTPRouteHandler = handler(handle)
    return made
