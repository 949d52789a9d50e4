"""How a browser wants to see the pages, as its cookie says, or else its own headers."""

from staddle.server.exchange import Incoming
from staddle.ui.look import COOKIE, Look, look_of


def cookie_look(request: Incoming) -> Look:
    """Give the look that this browser has chosen, or asks for."""
    return look_of(request.cookie(COOKIE), request.headers.get("accept-language", ""))
