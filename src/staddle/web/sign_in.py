"""Signing in by password, and out."""

from staddle.errors import SecondFactorNeeded
from staddle.identity import find_sign_in_provider, sign_in, sign_out
from staddle.keyring import Keyring
from staddle.pages.own_path import own_path
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows, works
from staddle.pages.refusals import provider_name, refusal_text
from staddle.server.allow import ANYBODY, customer
from staddle.server.at import OnDatabase
from staddle.server.site import cookie


class SignInForm(Form, frozen=True, kw_only=True):
    """Who signs in; `code` is asked for where there is an authenticator app."""

    email: str
    password: str
    code: str = ""
    next: str = "/"


@shows("/sign-in")
def show_sign_in(visit: Visit, next: str = "/", was: str = "", typed: Typed = NOTHING_TYPED) -> View | GoTo:  # noqa: A002
    """Ask who it is; whoever is signed in already goes on."""
    back = own_path(str(typed.get("next", next)))
    if visit.viewer.customer_id is not None:
        return GoTo(back)
    needs_code = isinstance(typed.error, SecondFactorNeeded)
    provider = find_sign_in_provider(visit.tx)
    shown = {
        "next": back,
        "typed": typed,
        "refusal": refusal_text(visit, typed),
        "needs_code": needs_code,
        "is_expired": was == "expired",
        "provider": provider and provider_name(provider.issuer),
    }
    return View("sign_in.html", shown)


@works("/sign-in", allow=ANYBODY, again=show_sign_in)
def sign_in_by_form(at: OnDatabase, form: SignInForm) -> GoTo:
    """Sign in by e-mail and password, and by a code where there is an authenticator app."""
    signed_in = sign_in(
        at.database,
        Keyring(at.config),
        "customer",
        form.email,
        form.password,
        form.code or None,
        at.seen,
        at.machine_now,
    )
    seconds = int((signed_in.session.expires_at - signed_in.session.opened_at).total_seconds())
    return GoTo(own_path(form.next), headers={"Set-Cookie": cookie(at.config, signed_in.token, seconds)})


@sends("/sign-out", allow=customer("read"))
def sign_out_by_form(visit: Visit) -> GoTo:
    """End this session."""
    sign_out(visit.tx, visit.at.caller, visit.at.seen, visit.at.machine_now)
    return GoTo("/", headers={"Set-Cookie": cookie(visit.at.config, "", 0)})
