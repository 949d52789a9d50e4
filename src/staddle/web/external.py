"""Signing in with another account: the browser is sent there, and comes back with a code (OpenID Connect)."""

import base64

import httpx

from staddle.errors import ExternalSignInFailed
from staddle.identity import begin_external_sign_in, finish_external_sign_in
from staddle.keyring import Keyring
from staddle.pages.own_path import own_path
from staddle.pages.page import GoTo, goes
from staddle.server.at import OnDatabase
from staddle.server.site import cookie, own_url
from staddle.web.sign_in import show_sign_in

RETURN_PATH = "/sign-in/external"
KEPT = "staddle_external"
KEPT_SECONDS = 600
PROVIDER_SECONDS = 10


@goes(f"{RETURN_PATH}/begin", again=show_sign_in)
def begin_external(at: OnDatabase, next: str = "/", is_afresh: bool = False) -> GoTo:  # noqa: A002
    """Send the browser to the provider; what it must come back with stays here in a cookie that no script can read."""
    with httpx.Client(timeout=PROVIDER_SECONDS) as http:
        back = own_url(at.config) + RETURN_PATH
        sent = begin_external_sign_in(
            at.database, Keyring(at.config), http, back, at.machine_now, afresh=is_afresh
        )
    kept = f"{sent.browser_secret}.{base64.urlsafe_b64encode(own_path(next).encode()).decode()}"
    secure = "; Secure" if own_url(at.config).startswith("https://") else ""
    keep = f"{KEPT}={kept}; Path={RETURN_PATH}; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    return GoTo(sent.address, headers={"Set-Cookie": keep})


@goes(RETURN_PATH, cookie=KEPT, again=show_sign_in)
def finish_external(at: OnDatabase, kept: str, state: str = "", code: str = "") -> GoTo:
    """Sign in whoever has come back from the provider, in the browser that was sent there."""
    secret, _, after = kept.partition(".")
    if not (secret and state and code) or len(code) > 4000:
        raise ExternalSignInFailed
    with httpx.Client(timeout=PROVIDER_SECONDS) as http:
        signed_in = finish_external_sign_in(
            at.database, Keyring(at.config), http, state, secret, code, at.seen, at.machine_now
        )
    seconds = int((signed_in.session.expires_at - signed_in.session.opened_at).total_seconds())
    return GoTo(_path_in(after), headers={"Set-Cookie": cookie(at.config, signed_in.token, seconds)})


def _path_in(text: str) -> str:
    try:
        return own_path(base64.urlsafe_b64decode(text).decode())
    except ValueError:
        return "/"
