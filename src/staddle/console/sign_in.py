"""Signing in to the console by password and code, proving it again, and out."""

from staddle.console.viewer import CONSOLE
from staddle.errors import LoginNotFound, SecondFactorNeeded
from staddle.identity import login_of, require_session, sign_in, sign_out, step_up
from staddle.keyring import Keyring
from staddle.pages.own_path import own_path
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows, works
from staddle.pages.refusals import refusal_text
from staddle.server.allow import ANYBODY, operator
from staddle.server.at import OnDatabase
from staddle.server.site import cookie

HOME = "/console"


class SignInForm(Form, frozen=True, kw_only=True):
    """Who signs in; `code` is asked for where there is an authenticator app."""

    email: str
    password: str
    code: str = ""
    next: str = HOME


class StepUpForm(Form, frozen=True, kw_only=True):
    """The code where there is an authenticator app, else the password; and where to go back to."""

    password: str = ""
    code: str = ""
    next: str = HOME


@shows("/console/sign-in")
def show_sign_in(visit: Visit, next: str = HOME, was: str = "", typed: Typed = NOTHING_TYPED) -> View | GoTo:  # noqa: A002
    """Ask which operator it is; whoever is signed in already goes on."""
    back = own_path(str(typed.get("next", next)), HOME)
    if visit.viewer.operator is not None:
        return GoTo(back)
    shown = {
        "next": back,
        "typed": typed,
        "refusal": refusal_text(visit, typed),
        "needs_code": isinstance(typed.error, SecondFactorNeeded),
        "is_expired": was == "expired",
    }
    return View("sign_in.html", shown)


@works("/console/sign-in", allow=ANYBODY, again=show_sign_in)
def sign_in_by_form(at: OnDatabase, form: SignInForm) -> GoTo:
    """Sign an operator in by e-mail and password, and by a code where there is an authenticator app."""
    signed_in = sign_in(
        at.database,
        Keyring(at.config),
        "operator",
        form.email,
        form.password,
        form.code or None,
        at.seen,
        at.machine_now,
    )
    seconds = int((signed_in.session.expires_at - signed_in.session.opened_at).total_seconds())
    kept = cookie(at.config, signed_in.token, seconds, CONSOLE.own)
    return GoTo(own_path(form.next, HOME), headers={"Set-Cookie": kept})


@sends("/console/sign-out", allow=operator("viewer"))
def sign_out_by_form(visit: Visit) -> GoTo:
    """End this session."""
    sign_out(visit.tx, visit.at.caller, visit.at.seen, visit.at.machine_now)
    gone = cookie(visit.at.config, "", 0, CONSOLE.own)
    return GoTo("/console/sign-in", headers={"Set-Cookie": gone})


@shows("/console/step-up", allow=operator("viewer"))
def show_step_up(visit: Visit, next: str = HOME, typed: Typed = NOTHING_TYPED) -> View:  # noqa: A002
    """Ask once more who it is."""
    require_session(visit.at.caller)
    try:
        login = login_of(visit.tx, visit.at.caller)
    except LoginNotFound:
        login = None
    shown = {
        "typed": typed,
        "refusal": refusal_text(visit, typed),
        "next": own_path(str(typed.get("next", next)), HOME),
        "login": login,
    }
    return View("step_up.html", shown)


@works("/console/step-up", allow=operator("viewer"), again=show_step_up)
def step_up_by_form(at: OnDatabase, form: StepUpForm) -> GoTo:
    """Prove it by the code or the password, for five minutes, and go back."""
    require_session(at.caller)
    keyring = Keyring(at.config)
    step_up(
        at.database, keyring, at.caller, form.password or None, form.code or None, at.seen, at.machine_now
    )
    return GoTo(own_path(form.next, HOME))
