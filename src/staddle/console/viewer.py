"""How the console sees whoever looks at it: the operator of the session, with roles and what waits for somebody."""

from dataclasses import replace

from staddle.desk import find_desk, list_alarms, pending
from staddle.pages.look import cookie_look
from staddle.pages.page import Viewer, Visit
from staddle.pages.room import Room
from staddle.server.at import At
from staddle.server.exchange import Incoming

MOST = 100
"""Nobody counts further in the frame."""


def visit_of(at: At, request: Incoming, path: str) -> Visit:
    """Put a visit together. The console speaks English; theme and time zone are those of the browser."""
    look = replace(cookie_look(request), language="en")
    viewer = Viewer(is_sandbox=find_desk(at.tx).is_sandbox)
    if at.caller.operator is not None:
        viewer = replace(
            viewer,
            operator=at.caller.operator,
            name=at.caller.operator,
            roles=frozenset(at.caller.roles),
            waiting=len(pending(at.tx)),
            alarms=len(list_alarms(at.tx, count=MOST)),
        )
    return Visit(at, look, viewer, path, request.query_string)


CONSOLE = Room(
    name="console",
    visit_of=visit_of,
    sign_in="/console/sign-in",
    step_up="/console/step-up",
    own="_console",
)
"""The operators' pages."""
