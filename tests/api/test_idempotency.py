"""Rule 15 over HTTP: a key gets one answer for ever, from every process, also after a restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.api.world import Caller, Service, new_key, serving
from tests.living import Living, assert_audited

REPLAYED = "Idempotent-Replayed"
STAKE = {"product": "USDT-FLEX", "amount": "10", "agreement_version": 1}
MOVE = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}
AT_ONCE = 20


@pytest.fixture(scope="module")
def service(copied: Living) -> Iterator[Service]:
    """The service of two processes."""
    with serving(copied, processes=2) as service:
        yield service


def digest(service: Service) -> list[Any]:
    """What there is of transfers, positions and balances."""
    found: list[Any] = service.living.rows(
        "SELECT (SELECT count(*) FROM transfer) AS transfers, (SELECT count(*) FROM position) AS positions,"
        " (SELECT md5(string_agg(b::text, ',' ORDER BY account_id)) FROM balance b) AS balances"
    )
    return found


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/subscriptions", STAKE, 200),
        ("/v1/subscriptions", STAKE | {"amount": "49000"}, 409),
        ("/v1/subscriptions", STAKE | {"amount": "0.5"}, 409),
        ("/v1/subscriptions", STAKE | {"agreement_version": 7}, 409),
        ("/v1/redemptions", {"product": "USDT-FLEX", "amount": "2.5"}, 200),
        ("/v1/redemptions", {"product": "USDT-FLEX", "amount": "99999"}, 409),
        ("/v1/redemptions", {"product": "USDT-30D", "amount": "1"}, 409),
        ("/v1/transfers", MOVE, 200),
        ("/v1/transfers", MOVE | {"amount": "999999"}, 409),
    ],
)
def test_a_repeat_is_answered_as_before_refusals_included(
    service: Service, ada: Caller, path: str, body: Any, status: int
) -> None:
    key = new_key()
    first = ada.post(path, body, key=key)
    assert (first.status_code, first.headers.get(REPLAYED)) == (status, None), first.text
    before = digest(service)
    for _ in range(4):
        again = ada.post(path, body, key=key)
        assert (again.status_code, again.headers.get(REPLAYED)) == (status, "true")
        assert again.content == first.content
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert digest(service) == before


def test_a_refusal_stays_one_when_it_could_be_done_by_now(service: Service) -> None:
    carl = service.customer("carl")
    key = new_key()
    assert (
        carl.post("/v1/transfers", MOVE | {"amount": "600"}, key=key).json()["code"] == "insufficient_funds"
    )
    service.living.deposit(int(carl.get("/v1/me").json()["customer_id"]), "USDT", "200")
    again = carl.post("/v1/transfers", MOVE | {"amount": "600"}, key=key)
    assert (again.json()["code"], again.headers[REPLAYED]) == ("insufficient_funds", "true")
    assert carl.post("/v1/transfers", MOVE | {"amount": "600"}).status_code == 200


def test_what_is_not_valid_is_not_kept_under_its_key(ada: Caller) -> None:
    key = new_key()
    assert ada.post("/v1/subscriptions", STAKE | {"amount": "1e3"}, key=key).status_code == 400
    assert ada.post("/v1/subscriptions", STAKE | {"product": "NOPE"}, key=key).status_code == 404
    done = ada.post("/v1/subscriptions", STAKE, key=key)
    assert (done.status_code, done.headers.get(REPLAYED)) == (200, None)


def test_a_key_used_for_something_else_is_a_conflict_and_moves_nothing(service: Service, ada: Caller) -> None:
    key = new_key()
    assert ada.post("/v1/transfers", MOVE, key=key).status_code == 200
    before = digest(service)
    for path, body in (
        ("/v1/transfers", MOVE | {"amount": "2"}),
        ("/v1/transfers", MOVE | {"source": "funding", "destination": "spot"}),
        ("/v1/subscriptions", STAKE),
        ("/v1/redemptions", {"product": "USDT-FLEX", "amount": "1"}),
    ):
        refused = ada.post(path, body, key=key)
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (409, "request_key_reused")
        assert (problem["field"], problem["moved"]) == ("Idempotency-Key", False)
        assert REPLAYED not in refused.headers
    assert digest(service) == before


def test_the_order_of_a_body_is_not_its_content(ada: Caller) -> None:
    key = new_key()
    first = ada.post("/v1/transfers", MOVE, key=key)
    again = ada.post("/v1/transfers", dict(reversed(MOVE.items())), key=key)
    assert (again.content, again.headers[REPLAYED]) == (first.content, "true")


def test_a_customers_session_and_key_share_their_keys_and_nobody_else_does(
    service: Service, ada: Caller, ben: Caller, client: Caller
) -> None:
    key = new_key()
    first = ada.post("/v1/transfers", MOVE, key=key)
    again = service.api_key("ada").post("/v1/transfers", MOVE, key=key)
    assert (again.content, again.headers[REPLAYED]) == (first.content, "true")
    for other in (ben, client.acting_for("ada"), client.acting_for("ben")):
        own = other.post("/v1/transfers", MOVE, key=key)
        assert (own.status_code, own.headers.get(REPLAYED)) == (200, None), other.name
        assert own.json()["transfer_id"] != first.json()["transfer_id"]


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/redemptions", "/v1/transfers"])
def test_twenty_at_once_over_both_processes_are_one_act_with_one_answer(
    service: Service, ada: Caller, path: str
) -> None:
    body = {"/v1/subscriptions": STAKE, "/v1/transfers": MOVE}.get(
        path, {"product": "USDT-FLEX", "amount": "3"}
    )
    key, before = new_key(), digest(service)[0]

    def ask(_: int) -> httpx.Response:
        with httpx.Client(base_url=service.url, timeout=30) as own:
            return Caller(own, ada.token).post(path, body, key=key)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(ask, range(AT_ONCE)))
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
    assert sum(REPLAYED not in each.headers for each in answers) == 1, "one did it, the others were told"
    after = digest(service)[0]
    assert after.positions - before.positions == (path == "/v1/subscriptions")
    assert after.transfers - before.transfers == 1


def test_twenty_different_ones_at_once_are_twenty_acts(service: Service, ada: Caller) -> None:
    before = digest(service)[0]

    def ask(number: int) -> httpx.Response:
        with httpx.Client(base_url=service.url, timeout=30) as own:
            return Caller(own, ada.token).post("/v1/subscriptions", STAKE, key=f"one of twenty {number}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(ask, range(AT_ONCE)))
    assert {each.status_code for each in answers} == {200}
    assert len({each.json()["position_id"] for each in answers}) == AT_ONCE
    assert digest(service)[0].positions - before.positions == AT_ONCE


def test_acts_that_are_not_batched_keep_their_answers_too(service: Service, ada: Caller) -> None:
    (held,) = ada.get("/v1/positions", product="USDT-30D").json()["items"]
    ask = f"/v1/positions/{held['position_id']}/early-redemption-quotes"
    first, again = ada.post(ask, key="a quote"), ada.post(ask, key="a quote")
    assert (first.status_code, again.status_code, again.headers[REPLAYED]) == (201, 201, "true")
    assert again.content == first.content
    assert ada.post(ask).json()["quote_id"] != first.json()["quote_id"], "without a key each is another one"
    choice = {"at_maturity": "renew"}
    path = f"/v1/positions/{held['position_id']}/maturity-choice"
    assert ada.put(path, choice, key="c").content == ada.put(path, choice, key="c").content
    assert ada.put(path, {"at_maturity": "redeem"}, key="c").json()["code"] == "request_key_reused"


def test_answers_outlive_the_server(service: Service, ada: Caller) -> None:
    done = ada.post("/v1/subscriptions", STAKE, key="before the restart")
    refused = ada.post("/v1/transfers", MOVE | {"amount": "999999"}, key="refused before it")
    service.restart()
    for key, path, body, first in (
        ("before the restart", "/v1/subscriptions", STAKE, done),
        ("refused before it", "/v1/transfers", MOVE | {"amount": "999999"}, refused),
    ):
        again = ada.post(path, body, key=key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/subscriptions", STAKE),
        ("/v1/redemptions", {"product": "USDT-FLEX", "amount": "1"}),
        ("/v1/transfers", MOVE),
        ("/v1/early-redemptions", {"quote_id": "1"}),
    ],
)
def test_without_a_key_money_does_not_move(service: Service, ada: Caller, path: str, body: Any) -> None:
    before = digest(service)
    refused = ada.post(path, body, key=None)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "idempotency_key_missing")
    assert (problem["field"], problem["moved"]) == ("Idempotency-Key", False)
    assert digest(service) == before


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"k" * 121,
        b"auto:2026-02-01:USDT",
        b"guard:USDT-FLEX:1",
        b"client:exchange:1",
        b"tab\there",
    ],
)
def test_a_key_that_cannot_be_one_is_refused(service: Service, ada: Caller, key: bytes) -> None:
    before = digest(service)
    headers = {b"Idempotency-Key": key, b"Authorization": f"Bearer {ada.token}".encode()}
    refused = service.http.post("/v1/transfers", json=MOVE, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_key")
    assert digest(service) == before


@pytest.mark.parametrize(
    "key", [b"k" * 120, b"'; DROP TABLE position; --", b"%s %(key)s", "Schlüssel".encode(), b"{}"]
)
def test_any_other_key_is_good_and_told_from_its_likes(service: Service, ada: Caller, key: bytes) -> None:
    headers = {b"Authorization": f"Bearer {ada.token}".encode()}

    def ask(key: bytes) -> httpx.Response:
        return service.http.post("/v1/transfers", json=MOVE, headers={**headers, b"Idempotency-Key": key})

    first, again, other = ask(key), ask(key), ask(key[:-1] + b"_")
    assert (first.status_code, again.content) == (200, first.content)
    assert other.json()["transfer_id"] != first.json()["transfer_id"]


def test_at_the_end_the_books_hold(service: Service) -> None:
    assert_audited(service.database)
