"""Odd numbers, odd ids, odd bytes: each is refused clearly, nothing moves, and others are served meanwhile."""

import copy
import socket
from collections.abc import Iterator
from typing import Any, get_args

import httpx
import msgspec
import pytest
from tests.api.test_nobody_sees_anothers import Request, digest_of, operations, request_of
from tests.api.world import Caller, Service, new_key

ODD_AMOUNTS: list[Any] = [
    "1e3", "NaN", "Infinity", "-1", "+1", "-0", "0x1", "١٢", "１２", "1" * 41, "0." + "1" * 37, " 1", "1 ", "1_000",
    "1,000", ".5", "5.", "", "1.2.3", "1\n", "1\u0000", "½", "٠", 1, 1.5, True, None, [], {}, ["1"],
]  # fmt: skip
ODD_IDS = [
    "0",
    "-1",
    "+1",
    "1.0",
    "9" * 19,
    "9" * 40,
    "١",
    "1e3",
    "0x1",
    "%00",
    "1%20",
    "..%2f1",
    "null",
    "'--",
]
ODD_KEYS = ["", "a" * 121, "auto:1", "guard:1", "client:exchange:1"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def everybody(service: Service, operators: dict[str, Caller], client: Caller) -> dict[str, Caller]:
    """One caller of each kind who may do all that their kind may."""
    return {"customer": service.customer("ada"), "operator": operators["second"], "client": client}


@pytest.fixture(autouse=True)
def nothing_moves(service: Service, everybody: dict[str, Caller]) -> Iterator[None]:
    """Not a row is another after a test than it was before it, and the next request is answered."""
    before = digest_of(service.database)
    yield
    assert digest_of(service.database) == before
    assert everybody["customer"].get("/v1/balances").status_code == 200


def amount_fields(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find the members of an example's body that are amounts or rates: what looks like a decimal."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from amount_fields(value, (*path, name))
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from amount_fields(value, (*path, number))
    elif isinstance(body, str) and path and is_amount_name(str(path[-1])):
        yield path


def is_amount_name(name: str) -> bool:
    return name in {"amount", "floor", "apr", "apr_min", "personal_cap", "quota", "step"} or name.startswith(
        "amount_"
    )


def put_at(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def sender_of(request: Request, everybody: dict[str, Caller]) -> Caller:
    return everybody[next(kind for kind in everybody if kind in request.operation.allow.kinds)]


def test_no_odd_number_is_an_amount(everybody: dict[str, Caller]) -> None:
    wrong, tried = [], 0
    for operation in operations():
        request = request_of(operation)
        if not isinstance(request.body, dict):
            continue
        for path in amount_fields(request.body):
            is_bulk = path[0] == "items"
            for odd in ODD_AMOUNTS:
                if odd is None and not is_required(request, path):
                    continue
                tried += 1
                body = put_at(request.body, path, odd)
                answer = Request(operation, request.path, request.query, body).sent_by(
                    sender_of(request, everybody)
                )
                if operation.name == "check_product":  # it answers what is wrong
                    assert path[-1] in {each["field"] for each in answer.json()["problems"]}, odd
                    continue
                statuses = (
                    {each["status"] for each in answer.json()["items"]} if is_bulk else {answer.status_code}
                )
                if not (statuses - {200, 409} and max(statuses) < 500 and answer.status_code < 500):
                    wrong.append(f"{operation.name} {path} {odd!r}: {answer.status_code} {answer.text[:150]}")
    assert tried > 300
    assert "\n".join(wrong) == ""


def is_required(request: Request, path: tuple[Any, ...]) -> bool:
    """Whether a member must be there and cannot be null, as far as it stands in the body itself."""
    kind = request.operation.body_type
    return len(path) == 1 and path[0] in {
        each.encode_name
        for each in msgspec.structs.fields(kind)
        if each.required and type(None) not in get_args(each.type)
    }


def test_no_odd_id_finds_anything(everybody: dict[str, Caller]) -> None:
    for operation in operations():
        request = request_of(operation)
        for name in request.path:
            if not name.endswith("_id"):
                continue
            for odd in ODD_IDS:
                asked = Request(operation, request.path | {name: odd}, request.query, request.body)
                answer = asked.sent_by(sender_of(request, everybody))
                assert answer.status_code in (400, 404, 405), f"{operation.name} {odd}: {answer.text[:150]}"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"1", b'"text"', b"{", b"{}", b'{"product": "USDT-FLEX"', b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}", b'{"product": "\xff", "amount": "1"}', b"[" * 100_000, b'{"a":' * 50_000,
        b'{"product": "A\\u0000", "amount": "1"}',
        b'{"product": "USDT-FLEX", "amount": "1", "agreement_version": 1.5}',
        b'{"product": "\\ud800", "amount": "1"}', b'{"product": "USDT-FLEX", "amount": "1", "more": 1}',
        b'{"product": "' + b"A" * 5_000 + b'", "amount": "1"}',
    ],
)  # fmt: skip
def test_no_odd_body_is_a_subscription(body: bytes, everybody: dict[str, Caller]) -> None:
    ada = everybody["customer"]
    for path in ("/v1/subscriptions", "/v1/subscriptions/preview", "/v1/redemptions", "/v1/transfers"):
        answer = ada.http.post(path, content=body, headers=ada._headers(new_key()) | JSON)
        assert answer.status_code in (400, 404, 422), (
            f"{path} {body[:40]!r}: {answer.status_code} {answer.text[:150]}"
        )
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["moved"] is False


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_form_of_another_site_is_no_json(kind: str, everybody: dict[str, Caller]) -> None:
    ada = everybody["customer"]
    body = b'{"product": "USDT-FLEX", "amount": "10", "agreement_version": 1}'
    answer = ada.http.post(
        "/v1/subscriptions", content=body, headers=ada._headers(new_key()) | {"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")


def test_no_odd_key_is_an_idempotency_key(everybody: dict[str, Caller]) -> None:
    ada = everybody["customer"]
    body = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}
    for key in ODD_KEYS:
        headers = ada._headers(None) | {"Idempotency-Key": key}
        answer = ada.http.post("/v1/transfers", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_key"), key


def test_no_odd_query_is_read(everybody: dict[str, Caller]) -> None:
    ada = everybody["customer"]
    for query in (
        "limit=0", "limit=1001", "limit=99999999999999999999", "limit=-1", "limit=1e2", "limit=%D9%A1",
        "limit=1&limit=2", "cursor=garbage", "cursor=%00", "cursor=" + "A" * 3_000, "state=closed", "nothing=1",
        "limit", "&".join(["a=1"] * 500),
        "state=%FF", "cursor=" + "IiI", "product=" + "A" * 500,
    ):  # fmt: skip
        answer = ada.http.get(f"/v1/positions?{query}", headers=ada._headers(None))
        assert answer.status_code in (400, 414, 422), (
            f"{query[:60]}: {answer.status_code} {answer.text[:150]}"
        )


def test_no_other_spelling_of_an_address_opens_another_door(service: Service, http: Caller) -> None:
    for path in (
        "//v1/positions", "/v1//positions", "/v1/%70ositions", "/v1/positions/", "/V1/positions", "/v1/x/../positions",
        "/v1/positions%00", "/v1/positions;a=1", "/v1/./positions", "/v1/subscriptions/../positions",
        "/v1/%2e%2e/v1/positions",
    ):  # fmt: skip
        told = raw(service, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert status_of(told) in (400, 401, 404), f"{path}: {told[:200]!r}"
    assert http.get("/v1/positions").status_code == 401


def test_two_authorizations_are_none_that_is_not_there(
    service: Service, everybody: dict[str, Caller]
) -> None:
    token = everybody["customer"].token
    for headers in (
        f"Authorization: Bearer {token}\r\nAuthorization: Bearer nonsense\r\n",
        f"Authorization: Basic {token}\r\n", f"Authorization: {token}\r\n", f"X-Authorization: Bearer {token}\r\n",
    ):  # fmt: skip
        told = raw(
            service, f"GET /v1/positions HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n".encode()
        )
        assert status_of(told) in (400, 401), told[:200]


def test_a_request_that_two_readers_would_read_differently_is_refused(service: Service) -> None:
    smuggled = b"0\r\n\r\nGET /v1/products HTTP/1.1\r\nHost: a\r\n\r\n"
    for head in (
        b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(smuggled),
        b"Content-Length: 4\r\nContent-Length: 50\r\n",
        b"Content-Length: -1\r\n", b"Content-Length: 1e3\r\n", b"Transfer-Encoding: chunked, identity\r\n",
    ):  # fmt: skip
        told = raw(service, b"POST /v1/subscriptions HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n" + smuggled)
        assert told.count(b"HTTP/1.1 200") == 0, told[:300]


def test_what_is_not_http_is_refused_and_others_are_served(service: Service, http: Caller) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET\r\n\r\n", b"\r\n" * 100, b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/products HTTP/9.9\r\n\r\n", b"GET " + b"/a" * 50_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ):  # fmt: skip
        assert b"HTTP/1.1 200" not in raw(service, nonsense)
        assert http.get("/v1/products").status_code == 200


def test_a_header_cannot_carry_another_line(service: Service, everybody: dict[str, Caller]) -> None:
    token = everybody["customer"].token
    told = raw(
        service,
        f"GET /v1/positions HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\\r\\nSet-Cookie: b=c\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode(),
    )
    assert b"set-cookie" not in told.lower().partition(b"\r\n\r\n")[0]


def test_another_sites_page_reads_nothing(http: Caller) -> None:
    answer = http.http.options(
        "/v1/positions", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert "access-control-allow-origin" not in answer.headers
    read = http.http.get("/v1/products", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in read.headers


def raw(service: Service, sent: bytes) -> bytes:
    """Send bytes, and give what comes back until the connection ends or nothing more comes."""
    url = httpx.URL(service.url)
    with socket.create_connection((url.host, url.port or 80), timeout=2) as connection:
        told = b""
        try:
            connection.sendall(sent)
            while piece := connection.recv(65_536):
                told += piece
        except OSError:
            pass  # it was closed on us, or it keeps open for the next request
        return told


def status_of(told: bytes) -> int:
    """The status of the first answer."""
    return int(told[9:12]) if told.startswith(b"HTTP/1.1 ") else 0
