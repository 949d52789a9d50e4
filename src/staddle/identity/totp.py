"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each good once, and ten recovery codes."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pyotp

from staddle.db import Tx, queries
from staddle.errors import SignInFailed, WrongState
from staddle.identity.caller import Caller, Seen, require_step_up
from staddle.identity.logins import Login, login_of
from staddle.identity.security_log import note_of
from staddle.keyring import Keyring

sql = queries(__package__)
ISSUER = "Staddle"
STEP_SECONDS = 30
SKEW_STEPS = 1
"""A phone's clock may be this many steps of thirty seconds off."""
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class TotpProposed:
    """What an authenticator app is to be fed with; it is good, and not shown again, once a code of it is confirmed."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def begin_totp(tx: Tx, keyring: Keyring, caller: Caller, now: datetime) -> TotpProposed:
    """Propose a secret for the caller's authenticator app; nothing changes until `confirm_totp`.

    Raises StepUpNeeded, or WrongState where an app is set up already.
    """
    login = _may_change(tx, caller, now)
    if login.has_code:
        raise WrongState("An authenticator app is set up already; remove it first.")
    secret = pyotp.random_base32()
    sealed = keyring.seal(secret.encode(), purpose_of_totp(login.login_id))
    tx.execute(sql.propose_totp, {"login_id": login.login_id, "sealed": sealed})
    return _proposed(login, secret)


def proposed_totp(tx: Tx, keyring: Keyring, caller: Caller, now: datetime) -> TotpProposed | None:
    """Give the secret that waits to be confirmed, for a page that shows it again; None where none does.

    Raises StepUpNeeded.
    """
    login = _may_change(tx, caller, now)
    row = tx.execute(sql.lock_totp, {"login_id": login.login_id}).fetchone()
    if row is None or row.totp_proposed is None or row.totp_secret is not None:
        return None
    return _proposed(login, keyring.open(row.totp_proposed, purpose_of_totp(login.login_id)).decode())


def confirm_totp(tx: Tx, keyring: Keyring, caller: Caller, code: str, seen: Seen, now: datetime) -> list[str]:
    """Turn the second factor on, by a code of the proposed secret; gives ten recovery codes, shown once.

    Raises StepUpNeeded, SignInFailed (the code is not right), or WrongState without a proposal.
    """
    login = _may_change(tx, caller, now)
    row = tx.execute(sql.lock_totp, {"login_id": login.login_id}).fetchone()
    if row is None or row.totp_proposed is None or row.totp_secret is not None:
        raise WrongState("There is no authenticator app waiting to be confirmed.")
    step = _step_of(keyring, login.login_id, row.totp_proposed, code, now)
    if step is None:
        raise SignInFailed("The code is not right; please look at the app and at the phone's clock.")
    tx.execute(sql.confirm_totp, {"login_id": login.login_id, "step": step})
    codes = _new_codes(tx, login.login_id)
    note_of(tx, login.customer_id, login.operator, "add_authenticator", {}, seen, now)
    return codes


def remove_totp(tx: Tx, caller: Caller, seen: Seen, now: datetime) -> None:
    """Turn the second factor off, with its recovery codes. Raises StepUpNeeded or WrongState."""
    login = _may_change(tx, caller, now)
    if not login.has_code:
        raise WrongState("There is no authenticator app to remove.")
    tx.execute(sql.remove_totp, {"login_id": login.login_id})
    tx.execute(sql.remove_recovery_codes, {"login_id": login.login_id})
    note_of(tx, login.customer_id, login.operator, "remove_authenticator", {}, seen, now)


def new_recovery_codes(tx: Tx, caller: Caller, seen: Seen, now: datetime) -> list[str]:
    """Make ten new recovery codes, shown once; the old ones are void. Raises StepUpNeeded or WrongState."""
    login = _may_change(tx, caller, now)
    if not login.has_code:
        raise WrongState("Recovery codes come with an authenticator app; there is none.")
    codes = _new_codes(tx, login.login_id)
    note_of(tx, login.customer_id, login.operator, "new_recovery_codes", {}, seen, now)
    return codes


def use_code(
    tx: Tx, keyring: Keyring, login_id: str, code: str, now: datetime
) -> Literal["code", "recovery_code"] | None:
    """Use a code of the app, or a recovery code, up; None when it is not good. The login's row stays held."""
    row = tx.execute(sql.lock_totp, {"login_id": login_id}).fetchone()
    if row is None or row.totp_secret is None:
        return None
    step = _step_of(keyring, login_id, row.totp_secret, code, now)
    if step is not None:
        # A step that was used, or one before it, is good no more: whoever saw the code cannot use it again.
        used = tx.execute(sql.use_totp_step, {"login_id": login_id, "step": step}).fetchone()
        return None if used is None else "code"
    spent = {"login_id": login_id, "code_hash": _hash_of_code(code)}
    return None if tx.execute(sql.use_recovery_code, spent).fetchone() is None else "recovery_code"


def _proposed(login: Login, secret: str) -> TotpProposed:
    name = login.email or login.operator or f"customer {login.customer_id}"
    return TotpProposed(secret, pyotp.TOTP(secret, name=name, issuer=ISSUER).provisioning_uri())


def _may_change(tx: Tx, caller: Caller, now: datetime) -> Login:
    """Give the login of a caller who has just proved who they are."""
    require_step_up(caller, now)
    return login_of(tx, caller)


def _step_of(keyring: Keyring, login_id: str, sealed: bytes, code: str, now: datetime) -> int | None:
    """Give the thirty-second step whose code this is, from one before now to one after; every one is compared."""
    totp = pyotp.TOTP(keyring.open(sealed, purpose_of_totp(login_id)).decode())
    typed = re.sub(r"[\s-]", "", code).encode(errors="replace")
    current = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(current - SKEW_STEPS, current + SKEW_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed):
            found = step
    return found


def _new_codes(tx: Tx, login_id: str) -> list[str]:
    codes = ["-".join(_word() for _ in range(3)) for _ in range(RECOVERY_CODES)]
    tx.execute(sql.remove_recovery_codes, {"login_id": login_id})
    hashes = [_hash_of_code(code) for code in codes]
    tx.execute(sql.add_recovery_codes, {"login_id": login_id, "code_hashes": hashes})
    return codes


def _word() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(6))


def _hash_of_code(code: str) -> bytes:
    """Hash a recovery code: eighteen random letters are 89 bits, which nobody tries through."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode(errors="replace")).digest()


def purpose_of_totp(login_id: str) -> str:
    """Say what an authenticator's secret is sealed for: nothing of another login's opens in its place."""
    return f"totp {login_id}"
