"""Passkeys (WebAuthn): added by whoever has just proved who they are; then they sign in and step up by themselves.

A passkey verifies its user (a finger, a face, a PIN), so it is two factors in one. It is bound to the site it was made
for: another site's page can ask for it and gets nothing that is good here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from staddle.db import Tx, queries
from staddle.errors import InvalidName, PasskeyNotAccepted, PasskeyNotFound, WrongState
from staddle.identity.caller import Caller, Seen, require_step_up
from staddle.identity.challenges import make_challenge, take_challenge
from staddle.identity.logins import Login, find_login, login_of
from staddle.identity.security_log import note_of
from staddle.identity.sessions import SignedIn, open_session

sql = queries(__package__)
Verified = TypeVar("Verified")
CHALLENGE_LASTS = timedelta(minutes=5)
PASSKEYS_MAX = 20


@dataclass(frozen=True, slots=True)
class Site:
    """The site that passkeys belong to: its origin, such as https://earn.example.com, and its name."""

    origin: str
    name: str

    @property
    def host(self) -> str:
        """The host, by which passkeys are bound."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner may see it."""

    passkey_id: str
    name: str
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PasskeyAsked:
    """What the browser is to be asked: `options` for navigator.credentials, and the id to come back with."""

    challenge_id: str
    options: dict[str, Any]


def begin_passkey(tx: Tx, caller: Caller, site: Site, now: datetime) -> PasskeyAsked:
    """Ask the caller's browser to make a passkey. Raises StepUpNeeded, or WrongState where there are too many."""
    require_step_up(caller, now)
    login = login_of(tx, caller)
    there = list_passkeys(tx, caller)
    if len(there) >= PASSKEYS_MAX:
        raise WrongState(f"There are {PASSKEYS_MAX} passkeys already; please remove one first.")
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=login.login_id.encode(),
        user_name=login.email or login.operator or f"customer {login.customer_id}",
        exclude_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(each.passkey_id)) for each in there
        ],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return _asked(tx, "add_passkey", login.login_id, options, now)


def finish_passkey(
    tx: Tx,
    caller: Caller,
    challenge_id: str,
    name: str,
    response: Mapping[str, Any],
    site: Site,
    seen: Seen,
    now: datetime,
) -> Passkey:
    """Keep the passkey that the browser has made. Raises PasskeyNotAccepted, InvalidName or StepUpNeeded."""
    require_step_up(caller, now)
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise InvalidName("The name of a passkey has 1 to 80 printable characters.", field="name")
    login = login_of(tx, caller)
    challenge = take_challenge(tx, "add_passkey", challenge_id, now)
    if challenge is None or challenge.login_id != login.login_id:
        raise PasskeyNotAccepted
    made = _verified(
        lambda: webauthn.verify_registration_response(
            credential=dict(response),
            expected_challenge=challenge.secret,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    passkey_id = bytes_to_base64url(made.credential_id)
    new = {
        "passkey_id": passkey_id,
        "login_id": login.login_id,
        "name": name,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "now": now,
    }
    if tx.execute(sql.add_passkey, new).fetchone() is None:
        raise PasskeyNotAccepted("This passkey is known already.")
    details = {"passkey_id": passkey_id, "name": name}
    note_of(tx, login.customer_id, login.operator, "add_passkey", details, seen, now)
    return Passkey(passkey_id, name, now, None)


def list_passkeys(tx: Tx, caller: Caller) -> list[Passkey]:
    """Read the caller's passkeys, oldest first."""
    rows = tx.execute(sql.passkeys_of, {"login_id": login_of(tx, caller).login_id}).fetchall()
    return [Passkey(*row) for row in rows]


def remove_passkey(tx: Tx, caller: Caller, passkey_id: str, seen: Seen, now: datetime) -> None:
    """Remove one of the caller's passkeys. Raises StepUpNeeded or PasskeyNotFound."""
    require_step_up(caller, now)
    login = login_of(tx, caller)
    removed = {"passkey_id": passkey_id, "login_id": login.login_id}
    if tx.execute(sql.remove_passkey, removed).fetchone() is None:
        raise PasskeyNotFound
    note_of(tx, login.customer_id, login.operator, "remove_passkey", {"passkey_id": passkey_id}, seen, now)


def begin_passkey_sign_in(tx: Tx, site: Site, now: datetime) -> PasskeyAsked:
    """Ask a browser for any passkey of this site. It names no account, so nothing can be learnt from it."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    return _asked(tx, "sign_in", None, options, now)


def finish_passkey_sign_in(
    tx: Tx,
    kind: Literal["customer", "operator"],
    challenge_id: str,
    response: Mapping[str, Any],
    site: Site,
    seen: Seen,
    now: datetime,
) -> SignedIn:
    """Open a session by a passkey; raises PasskeyNotAccepted, whatever is wrong with it."""
    login = _use(tx, "sign_in", challenge_id, response, site, now)
    if login.kind != kind or not login.is_active:
        raise PasskeyNotAccepted
    return open_session(tx, login, "passkey", now, seen, now)


def begin_passkey_step_up(tx: Tx, caller: Caller, site: Site, now: datetime) -> PasskeyAsked:
    """Ask the caller's browser for one of the caller's passkeys, to prove again who is asking."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        allow_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(each.passkey_id))
            for each in list_passkeys(tx, caller)
        ],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _asked(tx, "step_up", login_of(tx, caller).login_id, options, now)


def finish_passkey_step_up(
    tx: Tx, caller: Caller, challenge_id: str, response: Mapping[str, Any], site: Site, now: datetime
) -> datetime:
    """Prove again who is asking, for five minutes in this session. Raises PasskeyNotAccepted."""
    if _use(tx, "step_up", challenge_id, response, site, now).login_id != login_of(tx, caller).login_id:
        raise PasskeyNotAccepted
    tx.execute(sql.step_up, {"session_id": caller.session_id, "now": now})
    return now


def _asked(
    tx: Tx,
    purpose: Literal["add_passkey", "sign_in", "step_up"],
    login_id: str | None,
    options: Any,
    now: datetime,
) -> PasskeyAsked:
    challenge_id = make_challenge(tx, purpose, login_id, options.challenge, {}, now + CHALLENGE_LASTS, now)
    return PasskeyAsked(challenge_id, json.loads(options_to_json(options)))


def _use(
    tx: Tx,
    purpose: Literal["sign_in", "step_up"],
    challenge_id: str,
    response: Mapping[str, Any],
    site: Site,
    now: datetime,
) -> Login:
    """Check what a passkey has signed, once for its challenge, and give the login that it belongs to."""
    challenge = take_challenge(tx, purpose, challenge_id, now)
    row = tx.execute(
        sql.lock_passkey, {"passkey_id": str(response.get("id", ""))[:2000].replace("\x00", "")}
    ).fetchone()
    if challenge is None or row is None or challenge.login_id not in (None, row.login_id):
        raise PasskeyNotAccepted
    used = _verified(
        lambda: webauthn.verify_authentication_response(
            credential=dict(response),
            expected_challenge=challenge.secret,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=bytes(row.public_key),
            # A count that does not grow is that of a copy; the row is held, so two copies at once are told apart.
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    )
    count = {"passkey_id": row.passkey_id, "sign_count": used.new_sign_count, "now": now}
    tx.execute(sql.use_passkey, count)
    return find_login(tx, row.login_id)


def _verified(verify: Callable[[], Verified]) -> Verified:
    """Let the library verify; it tells odd input from bad signatures by many errors, which are all one refusal here."""
    try:
        return verify()
    except Exception as error:
        raise PasskeyNotAccepted from error
