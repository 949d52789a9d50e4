"""Passkeys: bound to their site, verified by their user, each challenge good once and for five minutes."""

from copy import copy
from typing import Any

import pytest
from tests.stories.authenticator import Authenticator
from tests.stories.door import HOME, Door

from staddle import errors, identity
from staddle.db import Database
from staddle.identity import Caller, Passkey, PasskeyAsked, Site

SITE = Site("https://earn.example.com", "Staddle")


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


def begin(door: Door, caller: Caller) -> PasskeyAsked:
    with door.database.transaction() as tx:
        return identity.begin_passkey(tx, caller, SITE, door.now)


def finish(
    door: Door, caller: Caller, asked: PasskeyAsked, response: dict[str, Any], name: str = "Phone"
) -> Passkey:
    with door.database.transaction() as tx:
        return identity.finish_passkey(tx, caller, asked.challenge_id, name, response, SITE, HOME, door.now)


def add(door: Door, caller: Caller, device: Authenticator) -> Passkey:
    asked = begin(door, caller)
    return finish(door, caller, asked, device.make(asked.options))


def ask(door: Door) -> PasskeyAsked:
    with door.database.transaction() as tx:
        return identity.begin_passkey_sign_in(tx, SITE, door.now)


def enter(door: Door, asked: PasskeyAsked, response: dict[str, Any], kind: str = "customer") -> Caller:
    with door.database.transaction() as tx:
        signed_in = identity.finish_passkey_sign_in(
            tx,
            "operator" if kind == "operator" else "customer",
            asked.challenge_id,
            response,
            SITE,
            HOME,
            door.now,
        )
    return door.who(signed_in.token)


def sign_in(door: Door, device: Authenticator, kind: str = "customer") -> Caller:
    asked = ask(door)
    return enter(door, asked, device.get(asked.options), kind)


def test_a_passkey_signs_its_customer_in_without_a_name_or_a_password(door: Door) -> None:
    customer_id, device = door.customer("ann"), Authenticator()
    door.customer("eve")
    passkey = add(door, door.caller(), device)
    assert "allowCredentials" not in ask(door).options or ask(door).options["allowCredentials"] == []
    caller = sign_in(door, device)
    assert (caller.customer_id, caller.stepped_up_at) == (customer_id, door.now)
    with door.database.transaction() as tx:
        assert identity.list_passkeys(tx, caller)[0].last_used_at == door.now
        assert identity.login_of_customer(tx, customer_id).passkey_count == 1
        assert [each.opened_by for each in identity.sessions_of(tx, caller, door.now)].count("passkey") == 1
        identity.remove_passkey(tx, caller, passkey.passkey_id, HOME, door.now)
    with pytest.raises(errors.PasskeyNotAccepted):
        sign_in(door, device)
    assert door.told(customer_id) == ["add_login", "sign_in", "add_passkey", "sign_in", "remove_passkey"]


def test_a_passkey_lets_in_past_the_authenticator_app_for_it_is_two_factors(door: Door) -> None:
    door.customer("ann")
    device, caller = Authenticator(), door.caller()
    add(door, caller, device)
    door.with_app(caller)
    assert sign_in(door, device).kind == "customer"


def test_a_challenge_is_good_once_and_for_five_minutes(door: Door) -> None:
    door.customer("ann")
    device = Authenticator()
    add(door, door.caller(), device)
    asked = ask(door)
    response = device.get(asked.options)
    assert enter(door, asked, response).kind == "customer"
    with pytest.raises(errors.PasskeyNotAccepted):
        enter(door, asked, response)
    for seconds, is_good in ((299, True), (300, False)):
        late = ask(door)
        door.passes(seconds=seconds)
        if is_good:
            enter(door, late, device.get(late.options))
        else:
            with pytest.raises(errors.PasskeyNotAccepted):
                enter(door, late, device.get(late.options))


def test_what_another_sites_page_got_is_good_for_nothing_here(door: Door) -> None:
    door.customer("ann")
    device = Authenticator()
    add(door, door.caller(), device)
    for origin, host in [
        ("https://earn.example.com.evil.org", "earn.example.com"),
        ("http://earn.example.com", "earn.example.com"),
        ("https://earn.example.com", "evil.org"),
    ]:
        elsewhere = copy(device)
        elsewhere.origin, elsewhere.host = origin, host
        with pytest.raises(errors.PasskeyNotAccepted):
            sign_in(door, elsewhere)
        fresh = Authenticator(origin=origin, host=host)
        asked = begin(door, door.caller())
        with pytest.raises(errors.PasskeyNotAccepted):
            finish(door, door.caller(), asked, fresh.make(asked.options))


def test_a_copied_passkey_is_told_by_its_count(door: Door) -> None:
    door.customer("ann")
    device = Authenticator()
    add(door, door.caller(), device)
    stolen = copy(device)
    sign_in(door, device)
    sign_in(door, device)
    with pytest.raises(errors.PasskeyNotAccepted):
        sign_in(door, stolen)


def test_another_key_and_an_unverified_user_are_refused(door: Door) -> None:
    door.customer("ann")
    device = Authenticator()
    add(door, door.caller(), device)
    forged = Authenticator(credential_id=device.credential_id)
    unknown = Authenticator()
    careless = copy(device)
    careless.is_verifying = False
    for wrong in (forged, unknown, careless):
        with pytest.raises(errors.PasskeyNotAccepted):
            sign_in(door, wrong)
    asked = begin(door, door.caller())
    with pytest.raises(errors.PasskeyNotAccepted):
        finish(door, door.caller(), asked, Authenticator(is_verifying=False).make(asked.options))


@pytest.mark.parametrize(
    "broken", [{}, {"id": None}, {"id": "\x00"}, {"id": "x", "rawId": "x", "response": 5}, {"response": {}}]
)
def test_nonsense_is_refused_like_any_other_passkey(door: Door, broken: dict[str, Any]) -> None:
    door.customer("ann")
    device = Authenticator()
    caller = door.caller()
    add(door, caller, device)
    asked = ask(door)
    with pytest.raises(errors.PasskeyNotAccepted):
        enter(door, asked, {**device.get(asked.options), **broken} if broken else broken)
    asked = begin(door, caller)
    with pytest.raises(errors.PasskeyNotAccepted):
        finish(door, caller, asked, broken)
    with door.database.transaction() as tx, pytest.raises(errors.PasskeyNotAccepted):
        identity.finish_passkey_sign_in(tx, "customer", "\x00", {}, SITE, HOME, door.now)


def test_a_passkey_is_its_owners_alone(door: Door) -> None:
    door.customer("ann")
    door.customer("eve")
    device, ann, eve = Authenticator(), door.caller("ann"), door.caller("eve")
    passkey = add(door, ann, device)
    asked = begin(door, ann)
    with pytest.raises(errors.PasskeyNotAccepted):  # a challenge of ann's, answered in eve's session
        finish(door, eve, asked, Authenticator().make(asked.options))
    with pytest.raises(errors.PasskeyNotAccepted):  # a passkey that is known already
        add(door, eve, device)
    with door.database.transaction() as tx:
        assert identity.list_passkeys(tx, eve) == []
        with pytest.raises(errors.PasskeyNotFound):
            identity.remove_passkey(tx, eve, passkey.passkey_id, HOME, door.now)
        asked = identity.begin_passkey_step_up(tx, eve, SITE, door.now)
        with pytest.raises(errors.PasskeyNotAccepted):
            identity.finish_passkey_step_up(
                tx, eve, asked.challenge_id, device.get(asked.options), SITE, door.now
            )


def test_a_passkey_proves_again_who_is_asking(door: Door) -> None:
    door.customer("ann")
    device, token = Authenticator(), door.sign_in().token
    add(door, door.who(token), device)
    door.passes(minutes=6)
    with pytest.raises(errors.StepUpNeeded):
        begin(door, door.who(token))
    with door.database.transaction() as tx:
        asked = identity.begin_passkey_step_up(tx, door.who(token), SITE, door.now)
        assert len(asked.options["allowCredentials"]) == 1
        identity.finish_passkey_step_up(
            tx, door.who(token), asked.challenge_id, device.get(asked.options), SITE, door.now
        )
    assert begin(door, door.who(token)).challenge_id


def test_a_challenge_to_sign_in_steps_nobody_up_nor_the_other_way(door: Door) -> None:
    door.customer("ann")
    device, caller = Authenticator(), door.caller()
    add(door, caller, device)
    with door.database.transaction() as tx:
        proof = identity.begin_passkey_step_up(tx, caller, SITE, door.now)
    with pytest.raises(errors.PasskeyNotAccepted):
        enter(door, proof, device.get(proof.options))


def test_a_customers_passkey_opens_no_operators_session_and_a_closed_login_none(door: Door) -> None:
    customer_id = door.customer("ann")
    device = Authenticator()
    add(door, door.caller(), device)
    with pytest.raises(errors.PasskeyNotAccepted):
        sign_in(door, device, "operator")
    with door.database.transaction() as tx:
        login = identity.login_of_customer(tx, customer_id)
        identity.set_login_active(tx, door.ada, login.login_id, False, HOME, door.now)
    with pytest.raises(errors.PasskeyNotAccepted):
        sign_in(door, device)


def test_passkeys_are_few_and_named(door: Door) -> None:
    door.customer("ann")
    caller = door.caller()
    for _ in range(20):
        add(door, caller, Authenticator())
    with pytest.raises(errors.WrongState):
        begin(door, caller)
    asked = ask(door)
    for name in ("", "a\nb", "x" * 81):
        with pytest.raises(errors.InvalidName):
            finish(door, caller, asked, {}, name)


def test_challenges_that_never_came_back_do_not_pile_up(door: Door) -> None:
    for _ in range(20):
        ask(door)
        door.passes(minutes=2)
    with door.database.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM challenge").fetchone()
    assert row is not None
    assert row[0] <= 3
