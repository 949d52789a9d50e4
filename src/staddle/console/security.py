"""An operator's own security: the password, the authenticator app, passkeys, and where one is signed in."""

from collections.abc import Callable

from staddle.desk import LogFilter, read_log
from staddle.errors import InvalidChoice, LoginNotFound
from staddle.identity import (
    begin_totp,
    change_password,
    confirm_totp,
    list_passkeys,
    login_of,
    new_recovery_codes,
    remove_passkey,
    remove_totp,
    require_session,
    revoke_session,
    revoke_sessions,
    sessions_of,
)
from staddle.keyring import Keyring
from staddle.pages.authenticator import codes_shown_once, proposed_shown
from staddle.pages.devices import device_of
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows, works
from staddle.server.allow import operator
from staddle.server.at import OnDatabase

HERE = "/console/security"
APP = f"{HERE}/authenticator"
MINE = operator("viewer")
LOG_SHOWN = 5


class PasswordForm(Form, frozen=True, kw_only=True):
    """The password until now and the one from now on, typed twice."""

    old_password: str
    new_password: str
    new_password_again: str


class PasskeyForm(Form, frozen=True, kw_only=True):
    """Which passkey."""

    passkey_id: str


class CodeForm(Form, frozen=True, kw_only=True):
    """A code of the app that was proposed."""

    code: str


@shows(HERE, allow=MINE)
def show_own_security(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Show how one signs in, where one is signed in, and what one did last."""
    caller = visit.at.caller
    require_session(caller)
    try:
        login = login_of(visit.tx, caller)
    except LoginNotFound:
        login = None
    shown = {
        "typed": typed,
        "login": login,
        "passkeys": list_passkeys(visit.tx, caller) if login else [],
        "sessions": sessions_of(visit.tx, caller, visit.at.machine_now) if login else [],
        "this_session": caller.session_id,
        "log": read_log(visit.tx, LOG_SHOWN, None, LogFilter(operator=visit.at.by)),
        "device_of": device_of,
    }
    return View("security.html", shown)


@works(f"{HERE}/password", allow=MINE, again=show_own_security)
def change_own_password(at: OnDatabase, form: PasswordForm) -> Callable[[Visit], GoTo]:
    """Change one's password; everywhere else one is signed out."""
    require_session(at.caller)
    if form.new_password != form.new_password_again:
        raise InvalidChoice("The new password was typed in two different ways.", field="new_password_again")
    change_password(at.database, at.caller, form.old_password, form.new_password, at.seen, at.machine_now)
    said = "The password is changed. Everywhere else you are signed out."
    return lambda visit: GoTo(HERE, visit.say(said))


@sends(f"{HERE}/passkeys/remove", allow=MINE, again=show_own_security)
def remove_own_passkey(visit: Visit, form: PasskeyForm) -> GoTo:
    """Remove a passkey."""
    at = visit.at
    require_session(at.caller)
    remove_passkey(at.tx, at.caller, form.passkey_id, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The passkey is removed: it opens nothing here any more."))


@sends(f"{HERE}/sessions/{{session_id}}/end", allow=MINE, again=show_own_security)
def end_own_session(visit: Visit, session_id: str) -> GoTo:
    """End one of one's sessions."""
    at = visit.at
    require_session(at.caller)
    revoke_session(at.tx, at.caller, session_id, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("That session has ended."))


@sends(f"{HERE}/sessions/end-others", allow=MINE, again=show_own_security)
def end_own_other_sessions(visit: Visit) -> GoTo:
    """End all of one's sessions but this one."""
    at = visit.at
    require_session(at.caller)
    revoke_sessions(at.tx, at.caller, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("You are signed out everywhere but here."))


@shows(APP, allow=MINE)
def show_own_authenticator(visit: Visit, typed: Typed = NOTHING_TYPED) -> View | GoTo:
    """Show the secret that waits to be confirmed, as a QR code and as text."""
    require_session(visit.at.caller)
    proposed = proposed_shown(visit)
    if proposed is None:
        return GoTo(HERE)
    return View("authenticator.html", {"typed": typed, **proposed})


@sends(APP, allow=MINE, again=show_own_security)
def begin_own_authenticator(visit: Visit) -> GoTo:
    """Propose a secret; nothing changes until it is confirmed."""
    at = visit.at
    require_session(at.caller)
    begin_totp(at.tx, Keyring(at.config), at.caller, at.machine_now)
    return GoTo(APP)


@sends(f"{APP}/confirm", allow=MINE, again=show_own_authenticator)
def confirm_own_authenticator(visit: Visit, form: CodeForm) -> View:
    """Turn the app on by a code of it, and show the recovery codes this once."""
    at = visit.at
    require_session(at.caller)
    shown = codes_shown_once(
        visit,
        "confirm_authenticator",
        lambda: confirm_totp(at.tx, Keyring(at.config), at.caller, form.code, at.seen, at.machine_now),
    )
    return View("recovery_codes.html", shown)


@sends(f"{HERE}/recovery-codes", allow=MINE, again=show_own_security)
def make_own_recovery_codes(visit: Visit) -> View:
    """Make ten new recovery codes, and show them this once; the old ones are void."""
    at = visit.at
    require_session(at.caller)
    shown = codes_shown_once(
        visit,
        "new_recovery_codes",
        lambda: new_recovery_codes(at.tx, at.caller, at.seen, at.machine_now),
    )
    return View("recovery_codes.html", shown)


@sends(f"{APP}/remove", allow=MINE, again=show_own_security)
def remove_own_authenticator(visit: Visit) -> GoTo:
    """Turn the app off, with its recovery codes."""
    at = visit.at
    require_session(at.caller)
    remove_totp(at.tx, at.caller, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The authenticator app is off, and its recovery codes are void."))
