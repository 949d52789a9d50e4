"""Signing in by another provider: against a real one over HTTP, and against one that lies."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI
from tests.stories.door import HOME, Door
from tests.stories.liar import Liar

from staddle import customers, desk, errors, identity
from staddle.db import Database
from staddle.identity import SentElsewhere, SignedIn

ROOT = Path(__file__).parents[2]
PEOPLE: dict[str, Any] = {
    "ann": {
        "id_token": {"reference": "c-ann", "email": "ANN@example.com", "email_verified": True},
        "userinfo": {},
    },
    "quiet": {"id_token": {}, "userinfo": {"reference": "c-quiet"}},
    "unverified": {"id_token": {"email": "eve@example.com", "email_verified": False}, "userinfo": {}},
    "stranger": {"id_token": {"reference": "c-nobody"}, "userinfo": {}},
    "double": {"id_token": {"reference": "c-ann"}, "userinfo": {}},
    "odd": {"id_token": {"reference": ["c-ann"]}, "userinfo": {}},
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real provider, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "tests.openid_provider",
        str(tmp_path_factory.mktemp("provider")),
        json.dumps(PEOPLE),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def door(database: Database) -> Door:
    door = Door(database)
    door.now = datetime.now(UTC)
    return door


def trust(door: Door, issuer: str, reference_claim: str | None = "reference") -> None:
    with door.database.transaction() as tx:
        identity.set_sign_in_provider(
            tx, door.keyring, "ada", issuer, CLIENT_ID, CLIENT_SECRET, reference_claim, door.now
        )


def add(door: Door, reference: str) -> int:
    with door.database.transaction() as tx:
        new = customers.NewCustomer(reference=reference)
        return customers.add_customers(tx, [new], desk.now_of(tx, door.now))[0].unwrap().customer_id


def begin(door: Door, http: httpx.Client, afresh: bool = False) -> SentElsewhere:
    return identity.begin_external_sign_in(
        door.database, door.keyring, http, REDIRECT_URI, door.now, afresh=afresh
    )


def finish(door: Door, http: httpx.Client, came_back: dict[str, str], browser_secret: str) -> SignedIn:
    state, code = came_back["state"], came_back.get("code", "")
    return identity.finish_external_sign_in(
        door.database, door.keyring, http, state, browser_secret, code, HOME, door.now
    )


def browse(address: str, name: str) -> dict[str, str]:
    """Do what a browser does at the provider: the form, the password, and back to us; gives what we are told."""
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        form = browser.get(address)
        token = form.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"username": name, "password": name * 2, "csrfmiddlewaretoken": token}
        answer = browser.post(form.url, data=fields, follow_redirects=False)
        while answer.next_request is not None and not str(answer.next_request.url).startswith(REDIRECT_URI):
            answer = browser.send(answer.next_request, follow_redirects=False)
        assert answer.next_request is not None, answer.text
        query = parse_qs(urlsplit(str(answer.next_request.url)).query)
    return {name: values[0] for name, values in query.items()}


def sign_in(door: Door, http: httpx.Client, name: str, afresh: bool = False) -> SignedIn:
    sent = begin(door, http, afresh)
    return finish(door, http, browse(sent.address, name), sent.browser_secret)


# Against a real provider


def test_a_customer_is_known_by_the_claim_that_holds_our_reference(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    customer_id = add(door, "c-ann")
    signed_in = sign_in(door, http, "ann")
    assert door.who(signed_in.token).customer_id == customer_id
    assert signed_in.session.opened_by == "external"
    assert door.told(customer_id) == ["link_account", "sign_in"]
    assert door.who(sign_in(door, http, "ann").token).customer_id == customer_id
    assert door.told(customer_id) == ["link_account", "sign_in", "sign_in"]


def test_a_claim_that_only_the_userinfo_tells_is_asked_for(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    customer_id = add(door, "c-quiet")
    assert door.who(sign_in(door, http, "quiet").token).customer_id == customer_id


def test_without_such_a_claim_a_verified_address_says_who_it_is(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer, reference_claim=None)
    customer_id = door.customer("ann")
    door.customer("eve")
    assert door.who(sign_in(door, http, "ann").token).customer_id == customer_id
    with pytest.raises(errors.ExternalSignInFailed):
        sign_in(door, http, "unverified")


def test_strangers_get_no_session_and_no_customer(door: Door, issuer: str, http: httpx.Client) -> None:
    trust(door, issuer)
    add(door, "c-ann")
    for name in ("stranger", "odd", "unverified"):
        with pytest.raises(errors.ExternalSignInFailed):
            sign_in(door, http, name)
    with door.database.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM session").fetchone()
    assert row is not None
    assert row[0] == 0


def test_a_reference_given_to_somebody_else_does_not_bring_them_the_first_ones_coins(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    customer_id = add(door, "c-ann")
    sign_in(door, http, "ann")
    with pytest.raises(errors.ExternalSignInFailed):
        sign_in(door, http, "double")
    assert door.who(sign_in(door, http, "ann").token).customer_id == customer_id


def test_who_proved_it_there_a_moment_ago_has_stepped_up_here(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    add(door, "c-ann")
    caller = door.who(sign_in(door, http, "ann", afresh=True).token)
    identity.require_step_up(caller, door.now)
    assert caller.stepped_up_at is not None
    assert caller.stepped_up_at <= door.now


def test_the_state_is_good_once_in_the_browser_that_was_sent_and_for_ten_minutes(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    add(door, "c-ann")
    sent, other = begin(door, http), begin(door, http)
    assert sent.browser_secret not in repr(sent)
    came_back = browse(sent.address, "ann")
    with pytest.raises(errors.ExternalSignInFailed):
        finish(door, http, came_back, other.browser_secret)
    sent = begin(door, http)
    came_back = browse(sent.address, "ann")
    finish(door, http, came_back, sent.browser_secret)
    for state in (came_back["state"], "unknown", "\x00"):
        with pytest.raises(errors.ExternalSignInFailed):
            finish(door, http, {**came_back, "state": state}, sent.browser_secret)
    sent = begin(door, http)
    came_back = browse(sent.address, "ann")
    door.passes(minutes=10)
    with pytest.raises(errors.ExternalSignInFailed):
        finish(door, http, came_back, sent.browser_secret)


def test_a_stolen_code_is_worth_nothing_without_what_only_we_know(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    """The provider refuses the code, for the verifier of another sign-in does not fit its challenge (PKCE)."""
    trust(door, issuer)
    add(door, "c-ann")
    victim, thief = begin(door, http), begin(door, http)
    code = browse(victim.address, "ann")["code"]
    state = parse_qs(urlsplit(thief.address).query)["state"][0]
    with pytest.raises(errors.ExternalSignInFailed):
        finish(door, http, {"state": state, "code": code}, thief.browser_secret)


def test_a_deactivated_customer_does_not_come_in_by_the_other_door(
    door: Door, issuer: str, http: httpx.Client
) -> None:
    trust(door, issuer)
    customer_id = add(door, "c-ann")
    token = sign_in(door, http, "ann").token
    with door.database.transaction() as tx:
        login = identity.login_of_customer(tx, customer_id)
        assert (login.email, login.has_password) == (None, False)
        identity.set_login_active(tx, door.ada, login.login_id, False, HOME, door.now)
    with pytest.raises(errors.SessionExpired):
        door.who(token)
    with pytest.raises(errors.ExternalSignInFailed):
        sign_in(door, http, "ann")


def test_a_wrong_secret_of_ours_signs_nobody_in(door: Door, issuer: str, http: httpx.Client) -> None:
    with door.database.transaction() as tx:
        identity.set_sign_in_provider(tx, door.keyring, "ada", issuer, CLIENT_ID, "wrong", None, door.now)
    with pytest.raises(errors.ExternalSignInFailed):
        sign_in(door, http, "ann")


# Against one that lies


@pytest.fixture
def liar() -> Iterator[Liar]:
    liar = Liar()
    yield liar
    liar.stop()


def told(door: Door, http: httpx.Client, liar: Liar, make: Callable[[str], str]) -> SignedIn:
    """Come back with a code, for which the liar gives the token that is made for our nonce."""
    sent = begin(door, http)
    query = {name: values[0] for name, values in parse_qs(urlsplit(sent.address).query).items()}
    liar.pages["/token"] = (200, {"access_token": "a", "id_token": make(query["nonce"])})
    return finish(door, http, {"state": query["state"], "code": "any"}, sent.browser_secret)


def signed(liar: Liar, nonce: str, /, **other: Any) -> str:
    return liar.signed(nonce, **other)


def unsigned(liar: Liar, nonce: str) -> str:
    head, _, rest = signed(liar, nonce).partition(".")
    none = jwt.encode({"alg": "HS256"}, {}, OctKey.import_key("k" * 32)).partition(".")[0]
    assert head != none
    return f"eyJhbGciOiJub25lIn0.{rest.partition('.')[0]}."


def by_our_secret(liar: Liar, nonce: str) -> str:
    return jwt.encode({"alg": "HS256"}, liar.claims(nonce), OctKey.import_key(CLIENT_SECRET))


def by_another_key(liar: Liar, nonce: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, liar.claims(nonce), RSAKey.generate_key(2048))


LIES: dict[str, Callable[[Liar, str], str]] = {
    "another nonce": lambda liar, _: signed(liar, "other"),
    "no nonce": lambda liar, nonce: signed(liar, nonce, nonce=None),
    "another issuer": lambda liar, nonce: signed(liar, nonce, iss="https://login.example.com"),
    "another audience": lambda liar, nonce: signed(liar, nonce, aud="somebody"),
    "shared with another party": lambda liar, nonce: signed(liar, nonce, aud=[CLIENT_ID, "x"], azp="x"),
    "shared without a party": lambda liar, nonce: signed(liar, nonce, aud=[CLIENT_ID, "x"]),
    "too old": lambda liar, nonce: signed(liar, nonce, exp=int(time.time()) - 61),
    "no expiry": lambda liar, nonce: signed(liar, nonce, exp=None),
    "nobody": lambda liar, nonce: signed(liar, nonce, sub=None),
    "not signed": unsigned,
    "signed by our own secret": by_our_secret,
    "signed by another key": by_another_key,
    "no token": lambda _liar, _nonce: "",
    "nonsense": lambda _liar, _nonce: "a.b.c",
}


def test_a_true_token_is_believed(door: Door, http: httpx.Client, liar: Liar) -> None:
    trust(door, liar.issuer)
    customer_id = add(door, "c-ann")
    signed_in = told(door, http, liar, lambda nonce: signed(liar, nonce))
    caller = door.who(signed_in.token)
    assert (caller.customer_id, caller.stepped_up_at) == (customer_id, None)
    long_ago = int((door.now - timedelta(minutes=5)).timestamp())
    for auth_time, counts in [(long_ago, False), (int(time.time()), True), (10**30, False), (True, False)]:
        at = told(door, http, liar, lambda nonce, at=auth_time: signed(liar, nonce, auth_time=at))  # type: ignore[misc]
        assert (at.session.stepped_up_at is not None) is counts, auth_time


def test_every_lie_is_refused(door: Door, http: httpx.Client, liar: Liar) -> None:
    trust(door, liar.issuer)
    add(door, "c-ann")
    for name, lie in LIES.items():
        with pytest.raises(errors.ExternalSignInFailed):
            told(door, http, liar, lambda nonce, lie=lie: lie(liar, nonce))  # type: ignore[misc]
            pytest.fail(f"believed: {name}")


@pytest.mark.parametrize(
    ("page", "answer"),
    [
        ("/.well-known/openid-configuration", (500, {})),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (200, [])),
        ("/.well-known/openid-configuration", (200, {"issuer": "https://login.example.com"})),
        ("/.well-known/openid-configuration", (302, {})),
        ("/jwks", (503, {})),
        ("/token", (502, b"")),
    ],
)
def test_a_provider_that_is_out_of_order_is_told_as_such(
    door: Door, http: httpx.Client, liar: Liar, page: str, answer: tuple[int, Any]
) -> None:
    trust(door, liar.issuer)
    add(door, "c-ann")
    sent = begin(door, http)
    state = parse_qs(urlsplit(sent.address).query)["state"][0]
    liar.pages["/token"] = (200, {"id_token": "a.b.c"})
    liar.pages[page] = answer
    with pytest.raises(errors.SignInProviderUnavailable):
        finish(door, http, {"state": state, "code": "any"}, sent.browser_secret)


def test_a_provider_that_is_gone_or_was_never_set_is_told_as_such(
    door: Door, http: httpx.Client, liar: Liar
) -> None:
    with pytest.raises(errors.SignInProviderUnavailable):
        begin(door, http)
    trust(door, "http://127.0.0.1:9")
    with pytest.raises(errors.SignInProviderUnavailable):
        begin(door, http)
    trust(door, liar.issuer)
    sent = begin(door, http)
    state = parse_qs(urlsplit(sent.address).query)["state"][0]
    with door.database.transaction() as tx:
        identity.drop_sign_in_provider(tx, "ada", door.now)
        assert identity.find_sign_in_provider(tx) is None
    with pytest.raises(errors.SignInProviderUnavailable):
        finish(door, http, {"state": state, "code": "any"}, sent.browser_secret)


def test_a_provider_is_an_admins_to_trust_and_its_secret_is_sealed(door: Door) -> None:
    trust(door, "https://login.example.com")
    with door.database.transaction() as tx:
        found = identity.find_sign_in_provider(tx)
        assert found is not None
        assert (found.issuer, found.client_id) == ("https://login.example.com", CLIENT_ID)
        stored = tx.execute("SELECT sealed_secret FROM sign_in_provider").fetchone()
        assert stored is not None
        assert CLIENT_SECRET.encode() not in bytes(stored[0])
        assert CLIENT_SECRET not in str(desk.read_log(tx, 1))
        for issuer in (
            "login.example.com",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://x?y",
            "https://x#y",
        ):
            with pytest.raises(errors.InvalidChoice):
                identity.set_sign_in_provider(tx, door.keyring, "ada", issuer, "c", "s", None, door.now)
        for by, client_id, secret, error in [
            ("bob", "c", "s", errors.RoleMissing),
            ("ada", "", "s", errors.InvalidChoice),
            ("ada", "c", "", errors.InvalidChoice),
        ]:
            with pytest.raises(error):
                identity.set_sign_in_provider(
                    tx, door.keyring, by, "https://x", client_id, secret, None, door.now
                )
        with pytest.raises(errors.RoleMissing):
            identity.drop_sign_in_provider(tx, "bob", door.now)
