"""What pages show of an authenticator app: its secret as a QR code and in groups, and recovery codes this once."""

from collections.abc import Callable

import segno
from markupsafe import Markup

from staddle.identity import proposed_totp
from staddle.keyring import Keyring
from staddle.pages.page import Values, Visit
from staddle.server.shown_once import Made, shown_once


def proposed_shown(visit: Visit) -> Values | None:
    """Give the secret that waits to be confirmed, as a QR code and as text; None where there is none."""
    at = visit.at
    proposed = proposed_totp(at.tx, Keyring(at.config), at.caller, at.machine_now)
    if proposed is None:
        return None
    secret = " ".join(proposed.secret[start : start + 4] for start in range(0, len(proposed.secret), 4))
    return {"secret": secret, "qr": qr(proposed.uri), "uri": proposed.uri}


def codes_shown_once(visit: Visit, act: str, make: Callable[[], list[str]]) -> Values:
    """Make recovery codes and give them once: a form that is sent twice makes no others, and shows none."""
    at = visit.at

    def do() -> Made:
        codes = make()
        return {"count": len(codes)}, {"codes": "\n".join(codes)}

    done = shown_once(at.tx, at.caller, act, {}, at.key, at.now, at.scales, do)
    return {"codes": (done.answer["codes"] or "").split()}


def qr(text: str) -> Markup:
    """Draw a QR code as inline SVG without any style of its own."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=3))  # noqa: S704  its own
