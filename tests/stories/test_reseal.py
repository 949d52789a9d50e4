"""The key that seals can be changed for good: afterwards nothing needs the old one, and nothing was lost."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.stories.door import HOME, Door

from staddle import errors, identity, notices
from staddle.config import Config
from staddle.db import Database
from staddle.keyring import Keyring
from staddle.notices import Allowed
from staddle.server.reseal import SEALED, reseal

OLD, NEW = b"k" * 32, b"n" * 32
"""The old one is that of the door."""


def keys(*keys: bytes) -> Keyring:
    return Keyring(replace(Config.from_environ({}), secret_keys=keys))


def everything_sealed(door: Door) -> Callable[[Keyring], dict[str, object]]:
    """Make a secret of every kind; gives what reads each of them by a keyring."""
    customer_id = door.customer("ann")
    door.customer("ben")
    ann = door.caller()
    app, _ = door.with_app(ann)
    ben = door.caller("ben")
    new = identity.NewApiKey(name="bot", scopes=["read"], kind="hmac")
    with door.database.transaction() as tx:
        identity.begin_totp(tx, door.keyring, ben, door.now)
        # ann signed in before she had the app; her key is made by the desk.
        added = identity.add_api_key(tx, door.keyring, door.ada, customer_id, new, HOME, door.now)
        identity.set_sign_in_provider(
            tx, door.keyring, "ada", "https://id.example", "us", "the secret", None, door.now
        )
        there = notices.create_endpoint(
            tx, "exchange", "https://example.com/hook", None, "", Allowed(), door.keyring, door.now
        )
        first = notices.reveal_secret(tx, "exchange", there.endpoint_id, door.keyring)
        notices.rotate_secret(tx, "exchange", there.endpoint_id, door.keyring, door.now)
        second = notices.reveal_secret(tx, "exchange", there.endpoint_id, door.keyring)
    assert first != second
    secret, number = added.secret or "", added.api_key.api_key_id
    good = hmac.new(secret.encode(), b"message", hashlib.sha256).digest()

    def read(keyring: Keyring) -> dict[str, object]:
        door.keyring = keyring
        with door.database.transaction() as tx:
            who = identity.who_signed(tx, keyring, number, b"message", good, HOME, door.now)
            told = notices.reveal_secret(tx, "exchange", there.endpoint_id, keyring)
        door.passes(minutes=1)
        signed_in = door.sign_in("ann", code=app.at(door.now))
        return {"key": who.customer_id, "webhook": told, "app": signed_in.session is not None}

    return read


def test_after_resealing_the_old_key_is_needed_for_nothing(database: Database) -> None:
    door = Door(database)
    read = everything_sealed(door)
    before = read(keys(OLD))
    assert read(keys(NEW, OLD)) == before
    with pytest.raises(errors.InvalidConfig):
        read(keys(NEW))
    done = reseal(database, keys(NEW, OLD))
    assert done.resealed == len(SEALED) == 6
    assert read(keys(NEW)) == before
    with pytest.raises(errors.InvalidConfig):
        read(keys(OLD))
    again = reseal(database, keys(NEW))
    assert (again.resealed, again.were_newest) == (0, 6)


def test_a_secret_that_no_key_opens_leaves_all_as_they_were(database: Database) -> None:
    door = Door(database)
    read = everything_sealed(door)
    before = read(keys(OLD))
    with pytest.raises(errors.InvalidConfig):
        reseal(database, keys(NEW))
    assert read(keys(OLD)) == before


def test_every_column_that_holds_a_sealed_secret_is_declared(database: Database) -> None:
    door = Door(database)
    everything_sealed(door)
    declared = {(each.table, each.column) for each in SEALED}
    mark = keys(OLD).seal(b"x", "y")[:4]
    with database.owner() as owner:
        columns = owner.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'bytea'"
        ).fetchall()
        sealed = {
            (table, column)
            for table, column in columns
            if owner.execute(
                f'SELECT 1 FROM "{table}" WHERE substr("{column}", 1, 4) = %s LIMIT 1'.encode(), [mark]
            ).fetchone()
        }
    assert sealed == declared
