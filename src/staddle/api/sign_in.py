"""Signing in and out: by password, passkey or another provider; where one is signed in; proving again who is asking.

A browser asks with `in_cookie`: then the token is in an HttpOnly cookie and nowhere else. All of it goes by the
machine's clock.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import httpx
import msgspec

from staddle.api.fields import Body
from staddle.api.operation import Given, reads, works, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.config import Config
from staddle.errors import ExternalSignInFailed
from staddle.identity import (
    PasskeyAsked,
    SecurityEntry,
    SentElsewhere,
    Session,
    SignedIn,
    begin_external_sign_in,
    begin_passkey_sign_in,
    begin_passkey_step_up,
    change_password,
    find_sign_in_provider,
    finish_external_sign_in,
    finish_passkey_sign_in,
    finish_passkey_step_up,
    read_security_log,
    require_session,
    revoke_session,
    revoke_sessions,
    sessions_of,
    sign_in,
    sign_out,
    step_up,
)
from staddle.keyring import Keyring
from staddle.server.allow import ANYBODY, Allow, customer, either, operator
from staddle.server.at import At, OnDatabase
from staddle.server.site import cookie, own_url, site

TAG = "Sign-in"
SIGNED_IN: Allow = either(customer("read"), operator("viewer"))
RETURN_PATH = "/sign-in/external"
"""Where the provider sends a browser back to, on our own site."""
PROVIDER_SECONDS = 10

Kind = Literal["customer", "operator"]
Password = Annotated[str, msgspec.Meta(max_length=1000)]
Code = Annotated[
    str, msgspec.Meta(max_length=40, description="Of the authenticator app, or a recovery code.")
]
Hidden = Annotated[str, msgspec.Meta(max_length=200)]
HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{24}$")]
InCookie = Annotated[
    bool,
    msgspec.Meta(
        description="Put the token into an HttpOnly cookie, for a browser, and not into the answer."
    ),
]
Credential = Annotated[
    dict[str, Any], msgspec.Meta(description="What navigator.credentials has given, as JSON.")
]


class SignInBody(Body, frozen=True, kw_only=True):
    """Who signs in. `code` is only needed where the answer was `second_factor_needed`."""

    email: Annotated[str, msgspec.Meta(max_length=300, examples=["ada@example.com"])]
    password: Password
    code: Code | None = None
    kind: Kind = "customer"
    in_cookie: InCookie = False


class PasskeySignInBody(Body, frozen=True, kw_only=True):
    """The passkey's answer."""

    challenge_id: HexId
    credential: Credential
    kind: Kind = "customer"
    in_cookie: InCookie = False


class ExternalOptionsBody(Body, frozen=True, kw_only=True):
    """`is_afresh`: the provider is to ask again who it is, which counts as a step-up here."""

    is_afresh: bool = False


class ExternalSignInBody(Body, frozen=True, kw_only=True):
    """What came back with the browser, and the secret that this browser has kept meanwhile."""

    state: HexId
    code: Annotated[str, msgspec.Meta(max_length=4000)]
    browser_secret: Hidden
    in_cookie: InCookie = False


class PasswordBody(Body, frozen=True, kw_only=True):
    """The password until now and the one from now on."""

    old: Password
    new: Password


class StepUpBody(Body, frozen=True, kw_only=True):
    """The code where there is an authenticator app, else the password."""

    password: Password | None = None
    code: Code | None = None


class PasskeyProofBody(Body, frozen=True, kw_only=True):
    """The passkey's answer."""

    challenge_id: HexId
    credential: Credential


class SignedInShown(msgspec.Struct, frozen=True, kw_only=True):
    """The new session. `token` goes as `Authorization: Bearer`; it is null where it is in a cookie."""

    kind: str
    session: Session
    token: str | None


class SteppedUp(msgspec.Struct, frozen=True, kw_only=True):
    """From when on the proof counts; it is good for five minutes."""

    stepped_up_at: datetime


class ProviderShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whether customers can sign in with another account, and with whom."""

    is_available: bool
    issuer: str | None


class SessionsEnded(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions have ended."""

    count: int


@works("POST", "/v1/sign-in", allow=ANYBODY, gives=SignedInShown, tag=TAG)
def sign_in_by_password(at: OnDatabase, body: SignInBody) -> Given:
    """Sign in by e-mail and password, and by a code where there is an authenticator app.

    Whether an address is known cannot be told from the answer. After several failures one must wait: `retry_after`.
    """
    keyring = Keyring(at.config)
    return shown(
        at.config,
        sign_in(
            at.database, keyring, body.kind, body.email, body.password, body.code, at.seen, at.machine_now
        ),
        body.in_cookie,
    )


@writes("POST", "/v1/sign-in/passkey-options", allow=ANYBODY, gives=PasskeyAsked, tag=TAG, keyed="no")
def ask_for_passkey(at: At) -> PasskeyAsked:
    """Begin to sign in by a passkey: what to ask the browser with."""
    return begin_passkey_sign_in(at.tx, site(at.config), at.machine_now)


@writes("POST", "/v1/sign-in/passkey", allow=ANYBODY, gives=SignedInShown, tag=TAG, keyed="no")
def sign_in_by_passkey(at: At, body: PasskeySignInBody) -> Given:
    """Sign in by a passkey, which needs no name, no password and no code."""
    signed_in = finish_passkey_sign_in(
        at.tx, body.kind, body.challenge_id, body.credential, site(at.config), at.seen, at.machine_now
    )
    return shown(at.config, signed_in, body.in_cookie)


@reads("/v1/sign-in/external", allow=ANYBODY, gives=ProviderShown, tag=TAG)
def show_external_provider(at: At) -> ProviderShown:
    """Show whether customers can sign in with another account, such as that of the exchange."""
    provider = find_sign_in_provider(at.tx)
    return ProviderShown(
        is_available=provider is not None, issuer=None if provider is None else provider.issuer
    )


@works("POST", "/v1/sign-in/external-options", allow=ANYBODY, gives=SentElsewhere, tag=TAG)
def ask_external_provider(at: OnDatabase, body: ExternalOptionsBody) -> SentElsewhere:
    """Begin to sign in with another account: where to send the browser (OpenID Connect, code with PKCE)."""
    with provider_client() as http:
        back = own_url(at.config) + RETURN_PATH
        return begin_external_sign_in(
            at.database, Keyring(at.config), http, back, at.machine_now, afresh=body.is_afresh
        )


@works("POST", "/v1/sign-in/external", allow=ANYBODY, gives=SignedInShown, tag=TAG)
def sign_in_by_external_account(at: OnDatabase, body: ExternalSignInBody) -> Given:
    """Sign in with what the other provider has sent the browser back with."""
    if not body.code:
        raise ExternalSignInFailed
    with provider_client() as http:
        signed_in = finish_external_sign_in(
            at.database,
            Keyring(at.config),
            http,
            body.state,
            body.browser_secret,
            body.code,
            at.seen,
            at.machine_now,
        )
    return shown(at.config, signed_in, body.in_cookie)


@writes("POST", "/v1/sign-out", allow=SIGNED_IN, gives=None, tag=TAG, keyed="no", status=204)
def sign_out_here(at: At) -> Given:
    """End this session; its token is good for nothing from now on."""
    sign_out(at.tx, at.caller, at.seen, at.machine_now)
    return Given(None, 204, headers={"Set-Cookie": cookie(at.config, "", 0)})


@reads("/v1/sessions", allow=SIGNED_IN, gives=list[Session], tag=TAG)
def list_sessions(at: At) -> list[Session]:
    """List where you are signed in, the last used first."""
    require_session(at.caller)
    return sessions_of(at.tx, at.caller, at.machine_now)


@writes("DELETE", "/v1/sessions/{session_id}", allow=SIGNED_IN, gives=None, tag=TAG, keyed="no", status=204)
def end_session(at: At, session_id: HexId) -> None:
    """End one of your sessions."""
    require_session(at.caller)
    revoke_session(at.tx, at.caller, session_id, at.seen, at.machine_now)


@writes("DELETE", "/v1/sessions", allow=SIGNED_IN, gives=SessionsEnded, tag=TAG, keyed="no")
def end_other_sessions(at: At) -> SessionsEnded:
    """End all of your sessions but this one."""
    require_session(at.caller)
    return SessionsEnded(count=revoke_sessions(at.tx, at.caller, at.seen, at.machine_now))


@works("POST", "/v1/password", allow=SIGNED_IN, gives=None, tag=TAG, status=204)
def change_own_password(at: OnDatabase, body: PasswordBody) -> None:
    """Change your password; everywhere else you are signed out."""
    require_session(at.caller)
    change_password(at.database, at.caller, body.old, body.new, at.seen, at.machine_now)


@works("POST", "/v1/step-up", allow=SIGNED_IN, gives=SteppedUp, tag=TAG)
def prove_again(at: OnDatabase, body: StepUpBody) -> SteppedUp:
    """Prove again who you are, for five minutes: by the code where there is an authenticator app, else by password."""
    require_session(at.caller)
    keyring = Keyring(at.config)
    proved_at = step_up(at.database, keyring, at.caller, body.password, body.code, at.seen, at.machine_now)
    return SteppedUp(stepped_up_at=proved_at)


@writes("POST", "/v1/step-up/passkey-options", allow=SIGNED_IN, gives=PasskeyAsked, tag=TAG, keyed="no")
def ask_for_passkey_again(at: At) -> PasskeyAsked:
    """Begin to prove again who you are by one of your passkeys."""
    require_session(at.caller)
    return begin_passkey_step_up(at.tx, at.caller, site(at.config), at.machine_now)


@writes("POST", "/v1/step-up/passkey", allow=SIGNED_IN, gives=SteppedUp, tag=TAG, keyed="no")
def prove_again_by_passkey(at: At, body: PasskeyProofBody) -> SteppedUp:
    """Prove again who you are by one of your passkeys, for five minutes."""
    require_session(at.caller)
    proved_at = finish_passkey_step_up(
        at.tx, at.caller, body.challenge_id, body.credential, site(at.config), at.machine_now
    )
    return SteppedUp(stepped_up_at=proved_at)


@reads("/v1/security-log", allow=customer("read"), gives=Page[SecurityEntry], tag=TAG)
def list_security_log(at: At, cursor: Cursor = None, limit: Limit = 50) -> Page[SecurityEntry]:
    """List what happened to your access, newest first: sign-ins, failed ones, keys made and revoked."""
    require_session(at.caller)
    before = read_cursor(cursor, int)
    found = read_security_log(at.tx, at.customer_id, limit + 1, before)
    return page(found, limit, lambda entry: entry.log_id)


def shown(config: Config, signed_in: SignedIn, in_cookie: bool) -> Given:
    """Show a new session: its token in the answer, or in a cookie that no script can read."""
    token = None if in_cookie else signed_in.token
    answer = SignedInShown(kind=signed_in.login.kind, session=signed_in.session, token=token)
    if not in_cookie:
        return Given(answer)
    seconds = int((signed_in.session.expires_at - signed_in.session.opened_at).total_seconds())
    return Given(answer, headers={"Set-Cookie": cookie(config, signed_in.token, seconds)})


def provider_client() -> httpx.Client:
    """Give a client for talking to the other provider."""
    return httpx.Client(timeout=PROVIDER_SECONDS)
