"""API keys, clients, and the amounts that need a proof: what is scoped, limited, expired or revoked opens no more."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.stories.door import HOME, Door

from staddle import desk, errors, identity, ledger
from staddle.customers import publish_agreement
from staddle.db import Database
from staddle.identity import AddedApiKey, Caller, NewApiKey, Seen, Signed

ELSEWHERE = Seen("198.51.100.9", "Somebody else")


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


def add(door: Door, caller: Caller, customer_id: int | None = None, **how: Any) -> AddedApiKey:
    new = NewApiKey(**({"name": "bot", "scopes": ["read"]} | how))
    with door.database.transaction() as tx:
        return identity.add_api_key(
            tx, door.keyring, caller, customer_id or caller.customer_id or 0, new, HOME, door.now
        )


def secret_of(added: AddedApiKey) -> str:
    assert added.secret is not None
    return added.secret


# API keys


def test_an_api_key_is_its_customer_with_no_more_than_its_scopes(door: Door) -> None:
    customer_id = door.customer("ann")
    added = add(door, door.caller(), scopes=["subscribe", "read"])
    caller = door.who(secret_of(added), ELSEWHERE)
    assert (caller.kind, caller.customer_id, caller.api_key_id) == (
        "customer", customer_id, added.api_key.api_key_id,
    )  # fmt: skip
    assert caller.scopes == {"read", "subscribe"}
    identity.require_scope(caller, "subscribe")
    with pytest.raises(errors.ScopeMissing):
        identity.require_scope(caller, "redeem")
    with pytest.raises(errors.StepUpNeeded):
        identity.require_step_up(caller, door.now)
    with door.database.transaction() as tx:
        [key] = identity.list_api_keys(tx, customer_id)
    assert (key.scopes, key.last_used_at, key.last_used_from) == (
        ["read", "subscribe"],
        door.now,
        "198.51.100.9",
    )
    assert secret_of(added) not in repr(added)


def test_a_stolen_database_yields_no_key(door: Door) -> None:
    door.customer("ann")
    bearer, signing = add(door, door.caller()), add(door, door.caller(), kind="hmac")
    with door.database.transaction() as tx:
        stored = str(tx.execute("SELECT * FROM api_key").fetchall())
        logged = str(tx.execute("SELECT * FROM security_log").fetchall())
    for added in (bearer, signing):
        assert secret_of(added) not in stored + logged
        assert secret_of(added).encode().hex() not in stored


def test_a_key_is_used_from_its_addresses_only(door: Door) -> None:
    door.customer("ann")
    secret = secret_of(add(door, door.caller(), addresses=["198.51.100.0/24", "2001:db8::1"]))
    for address in ("198.51.100.9", "::ffff:198.51.100.200", "2001:db8::1"):
        assert door.who(secret, Seen(address, "")).kind == "customer"
    for address in ("198.51.101.9", "2001:db8::2", "", "unix", "198.51.100.9.evil"):
        with pytest.raises(errors.AddressNotAllowed):
            door.who(secret, Seen(address, ""))


def test_a_key_expires_to_the_second(door: Door) -> None:
    door.customer("ann")
    secret = secret_of(add(door, door.caller(), expires_at=door.now + timedelta(hours=1)))
    door.passes(minutes=59, seconds=59)
    assert door.who(secret).kind == "customer"
    door.passes(seconds=1)
    with pytest.raises(errors.InvalidToken):
        door.who(secret)


def test_a_revoked_key_is_refused_from_that_moment_on(door: Door) -> None:
    customer_id = door.customer("ann")
    caller = door.caller()
    added = add(door, caller)
    assert door.who(secret_of(added)).kind == "customer"
    door.passes(minutes=10)  # closing a door needs no step-up
    with door.database.transaction() as tx:
        for _ in range(2):
            key = identity.revoke_api_key(tx, caller, customer_id, added.api_key.api_key_id, HOME, door.now)
            assert key.revoked_at == door.now
    with pytest.raises(errors.InvalidToken):
        door.who(secret_of(added))
    assert door.told(customer_id) == ["add_login", "sign_in", "add_api_key", "revoke_api_key"]


def test_the_keys_of_a_deactivated_customer_are_refused(door: Door) -> None:
    customer_id = door.customer("ann")
    secret = secret_of(add(door, door.caller()))
    with door.database.transaction() as tx:
        login = identity.login_of_customer(tx, customer_id)
        identity.set_login_active(tx, door.ada, login.login_id, False, HOME, door.now)
    with pytest.raises(errors.InvalidToken):
        door.who(secret)


def test_keys_are_made_by_their_customer_who_has_just_proved_it_or_by_support(door: Door) -> None:
    ann, eve = door.customer("ann"), door.customer("eve")
    caller, key = door.caller(), door.who(secret_of(add(door, door.caller(), scopes=["read", "transfer"])))
    bob = Caller("operator", operator="bob", roles=frozenset({"viewer", "support"}))
    for by in (
        key,
        Caller("operator", operator="eve", roles=frozenset({"treasury"})),
        door.caller("eve"),
        identity.NOBODY,
    ):
        with pytest.raises(errors.RoleMissing):
            add(door, by, ann)
    door.passes(minutes=5, seconds=1)
    with pytest.raises(errors.StepUpNeeded):
        add(door, caller)
    assert add(door, bob, eve).api_key.name == "bot"
    with pytest.raises(errors.CustomerNotFound):
        add(door, bob, 987_654)
    assert door.told(eve)[-1] == "add_api_key"
    with door.database.transaction() as tx:
        assert (desk.read_log(tx, 1)[0].operator, desk.read_log(tx, 1)[0].act) == ("bob", "add_api_key")


def test_nobody_revokes_or_sees_anothers_key(door: Door) -> None:
    ann, eve = door.customer("ann"), door.customer("eve")
    added = add(door, door.caller("ann"))
    thief = door.caller("eve")
    with door.database.transaction() as tx:
        with pytest.raises(errors.RoleMissing):
            identity.revoke_api_key(tx, thief, ann, added.api_key.api_key_id, HOME, door.now)
        with pytest.raises(errors.ApiKeyNotFound):
            identity.revoke_api_key(tx, thief, eve, added.api_key.api_key_id, HOME, door.now)
    assert door.who(secret_of(added)).customer_id == ann


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"scopes": []}, errors.InvalidChoice),
        ({"scopes": ["read", "withdraw"]}, errors.InvalidChoice),
        ({"addresses": ["198.51.100.1/24"]}, errors.InvalidChoice),
        ({"addresses": ["anywhere"]}, errors.InvalidChoice),
        ({"addresses": ["192.0.2.1"] * 51}, errors.InvalidChoice),
        ({"name": ""}, errors.InvalidName),
        ({"name": "a\nb"}, errors.InvalidName),
        ({"kind": "dsa"}, errors.InvalidChoice),
        ({"kind": "ed25519"}, errors.InvalidPublicKey),
        ({"kind": "rsa"}, errors.InvalidPublicKey),
        ({"kind": "hmac", "public_key": "AAAA"}, errors.InvalidPublicKey),
        ({"kind": "bearer", "public_key": "AAAA"}, errors.InvalidPublicKey),
        ({"kind": "ed25519", "public_key": "AAAA"}, errors.InvalidPublicKey),
        ({"kind": "ed25519", "public_key": "é" * 44}, errors.InvalidPublicKey),
        ({"kind": "ed25519", "public_key": "-----BEGIN PUBLIC KEY-----"}, errors.InvalidPublicKey),
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_refused(door: Door, how: dict[str, Any], error: type[Exception]) -> None:
    door.customer("ann")
    with pytest.raises(error):
        add(door, door.caller(), **how)
    with pytest.raises(errors.InvalidChoice):
        add(door, door.caller(), expires_at=door.now)


def test_a_customer_has_at_most_fifty_keys(door: Door) -> None:
    customer_id = door.customer("ann")
    caller = door.caller()
    for _ in range(50):
        added = add(door, caller)
    with pytest.raises(errors.WrongState):
        add(door, caller)
    with door.database.transaction() as tx:
        identity.revoke_api_key(tx, caller, customer_id, added.api_key.api_key_id, HOME, door.now)
    add(door, caller)


# Keys that sign


def public_text(key: Ed25519PrivateKey, encoding: Encoding) -> str:
    if encoding is Encoding.PEM:
        return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo).decode()
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.Raw])
def test_a_request_signed_by_an_ed25519_key_is_its_customers(door: Door, encoding: Encoding) -> None:
    customer_id = door.customer("ann")
    mine, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    added = add(
        door, door.caller(), kind="ed25519", public_key=public_text(mine, encoding), scopes=["redeem"]
    )
    assert added.secret is None
    message = b"asset=USDT&amount=10&timestamp=1"
    with door.database.transaction() as tx:
        number = added.api_key.api_key_id
        caller = identity.who_signed(tx, door.keyring, number, message, mine.sign(message), HOME, door.now)
        assert (caller.customer_id, set(caller.scopes)) == (customer_id, {"redeem"})
        wrong = [
            (message + b"0", mine.sign(message)), (message, other.sign(message)), (message, b""), (message, b"\0" * 64),
        ]  # fmt: skip
        for signed, signature in wrong:
            with pytest.raises(errors.SignatureNotAccepted):
                identity.who_signed(tx, door.keyring, number, signed, signature, HOME, door.now)
        with pytest.raises(errors.InvalidToken):
            identity.who_signed(tx, door.keyring, "nothing", message, mine.sign(message), HOME, door.now)


def test_a_request_signed_by_an_rsa_key_is_its_customers(door: Door) -> None:
    customer_id = door.customer("ann")
    mine, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    added = add(door, door.caller(), kind="rsa", public_key=pem_of(mine.public_key()), scopes=["redeem"])
    assert added.secret is None
    message, number = b"asset=USDT&timestamp=1", added.api_key.api_key_id

    def signature_of(key: rsa.RSAPrivateKey, signed: bytes = message) -> bytes:
        return key.sign(signed, PKCS1v15(), SHA256())

    with door.database.transaction() as tx:
        caller = identity.who_signed(tx, door.keyring, number, message, signature_of(mine), HOME, door.now)
        assert (caller.customer_id, set(caller.scopes)) == (customer_id, {"redeem"})
        pss = mine.sign(message, PSS(MGF1(SHA256()), PSS.MAX_LENGTH), SHA256())
        for wrong in (
            signature_of(other),
            signature_of(mine, b"asset=USDT&timestamp=2"),
            pss,
            b"",
            b"\0" * 256,
        ):
            with pytest.raises(errors.SignatureNotAccepted):
                identity.who_signed(tx, door.keyring, number, message, wrong, HOME, door.now)


def test_an_rsa_key_is_neither_short_nor_of_another_kind(door: Door) -> None:
    door.customer("ann")
    for key in (
        rsa.generate_private_key(65537, 1024).public_key(),
        Ed25519PrivateKey.generate().public_key(),
    ):
        with pytest.raises(errors.InvalidPublicKey):
            add(door, door.caller(), kind="rsa", public_key=pem_of(key))


def pem_of(key: rsa.RSAPublicKey | Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_many_who_signed_are_known_each_by_their_own_signature(door: Door) -> None:
    customers = [door.customer(name) for name in ("ann", "eve")]
    keys = [add(door, door.caller(customer), kind="hmac") for customer in ("ann", "eve")]
    signed = [
        Signed(
            key.api_key.api_key_id,
            b"timestamp=1",
            hmac.new(secret_of(key).encode(), b"timestamp=1", hashlib.sha256).digest(),
            door.keyring,
        )
        for key in keys
    ]
    swapped = replace(signed[0], signature=signed[1].signature)
    with door.database.transaction() as tx:
        found = identity.who_have_signed(tx, [(each, HOME) for each in (*signed[::-1], swapped)], door.now)
    assert [getattr(each, "customer_id", type(each)) for each in found] == [
        *customers[::-1], errors.SignatureNotAccepted,
    ]  # fmt: skip


# The agreement, beforehand


def test_the_agreement_is_accepted_beforehand_only_by_the_customer_and_only_the_one_in_force(
    door: Door,
) -> None:
    customer_id = door.customer("ann")
    with door.database.transaction() as tx:
        first = publish_agreement(tx, "ada", "Staking", "You may stake.", door.now)
    key = add(door, door.caller(), kind="hmac", agreement_version=first).api_key
    assert key.agreement_version == first
    with pytest.raises(errors.RoleMissing):
        add(door, door.ada, kind="hmac", agreement_version=first, customer_id=customer_id)
    with door.database.transaction() as tx:
        second = publish_agreement(tx, "ada", "Staking", "You may stake, still.", door.now)
        caller, number = door.caller(), key.api_key_id
        with pytest.raises(errors.AgreementOutdated):
            identity.accept_for_api_key(tx, caller, customer_id, number, first, HOME, door.now)
        with pytest.raises(errors.RoleMissing):
            identity.accept_for_api_key(tx, door.ada, customer_id, number, second, HOME, door.now)
        accepted = identity.accept_for_api_key(tx, caller, customer_id, number, second, HOME, door.now)
        assert accepted.agreement_version == second
        [newest, *_] = identity.read_security_log(tx, customer_id)
    assert (newest.act, newest.details["agreement_version"]) == ("accept_for_api_key", second)


def test_a_request_signed_by_hmac_is_its_customers(door: Door) -> None:
    customer_id = door.customer("ann")
    added = add(door, door.caller(), kind="hmac", addresses=["203.0.113.7"])
    message, number = b"timestamp=1", added.api_key.api_key_id
    good = hmac.new(secret_of(added).encode(), message, hashlib.sha256).digest()
    with door.database.transaction() as tx:
        who = identity.who_signed(tx, door.keyring, number, message, good, HOME, door.now)
        assert who.customer_id == customer_id
        with pytest.raises(errors.SignatureNotAccepted):
            identity.who_signed(tx, door.keyring, number, message + b"0", good, HOME, door.now)
        with pytest.raises(errors.AddressNotAllowed):
            identity.who_signed(tx, door.keyring, number, message, good, ELSEWHERE, door.now)
        identity.revoke_api_key(tx, door.ada, customer_id, number, HOME, door.now)
        with pytest.raises(errors.InvalidToken):
            identity.who_signed(tx, door.keyring, number, message, good, HOME, door.now)


def test_a_bearers_key_signs_nothing_and_a_signing_key_bears_nothing(door: Door) -> None:
    door.customer("ann")
    bearer, signing = add(door, door.caller()), add(door, door.caller(), kind="hmac")
    with door.database.transaction() as tx, pytest.raises(errors.InvalidToken):
        identity.who_signed(tx, door.keyring, bearer.api_key.api_key_id, b"", b"", HOME, door.now)
    with pytest.raises(errors.InvalidToken):
        door.who(secret_of(signing))


def test_a_key_of_another_curve_is_refused(door: Door) -> None:
    door.customer("ann")
    other = generate_private_key(SECP256R1()).public_key()
    text = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(errors.InvalidPublicKey):
        add(door, door.caller(), kind="ed25519", public_key=text)


# Clients


def test_a_client_trades_its_secret_for_a_token_of_an_hour(door: Door) -> None:
    with door.database.transaction() as tx:
        made = identity.add_client(tx, "ada", "exchange", "The exchange", ["deposits", "customers"], door.now)
        granted = identity.grant_access(tx, "exchange", made.secret, None, door.now)
        narrow = identity.grant_access(tx, "exchange", made.secret, ["deposits"], door.now)
        with pytest.raises(errors.InvalidChoice):
            identity.grant_access(tx, "exchange", made.secret, ["withdrawals"], door.now)
    caller = door.who(granted.token)
    assert (caller.kind, caller.client_id, set(caller.scopes)) == (
        "client",
        "exchange",
        {"customers", "deposits"},
    )
    assert door.who(narrow.token).scopes == {"deposits"}
    door.passes(minutes=59, seconds=59)
    assert door.who(granted.token).kind == "client"
    door.passes(seconds=1)
    with pytest.raises(errors.InvalidToken):
        door.who(granted.token)
    assert made.secret not in repr(made)
    assert granted.token not in repr(granted)
    with door.database.transaction() as tx:
        stored = "".join(str(tx.execute(f"SELECT * FROM {t}").fetchall()) for t in ("client", "access_token"))
    assert made.secret not in stored
    assert granted.token not in stored


def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(door: Door) -> None:
    with door.database.transaction() as tx:
        made = identity.add_client(tx, "ada", "exchange", "The exchange", ["deposits"], door.now)
        wrong = [
            ("exchange", "wrong"),
            ("nobody", made.secret),
            ("", ""),
            ("EXCHANGE", made.secret),
            ("\x00", "\ud800"),
        ]
        for client_id, secret in wrong:
            with pytest.raises(errors.ClientNotAccepted):
                identity.grant_access(tx, client_id, secret, None, door.now)


def test_a_rotated_secret_is_void_and_a_revoked_client_is_out_at_once(door: Door) -> None:
    with door.database.transaction() as tx:
        old = identity.add_client(tx, "ada", "exchange", "The exchange", ["deposits"], door.now)
        token = identity.grant_access(tx, "exchange", old.secret, None, door.now).token
        new = identity.rotate_client(tx, "ada", "exchange", door.now)
        with pytest.raises(errors.ClientNotAccepted):
            identity.grant_access(tx, "exchange", old.secret, None, door.now)
        assert identity.grant_access(tx, "exchange", new.secret, None, door.now).token
    assert door.who(token).client_id == "exchange"
    with door.database.transaction() as tx:
        assert identity.revoke_client(tx, "ada", "exchange", door.now).revoked_at == door.now
        with pytest.raises(errors.ClientNotAccepted):
            identity.grant_access(tx, "exchange", new.secret, None, door.now)
        with pytest.raises(errors.ClientNotFound):
            identity.rotate_client(tx, "ada", "exchange", door.now)
    with pytest.raises(errors.InvalidToken):
        door.who(token)
    with door.database.transaction() as tx:
        acts = [entry.act for entry in desk.read_log(tx, 3)]
    assert acts == ["revoke_client", "rotate_client", "add_client"]


def test_clients_are_an_admins_to_make(door: Door) -> None:
    with door.database.transaction() as tx:
        with pytest.raises(errors.RoleMissing):
            identity.add_client(tx, "bob", "exchange", "The exchange", ["deposits"], door.now)
        identity.add_client(tx, "ada", "exchange", "The exchange", ["deposits"], door.now)
        for act in (identity.rotate_client, identity.revoke_client):
            with pytest.raises(errors.RoleMissing):
                act(tx, "bob", "exchange", door.now)
        with pytest.raises(errors.AlreadyExists):
            identity.add_client(tx, "ada", "exchange", "Another", ["deposits"], door.now)
        for client_id, name, scopes in [
            ("Ex", "X", ["events"]),
            ("ex", "", ["events"]),
            ("ex", "\n", ["events"]),
        ]:
            with pytest.raises(errors.InvalidName):
                identity.add_client(tx, "ada", client_id, name, scopes, door.now)
        for scopes in ([], ["everything"]):
            with pytest.raises(errors.InvalidChoice):
                identity.add_client(tx, "ada", "ex", "X", scopes, door.now)


# Amounts that need a proof


def test_from_an_amount_on_a_redemption_needs_a_step_up(door: Door) -> None:
    with door.database.transaction() as tx:
        ledger.add_asset(tx, "BTC", "Bitcoin", 8)
        assert not identity.needs_step_up(tx, "BTC", Decimal(10))
        identity.set_step_up_amount(tx, "ada", "BTC", Decimal("0.5"), door.now)
        assert not identity.needs_step_up(tx, "BTC", Decimal("0.49999999"))
        assert identity.needs_step_up(tx, "BTC", Decimal("0.5"))
        assert identity.needs_step_up(tx, "BTC", None)
        identity.set_step_up_amount(tx, "ada", "BTC", Decimal(2), door.now)
        assert identity.step_up_amounts(tx) == {"BTC": Decimal(2)}
        for wrong in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("1e40")):
            with pytest.raises(errors.InvalidAmount):
                identity.set_step_up_amount(tx, "ada", "BTC", wrong, door.now)
        with pytest.raises(errors.TooManyDecimals):
            identity.set_step_up_amount(tx, "ada", "BTC", Decimal("0.000000001"), door.now)
        with pytest.raises(errors.AssetNotFound):
            identity.set_step_up_amount(tx, "ada", "XXX", Decimal(1), door.now)
        with pytest.raises(errors.RoleMissing):
            identity.set_step_up_amount(tx, "bob", "BTC", None, door.now)
        identity.set_step_up_amount(tx, "ada", "BTC", None, door.now)
        assert not identity.needs_step_up(tx, "BTC", None)
