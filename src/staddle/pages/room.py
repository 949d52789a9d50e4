"""What differs between the rooms that have pages: whose they are, how these sign in, and how the room sees a viewer."""

from collections.abc import Callable
from dataclasses import dataclass

from staddle.pages.page import Visit
from staddle.server.at import At
from staddle.server.exchange import Incoming


@dataclass(frozen=True, slots=True)
class Room:
    """A room with pages: `web` of the customers, `console` of the operators.

    `name` is the package's, whose templates are used; `own` is what the name of the session's cookie ends with, so
    that an operator who is a customer too is signed in as both.
    """

    name: str
    visit_of: Callable[[At, Incoming, str], Visit]
    sign_in: str
    step_up: str
    own: str = ""
