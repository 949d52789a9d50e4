"""Leaving a fixed term early: a quote that holds for five minutes, then its confirmation (rule 24)."""

from typing import Any

from staddle.document import document
from staddle.errors import QuoteChanged, QuoteNotFound, StaddleError, StepUpNeeded
from staddle.identity import is_unproven, needs_step_up
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.positions import AskToLeave, ConfirmLeave, ask_to_leave, confirm_leave, position_of
from staddle.server.allow import customer
from staddle.web.positions import id_in, show_position

REDEEMS = customer("redeem")


class QuoteForm(Form, frozen=True, kw_only=True):
    """A quote is asked for."""


class LeaveForm(Form, frozen=True, kw_only=True):
    """The quote that is confirmed."""

    quote_id: str


@shows("/positions/{position}/leave", allow=REDEEMS)
def show_leaving(visit: Visit, position: str, typed: Typed = NOTHING_TYPED) -> View | GoTo:
    """Show the new quote where a confirmation was refused because its figures had changed; else the position."""
    if isinstance(typed.error, QuoteChanged):
        return quote_view(visit, position, dict[str, Any](typed.error.details["quote"]), typed)  # type: ignore[call-overload]
    if typed.error is not None:
        return show_position(visit, position, typed)
    return GoTo(f"/positions/{id_in(position)}")


@sends("/positions/{position}/leave", allow=REDEEMS, again=show_position)
def ask_for_quote(visit: Visit, position: str, form: QuoteForm) -> View | StaddleError:  # noqa: ARG001
    """Ask what leaving now would bring; the quote is kept, nothing is moved."""
    command = AskToLeave(customer_id=visit.customer_id, key=visit.key, position_id=id_in(position))
    outcome = ask_to_leave(visit.tx, [command], visit.now)[0]
    if outcome.error is not None:
        return outcome.error
    return quote_view(visit, position, document(outcome.unwrap(), visit.at.scales), NOTHING_TYPED)


@sends("/positions/{position}/leave/confirm", allow=REDEEMS, again=show_leaving)
def confirm_leaving(visit: Visit, position: str, form: LeaveForm) -> GoTo | StaddleError:
    """Carry the quote out; where its figures have changed, the new one must be confirmed."""
    if not (form.quote_id.isascii() and form.quote_id.isdigit() and len(form.quote_id) <= 18):
        raise QuoteNotFound
    command = ConfirmLeave(customer_id=visit.customer_id, key=visit.key, quote_id=int(form.quote_id))
    outcome = confirm_leave(visit.tx, [command], visit.now)[0]
    if outcome.error is not None:
        return outcome.error  # kept under its key, with the new quote where there is one
    left = outcome.unwrap().quote
    is_doubtful = not outcome.is_replay and is_unproven(visit.at.caller, visit.at.machine_now)
    if is_doubtful and needs_step_up(visit.tx, left.asset, left.returned):
        raise StepUpNeeded  # which takes all of it back
    said = visit.say(
        "%(amount)s %(asset)s are back in your %(account)s account. The position has ended.",
        amount=visit.formats.number(left.returned, 2),
        asset=left.asset,
        account={"spot": visit.say("Spot"), "funding": visit.say("Funding")}[left.destination],
    )
    return GoTo(f"/positions/{id_in(position)}", said)


def quote_view(visit: Visit, position: str, quote: dict[str, Any], typed: Typed) -> View:
    """Show a quote: what comes back in one sentence, then every payout that is taken back."""
    full = position_of(visit.tx, visit.customer_id, id_in(position), visit.now)
    return View("leave.html", {"quote": quote, "it": full.position, "typed": typed})
