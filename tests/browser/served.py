"""A desk that lived, served by a real `staddle serve`, with people who have passwords.

    desk.url                        where it answers
    desk.customers["ada"]           how she signs in: email and password; so ben and carl
    desk.operators["ada"]           the same for an operator: ada and bob
    desk.advance(days=1)            let time pass, and do all that is due on the way
    desk.database                   for reading what is true

Everything is done by the public acts, in this process; the service is another and sees only the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.api.world import HERE, PASSWORD, PASSWORD_HASH, SEEN, Service, serving
from tests.living import Living

from staddle import identity
from staddle.db import Database
from staddle.rewards import move_clock

CUSTOMERS = ("ada", "ben", "carl")
OPERATORS = ("ada", "bob")


@dataclass(frozen=True)
class Login:
    """What somebody types to sign in."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Desk:
    """A served desk, and those who can sign in at it."""

    service: Service
    customers: dict[str, Login]
    operators: dict[str, Login]

    @property
    def url(self) -> str:
        return self.service.url

    @property
    def database(self) -> Database:
        return self.service.database

    @property
    def living(self) -> Living:
        """What can be done at the desk without a page."""
        return self.service.living

    def advance(self, **length: float) -> datetime:
        """Let time pass on the desk's clock, days=1 or hours=.., with the runs that fall due."""
        to = self.living.now + timedelta(**length)
        move_clock(self.database, "ada", to, is_lived=True)
        return self.living.comes(to)


@contextmanager
def serving_people(living: Living) -> Iterator[Desk]:
    """Give each customer and operator a login, and serve the desk."""
    customers = {name: Login(f"{name}@example.com", PASSWORD) for name in CUSTOMERS}
    operators = {name: Login(f"{name}@desk.example", PASSWORD) for name in OPERATORS}
    now = datetime.now(UTC)
    with living.database.transaction() as tx:
        for name, login in customers.items():
            identity.add_customer_login(tx, HERE, name, login.email, PASSWORD_HASH, SEEN, now)
        for name, login in operators.items():
            identity.add_operator_login(tx, "ada", name, login.email, PASSWORD_HASH, now)
    with serving(living) as service:
        yield Desk(service, customers, operators)
