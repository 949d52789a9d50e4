"""The authenticator app: proposed with a QR code, confirmed by a code of it, with recovery codes; and taken away."""

from staddle.identity import (
    begin_totp,
    confirm_totp,
    new_recovery_codes,
    remove_totp,
    require_session,
)
from staddle.keyring import Keyring
from staddle.pages.authenticator import codes_shown_once, proposed_shown
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import customer
from staddle.web.security import HERE, show_security

PAGE = f"{HERE}/authenticator"


class CodeForm(Form, frozen=True, kw_only=True):
    """A code of the app that was proposed."""

    code: str


@shows(PAGE, allow=customer("read"))
def show_authenticator(visit: Visit, typed: Typed = NOTHING_TYPED) -> View | GoTo:
    """Show the secret that waits to be confirmed, as a QR code and as text."""
    at = visit.at
    require_session(at.caller)
    proposed = proposed_shown(visit)
    if proposed is None:
        return GoTo(HERE)
    return View("authenticator.html", {"typed": typed, **proposed})


@sends(PAGE, allow=customer("read"), again=show_security)
def begin_authenticator(visit: Visit) -> GoTo:
    """Propose a secret; nothing changes until it is confirmed."""
    at = visit.at
    require_session(at.caller)
    begin_totp(at.tx, Keyring(at.config), at.caller, at.machine_now)
    return GoTo(PAGE)


@sends(f"{PAGE}/confirm", allow=customer("read"), again=show_authenticator)
def confirm_authenticator_by_form(visit: Visit, form: CodeForm) -> View:
    """Turn the app on by a code of it, and show the recovery codes this once."""
    at = visit.at
    require_session(at.caller)
    shown = codes_shown_once(
        visit,
        "confirm_authenticator",
        lambda: confirm_totp(at.tx, Keyring(at.config), at.caller, form.code, at.seen, at.machine_now),
    )
    return View("recovery_codes.html", shown)


@sends(f"{HERE}/recovery-codes", allow=customer("read"), again=show_security)
def make_new_recovery_codes(visit: Visit) -> View:
    """Make ten new recovery codes, and show them this once; the old ones are void."""
    at = visit.at
    require_session(at.caller)
    shown = codes_shown_once(
        visit,
        "new_recovery_codes",
        lambda: new_recovery_codes(at.tx, at.caller, at.seen, at.machine_now),
    )
    return View("recovery_codes.html", shown)


@sends(f"{PAGE}/remove", allow=customer("read"), again=show_security)
def remove_authenticator_by_form(visit: Visit) -> GoTo:
    """Turn the app off, with its recovery codes."""
    at = visit.at
    require_session(at.caller)
    remove_totp(at.tx, at.caller, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The authenticator app is off, and its recovery codes are void."))
