"""Signing up by oneself: an address is proved by a link that was sent to it, then it becomes a customer with a login.

What is answered to whoever asks for a link is the same whether the address is known or not: only what is sent differs.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from staddle import desk
from staddle.customers import NewCustomer, add_customers
from staddle.db import Database
from staddle.errors import InvalidName, LoginNotFound
from staddle.identity.caller import Seen
from staddle.identity.email_links import find_email_link, make_email_link, take_email_link
from staddle.identity.logins import add_own_login, canonical_email, find_login_by_email, new_password
from staddle.identity.security_log import note
from staddle.identity.sessions import SignedIn, open_session
from staddle.identity.throttle import count_attempt, subjects_of

REFERENCE = "web-"
"""How the references of those begin who have signed up here."""


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """What is to be sent to an address: a link with this token, or none."""

    email: str
    token: str | None = field(repr=False)


def ask_to_sign_up(database: Database, email: str, seen: Seen, now: datetime) -> LinkAsked:
    """Give what to send to an address that wants to sign up: a link, or, where it has a login already, none.

    Each time counts as an attempt. Raises InvalidEmail or TooManyAttempts.
    """
    address = canonical_email(email)
    with database.transaction() as tx:
        refused = count_attempt(tx, subjects_of(f"sign_up:{address}", seen), now)
    if refused is not None:
        raise refused
    with database.transaction() as tx:
        try:
            find_login_by_email(tx, "customer", address)
        except LoginNotFound:
            return LinkAsked(address, make_email_link(tx, "sign_up", address, None, now))
    return LinkAsked(address, None)


def sign_up(
    database: Database, token: str, name: str, country: str, password: str, seen: Seen, now: datetime
) -> SignedIn:
    """Make a customer and their login for the address that a link has proved, and sign them in.

    `now` is the machine's clock. A refusal leaves the link good. Raises LinkExpired, InvalidName, InvalidChoice (the
    country), WeakPassword, or AlreadyExists where the address was given a login meanwhile.
    """
    if not name.strip():
        raise InvalidName("Please say your name.", field="name")
    with database.transaction() as tx:
        email = find_email_link(tx, "sign_up", token, now).email
    password_hash = new_password(password, email, name)
    new = NewCustomer(reference=REFERENCE + secrets.token_hex(8), name=name.strip(), country=country)
    with database.transaction() as tx:
        take_email_link(tx, "sign_up", token, now)
        [outcome] = add_customers(tx, [new], desk.now_of(tx, now))
        customer_id = outcome.unwrap().customer_id
        login = add_own_login(tx, customer_id, email, password_hash, now)
        note(tx, customer_id, "sign_up", {"email": email}, seen, now)
        return open_session(tx, login, "password", now, seen, now)
