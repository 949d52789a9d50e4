"""Logins: what a customer or an operator signs in with. Each has one; it is never deleted, only deactivated."""

import re
from dataclasses import dataclass
from datetime import datetime

from staddle import desk
from staddle.customers import find_customer
from staddle.db import Database, Tx, queries
from staddle.errors import AlreadyExists, InvalidEmail, LoginNotFound, RoleMissing, SignInFailed
from staddle.identity.caller import Caller, Seen
from staddle.identity.passwords import check_password, hash_password, is_password
from staddle.identity.security_log import note, note_by, note_of
from staddle.identity.throttle import count_attempt, forget, subjects_of
from staddle.identity.tokens import new_id

sql = queries(__package__)
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,188}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody signs in with, without any secret."""

    login_id: str
    kind: str
    email: str | None
    customer_id: int | None
    operator: str | None
    is_active: bool
    has_password: bool
    has_code: bool
    passkey_count: int
    added_at: datetime


def add_customer_login(
    tx: Tx, by: Caller, customer: str, email: str, password_hash: str, seen: Seen, now: datetime
) -> Login:
    """Give a customer, named by reference, a login; `password_hash` comes from `new_password`, before the transaction.

    For operators with the role support or admin, and for clients with the scope `customers`. Raises
    CustomerNotFound, InvalidEmail, RoleMissing, or AlreadyExists (the customer or the address has one).
    """
    check_may_serve(by, "customers")
    customer_id = find_customer(tx, customer).customer_id
    login = _add(tx, "customer", email, customer_id, None, password_hash, now)
    note_by(tx, by, customer_id, "add_login", {"email": login.email}, seen, now)
    return login


def add_own_login(tx: Tx, customer_id: int, email: str, password_hash: str, now: datetime) -> Login:
    """Give a customer who signs up by themselves a login; raises AlreadyExists."""
    return _add(tx, "customer", email, customer_id, None, password_hash, now)


def add_operator_login(
    tx: Tx, by: str, operator: str, email: str, password_hash: str, now: datetime
) -> Login:
    """Give an operator a login; an admin's act.

    Raises OperatorNotFound, InvalidEmail, RoleMissing, or AlreadyExists.
    """
    desk.find_operator(tx, operator)
    desk.require_admin(tx, by)
    login = _add(tx, "operator", email, None, operator, password_hash, now)
    desk.log(tx, by, "add_login", operator, {"email": login.email}, now)
    return login


def new_password(password: str, *about: str) -> str:
    """Check a password against the rules and hash it, for the acts that set one; never within a transaction.

    `about` is what is known of its owner, such as the e-mail address. Raises WeakPassword.
    """
    check_password(password, *about)
    return hash_password(password)


def change_password(
    database: Database, caller: Caller, old: str, new: str, seen: Seen, now: datetime
) -> Login:
    """Change one's own password, proved by the old one; every other session of the login ends.

    Raises SignInFailed (the old one is not right), TooManyAttempts or WeakPassword.
    """
    with database.transaction() as tx:
        login = login_of(tx, caller)
        check_password(new, login.email or "")
        row = tx.execute(sql.password_of, {"login_id": login.login_id}).fetchone()
        subjects = subjects_of(account_of(login), seen)
        refused = count_attempt(tx, subjects, now)
    if refused is not None:
        raise refused
    if row is None or not is_password(row.password_hash, old):
        raise SignInFailed("The old password is not right.")
    password_hash = hash_password(new)
    with database.transaction() as tx:
        changed = {"login_id": login.login_id, "from_hash": row.password_hash, "to_hash": password_hash}
        if tx.execute(sql.change_password, changed).fetchone() is None:
            raise SignInFailed("The password was changed by somebody else at this moment.")
        forget(tx, subjects)
        others = {"login_id": login.login_id, "session_id": None, "but": caller.session_id, "now": now}
        tx.execute(sql.end_sessions, others)
        note_of(tx, login.customer_id, login.operator, "change_password", {}, seen, now)
    return login


def reset_password(tx: Tx, by: Caller, login_id: str, password_hash: str, seen: Seen, now: datetime) -> Login:
    """Give a login a new password in place of a lost one; all its sessions end. The second factor stays.

    A customer's is for operators with the role support or admin, an operator's for an admin. Raises LoginNotFound,
    RoleMissing.
    """
    login = lock_for(tx, by, login_id)
    tx.execute(sql.set_password, {"login_id": login_id, "password_hash": password_hash})
    _end_all(tx, login, now)
    _tell(tx, by, login, "reset_password", seen, now)
    return login


def set_login_active(tx: Tx, by: Caller, login_id: str, is_active: bool, seen: Seen, now: datetime) -> Login:
    """Let a login in again, or no more: its sessions, and a customer's API keys, are refused from this moment on.

    Rights and errors are those of `reset_password`.
    """
    login = lock_for(tx, by, login_id)
    tx.execute(sql.set_login_active, {"login_id": login_id, "is_active": is_active})
    if not is_active:
        _end_all(tx, login, now)
    _tell(tx, by, login, "activate_login" if is_active else "deactivate_login", seen, now)
    return find_login(tx, login_id)


def set_operator_active(
    tx: Tx, by: str, name: str, is_active: bool, now: datetime, machine_now: datetime
) -> desk.Operator:
    """Let an operator work the desk, or no more, as `desk.set_active` does; their sessions end and do not come back."""
    changed = desk.set_active(tx, by, name, is_active, now)
    tx.execute(sql.end_sessions_of_operator, {"operator": name, "now": machine_now})
    return changed


def find_login(tx: Tx, login_id: str) -> Login:
    """Read a login; raises LoginNotFound."""
    return _one(tx, login_id=login_id)


def find_login_by_email(tx: Tx, kind: str, email: str) -> Login:
    """Read the login of an e-mail address; raises LoginNotFound or InvalidEmail."""
    return _one(tx, kind=kind, email=canonical_email(email))


def login_of_customer(tx: Tx, customer_id: int) -> Login:
    """Read a customer's login; raises LoginNotFound."""
    return _one(tx, customer_id=customer_id)


def login_of(tx: Tx, caller: Caller) -> Login:
    """Read the login of whoever is calling; raises LoginNotFound."""
    if caller.operator is not None:
        return _one(tx, operator=caller.operator)
    return _one(tx, customer_id=caller.customer_id or 0)


def list_logins(tx: Tx, kind: str, count: int = 100, after: str = "") -> list[Login]:
    """Read the logins of a kind in an order that stays; `after` is the login_id to go on from."""
    rows = tx.execute(
        sql.list_logins, {"kind": kind, "count": count, "after": after.replace("\x00", "")}
    ).fetchall()
    return [Login(*row) for row in rows]


def account_of(login: Login) -> str:
    """Name the account that failed attempts are counted by: for those without an address, the login itself."""
    return f"{login.kind}:{login.email or login.login_id}"


def canonical_email(email: str) -> str:
    """Give an e-mail address in small letters; raises InvalidEmail."""
    text = email.strip().lower()
    if not (len(text) <= 254 and _EMAIL.fullmatch(text) and ".." not in text):
        raise InvalidEmail
    return text


def check_may_serve(by: Caller, scope: str | None = None) -> None:
    """Refuse whoever may not change a customer's access for them: RoleMissing."""
    is_client = scope is not None and by.kind == "client" and scope in by.scopes
    if not (is_client or (by.kind == "operator" and {"support", "admin"} & by.roles)):
        raise RoleMissing("This needs the role 'support' or 'admin'.", roles=["admin", "support"])


def operator_caller(tx: Tx, name: str) -> Caller:
    """Give an operator who acts without a session, such as at the command line; raises OperatorNotFound."""
    operator = desk.find_operator(tx, name)
    return Caller("operator", operator=name, roles=frozenset(operator.roles))


def _one(
    tx: Tx,
    login_id: str | None = None,
    kind: str | None = None,
    email: str | None = None,
    customer_id: int | None = None,
    operator: str | None = None,
) -> Login:
    wanted = {
        "login_id": login_id, "kind": kind, "email": email, "customer_id": customer_id, "operator": operator,
    }  # fmt: skip
    row = tx.execute(sql.find_login, wanted).fetchone()
    if row is None:
        raise LoginNotFound
    return Login(*row)


def _add(
    tx: Tx,
    kind: str,
    email: str,
    customer_id: int | None,
    operator: str | None,
    password_hash: str | None,
    now: datetime,
) -> Login:
    new = {
        "login_id": new_id(),
        "kind": kind,
        "email": canonical_email(email),
        "customer_id": customer_id,
        "operator": operator,
        "password_hash": password_hash,
        "now": now,
    }
    if tx.execute(sql.add_login, new).fetchone() is None:
        raise AlreadyExists("This customer, operator or e-mail address has a login already.")
    return find_login(tx, str(new["login_id"]))


def lock_for(tx: Tx, by: Caller, login_id: str) -> Login:
    """Hold a login that `by` may change for its owner; raises LoginNotFound or RoleMissing."""
    check_may_serve(by)
    if tx.execute(sql.lock_login, {"login_id": login_id}).fetchone() is None:
        raise LoginNotFound
    login = find_login(tx, login_id)
    if login.kind == "operator" and "admin" not in by.roles:
        raise RoleMissing("This needs the role 'admin'.", role="admin")
    return login


def _end_all(tx: Tx, login: Login, now: datetime) -> None:
    tx.execute(sql.end_sessions, {"login_id": login.login_id, "session_id": None, "but": None, "now": now})


def _tell(tx: Tx, by: Caller, login: Login, act: str, seen: Seen, now: datetime) -> None:
    """Write down in the desk's log, and a customer's own, what was done to a login."""
    if login.customer_id is not None:
        note(tx, login.customer_id, act, {"by": by.operator}, seen, now)
    desk.log(tx, by.operator or "", act, login.operator or str(login.customer_id), {}, now)
