"""The addresses of the console's pages, made from their declarations."""

from typing import Any

from litestar import Request, Response, get

from staddle.console import (
    accounts,
    agreements,
    alarms,
    approvals,
    closings,
    coins,
    customer_acts,
    customers,
    foresight,
    ledger,
    log,
    parked,
    people,
    positions,
    product,
    product_editor,
    product_requests,
    products,
    rate_change,
    rate_source,
    rates,
    run,
    runs,
    schedule,
    search,
    security,
    sign_in,
    tasks,
    today,
    treasury,
)
from staddle.console.viewer import CONSOLE
from staddle.errors import AddressNotFound
from staddle.pages.edge import failed
from staddle.pages.routes import response_of, routes_of
from staddle.server.app import Edge
from staddle.server.exchange import incoming
from staddle.server.service import Service

FILES = (
    today,
    *(approvals, log, people, agreements, security),
    *(products, product, product_editor, product_requests, schedule, coins),
    *(treasury, foresight, rates, rate_change, rate_source),
    search,
    *(customers, customer_acts),
    positions,
    *(ledger, accounts, closings),
    sign_in,
    runs,
    run,
    parked,
    alarms,
    tasks,
)
"""The files whose pages there are, a line each; importing them declares them."""


def edge(service: Service) -> Edge:
    """Make the routes of all pages."""
    return Edge([*routes_of(CONSOLE, service), nowhere])


@get("/console/{path:path}", status_code=404, sync_to_thread=False)
def nowhere(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say on a page that there is nothing at an address of the console."""
    return response_of(failed(CONSOLE, AddressNotFound(), incoming(request.scope, b""), request.url.path))
