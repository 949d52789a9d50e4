"""Refusals in the viewer's language: in English as the act has said it, else the sentence of its kind with figures."""

from staddle.errors import StaddleError
from staddle.ui.look import Look


def mark(text: str) -> str:
    """Mark a text for the catalogues; it is said later."""
    return text


WITH_FIGURES = {
    "below_minimum": mark("The minimum is %(minimum)s."),
    "above_maximum": mark("The maximum for one subscription is %(maximum)s."),
    "not_a_multiple_of_step": mark("The amount must be a multiple of %(step)s."),
    "personal_cap_reached": mark("You can stake %(left)s more in this product."),
    "quota_full": mark("%(left)s are left of this product."),
    "insufficient_funds": mark("The account holds %(balance)s."),
    "subscribing_halted": mark("Subscribing is paused: %(reason)s"),
    "redeeming_halted": mark("Redeeming is paused: %(reason)s"),
}
"""What some refusals say of their figures, by code."""


def sentence_of(error: StaddleError, look: Look) -> str:
    """Say why something was refused."""
    if look.language == "en":
        return error.message
    told = WITH_FIGURES.get(error.code())
    if told is not None:
        try:
            return look.say(told) % error.details
        except KeyError:
            pass  # this one came without its figures
    return look.say(" ".join((type(error).__doc__ or "").split()))
