"""Security: the password, passkeys, where one is signed in, and what has happened to one's access."""

from collections.abc import Callable

from staddle.errors import InvalidChoice
from staddle.identity import (
    change_password,
    list_passkeys,
    login_of,
    read_security_log,
    remove_passkey,
    require_session,
    revoke_session,
    revoke_sessions,
    sessions_of,
)
from staddle.pages.devices import device_of
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows, works
from staddle.server.allow import customer
from staddle.server.at import OnDatabase

HERE = "/settings/security"
LOG_SHOWN, LOG_PAGE = 5, 50


class PasswordForm(Form, frozen=True, kw_only=True):
    """The password until now and the one from now on, typed twice."""

    old_password: str
    new_password: str
    new_password_again: str


class PasskeyForm(Form, frozen=True, kw_only=True):
    """Which passkey."""

    passkey_id: str


@shows(HERE, allow=customer("read"))
def show_security(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Show how one signs in, where one is signed in, and the newest of the security log."""
    caller = visit.at.caller
    require_session(caller)
    shown = {
        "typed": typed,
        "login": login_of(visit.tx, caller),
        "passkeys": list_passkeys(visit.tx, caller),
        "sessions": sessions_of(visit.tx, caller, visit.at.machine_now),
        "this_session": caller.session_id,
        "log": read_security_log(visit.tx, visit.customer_id, LOG_SHOWN),
        "device_of": device_of,
    }
    return View("security.html", shown)


@shows(f"{HERE}/log", allow=customer("read"))
def show_security_log(visit: Visit, before: int | None = None) -> View:
    """Show what has happened to one's access, newest first."""
    require_session(visit.at.caller)
    if before is not None and not 0 < before < 2**63:
        before = None
    found = read_security_log(visit.tx, visit.customer_id, LOG_PAGE + 1, before)
    shown = {
        "log": found[:LOG_PAGE],
        "older": found[LOG_PAGE - 1].log_id if len(found) > LOG_PAGE else None,
        "device_of": device_of,
    }
    return View("security_log.html", shown)


@works(f"{HERE}/password", allow=customer("read"), again=show_security)
def change_password_by_form(at: OnDatabase, form: PasswordForm) -> Callable[[Visit], GoTo]:
    """Change one's password; everywhere else one is signed out."""
    require_session(at.caller)
    if form.new_password != form.new_password_again:
        raise InvalidChoice("The new password was typed in two different ways.", field="new_password_again")
    change_password(at.database, at.caller, form.old_password, form.new_password, at.seen, at.machine_now)
    said = "The password is changed. Everywhere else you are signed out."
    return lambda visit: GoTo(HERE, visit.say(said))


@sends(f"{HERE}/passkeys/remove", allow=customer("read"), again=show_security)
def remove_passkey_by_form(visit: Visit, form: PasskeyForm) -> GoTo:
    """Remove a passkey."""
    at = visit.at
    require_session(at.caller)
    remove_passkey(at.tx, at.caller, form.passkey_id, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The passkey is removed: it opens nothing here any more."))


@sends(f"{HERE}/sessions/{{session_id}}/end", allow=customer("read"), again=show_security)
def end_session_by_form(visit: Visit, session_id: str) -> GoTo:
    """End one of one's sessions."""
    at = visit.at
    require_session(at.caller)
    revoke_session(at.tx, at.caller, session_id, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("That session has ended."))


@sends(f"{HERE}/sessions/end-others", allow=customer("read"), again=show_security)
def end_other_sessions_by_form(visit: Visit) -> GoTo:
    """End all of one's sessions but this one."""
    at = visit.at
    require_session(at.caller)
    revoke_sessions(at.tx, at.caller, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("You are signed out everywhere but here."))
