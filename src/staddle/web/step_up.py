"""Proving again who is asking, before what a stolen session must not be enough for."""

from staddle.errors import LoginNotFound
from staddle.identity import find_sign_in_provider, login_of, require_session, step_up
from staddle.keyring import Keyring
from staddle.pages.own_path import own_path
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, shows, works
from staddle.pages.refusals import provider_name, refusal_text
from staddle.server.allow import customer
from staddle.server.at import OnDatabase


class StepUpForm(Form, frozen=True, kw_only=True):
    """The code where there is an authenticator app, else the password; and where to go back to."""

    password: str = ""
    code: str = ""
    next: str = "/"


@shows("/step-up", allow=customer("read"))
def show_step_up(visit: Visit, next: str = "/", typed: Typed = NOTHING_TYPED) -> View:  # noqa: A002
    """Ask once more who it is."""
    require_session(visit.at.caller)
    try:
        login = login_of(visit.tx, visit.at.caller)
    except LoginNotFound:
        login = None
    provider = find_sign_in_provider(visit.tx)
    shown = {
        "typed": typed,
        "refusal": refusal_text(visit, typed),
        "next": own_path(str(typed.get("next", next))),
        "login": login,
        "provider": provider and provider_name(provider.issuer),
    }
    return View("step_up.html", shown)


@works("/step-up", allow=customer("read"), again=show_step_up)
def step_up_by_form(at: OnDatabase, form: StepUpForm) -> GoTo:
    """Prove it by the code or the password, for five minutes, and go back."""
    require_session(at.caller)
    keyring = Keyring(at.config)
    step_up(
        at.database, keyring, at.caller, form.password or None, form.code or None, at.seen, at.machine_now
    )
    return GoTo(own_path(form.next))
