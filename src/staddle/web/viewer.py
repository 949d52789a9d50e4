"""Who looks at a page, and how: from the session and the customer's preferences, or the cookie of whoever has none."""

from staddle.customers import find_customers_by_id, preferences_of
from staddle.desk import find_desk
from staddle.pages.look import cookie_look
from staddle.pages.page import Viewer, Visit
from staddle.pages.room import Room
from staddle.server.at import At
from staddle.server.exchange import Incoming
from staddle.ui.look import look_with
from staddle.web.unread import unread_count


def visit_of(at: At, request: Incoming, path: str) -> Visit:
    """Put a visit together; what a customer has chosen goes before what the browser says."""
    look, desk = cookie_look(request), find_desk(at.tx)
    viewer = Viewer(is_sandbox=desk.is_sandbox)
    customer_id = at.caller.customer_id
    if customer_id is not None and at.caller.kind == "customer":
        chosen = preferences_of(at.tx, customer_id)
        if chosen.is_chosen:
            look = look_with({"language": chosen.language, "theme": chosen.theme, "zone": chosen.zone}, look)
        [customer] = find_customers_by_id(at.tx, [customer_id]).values()
        viewer = Viewer(
            customer_id=customer_id,
            name=customer.name or customer.reference,
            unread=unread_count(at.tx, customer_id, chosen),
            is_sandbox=desk.is_sandbox,
        )
    return Visit(at, look, viewer, path, request.query_string)


WEB = Room(name="web", visit_of=visit_of, sign_in="/sign-in", step_up="/step-up")
"""The customers' pages."""
