"""The callers of a batch are told from their tokens as they are one by one."""

from datetime import timedelta
from typing import Any

import pytest
from tests.stories.door import HOME, Door

from staddle import identity
from staddle.db import Database
from staddle.errors import StaddleError
from staddle.identity import NewApiKey, Seen
from staddle.identity.who_are import who_are
from staddle.identity.who_is import who_is

ELSEWHERE = Seen("198.51.100.9", "Somebody else")


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


def key(door: Door, **how: Any) -> tuple[str, str]:
    caller = door.caller()
    new = NewApiKey(**({"name": "bot", "scopes": ["read"]} | how))
    with door.database.transaction() as tx:
        added = identity.add_api_key(tx, door.keyring, caller, caller.customer_id or 0, new, HOME, door.now)
    assert added.secret is not None
    return added.api_key.api_key_id, added.secret


def told(door: Door, token: str, seen: Seen) -> object:
    try:
        with door.database.transaction() as tx:
            return who_is(tx, token, seen, door.now)
    except StaddleError as error:
        return error.code(), error.message


def test_the_callers_of_a_batch_are_those_of_each_request_alone(door: Door) -> None:
    door.customer("ann")
    plain = key(door)[1]
    at_home = key(door, addresses=[f"{HOME.address}/32"])[1]
    short_lived = key(door, expires_at=door.now + timedelta(minutes=1))[1]
    revoked_id, revoked = key(door)
    with door.database.transaction() as tx:
        caller = door.caller()
        identity.revoke_api_key(tx, caller, caller.customer_id or 0, revoked_id, HOME, door.now)
    session = door.sign_in().token
    door.now += timedelta(minutes=2)
    unknown = "stdk_" + "A" * 43
    tokens = [plain, at_home, short_lived, revoked, session, unknown, "nonsense", "", plain]
    asking = [(token, seen) for token in tokens for seen in (HOME, ELSEWHERE)]
    with door.database.transaction() as tx:
        callers = who_are(tx, asking, door.now)
    together = [(each.code(), each.message) if isinstance(each, StaddleError) else each for each in callers]
    assert together == [told(door, *each) for each in asking]
    assert {each[0] if isinstance(each, tuple) else each.kind for each in together} == {
        "customer", "invalid_token", "address_not_allowed",
    }  # fmt: skip


def test_the_use_of_each_key_of_a_batch_is_noted(door: Door) -> None:
    customer_id = door.customer("ann")
    secrets = [key(door, name=f"bot {number}")[1] for number in range(3)]
    with door.database.transaction() as tx:
        who_are(tx, [(secret, ELSEWHERE) for secret in secrets[:2]], door.now)
    with door.database.transaction() as tx:
        used = {each.name: each.last_used_from for each in identity.list_api_keys(tx, customer_id)}
    assert used == {"bot 0": ELSEWHERE.address, "bot 1": ELSEWHERE.address, "bot 2": None}
