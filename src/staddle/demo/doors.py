"""The demo desk's doors: logins, an API key and a client, made anew each time; only ever in a sandbox."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from staddle import customers, desk, identity
from staddle.config import Config
from staddle.db import Database
from staddle.demo.catalogue import OPERATORS
from staddle.errors import NotASandbox
from staddle.keyring import Keyring

WORDS = (
    "barn", "stone", "field", "river", "cloud", "maple", "lark", "wheat", "ember", "north", "plough", "orchard",
    "meadow", "thatch", "millet", "hedge", "furrow", "barley", "rye", "clover", "sheaf", "granary", "harvest", "acorn",
)  # fmt: skip
CLIENT = "demo-exchange"
LOGINS = 2
"""So many customers get a login."""


@dataclass(frozen=True, slots=True)
class Door:
    """A login: who it is of, what they may, and what they sign in with."""

    who: str
    may: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Doors:
    """All that lets somebody in at the demo desk."""

    logins: list[Door]
    api_key_of: str
    api_key: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


def open_doors(database: Database, config: Config, references: Sequence[str], now: datetime) -> Doors:
    """Give two customers and the three operators logins, the first customer an API key, and an integrator a client.

    `now` is the machine's clock, as for all sign-in. Raises NotASandbox.
    """
    logins = [new_door(reference, "customer") for reference in references[:LOGINS]]
    logins += [new_door(name, "operator") for name in OPERATORS]
    hashes = {door.email: identity.new_password(door.password, door.email) for door in logins}
    with database.transaction() as tx:
        if not desk.find_desk(tx).is_sandbox:
            raise NotASandbox
        roles = {each.name: ", ".join(sorted({*each.roles} - {"viewer"})) for each in desk.list_operators(tx)}
        admin = identity.operator_caller(tx, OPERATORS[0])
        for door in logins:
            if door.may == "operator":
                identity.add_operator_login(tx, OPERATORS[0], door.who, door.email, hashes[door.email], now)
            else:
                identity.add_customer_login(
                    tx, admin, door.who, door.email, hashes[door.email], identity.UNSEEN, now
                )
        holder = customers.find_customer(tx, references[0]).customer_id
        new = identity.NewApiKey(name="demo", scopes=sorted(identity.CUSTOMER_SCOPES))
        key = identity.add_api_key(tx, Keyring(config), admin, holder, new, identity.UNSEEN, now)
        client = identity.add_client(
            tx, OPERATORS[0], CLIENT, "The demo's exchange", sorted(identity.CLIENT_SCOPES), now
        )
    shown = [Door(each.who, roles.get(each.who, each.may), each.email, each.password) for each in logins]
    assert key.secret is not None
    return Doors(shown, references[0], key.secret, CLIENT, client.secret)


def new_door(who: str, may: str) -> Door:
    """Make a login with a password of three words."""
    words = "-".join(secrets.choice(WORDS) for _ in range(3))
    return Door(who, may, f"{who}@demo.example", f"{words}-{secrets.randbelow(90) + 10}")
