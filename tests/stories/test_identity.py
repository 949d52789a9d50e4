"""Who is asking: signing in, sessions, second factors; what is guessed, replayed, stolen or revoked opens nothing."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from tests.stories.door import HOME, PASSWORD, Door, hash_of

from staddle import desk, errors, identity
from staddle.db import Database, queries
from staddle.identity import NOBODY, Caller, Seen, passwords, tokens

ELSEWHERE = Seen("198.51.100.9", "Somebody else")


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


# Signing in


def test_a_customer_signs_in_and_the_token_says_who_they_are(door: Door) -> None:
    customer_id = door.customer("ann")
    signed_in = door.sign_in(" ANN@example.com ")
    caller = door.who(signed_in.token)
    assert (caller.kind, caller.customer_id, caller.operator) == ("customer", customer_id, None)
    assert caller.session_id == signed_in.session.session_id
    assert caller.scopes == {"read", "subscribe", "redeem", "transfer"}
    assert caller.stepped_up_at == door.now
    assert door.told(customer_id) == ["add_login", "sign_in"]


def test_an_operator_signs_in_with_their_roles(door: Door) -> None:
    door.operator_login("bob")
    caller = door.caller("bob", kind="operator")
    assert (caller.kind, caller.operator, set(caller.roles)) == ("operator", "bob", {"viewer", "support"})
    assert caller.scopes == frozenset()
    with pytest.raises(errors.SignInFailed):
        door.sign_in("bob", kind="customer")
    with door.database.transaction() as tx:
        assert desk.read_log(tx, 1)[0].act == "sign_in"


def test_whether_an_address_is_known_cannot_be_seen(door: Door) -> None:
    door.customer("ann")
    answers = set()
    for name, password in [
        ("ann", "wrong"),
        ("nobody", "wrong"),
        ("no address", PASSWORD),
        ("x\x00@b.c", ""),
    ]:
        with pytest.raises(errors.SignInFailed) as caught:
            door.sign_in(name, password)
        answers.add((type(caught.value), caught.value.message, str(caught.value.details)))
    assert len(answers) == 1


def test_an_unknown_address_takes_as_long_as_a_known_one(door: Door) -> None:
    door.customer("ann")

    def seconds(name: str) -> float:
        took = []
        for _ in range(5):
            door.passes(hours=1)
            began = time.perf_counter()
            with pytest.raises(errors.SignInFailed):
                door.sign_in(name, "wrong")
            took.append(time.perf_counter() - began)
        return median(took)

    seconds("nobody")
    assert 0.3 < seconds("ann") / seconds("nobody") < 3


def test_tokens_and_secrets_do_not_show_themselves(door: Door) -> None:
    door.customer("ann")
    signed_in = door.sign_in()
    assert signed_in.token not in repr(signed_in)
    caller = door.who(signed_in.token)
    assert signed_in.token not in repr(caller)
    with door.database.transaction() as tx:
        proposed = identity.begin_totp(tx, door.keyring, caller, door.now)
    assert proposed.secret not in repr(proposed)


def test_a_stolen_database_opens_no_session(door: Door) -> None:
    door.customer("ann")
    token = door.sign_in().token
    door.with_app(door.who(token))
    with door.database.transaction() as tx:
        tables = ["login", "session", "recovery_code", "security_log", "desk_log"]
        stored = " ".join(str(tx.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)
        hashed = tx.execute("SELECT encode(token_hash, 'hex') FROM session").fetchall()
    assert token not in stored
    assert PASSWORD not in stored
    for row in hashed:
        with pytest.raises(errors.InvalidToken):
            door.who(f"stds_{row[0][:43]}")


@pytest.mark.parametrize(
    "text", ["", "stds_", "stds_" + "A" * 43, "nonsense", "stds_" + "é" * 43, "stdk_" + "A" * 43]
)
def test_what_is_no_token_is_refused(door: Door, text: str) -> None:
    with pytest.raises(errors.InvalidToken):
        door.who(text)


def test_a_deactivated_login_is_out_at_once_and_cannot_sign_in(door: Door) -> None:
    customer_id = door.customer("ann")
    token = door.sign_in().token
    with door.database.transaction() as tx:
        login = identity.login_of_customer(tx, customer_id)
        identity.set_login_active(tx, door.ada, login.login_id, False, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    with pytest.raises(errors.SignInFailed):
        door.sign_in()
    with door.database.transaction() as tx:
        identity.set_login_active(tx, door.ada, login.login_id, True, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    assert door.caller().customer_id == customer_id
    assert door.told(customer_id)[2:] == ["deactivate_login", "failed_sign_in", "activate_login", "sign_in"]


def test_an_operator_who_works_the_desk_no_more_is_out_at_once(door: Door) -> None:
    door.operator_login("bob")
    token = door.sign_in("bob", kind="operator").token
    with door.database.transaction() as tx:
        identity.set_operator_active(tx, "ada", "bob", False, door.now, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    with pytest.raises(errors.SignInFailed):
        door.sign_in("bob", kind="operator")
    with door.database.transaction() as tx:
        identity.set_operator_active(tx, "ada", "bob", True, door.now, door.now)
    with pytest.raises(errors.SessionExpired):  # what was open before stays shut
        door.who(token)
    assert door.sign_in("bob", kind="operator").token


def test_roles_that_were_taken_away_are_gone_from_sessions_that_are_open(door: Door) -> None:
    door.operator_login("bob")
    token = door.sign_in("bob", kind="operator").token
    with door.database.transaction() as tx:
        desk.set_roles(tx, "ada", "bob", [], door.now)
    assert door.who(token).roles == {"viewer"}


# Throttling


def test_after_five_failures_each_further_one_doubles_the_wait(door: Door) -> None:
    door.customer("ann")
    waits: list[Any] = []
    for _ in range(12):
        for _ in range(9):
            try:
                door.sign_in(password="wrong")
            except errors.SignInFailed:
                continue
            except errors.TooManyAttempts as refused:
                waits.append(refused.details["retry_after"])
                door.passes(seconds=float(waits[-1]))
                break
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert door.caller().kind == "customer"
    with pytest.raises(errors.SignInFailed):
        door.sign_in(password="wrong")


def test_the_right_password_must_wait_too_and_unknown_addresses_wait_alike(door: Door) -> None:
    door.customer("ann")
    for name in ("ann", "nobody"):
        for _ in range(5):
            with pytest.raises(errors.SignInFailed):
                door.sign_in(name, "wrong")
        with pytest.raises(errors.TooManyAttempts) as caught:
            door.sign_in(name)
        assert caught.value.details["retry_after"] == 2


def test_many_attempts_at_once_are_no_way_around_the_wait(door: Door) -> None:
    door.customer("ann")

    def attempt(_: int) -> str:
        try:
            door.sign_in(password="wrong")
        except errors.StaddleError as error:
            return error.code()
        raise AssertionError

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(attempt, range(24)))
    assert codes.count("sign_in_failed") == 5
    assert codes.count("too_many_attempts") == 19


def test_an_address_that_tries_many_accounts_must_wait(door: Door) -> None:
    door.customer("ann")
    for number in range(30):
        with pytest.raises(errors.SignInFailed):
            door.sign_in(f"guess{number}", "wrong", seen=Seen(f"2001:db8:0:1::{number:x}", ""))
    with pytest.raises(errors.TooManyAttempts):
        door.sign_in(seen=Seen("2001:db8:0:1:ffff::1", ""))
    assert door.sign_in(seen=ELSEWHERE).token
    door.passes(seconds=3)
    assert door.sign_in(seen=Seen("2001:db8:0:1:ffff::1", "")).token
    with pytest.raises(errors.SignInFailed):
        door.sign_in("guess", "wrong", seen=Seen("2001:db8:0:1::5", ""))
    with pytest.raises(errors.TooManyAttempts):  # a good login of one's own does not wipe the address's count
        door.sign_in("guess", "wrong", seen=Seen("2001:db8:0:1::5", ""))


def test_failures_are_forgotten_after_a_day(door: Door) -> None:
    for _ in range(5):
        with pytest.raises(errors.SignInFailed):
            door.sign_in("nobody", "wrong")
    door.passes(hours=24, seconds=1)
    for _ in range(5):
        with pytest.raises(errors.SignInFailed):
            door.sign_in("nobody", "wrong")


# Sessions


def test_a_session_ends_unused_after_seven_days_and_used_after_thirty(door: Door) -> None:
    door.customer("ann")
    unused, used = door.sign_in().token, door.sign_in().token
    for _ in range(4):
        door.passes(days=7)
        door.who(used)
    with pytest.raises(errors.SessionExpired):
        door.who(unused)
    with door.database.transaction() as tx:
        assert len(identity.sessions_of(tx, door.who(used), door.now)) == 1
    door.passes(days=2)
    with pytest.raises(errors.SessionExpired):
        door.who(used)


def test_an_operators_session_ends_after_an_hour_unused_and_after_twelve(door: Door) -> None:
    door.operator_login("bob")
    token = door.sign_in("bob", kind="operator").token
    for _ in range(11):
        door.passes(hours=1)
        door.who(token)
    door.passes(hours=1)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    token = door.sign_in("bob", kind="operator").token
    door.passes(hours=1, seconds=1)
    with pytest.raises(errors.SessionExpired):
        door.who(token)


def test_last_use_is_written_at_most_once_a_minute(door: Door) -> None:
    door.customer("ann")
    token, opened_at = door.sign_in().token, door.now

    def last_used() -> timedelta:
        with door.database.transaction() as tx:
            row = tx.execute("SELECT last_used_at FROM session").fetchone()
        assert row is not None
        return timedelta(seconds=(row[0] - opened_at).total_seconds())

    door.passes(seconds=59)
    door.who(token)
    assert last_used() == timedelta(0)
    door.passes(seconds=1)
    door.who(token)
    assert last_used() == timedelta(seconds=60)


def test_a_customer_sees_their_sessions_and_ends_them(door: Door) -> None:
    customer_id = door.customer("ann")
    door.customer("eve")
    here, there, stranger = door.sign_in(), door.sign_in(seen=ELSEWHERE), door.sign_in("eve")
    caller = door.who(here.token)
    with door.database.transaction() as tx:
        seen = {each.address: each.agent for each in identity.sessions_of(tx, caller, door.now)}
        assert seen == {"203.0.113.7": "Browser of ann", "198.51.100.9": "Somebody else"}
        with pytest.raises(errors.SessionNotFound):
            identity.revoke_session(tx, caller, stranger.session.session_id, HOME, door.now)
        identity.revoke_session(tx, caller, there.session.session_id, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(there.token)
    assert door.who(here.token).customer_id == customer_id
    with door.database.transaction() as tx:
        identity.sign_out(tx, caller, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(here.token)
    assert door.who(stranger.token).kind == "customer"


def test_every_sign_in_has_a_token_of_its_own(door: Door) -> None:
    door.customer("ann")
    tokens = {door.sign_in().token for _ in range(3)}
    assert len(tokens) == 3
    caller = door.who(tokens.pop())
    with door.database.transaction() as tx:
        assert identity.revoke_sessions(tx, caller, HOME, door.now) == 2
    for token in tokens:
        with pytest.raises(errors.SessionExpired):
            door.who(token)


# Passwords


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "aaaaaaaaaaaa", "passwordpassword", "Password1234!", "qwertyuiop123", "123456789012",
     "ann.barnes12", "x" * 257, "ababababab12"],
)  # fmt: skip
def test_a_password_that_others_would_think_of_is_refused(password: str) -> None:
    with pytest.raises(errors.WeakPassword):
        identity.new_password(password, "ann.barnes@example.com")


def test_a_long_sentence_is_a_good_password_however_it_is_typed(door: Door) -> None:
    door.customer("ann", password="the caf\u00e9 has nine stones")
    assert door.sign_in(password="the cafe\u0301 has nine stones").token
    assert passwords.hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_changing_the_password_ends_every_other_session(door: Door) -> None:
    customer_id = door.customer("ann")
    here, there = door.sign_in(), door.sign_in(seen=ELSEWHERE)
    caller = door.who(here.token)
    with pytest.raises(errors.WeakPassword):
        identity.change_password(door.database, caller, PASSWORD, "short", HOME, door.now)
    with pytest.raises(errors.SignInFailed):
        identity.change_password(door.database, caller, "wrong", "a mill on the river", HOME, door.now)
    identity.change_password(door.database, caller, PASSWORD, "a mill on the river", HOME, door.now)
    assert door.who(here.token).customer_id == customer_id
    with pytest.raises(errors.SessionExpired):
        door.who(there.token)
    with pytest.raises(errors.SignInFailed):
        door.sign_in()
    assert door.sign_in(password="a mill on the river").token


def test_the_old_password_is_guessed_no_faster_by_changing_it(door: Door) -> None:
    door.customer("ann")
    caller = door.caller()
    for _ in range(5):
        with pytest.raises(errors.SignInFailed):
            identity.change_password(door.database, caller, "wrong", "a mill on the river", HOME, door.now)
    with pytest.raises(errors.TooManyAttempts):
        identity.change_password(door.database, caller, PASSWORD, "a mill on the river", HOME, door.now)


def test_a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(door: Door) -> None:
    customer_id = door.customer("ann")
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with door.database.transaction() as tx:
        tx.execute("UPDATE login SET password_hash = %s WHERE customer_id = %s", [old, customer_id])
    assert door.sign_in().token
    with door.database.transaction() as tx:
        row = tx.execute("SELECT password_hash FROM login").fetchone()
    assert row is not None
    assert "m=19456,t=2,p=1" in row[0]
    assert door.sign_in().token


def test_a_lost_password_is_replaced_by_support_and_an_operators_by_an_admin(door: Door) -> None:
    customer_id = door.customer("ann")
    door.operator_login("bob")
    token = door.sign_in().token
    bob, fresh = (
        Caller("operator", operator="bob", roles=frozenset({"viewer", "support"})),
        hash_of("a mill on the river"),
    )
    with door.database.transaction() as tx:
        login = identity.login_of_customer(tx, customer_id)
        identity.reset_password(tx, bob, login.login_id, fresh, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    assert door.sign_in(password="a mill on the river").token
    with door.database.transaction() as tx:
        bobs = identity.find_login_by_email(tx, "operator", "bob@example.com")
        with pytest.raises(errors.RoleMissing):
            identity.reset_password(tx, bob, bobs.login_id, fresh, HOME, door.now)
        with pytest.raises(errors.RoleMissing):
            identity.reset_password(
                tx, Caller("operator", operator="eve"), login.login_id, fresh, HOME, door.now
            )
        with pytest.raises(errors.LoginNotFound):
            identity.reset_password(tx, door.ada, "none", fresh, HOME, door.now)


# Logins


def test_an_address_and_a_customer_have_one_login(door: Door) -> None:
    door.customer("ann")
    with door.database.transaction() as tx:
        for reference, address in [("ann", "other@example.com")]:
            with pytest.raises(errors.AlreadyExists):
                identity.add_customer_login(
                    tx, door.ada, reference, address, hash_of(PASSWORD), HOME, door.now
                )
        with pytest.raises(errors.CustomerNotFound):
            identity.add_customer_login(
                tx, door.ada, "nobody", "n@example.com", hash_of(PASSWORD), HOME, door.now
            )
    door.operator_login("bob")
    with door.database.transaction() as tx:
        logins = identity.list_logins(tx, "customer")
        assert [(each.email, each.has_password) for each in logins] == [("ann@example.com", True)]
        assert identity.list_logins(tx, "customer", after=logins[0].login_id) == []
        assert [each.operator for each in identity.list_logins(tx, "operator")] == ["bob"]


def test_an_address_may_sign_in_a_customer_and_an_operator(door: Door) -> None:
    door.customer("bob")
    door.operator_login("bob")
    assert door.caller("bob").kind == "customer"
    assert door.caller("bob", kind="operator").kind == "operator"


@pytest.mark.parametrize(
    "email", ["", "ann", "@b.c", "a@", "a b@c.d", "a@b..c", "ä@b.c", "a" * 65 + "@b.c", "a@b.c\n.x"]
)
def test_what_is_no_address_is_refused(door: Door, email: str) -> None:
    with door.database.transaction() as tx, pytest.raises(errors.InvalidEmail):
        identity.add_operator_login(tx, "ada", "bob", email, hash_of(PASSWORD), door.now)


def test_logins_are_made_by_those_who_may(door: Door) -> None:
    door.customer("ann")
    integrator = Caller("client", client_id="exchange", scopes=frozenset({"deposits"}))
    for by in (NOBODY, Caller("operator", operator="bob", roles=frozenset({"viewer"})), integrator):
        with door.database.transaction() as tx, pytest.raises(errors.RoleMissing):
            identity.add_customer_login(tx, by, "ann", "a@example.com", hash_of(PASSWORD), HOME, door.now)
    with door.database.transaction() as tx, pytest.raises(errors.RoleMissing):
        identity.add_operator_login(tx, "bob", "bob", "bob@example.com", hash_of(PASSWORD), door.now)


# The second factor


def test_with_an_app_the_password_alone_opens_nothing(door: Door) -> None:
    customer_id = door.customer("ann")
    app, _ = door.with_app(door.caller())
    with pytest.raises(errors.SecondFactorNeeded):
        door.sign_in()
    with pytest.raises(errors.SignInFailed):
        door.sign_in(password="wrong", code=app.at(door.now))
    with pytest.raises(errors.SignInFailed):
        door.sign_in(code="000000" if app.at(door.now) != "000000" else "111111")
    signed_in = door.sign_in(code=f" {app.at(door.now)[:3]} {app.at(door.now)[3:]}")
    assert signed_in.session.opened_by == "code"
    assert door.told(customer_id)[-3:] == ["failed_sign_in", "failed_sign_in", "sign_in"]


def test_a_code_is_good_once_even_for_two_at_the_same_moment(door: Door) -> None:
    door.customer("ann")
    app, _ = door.with_app(door.caller())
    code = app.at(door.now)

    def attempt(_: int) -> bool:
        try:
            return bool(door.sign_in(code=code).token)
        except errors.SignInFailed:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(attempt, range(4))) == [False, False, False, True]
    door.passes(seconds=30)
    assert door.sign_in(code=app.at(door.now)).token


def test_the_code_that_confirmed_the_app_signs_nobody_in(door: Door) -> None:
    door.customer("ann")
    app, _ = door.with_app(door.caller())
    with pytest.raises(errors.SignInFailed):
        door.sign_in(code=app.at(door.now - timedelta(seconds=30)))


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_phones_clock_may_be_one_step_off(door: Door, seconds: int, is_good: bool) -> None:
    door.customer("ann")
    app, _ = door.with_app(door.caller())
    door.passes(minutes=5)
    code = app.at(door.now + timedelta(seconds=seconds))
    if is_good:
        assert door.sign_in(code=code).token
    else:
        with pytest.raises(errors.SignInFailed):
            door.sign_in(code=code)


def test_a_recovery_code_is_good_once(door: Door) -> None:
    door.customer("ann")
    _, codes = door.with_app(door.caller())
    assert len(set(codes)) == 10
    assert door.sign_in(code=codes[0].upper().replace("-", " ")).session.opened_by == "recovery_code"
    with pytest.raises(errors.SignInFailed):
        door.sign_in(code=codes[0])
    caller = door.caller(code=codes[1])
    with door.database.transaction() as tx:
        fresh = identity.new_recovery_codes(tx, caller, HOME, door.now)
    with pytest.raises(errors.SignInFailed):
        door.sign_in(code=codes[2])
    assert door.sign_in(code=fresh[2]).token


def test_codes_are_guessed_no_faster_than_passwords(door: Door) -> None:
    door.customer("ann")
    app, _ = door.with_app(door.caller())
    for _ in range(5):
        with pytest.raises(errors.SecondFactorNeeded):  # the right password without a code costs no attempt
            door.sign_in()
        with pytest.raises(errors.SignInFailed):
            door.sign_in(code="12345")
    with pytest.raises(errors.TooManyAttempts):
        door.sign_in(code=app.at(door.now))


def test_the_second_factor_changes_only_by_who_has_just_proved_who_they_are(door: Door) -> None:
    customer_id = door.customer("ann")
    token = door.sign_in().token
    door.passes(minutes=5, seconds=1)
    with door.database.transaction() as tx, pytest.raises(errors.StepUpNeeded):
        identity.begin_totp(tx, door.keyring, door.who(token), door.now)
    with pytest.raises(errors.SignInFailed):
        identity.step_up(door.database, door.keyring, door.who(token), "wrong", None, HOME, door.now)
    identity.step_up(door.database, door.keyring, door.who(token), PASSWORD, None, HOME, door.now)
    app, _ = door.with_app(door.who(token))
    door.passes(minutes=6)
    with door.database.transaction() as tx, pytest.raises(errors.StepUpNeeded):
        identity.remove_totp(tx, door.who(token), HOME, door.now)
    with pytest.raises(errors.SecondFactorNeeded):  # with an app, the password proves nothing any more
        identity.step_up(door.database, door.keyring, door.who(token), PASSWORD, None, HOME, door.now)
    identity.step_up(door.database, door.keyring, door.who(token), None, app.at(door.now), HOME, door.now)
    with door.database.transaction() as tx:
        identity.remove_totp(tx, door.who(token), HOME, door.now)
    assert door.sign_in().session.opened_by == "password"
    assert door.told(customer_id)[2:] == [
        "failed_step_up", "add_authenticator", "remove_authenticator", "sign_in",
    ]  # fmt: skip


def test_proving_again_counts_attempts_too(door: Door) -> None:
    door.customer("ann")
    caller = door.caller()
    for _ in range(5):
        with pytest.raises(errors.SignInFailed):
            identity.step_up(door.database, door.keyring, caller, "wrong", None, HOME, door.now)
    with pytest.raises(errors.TooManyAttempts):
        identity.step_up(door.database, door.keyring, caller, PASSWORD, None, HOME, door.now)


def test_lost_factors_are_taken_away_by_two_people_and_never_by_one(door: Door) -> None:
    customer_id = door.customer("ann")
    token = door.sign_in().token
    door.with_app(door.who(token))
    bob, viewer = (
        Caller("operator", operator="bob", roles=frozenset({role})) for role in ("support", "viewer")
    )
    with door.database.transaction() as tx:
        login_id = identity.login_of_customer(tx, customer_id).login_id
        number = identity.ask_to_remove_factors(tx, bob, login_id, door.now)
        with pytest.raises(errors.SecondPersonNeeded):
            identity.remove_lost_factors(tx, bob, number, HOME, door.now)
        with pytest.raises(errors.RoleMissing):
            identity.remove_lost_factors(tx, viewer, number, HOME, door.now)
        with pytest.raises(errors.RoleMissing):
            identity.ask_to_remove_factors(tx, viewer, login_id, door.now)
        other = desk.ask(tx, "bob", "another_act", "ann", {}, login_id, door.now)
        with pytest.raises(errors.ApprovalNotFound):
            identity.remove_lost_factors(tx, door.ada, other, HOME, door.now)
        assert identity.remove_lost_factors(tx, door.ada, number, HOME, door.now).has_code is False
        with pytest.raises(errors.WrongState):
            identity.remove_lost_factors(tx, door.ada, number, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    assert door.sign_in().session.opened_by == "password"
    assert door.told(customer_id)[-2:] == ["remove_lost_factors", "sign_in"]
    door.operator_login("bob")
    with door.database.transaction() as tx, pytest.raises(errors.RoleMissing):
        bobs = identity.find_login_by_email(tx, "operator", "bob@example.com").login_id
        identity.ask_to_remove_factors(tx, bob, bobs, door.now)


def test_an_app_is_confirmed_by_a_code_of_it_before_it_counts(door: Door) -> None:
    door.customer("ann")
    caller = door.caller()
    with door.database.transaction() as tx:
        with pytest.raises(errors.WrongState):
            identity.confirm_totp(tx, door.keyring, caller, "123456", HOME, door.now)
        with pytest.raises(errors.WrongState):
            identity.remove_totp(tx, caller, HOME, door.now)
        with pytest.raises(errors.WrongState):
            identity.new_recovery_codes(tx, caller, HOME, door.now)
        proposed = identity.begin_totp(tx, door.keyring, caller, door.now)
        assert proposed.uri.startswith("otpauth://totp/Staddle:ann%40example.com?secret=")
        with pytest.raises(errors.SignInFailed):
            identity.confirm_totp(tx, door.keyring, caller, "12345", HOME, door.now)
    assert door.sign_in().session.opened_by == "password"
    with door.database.transaction() as tx:
        code = pyotp.TOTP(proposed.secret).at(door.now)
        identity.confirm_totp(tx, door.keyring, caller, code, HOME, door.now)
        with pytest.raises(errors.WrongState):
            identity.begin_totp(tx, door.keyring, caller, door.now)


def test_what_lets_nobody_in_any_more_is_forgotten(door: Door) -> None:
    customer_id = door.customer("ann")
    door.sign_in()
    with pytest.raises(errors.SignInFailed):
        door.sign_in("nobody", "wrong")
    with door.database.transaction() as tx:
        assert identity.forget_expired(tx, door.now) == 0
    door.passes(days=1, seconds=1)
    token = door.sign_in().token
    with door.database.transaction() as tx:  # the failure of the account that was never there
        assert identity.forget_expired(tx, door.now) == 1
    door.passes(days=59)
    with door.database.transaction() as tx:  # the first session, and the attempts of the address
        assert identity.forget_expired(tx, door.now) == 2
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    assert door.told(customer_id) == ["add_login", "sign_in", "sign_in"]


# Asking who it is


def test_a_caller_is_known_by_one_statement_on_indexes(door: Door) -> None:
    sql = queries("staddle.identity")
    token = f"'\\x{tokens.hash_of('stds_any').hex()}'::bytea"
    with door.database.transaction() as tx:
        tx.execute(
            "SET LOCAL enable_seqscan = off"
        )  # tables are small here; without an index it would be used
        for statement in (sql.session_by_token, sql.api_key_by_secret, sql.access_token):
            explained = f"EXPLAIN {statement.replace('%(token_hash)s', token)}".encode()
            plan = "\n".join(row[0] for row in tx.execute(explained))
            assert "Seq Scan" not in plan, plan
