"""What is asked of a second person about a product: terms put in force, subscribing or redeeming paused or resumed."""

from typing import Literal

import msgspec

from staddle import approvals
from staddle.console.product import VersionForm, ask_once, show_one_product
from staddle.console.products import MAKES
from staddle.errors import StaddleError
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.products import show_product
from staddle.products.halt import What, check_reason

Whats = Literal["subscribing", "redeeming"]


class PauseForm(Form, frozen=True, kw_only=True):
    """What is to be paused, and why: customers read it."""

    what: Whats
    reason: str = ""


class ResumeForm(Form, frozen=True, kw_only=True):
    """What is to go on again."""

    what: Whats


@sends("/console/products/{code}/ask", allow=MAKES, again=show_one_product)
def ask_terms_by_form(visit: Visit, code: str, form: VersionForm) -> GoTo:
    """Put a draft before a second person."""
    what = {"code": code, "version": form.version}
    made = once(visit, "ask_terms", what, lambda: {"approval_id": ask_once(visit, code, form.version)})
    said = visit.say(
        "Version %(version)s waits for a second person, as request %(number)s.",
        version=form.version,
        number=made["approval_id"],
    )
    return GoTo(f"/console/products/{code}", said)


@shows("/console/products/{code}/pause", allow=MAKES)
def show_pause(
    visit: Visit, code: str, what: Whats = "subscribing", reason: str = "", typed: Typed = NOTHING_TYPED
) -> View:
    """Ask what is to be paused, with how customers will read it, as one types."""
    chosen = "redeeming" if str(typed.get("what", what)) == "redeeming" else "subscribing"
    text = str(typed.get("reason", reason))
    offer = show_product(visit.tx, code, visit.now)
    halted = msgspec.structs.replace(
        offer,
        **{"subscribe_halt": text, "status": "halted"} if chosen == "subscribing" else {"redeem_halt": text},
    )
    return View(
        "product_pause.html",
        {
            "offer": offer,
            "halted": halted,
            "what": chosen,
            "reason": text,
            "wrong": problem_with(text),
            "typed": typed,
        },
        part="as_read",
    )


@sends("/console/products/{code}/pause", allow=MAKES, again=show_pause)
def ask_pause_by_form(visit: Visit, code: str, form: PauseForm) -> GoTo:
    """Ask for a pause."""
    return ask_halt(visit, code, form.what, form.reason)


@sends("/console/products/{code}/resume", allow=MAKES, again=show_one_product)
def ask_resume_by_form(visit: Visit, code: str, form: ResumeForm) -> GoTo:
    """Ask for the end of a pause."""
    return ask_halt(visit, code, form.what, None)


def ask_halt(visit: Visit, code: str, what: What, reason: str | None) -> GoTo:
    """Ask for a pause or, without a reason, for its end."""
    content = {"code": code, "what": what, "reason": reason}

    def ask() -> dict[str, int]:
        return {"approval_id": approvals.ask_halt(visit.tx, visit.at.by, code, what, reason, visit.now)}

    number = once(visit, "ask_halt", content, ask)["approval_id"]
    said = visit.say("Nothing has changed yet: request %(number)s waits for a second person.", number=number)
    return GoTo(f"/console/products/{code}", said)


def problem_with(reason: str) -> str | None:
    """Say what is wrong with a reason; None while there is none to look at."""
    if not reason:
        return None
    try:
        check_reason(reason)
    except StaddleError as error:
        return error.message
    return None
