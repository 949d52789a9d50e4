"""What the pages of signing in say: why a form was refused, and with whom else one can sign in."""

from urllib.parse import urlsplit

from staddle.errors import TooManyAttempts
from staddle.pages.page import Typed, Visit
from staddle.ui.refusals import sentence_of


def refusal_text(visit: Visit, typed: Typed) -> str:
    """Give the sentence of the refusal; of a wait, how long it is in words."""
    error = typed.error
    if error is None:
        return ""
    if isinstance(error, TooManyAttempts):
        return visit.say(
            "There were too many attempts. Please try again %(until)s.",
            until=visit.formats.in_seconds(int(str(error.details.get("retry_after", 1)))),
        )
    return sentence_of(error, visit.look)


def provider_name(issuer: str) -> str:
    """Name a provider of other accounts by its host."""
    return urlsplit(issuer).hostname or issuer
