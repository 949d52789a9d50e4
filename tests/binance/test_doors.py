"""Whoever does not sign rightly, in time, from the right place and with the right key is told so, and moves nothing."""

import base64
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.api.world import Service
from tests.binance.world import (
    EARN,
    Key,
    Signer,
    add_key,
    by_hmac,
    code_of,
    hmac_key,
    refused,
    spot_and_funding,
)

from staddle import customers, identity
from staddle.customers import find_customer

ACCOUNT = "/api/v3/account"
SUBSCRIBE = f"{EARN}/flexible/subscribe"
BOUGHT = {"productId": "USDT-FLEX", "amount": "10"}
NOT_SIGNED = (400, -1022, "Signature for this request is not valid.")
NO_KEY = (401, -2015, "Invalid API-key, IP, or permissions for action.")


def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture(autouse=True)
def nothing_is_moved_by_who_is_refused(service: Service, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every refusal of this file leaves the wallets as they were."""
    before = spot_and_funding(service, "ben", "USDT")
    yield
    assert spot_and_funding(service, "ben", "USDT") == before


# Signatures


def test_what_is_signed_are_the_bytes_as_they_were_sent(ada: Signer) -> None:
    for query in (
        f"timestamp={now()}&asset=USDT",
        f"asset=USDT&timestamp={now()}",
        f"timestamp={now()}&asset=US%44T",
        f"timestamp={now()}&asset=U+SDT&recvWindow=60000",
        f"timestamp={now()}&note=%E2%82%AC~*%2a",
        f"timestamp={now()}&asset=USDT&",
    ):
        signature = ada.key.sign(query.encode())
        assert ada.raw("GET", f"{EARN}/flexible/list", f"{query}&signature={signature}").status_code == 200, (
            query
        )


def test_a_signature_over_the_decoded_bytes_is_none(ada: Signer) -> None:
    query = f"timestamp={now()}&asset=US%44T"
    signature = ada.key.sign(query.replace("%44", "D").encode())
    assert refused(ada.raw("GET", f"{EARN}/flexible/list", f"{query}&signature={signature}")) == NOT_SIGNED


def test_the_signature_may_stand_anywhere_in_query_or_body(ben: Signer) -> None:
    path, asset = "/sapi/v1/asset/get-funding-asset", "asset=USDT"
    at = f"timestamp={now()}"
    sign = ben.key.sign
    for query, body in (
        (f"signature={sign(f'{at}&{asset}'.encode())}&{at}&{asset}", ""),
        (f"{at}&signature={sign(f'{at}&{asset}'.encode())}&{asset}", ""),
        ("", f"{at}&{asset}&signature={sign(f'{at}&{asset}'.encode())}"),
        (at, f"{asset}&signature={sign(f'{at}{asset}'.encode())}"),
        (f"{at}&signature={sign(f'{at}{asset}'.encode())}", asset),
        (f"{at}&signature={sign(at.encode()).upper()}", ""),
    ):
        assert [each["asset"] for each in ben.done(ben.raw("POST", path, query, body))] == ["USDT"], (
            query,
            body,
        )


def test_of_a_name_in_query_and_body_the_one_in_the_query_counts(ben: Signer) -> None:
    path = "/sapi/v1/asset/get-funding-asset"
    assert ben.done(ben.post(path, body="asset=USDT", asset="BTC")) == []
    assert [each["asset"] for each in ben.done(ben.post(path, body="asset=BTC", asset="USDT"))] == ["USDT"]


def test_a_name_twice_in_one_place_is_refused(ben: Signer) -> None:
    query = f"timestamp={now()}&asset=USDT&asset=BTC"
    signature = ben.key.sign(query.encode())
    assert code_of(ben.raw("GET", f"{EARN}/flexible/list", f"{query}&signature={signature}")) == (400, -1101)


@pytest.mark.parametrize("wrong", ["0" * 64, "0" * 63, "g" * 64, "abc", "%00", "AAAA", "A" * 88, "\u00e9"])
def test_a_wrong_signature_is_refused(ben: Signer, wrong: str) -> None:
    query = f"timestamp={now()}&productId=USDT-FLEX&amount=10&signature={quote(wrong, safe='%')}"
    assert refused(ben.raw("POST", SUBSCRIBE, query)) == NOT_SIGNED


def test_a_signature_of_other_bytes_is_refused(ben: Signer) -> None:
    signed = f"timestamp={now()}&productId=USDT-FLEX&amount=10"
    signature = ben.key.sign(signed.encode())
    for query, body in (
        (signed.replace("amount=10", "amount=11"), ""),
        (signed, "amount=11"),
        (f"{signed}&sourceAccount=FUND", ""),
        (signed.replace("&", "&&"), ""),
    ):
        assert refused(ben.raw("POST", SUBSCRIBE, f"{query}&signature={signature}", body)) == NOT_SIGNED


def test_a_signature_by_another_key_is_refused(service: Service, ada: Signer, ben: Signer) -> None:
    stolen = Signer(service.http, Key(ben.key.api_key_id, ada.key.sign))
    assert refused(stolen.post(SUBSCRIBE, **BOUGHT)) == NOT_SIGNED


def public(key: Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signers() -> dict[str, tuple[str, Callable[[bytes], str]]]:
    """A new key of each kind with a public half, and what signs with it."""
    curve, factors = Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
    return {
        "ed25519": (public(curve), lambda message: base64.b64encode(curve.sign(message)).decode()),
        "rsa": (
            public(factors),
            lambda message: base64.b64encode(factors.sign(message, PKCS1v15(), SHA256())).decode(),
        ),
    }


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_keys_of_ones_own_sign_as_well(service: Service, kind: str) -> None:
    text, sign = signers()[kind]
    _, other = signers()[kind]
    added = add_key(service.database, "ben", kind=kind, public_key=text)
    assert added.secret is None
    mine = Signer(service.http, Key(added.api_key.api_key_id, sign))
    assert mine.done(mine.get(ACCOUNT))["uid"] == service.customer_id("ben")
    assert mine.post("/sapi/v1/asset/get-funding-asset", body="needBtcValuation=True").status_code == 200
    thief = Signer(service.http, Key(added.api_key.api_key_id, other))
    assert refused(thief.post(SUBSCRIBE, **BOUGHT)) == NOT_SIGNED
    small = Signer(service.http, Key(added.api_key.api_key_id, lambda message: sign(message).lower()))
    assert refused(small.get(ACCOUNT)) == NOT_SIGNED


# The key


@pytest.mark.parametrize("number", ["", "abc", "z" * 24, "0" * 25, "stdk_" + "a" * 43])
def test_what_cannot_be_a_key_is_refused(service: Service, ben: Signer, number: str) -> None:
    other = Signer(service.http, Key(number, ben.key.sign))
    assert refused(other.get(ACCOUNT)) == (401, -2014, "API-key format invalid.")


def test_an_unknown_or_revoked_key_is_refused(service: Service, ben: Signer) -> None:
    assert refused(Signer(service.http, Key("0" * 24, ben.key.sign)).post(SUBSCRIBE, **BOUGHT)) == NO_KEY
    key = hmac_key(service.database, "ben")
    gone = Signer(service.http, key)
    assert gone.get(ACCOUNT).status_code == 200
    with service.database.transaction() as tx:
        customer_id = find_customer(tx, "ben").customer_id
        caller = identity.Caller("customer", customer_id=customer_id, session_id="of a test")
        identity.revoke_api_key(tx, caller, customer_id, key.api_key_id, identity.UNSEEN, service.living.now)
    assert refused(gone.post(SUBSCRIBE, **BOUGHT)) == NO_KEY
    assert refused(gone.get(ACCOUNT)) == NO_KEY


def test_a_bearers_key_signs_nothing(service: Service) -> None:
    added = add_key(service.database, "ben", kind="bearer")
    assert added.secret is not None
    secret = added.secret
    bearer = Signer(service.http, Key(added.api_key.api_key_id, lambda message: by_hmac(secret, message)))
    assert refused(bearer.get(ACCOUNT)) == NO_KEY


def test_a_key_from_elsewhere_is_refused(service: Service) -> None:
    near = Signer(service.http, hmac_key(service.database, "ben", addresses=["127.0.0.0/8"]))
    far = Signer(service.http, hmac_key(service.database, "ben", addresses=["203.0.113.7"]))
    assert near.get(ACCOUNT).status_code == 200
    assert near.done(near.get("/sapi/v1/account/apiRestrictions"))["ipRestrict"] is True
    assert refused(far.get(ACCOUNT)) == NO_KEY
    assert refused(far.post(SUBSCRIBE, **BOUGHT)) == NO_KEY
    assert refused(Signer(service.http, far.key, {"X-Forwarded-For": "203.0.113.7"}).get(ACCOUNT)) == NO_KEY


def test_a_key_does_no_more_than_it_may(service: Service) -> None:
    reader = Signer(service.http, hmac_key(service.database, "ben", scopes=("read",)))
    assert reader.get(f"{EARN}/flexible/position").status_code == 200
    shown = reader.done(reader.get("/sapi/v1/account/apiRestrictions"))
    assert (shown["enableReading"], shown["enableSpotAndMarginTrading"]) == (True, False)
    for path in (
        "/flexible/subscribe", "/flexible/redeem", "/locked/subscribe", "/locked/redeem", "/flexible/setAutoSubscribe",
        "/locked/setAutoSubscribe", "/locked/setRedeemOption",
    ):  # fmt: skip
        assert (
            refused(reader.post(f"{EARN}{path}", productId="USDT-FLEX", amount="1", autoSubscribe="true"))
            == NO_KEY
        )
    blind = Signer(service.http, hmac_key(service.database, "ben", scopes=("subscribe",)))
    assert refused(blind.get(f"{EARN}/flexible/position")) == NO_KEY
    assert refused(blind.post(f"{EARN}/flexible/redeem", productId="USDT-FLEX", redeemAll="true")) == NO_KEY


def test_permission_is_looked_at_before_what_is_asked(service: Service) -> None:
    reader = Signer(service.http, hmac_key(service.database, "ben", scopes=("read",)))
    assert refused(reader.post(SUBSCRIBE)) == NO_KEY


def test_a_key_subscribes_only_under_the_agreement_in_force(service: Service) -> None:
    unsaid = Signer(service.http, hmac_key(service.database, "ben", is_agreed=False))
    assert code_of(unsaid.post(SUBSCRIBE, **BOUGHT)) == (400, -6019)
    assert code_of(unsaid.post(f"{EARN}/locked/subscribe", projectId="USDT-30", amount="10")) == (400, -6019)
    said = Signer(service.http, hmac_key(service.database, "ben"))
    with service.database.transaction() as tx:
        customers.publish_agreement(tx, "ada", "Staking", f"You may stake, {now()}.", service.living.now)
    assert code_of(said.post(SUBSCRIBE, **BOUGHT)) == (400, -6019)


# The time


@pytest.mark.parametrize(
    ("by", "window", "words"),
    [
        (-5_600, None, "Timestamp for this request is outside of the recvWindow."),
        (-1_600, 1000, "Timestamp for this request is outside of the recvWindow."),
        (+3_000, None, "Timestamp for this request was 1000ms ahead of the server's time."),
        (+3_000, 60_000, "Timestamp for this request was 1000ms ahead of the server's time."),
    ],
)
def test_a_request_out_of_its_time_is_refused(ben: Signer, by: int, window: int | None, words: str) -> None:
    parameters = BOUGHT if window is None else {**BOUGHT, "recvWindow": str(window)}
    answer = ben.send("POST", SUBSCRIBE, parameters, timestamp=now() + by)
    assert refused(answer) == (400, -1021, words)


def test_a_longer_window_lets_an_older_request_in(ben: Signer) -> None:
    assert ben.send("GET", ACCOUNT, {"recvWindow": "60000"}, timestamp=now() - 50_000).status_code == 200
    assert code_of(ben.send("GET", ACCOUNT, {"recvWindow": "60001"})) == (400, -1131)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", (400, -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")),
        ("timestamp=", (400, -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")),
        ("timestamp=1", (400, -1021, "Timestamp for this request is outside of the recvWindow.")),
        ("timestamp=now", (400, -1100, "Illegal characters found in parameter 'timestamp'; legal range is "
                           "'^[0-9]{1,20}$'.")),
        ("timestamp=\u0661\u0662", (400, -1100, "Illegal characters found in parameter 'timestamp'; legal range is "
                           "'^[0-9]{1,20}$'.")),
        ("timestamp=-1", (400, -1100, "Illegal characters found in parameter 'timestamp'; legal range is "
                           "'^[0-9]{1,20}$'.")),
        ("timestamp=1&recvWindow=x", (400, -1100, "Illegal characters found in parameter 'recvWindow'; legal range is "
                           "'^[0-9]{1,20}$'.")),
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(ben: Signer, query: str, told: tuple[int, int, str]) -> None:
    assert refused(ben.raw("POST", SUBSCRIBE, quote(query, safe="=&"))) == told


def test_without_a_signature_nothing_is_told(ben: Signer) -> None:
    told = (400, -1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")
    assert refused(ben.raw("GET", ACCOUNT, f"timestamp={now()}")) == told
    assert refused(ben.raw("GET", ACCOUNT, f"timestamp={now()}&signature=")) == told


# What is not there


def test_what_is_not_there_is_told_in_json_as_clients_read_it(service: Service) -> None:
    for method, path in (
        ("GET", "/sapi/v1/simple-earn/nothing"), ("POST", "/sapi/v1/bfusd/subscribe"), ("GET", "/api/v3/klines"),
        ("DELETE", f"{EARN}/flexible/list"), ("GET", SUBSCRIBE), ("PUT", "/api/v3/ping"), ("GET", "/sapi"),
    ):  # fmt: skip
        answer = service.http.request(method, path)
        assert refused(answer) == (404, -1020, "This operation is not supported."), (method, path)
        assert answer.headers["content-type"].startswith("application/json")


def test_what_needs_no_key_asks_for_none(service: Service) -> None:
    assert service.http.get("/api/v3/ping").json() == {}
    assert abs(service.http.get("/api/v3/time").json()["serverTime"] - now()) < 2_000
    assert service.http.get("/api/v3/exchangeInfo").json()["symbols"] == []


def test_a_body_that_is_too_large_is_told_in_the_protocols_words(service: Service, ben: Signer) -> None:
    status, code, words = refused(ben.raw("POST", SUBSCRIBE, f"timestamp={now()}", "x" * (1 << 20) + "x"))
    assert (status, code) == (400, -6016)
    assert words.startswith("Parameter err")
    ours = service.http.post("/v1/subscriptions", content=b"x" * ((1 << 20) + 1))
    assert ours.json()["code"] == "request_too_large"


# The same request again


def test_the_same_signed_request_sent_twice_moves_once(service: Service) -> None:
    ada = Signer(service.http, hmac_key(service.database, "ada"))
    before = spot_and_funding(service, "ada", "USDT")[0]
    query = f"productId=USDT-FLEX&amount=7&autoSubscribe=false&timestamp={now()}"
    signed = f"{query}&signature={ada.key.sign(query.encode())}"
    first, again = (ada.done(ada.raw("POST", SUBSCRIBE, signed)) for _ in range(2))
    assert first == again
    assert spot_and_funding(service, "ada", "USDT")[0] == before - Decimal(7)
