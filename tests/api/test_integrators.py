"""An integrator's back end over HTTP: customers, deposits and withdrawals, singly and by the thousand."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.world import Caller, Service


def item(number: int, **other: Any) -> dict[str, Any]:
    """A deposit as it is sent among many."""
    return {"key": f"many {number}", "customer": "ada", "asset": "USDT", "amount": "1.5"} | other


def spot_of(client: Caller, customer: str, asset: str = "USDT") -> str:
    found = client.get(f"/v1/customers/{customer}/balances").json()
    return next((str(each["spot"]) for each in found if each["asset"] == asset), "0")


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# Customers


def test_a_customer_is_added_under_the_integrators_own_reference_and_again_without_effect(
    client: Caller,
) -> None:
    body = {"name": "Dora", "country": "DE", "vip_level": 2}
    added = client.put("/v1/customers/dora", body)
    assert added.status_code == 200
    assert added.json()["reference"] == "dora"
    again = client.put("/v1/customers/dora", body)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (added.json(), "true")
    assert problem(client.put("/v1/customers/dora", {"name": "Nora"})) == (409, "already_exists")
    shown = client.get("/v1/customers/dora").json()
    assert (shown["customer"], shown["consents"]) == (added.json(), [])


def test_a_thousand_customers_are_answered_one_by_one(client: Caller) -> None:
    items: list[Any] = [{"reference": f"mass-{number}"} for number in range(997)]
    items[5] = {"reference": "mass-5", "country": "UK"}
    items[6] = {"reference": "mass-6", "vip_level": "three"}
    items += [{"reference": "mass-0"}, {"reference": "ada"}, "not an object"]
    answer = client.post("/v1/customers", {"items": items})
    told = answer.json()
    assert (answer.status_code, told["done_count"], told["refused_count"]) == (200, 996, 4)
    refused = {
        each["number"]: (each["status"], each["problem"]["code"])
        for each in told["items"]
        if each["problem"] is not None
    }
    assert refused == {
        5: (422, "invalid_choice"),
        6: (400, "malformed_request"),
        998: (409, "already_exists"),
        999: (400, "malformed_request"),
    }
    assert [each["number"] for each in told["items"]] == list(range(1000))
    assert told["items"][997]["is_replay"] is True
    again = client.post("/v1/customers", {"items": items[10:12]}).json()
    assert [each["is_replay"] for each in again["items"]] == [True, True]
    assert problem(client.post("/v1/customers", {"items": [items[0]] * 1001})) == (400, "malformed_request")
    assert problem(client.post("/v1/customers", {"items": []})) == (400, "malformed_request")


def test_customers_are_listed_to_the_last_by_a_cursor_that_stays_good(client: Caller) -> None:
    references = {f"listed-{number}" for number in range(30)}
    client.post("/v1/customers", {"items": [{"reference": each} for each in references]})
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/customers", limit=7, **cursor).json()
        seen += [each["reference"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen))
    assert references | {"ada", "ben", "carl"} <= set(seen)
    assert client.get("/v1/customers", **cursor, limit=7).json()["items"] == page["items"]
    assert [each["reference"] for each in client.get("/v1/customers", reference="ada").json()["items"]] == [
        "ada"
    ]
    assert client.get("/v1/customers", reference="nobody").json() == {"items": [], "next_cursor": None}
    assert problem(client.get("/v1/customers", cursor="AAAA")) == (422, "invalid_cursor")


def test_what_is_known_about_a_customer_is_changed_once_for_a_key_and_logged(
    client: Caller, operators: dict[str, Caller]
) -> None:
    client.put("/v1/customers/emil", {"name": "Emil", "country": "DE"})
    changed = client.send("PATCH", "/v1/customers/emil", {"vip_level": 3}, key="change emil")
    assert {name: changed.json()[name] for name in ("name", "country", "vip_level")} == {
        "name": "Emil", "country": "DE", "vip_level": 3,
    }  # fmt: skip
    assert client.send("PATCH", "/v1/customers/emil", {"country": None}).json()["country"] is None
    again = client.send("PATCH", "/v1/customers/emil", {"vip_level": 3}, key="change emil")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (changed.json(), "true")
    other = client.send("PATCH", "/v1/customers/emil", {"vip_level": 4}, key="change emil")
    assert problem(other) == (409, "request_key_reused")
    assert problem(client.send("PATCH", "/v1/customers/nobody", {})) == (404, "customer_not_found")
    entries = operators["viewer"].get("/v1/desk/log", limit=2).json()["items"]
    assert [(entry["operator"], entry["act"], entry["subject"]) for entry in entries] == [
        ("client:exchange", "change_customer", "emil")
    ] * 2


ODD_REFERENCES = ("Zoë 7", "50%25?&#x=1", "customers", "..", "user@example.com", "客户", "import", "a+b;c,d")


def test_a_reference_may_be_any_text_without_a_slash(client: Caller) -> None:
    for reference in ODD_REFERENCES:
        address = f"/v1/customers/{quote(reference, safe='')}"
        if reference != "..":  # no client of HTTP sends this in an address; the list has it
            assert client.put(address, {"name": "Odd"}).json()["reference"] == reference
            assert client.get(f"{address}/balances").json() == []
    items = [{"reference": reference} for reference in ("..", "a/b")]
    assert client.post("/v1/customers", {"items": items}).json()["done_count"] == 2
    for reference in (*ODD_REFERENCES, "a/b"):
        found = client.get("/v1/customers", reference=reference).json()["items"]
        assert [each["reference"] for each in found] == [reference]
    for reference in (" padded", "line\nbreak", "x" * 101):
        assert client.put(f"/v1/customers/{quote(reference, safe='')}", {}).status_code in (400, 422)


# Deposits and withdrawals


def test_a_deposit_moves_once_for_its_key_however_often_it_is_sent(client: Caller) -> None:
    client.put("/v1/customers/fay", {})
    body = {"customer": "fay", "asset": "USDT", "amount": "10", "account": "spot"}
    first = client.post("/v1/deposits", body, key="d1")
    again = client.post("/v1/deposits", {**body, "amount": "10.00"}, key="d1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert spot_of(client, "fay") == "10.00000000"
    assert problem(client.post("/v1/deposits", {**body, "amount": "11"}, key="d1")) == (
        409, "request_key_reused",
    )  # fmt: skip
    assert problem(client.post("/v1/deposits", body, key=None)) == (422, "idempotency_key_missing")
    refused = client.post("/v1/withdrawals", {**body, "amount": "10.00000001"}, key="w1")
    assert (problem(refused), refused.json()["moved"]) == ((409, "insufficient_funds"), False)
    done = client.post("/v1/withdrawals", {**body, "amount": "4"}, key="w2")
    assert done.json()["amount"] == "4.00000000"
    assert spot_of(client, "fay") == "6.00000000"
    late = client.post("/v1/withdrawals", {**body, "amount": "10.00000001"}, key="w1")
    assert (problem(late), late.headers["Idempotent-Replayed"]) == ((409, "insufficient_funds"), "true")


def test_a_deposit_sent_ten_times_at_once_moves_once_and_is_answered_equally(client: Caller) -> None:
    client.put("/v1/customers/ivy", {})
    body = {"customer": "ivy", "asset": "USDT", "amount": "7"}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/deposits", body, key="at once"), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert spot_of(client, "ivy") == "7.00000000"


BAD = [
    (item(1, customer="nobody"), 404, "customer_not_found"),
    (item(2, asset="DOGE"), 404, "asset_not_found"),
    (item(3, amount="1e3"), 422, "invalid_amount"),
    (item(4, amount="0"), 422, "invalid_amount"),
    (item(5, amount="0.000000001"), 422, "too_many_decimals"),
    (item(6, account="earn"), 422, "invalid_choice"),
    (item(7, amount=1.5), 400, "malformed_request"),
    (item(8, more="than asked"), 400, "malformed_request"),
    (item(9, key=""), 422, "invalid_key"),
    (item(10, key="auto:x"), 422, "invalid_key"),
    ("what", 400, "malformed_request"),
    (item(11, amount="٣"), 422, "invalid_amount"),
    (item(12, customer="\u0000"), 404, "customer_not_found"),
]


def test_one_bad_item_of_a_thousand_never_fails_its_neighbours(client: Caller) -> None:
    client.put("/v1/customers/gil", {})
    good = [item(number, key=f"good {number}", customer="gil") for number in range(1000 - len(BAD) - 2)]
    twice = [good[0], item(0, key="good 0", customer="gil", amount="2")]
    items: list[Any] = [*good[:50], *[bad for bad, _, _ in BAD], *good[50:], *twice]
    began = time.monotonic()
    answer = client.post("/v1/deposits/bulk", {"items": items})
    assert time.monotonic() - began < 10
    told = answer.json()
    assert (answer.status_code, len(told["items"])) == (200, 1000)
    of_bad = told["items"][50 : 50 + len(BAD)]
    assert [(each["status"], each["problem"]["code"]) for each in of_bad] == [
        (status, code) for _, status, code in BAD
    ]
    assert all(each["problem"]["moved"] is False and each["answer"] is None for each in of_bad)
    assert told["done_count"] == len(good) + 1
    first, second = told["items"][-2:]
    assert (first["is_replay"], first["answer"]) == (True, told["items"][0]["answer"])
    assert second["problem"]["code"] == "request_key_reused"
    assert spot_of(client, "gil") == f"{len(good) * 1.5:.8f}"
    again = client.post("/v1/deposits/bulk", {"items": items}).json()
    assert again["done_count"] == told["done_count"]
    assert all(each["is_replay"] for each in again["items"] if each["problem"] is None)
    assert spot_of(client, "gil") == f"{len(good) * 1.5:.8f}"


def test_withdrawals_of_one_request_are_decided_in_order_and_never_below_zero(client: Caller) -> None:
    client.put("/v1/customers/hal", {})
    client.post("/v1/deposits", {"customer": "hal", "asset": "USDT", "amount": "10"})
    items = [item(n, key=f"out {n}", customer="hal", amount=a) for n, a in enumerate(("6", "5", "4", "0.1"))]
    told = client.post("/v1/withdrawals/bulk", {"items": items}).json()
    assert [each["status"] for each in told["items"]] == [200, 409, 200, 409]
    assert spot_of(client, "hal") == "0.00000000"


def test_the_key_of_an_item_is_the_key_of_a_single_deposit(client: Caller) -> None:
    body = {"customer": "ada", "asset": "USDT", "amount": "3"}
    single = client.post("/v1/deposits", body, key="same")
    told = client.post("/v1/deposits/bulk", {"items": [{**body, "key": "same"}]}).json()["items"][0]
    assert (told["is_replay"], told["answer"]) == (True, single.json())


def test_no_customer_can_take_a_key_of_an_integrator_nor_an_integrator_one_of_theirs(
    service: Service, client: Caller, ada: Caller
) -> None:
    move = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}
    money = {"customer": "ada", "asset": "USDT", "amount": "2"}
    assert ada.post("/v1/transfers", move, key="shared").status_code == 200
    assert client.post("/v1/deposits", money, key="shared").status_code == 200
    imported = "customer,asset,account,amount,reference\nada,USDT,spot,2,shared\nada,USDT,spot,2,shared-2\n"
    done = client.ask("POST", "/v1/imports/deposits", body=imported).json()
    assert (done["imported"], done["already_there"]) == (1, 1), "the reference is the client's own key"
    assert service.client("other").post("/v1/deposits", money, key="shared").status_code == 200
    again = ada.post("/v1/transfers", move, key="shared")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    for taken in ("client:exchange:next", "desk:next", "import:next", "imported deposit r1"):
        assert problem(ada.post("/v1/transfers", move, key=taken)) == (422, "invalid_key")


def test_an_integrator_sees_what_its_customers_hold(client: Caller) -> None:
    held = client.get("/v1/customers/ben/positions").json()["items"]
    assert {position["product"] for position in held} == {"USDT-FLEX", "USDT-90D"}
    position_id = held[0]["position_id"]
    shown = client.get(f"/v1/customers/ben/positions/{position_id}").json()
    assert shown["position"]["product"] == held[0]["product"]
    of_another = client.get(f"/v1/customers/ada/positions/{position_id}")
    assert problem(of_another) == (404, "position_not_found")
    assert client.acting_for("ben").get("/v1/positions").json()["items"][0]["product"] == "USDT-90D"


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("deposits", "GET", "/v1/customers"),
        ("customers", "POST", "/v1/deposits"),
        ("deposits", "POST", "/v1/withdrawals/bulk"),
    ],
)
def test_a_client_does_only_what_its_scopes_allow(
    service: Service, scope: str, method: str, path: str
) -> None:
    narrow = service.client(f"narrow-{scope}-{method.lower()}", [scope])
    bodies: dict[str, Any] = {
        "/v1/deposits": {"customer": "ada", "asset": "USDT", "amount": "1"},
        "/v1/withdrawals/bulk": {"items": [item(1)]},
    }
    answer = narrow.send(method, path, bodies.get(path))
    assert problem(answer) == (403, "scope_missing")
