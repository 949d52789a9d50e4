"""The addresses of the API, made from its operations, with the document that describes them."""

import re
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from staddle.api import positions, staking
from staddle.api.edge import bind
from staddle.api.openapi import openapi
from staddle.api.operation import OPERATIONS, Operation
from staddle.server.service import Service

FILES = (positions, staking)
"""The files whose operations there are; importing them declares them."""


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Make the route handlers of all operations, and that of the OpenAPI document."""
    document = msgspec.json.encode(openapi(service.config.public_url))

    @get("/v1/openapi.json", sync_to_thread=False)
    def openapi_json() -> Response[bytes]:
        """Give the OpenAPI document."""
        return Response(document, media_type="application/json")

    return [*(route(operation, service) for operation in OPERATIONS.values()), openapi_json]


def route(operation: Operation, service: Service) -> HTTPRouteHandler:
    """Make the route handler of one operation."""
    path = re.sub(r"\{(\w+)\}", r"{\1:str}", operation.path)
    handler: Any = HTTPRouteHandler(path, http_method=operation.method, status_code=operation.status)
    made: HTTPRouteHandler = handler(bind(operation, service))
    return made
