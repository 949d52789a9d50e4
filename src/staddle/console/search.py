"""The search: what a few letters could mean, each with its page; the palette shows the same list."""

from urllib.parse import quote

from staddle.console.words import customer_address
from staddle.pages.page import GoTo, View, Visit, shows
from staddle.search import Found, find_anything
from staddle.server.allow import operator

ADDRESSES = {
    "position": "/console/positions/{id}",
    "transfer": "/console/ledger/transfers/{id}",
    "approval": "/console/approvals/{id}",
    "product": "/console/products/{id}",
    "asset": "/console/treasury/{id}",
    "run": "/console/runs/{id}",
    "closing": "/console/ledger/closings/{id}",
}


@shows("/console/search", allow=operator("viewer"))
def show_search(visit: Visit, q: str = "") -> View | GoTo:
    """Show everything that what was typed could mean, what it names exactly first."""
    found = find_anything(visit.tx, q)
    kinds = {
        "customer": visit.say("Customer"),
        "position": visit.say("Position"),
        "transfer": visit.say("Transfer"),
        "approval": visit.say("Approval"),
        "product": visit.say("Product"),
        "asset": visit.say("Coin"),
        "run": visit.say("Run"),
        "closing": visit.say("Closing"),
        "receipt": visit.say("Receipt"),
    }
    listed = [(kinds[each.kind], each, address_of(each)) for each in found]
    return View("search.html", {"q": q[:200], "listed": listed}, part="list")


def address_of(found: Found) -> str:
    """Give the page of what was found."""
    if found.kind == "customer":
        return customer_address(found.id)
    if found.kind == "receipt":
        position, _, run_on = found.id.partition("-")
        return f"/console/positions/{position}/days/{run_on}"
    return ADDRESSES[found.kind].format(id=quote(found.id, safe=""))
