"""The authenticator app: proposed with a QR code, confirmed by a code of it, with recovery codes; and taken away."""

from collections.abc import Callable

import segno
from markupsafe import Markup

from staddle.identity import (
    begin_totp,
    confirm_totp,
    new_recovery_codes,
    proposed_totp,
    remove_totp,
    require_session,
)
from staddle.keyring import Keyring
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import customer
from staddle.server.shown_once import Made, shown_once
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
    proposed = proposed_totp(at.tx, Keyring(at.config), at.caller, at.machine_now)
    if proposed is None:
        return GoTo(HERE)
    secret = " ".join(proposed.secret[start : start + 4] for start in range(0, len(proposed.secret), 4))
    shown = {"typed": typed, "secret": secret, "qr": qr(proposed.uri), "uri": proposed.uri}
    return View("authenticator.html", shown)


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
    return _codes(
        visit,
        "confirm_authenticator",
        lambda: confirm_totp(at.tx, Keyring(at.config), at.caller, form.code, at.seen, at.machine_now),
    )


@sends(f"{HERE}/recovery-codes", allow=customer("read"), again=show_security)
def make_new_recovery_codes(visit: Visit) -> View:
    """Make ten new recovery codes, and show them this once; the old ones are void."""
    at = visit.at
    require_session(at.caller)
    return _codes(
        visit,
        "new_recovery_codes",
        lambda: new_recovery_codes(at.tx, at.caller, at.seen, at.machine_now),
    )


@sends(f"{PAGE}/remove", allow=customer("read"), again=show_security)
def remove_authenticator_by_form(visit: Visit) -> GoTo:
    """Turn the app off, with its recovery codes."""
    at = visit.at
    require_session(at.caller)
    remove_totp(at.tx, at.caller, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The authenticator app is off, and its recovery codes are void."))


def qr(text: str) -> Markup:
    """Draw a QR code as inline SVG without any style of its own."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=3))  # noqa: S704  its own


def _codes(visit: Visit, act: str, make: Callable[[], list[str]]) -> View:
    """Show recovery codes once: a form that is sent twice makes no others, and shows none."""
    at = visit.at

    def do() -> Made:
        codes = make()
        return {"count": len(codes)}, {"codes": "\n".join(codes)}

    done = shown_once(at.tx, at.caller, act, {}, at.key, at.now, at.scales, do)
    return View("recovery_codes.html", {"codes": (done.answer["codes"] or "").split()})
