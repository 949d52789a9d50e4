"""A forgotten password: whoever reads the mail of a login's address sets a new one. The second factor stays."""

from datetime import datetime

from staddle.db import Database, queries
from staddle.errors import LinkExpired, LoginNotFound
from staddle.identity.caller import Seen
from staddle.identity.email_links import find_email_link, make_email_link, take_email_link
from staddle.identity.logins import (
    Login,
    account_of,
    canonical_email,
    find_login,
    find_login_by_email,
    new_password,
)
from staddle.identity.security_log import note_of
from staddle.identity.sign_up import LinkAsked
from staddle.identity.throttle import count_attempt, forget, subjects_of

sql = queries(__package__)


def ask_to_recover(database: Database, email: str, seen: Seen, now: datetime) -> LinkAsked:
    """Give what to send to a customer who has lost their password: a link; none where the address lets nobody in.

    Whether the address is known cannot be seen from what the edge answers. Each time counts as an attempt. Raises
    InvalidEmail or TooManyAttempts.
    """
    address = canonical_email(email)
    with database.transaction() as tx:
        refused = count_attempt(tx, subjects_of(f"recover:{address}", seen), now)
    if refused is not None:
        raise refused
    with database.transaction() as tx:
        try:
            login = find_login_by_email(tx, "customer", address)
        except LoginNotFound:
            return LinkAsked(address, None)
        if not login.is_active:
            return LinkAsked(address, None)
        return LinkAsked(address, make_email_link(tx, "recover", address, login.login_id, now))


def recover(database: Database, token: str, password: str, seen: Seen, now: datetime) -> Login:
    """Set a new password for the login whose address a link has proved; every session of it ends.

    An authenticator app and passkeys stay, so a stolen mailbox alone opens no account that has one. A refusal leaves
    the link good. Raises LinkExpired or WeakPassword.
    """
    with database.transaction() as tx:
        email = find_email_link(tx, "recover", token, now).email
    password_hash = new_password(password, email)
    with database.transaction() as tx:
        login_id = take_email_link(tx, "recover", token, now).login_id
        assert login_id is not None
        tx.execute(sql.lock_login, {"login_id": login_id})
        login = find_login(tx, login_id)
        if not login.is_active or login.email != email:
            raise LinkExpired
        tx.execute(sql.set_password, {"login_id": login_id, "password_hash": password_hash})
        tx.execute(sql.end_sessions, {"login_id": login_id, "session_id": None, "but": None, "now": now})
        forget(tx, [each for each in subjects_of(account_of(login), seen) if each.startswith("account:")])
        note_of(tx, login.customer_id, login.operator, "recover", {}, seen, now)
    return login
