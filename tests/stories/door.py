"""Somebody at the door in a test: a desk with ada the admin, customers with logins, and the machine's clock in hand.

`now` is the machine's clock, and only moves when a test moves it.
"""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyotp

from staddle import customers, desk, identity
from staddle.config import Config
from staddle.db import Database
from staddle.identity import Caller, Seen, SignedIn
from staddle.keyring import Keyring

START = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)
HOME = Seen("203.0.113.7", "Browser of ann")
PASSWORD = "the barn has nine stones"
HASHES: dict[str, str] = {}


def hash_of(password: str) -> str:
    """Hash a password once for all tests: a hash is meant to take long."""
    if password not in HASHES:
        HASHES[password] = identity.new_password(password)
    return HASHES[password]


class Door:
    """The acts of identity on a real database, each in a transaction of its own as an edge does it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        config = Config(Path("/nonexistent"), None, None, None, secret_keys=(b"k" * 32,))
        self.keyring = Keyring(config)
        with database.transaction() as tx:
            desk.create_desk(tx, "Test desk", True, time(0), START)
            desk.add_operator(tx, "ada", "ada", START)
            desk.add_operator(tx, "ada", "bob", START, ["support"])
        self.ada = Caller("operator", operator="ada", roles=frozenset(desk.ROLES))

    def passes(self, **length: float) -> datetime:
        """Let time pass on the machine's clock."""
        self.now += timedelta(**length)
        return self.now

    def customer(self, reference: str = "ann", password: str = PASSWORD) -> int:
        """Add a customer with a login under <reference>@example.com; gives their id."""
        new = customers.NewCustomer(reference=reference, country="DE")
        with self.database.transaction() as tx:
            customer_id = customers.add_customers(tx, [new], START)[0].unwrap().customer_id
            identity.add_customer_login(
                tx, self.ada, reference, f"{reference}@example.com", hash_of(password), HOME, self.now
            )
        return customer_id

    def operator_login(self, name: str = "bob", password: str = PASSWORD) -> None:
        """Give an operator a login under <name>@example.com."""
        with self.database.transaction() as tx:
            identity.add_operator_login(tx, "ada", name, f"{name}@example.com", hash_of(password), self.now)

    def sign_in(
        self,
        name: str = "ann",
        password: str = PASSWORD,
        code: str | None = None,
        seen: Seen = HOME,
        kind: str = "customer",
    ) -> SignedIn:
        """Sign in by password."""
        assert kind in ("customer", "operator")
        address = name if "@" in name else f"{name}@example.com"
        return identity.sign_in(
            self.database,
            self.keyring,
            "operator" if kind == "operator" else "customer",
            address,
            password,
            code,
            seen,
            self.now,
        )

    def who(self, token: str, seen: Seen = HOME) -> Caller:
        """Ask who holds a token."""
        with self.database.transaction() as tx:
            return identity.who_is(tx, token, seen, self.now)

    def caller(self, name: str = "ann", **how: Any) -> Caller:
        """Sign in and give the caller that a request with the token has."""
        return self.who(self.sign_in(name, **how).token)

    def with_app(self, caller: Caller) -> tuple[pyotp.TOTP, list[str]]:
        """Set an authenticator app up; gives the app and the recovery codes. The next code is a step away."""
        with self.database.transaction() as tx:
            app = pyotp.TOTP(identity.begin_totp(tx, self.keyring, caller, self.now).secret)
            codes = identity.confirm_totp(tx, self.keyring, caller, app.at(self.now), HOME, self.now)
        self.passes(seconds=30)
        return app, codes

    def told(self, customer_id: int) -> list[str]:
        """Name what a customer's security log tells, oldest first."""
        with self.database.transaction() as tx:
            return [entry.act for entry in reversed(identity.read_security_log(tx, customer_id))]
