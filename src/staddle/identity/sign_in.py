"""Signing in by e-mail and password, with a second factor where there is one; and proving again who is asking.

Both take the database and not a transaction: the attempt is counted and committed first, the password is hashed
between two transactions, and what it opens is written in the second, so that no lock is held while a hash is made and
no failed attempt is rolled back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from staddle.db import Database, Tx, queries
from staddle.errors import InvalidEmail, SecondFactorNeeded, SignInFailed, StaddleError
from staddle.identity.caller import Caller, Seen
from staddle.identity.logins import Login, account_of, canonical_email, find_login, login_of
from staddle.identity.passwords import hash_password, is_outdated, is_password
from staddle.identity.security_log import note_of
from staddle.identity.sessions import OpenedBy, SignedIn, open_session
from staddle.identity.throttle import count_attempt, forget, give_back, subjects_of
from staddle.identity.totp import use_code
from staddle.keyring import Keyring

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt to sign in, counted as failed until it is known better."""

    database: Database
    keyring: Keyring
    subjects: list[str]
    seen: Seen
    now: datetime


def sign_in(
    database: Database,
    keyring: Keyring,
    kind: Literal["customer", "operator"],
    email: str,
    password: str,
    code: str | None,
    seen: Seen,
    now: datetime,
) -> SignedIn:
    """Open a session by e-mail, password and, where the login has one, a code of the app or a recovery code.

    Whether the address is known cannot be seen from the answer, nor from how long it takes. Raises SignInFailed,
    SecondFactorNeeded (the password was right, the code is missing: the same request again, with one), or
    TooManyAttempts with `retry_after` in seconds.
    """
    address = _address(email)
    attempt = _Attempt(database, keyring, subjects_of(f"{kind}:{address}", seen), seen, now)
    with database.transaction() as tx:
        refused = count_attempt(tx, attempt.subjects, now)
        row = tx.execute(sql.login_to_open, {"kind": kind, "email": address}).fetchone()
    if refused is not None:
        raise refused
    is_right = is_password(None if row is None else row.password_hash, password)
    if row is None:
        raise SignInFailed
    if not is_right or not row.is_active:
        with database.transaction() as tx:
            note_of(tx, row.customer_id, row.operator, "failed_sign_in", {"with": "password"}, seen, now)
        raise SignInFailed
    fresh = hash_password(password) if is_outdated(row.password_hash) else row.password_hash
    return _open(attempt, row.login_id, row.password_hash, fresh, code)


def step_up(
    database: Database,
    keyring: Keyring,
    caller: Caller,
    password: str | None,
    code: str | None,
    seen: Seen,
    now: datetime,
) -> datetime:
    """Prove again who is asking, for five minutes in this session; gives the instant that counts.

    By a code where the login has a second factor, else by the password. Raises SignInFailed, SecondFactorNeeded or
    TooManyAttempts.
    """
    with database.transaction() as tx:
        login = login_of(tx, caller)
        attempt = _Attempt(database, keyring, subjects_of(account_of(login), seen), seen, now)
        row = tx.execute(sql.password_of, {"login_id": login.login_id}).fetchone()
        refused = count_attempt(tx, attempt.subjects, now)
    if refused is not None:
        raise refused
    is_right = login.has_code or (row is not None and is_password(row.password_hash, password or ""))
    with database.transaction() as tx:
        opened_by, error = _second_factor(tx, attempt, login, code) if is_right else (None, SignInFailed())
        if opened_by is not None:
            forget(tx, attempt.subjects)
            tx.execute(sql.step_up, {"session_id": caller.session_id, "now": now})
        elif not isinstance(error, SecondFactorNeeded):
            details = {"with": "code" if login.has_code else "password"}
            note_of(tx, login.customer_id, login.operator, "failed_step_up", details, seen, now)
    if error is not None:
        raise error
    return now


def _open(
    attempt: _Attempt, login_id: str, password_hash: str, fresh_hash: str, code: str | None
) -> SignedIn:
    """Open the session, if the login is still what the password was proved against and the code is good."""
    with attempt.database.transaction() as tx:
        tx.execute(sql.lock_login, {"login_id": login_id})
        login = find_login(tx, login_id)
        row = tx.execute(sql.password_of, {"login_id": login_id}).fetchone()
        if row is None or row.password_hash != password_hash or not login.is_active:
            raise SignInFailed
        opened_by, error = _second_factor(tx, attempt, login, code)
        if opened_by is not None:
            forget(tx, attempt.subjects)
            if fresh_hash != password_hash:
                tx.execute(sql.set_password, {"login_id": login_id, "password_hash": fresh_hash})
            return open_session(tx, login, opened_by, attempt.now, attempt.seen, attempt.now)
        if not isinstance(error, SecondFactorNeeded):
            details = {"with": "code"}
            note_of(
                tx, login.customer_id, login.operator, "failed_sign_in", details, attempt.seen, attempt.now
            )
    assert error is not None
    raise error


def _second_factor(
    tx: Tx, attempt: _Attempt, login: Login, code: str | None
) -> tuple[OpenedBy | None, StaddleError | None]:
    """Give by what the login is opened, or why it is not: the error is raised after the commit."""
    if not login.has_code:
        return "password", None
    if not code:
        give_back(tx, attempt.subjects)
        return None, SecondFactorNeeded()
    used = use_code(tx, attempt.keyring, login.login_id, code, attempt.now)
    return (used, None) if used is not None else (None, SignInFailed())


def _address(email: str) -> str:
    """Give the address as it is stored; what is none is looked for all the same, and never found."""
    try:
        return canonical_email(email)
    except InvalidEmail:
        return "?" + email.encode("ascii", "replace").decode().replace("\x00", "?")[:254]
