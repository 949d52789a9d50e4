"""At the doors over HTTP: cookies, forms, waits, secrets shown once; what a key may not ask, what needs a proof."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.api.world import PASSWORD, Caller, Service

from staddle import identity


@pytest.fixture
def browser(service: Service) -> Iterator[httpx.Client]:
    """A browser of our own site: it keeps cookies, and says where its requests come from."""
    with httpx.Client(base_url=service.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=30) as client:
        yield client


def sign_in(browser: httpx.Client, email: str = "ada@example.com", **more: Any) -> httpx.Response:
    return browser.post("/v1/sign-in", json={"email": email, "password": PASSWORD, **more})


def grow_old(service: Service) -> None:
    """Let the proofs of all sessions be an hour old."""
    with service.database.owner() as owner:
        owner.execute("UPDATE session SET stepped_up_at = stepped_up_at - interval '1 hour'")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# Cookies


def test_a_browsers_token_is_in_a_cookie_that_no_script_reads(browser: httpx.Client, ada: Caller) -> None:
    given = sign_in(browser, in_cookie=True)
    assert given.json()["token"] is None
    cookie = given.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert browser.get("/v1/me").json()["reference"] == "ada"
    assert browser.post("/v1/sign-out").status_code == 204
    assert code(browser.get("/v1/me")) == (401, "sign_in_needed")


def test_another_sites_page_cannot_write_by_the_cookie(
    service: Service, browser: httpx.Client, ada: Caller
) -> None:
    sign_in(browser, in_cookie=True)
    for headers in [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": ""},
    ]:
        given = browser.post("/v1/sign-out", headers=headers)
        assert code(given) == (403, "cross_site_request"), headers
    assert browser.get("/v1/me").status_code == 200


def test_whoever_comes_with_an_old_cookie_can_sign_in_again(browser: httpx.Client, ada: Caller) -> None:
    sign_in(browser, in_cookie=True)
    kept = browser.cookies["staddle"]
    browser.post("/v1/sign-out")
    browser.cookies.set("staddle", kept, domain="127.0.0.1")
    assert code(browser.get("/v1/me")) == (401, "session_expired")
    assert browser.get("/v1/products").status_code == 200
    assert sign_in(browser, in_cookie=True).status_code == 200
    assert browser.get("/v1/me").status_code == 200


def test_a_cookie_that_is_no_token_of_ours_is_refused(browser: httpx.Client) -> None:
    for text in ("x", "stds_" + "A" * 43, '"; DROP TABLE session'):
        browser.cookies.set("staddle", text)
        assert browser.get("/v1/me").status_code == 401


# Signing in


def test_failures_are_answered_alike_and_then_one_must_wait(service: Service, http: Caller) -> None:
    answers = set()
    for email in ("nobody@example.com", "carl@example.com", "no address"):
        for _ in range(3):
            given = http.post("/v1/sign-in", {"email": email, "password": "wrong"}, key=None)
            answers.add((given.status_code, given.text))
    assert len(answers) == 1
    assert code(given) == (401, "sign_in_failed")
    for _ in range(3):
        given = http.post("/v1/sign-in", {"email": "nobody@example.com", "password": "wrong"}, key=None)
    assert code(given) == (429, "too_many_attempts")
    assert int(given.headers["Retry-After"]) == given.json()["details"]["retry_after"] >= 1


def test_bodies_that_are_no_sign_in_are_refused_clearly(http: Caller) -> None:
    good = {"email": "ada@example.com", "password": PASSWORD}
    for body in [
        {},
        {**good, "kind": "root"},
        {**good, "password": 5},
        {**good, "x": 1},
        {**good, "email": "a" * 301},
    ]:
        assert http.post("/v1/sign-in", body, key=None).status_code == 400
    for path in ("/v1/sign-in/passkey", "/v1/sign-in/external"):
        body = {
            "challenge_id": "\x00" * 24,
            "credential": {},
            "state": "z" * 24,
            "code": "",
            "browser_secret": "",
        }
        assert http.post(path, body, key=None).status_code == 400


def test_a_key_asks_nothing_that_is_for_somebody_signed_in(service: Service, ada: Caller) -> None:
    key = service.api_key("ada")
    acting = service.client("acting").acting_for("ada")
    for caller in (key, acting):
        for method, path, body in [
            ("GET", "/v1/sessions", None),
            ("DELETE", "/v1/sessions", None),
            ("DELETE", f"/v1/sessions/{'0' * 24}", None),
            ("POST", "/v1/password", {"old": PASSWORD, "new": "nine stones under the barn"}),
            ("POST", "/v1/step-up", {"password": PASSWORD}),
            ("POST", "/v1/step-up/passkey-options", None),
            ("POST", "/v1/authenticator", None),
            ("DELETE", "/v1/authenticator", None),
            ("POST", "/v1/recovery-codes", None),
            ("GET", "/v1/passkeys", None),
            ("POST", "/v1/passkeys/options", None),
        ]:
            assert code(caller.ask(method, path, body=body)) == (403, "wrong_kind_of_caller"), path
        more = {"name": "more", "scopes": ["redeem"]}
        assert code(caller.post("/v1/api-keys", more)) == (403, "role_missing")


# API keys


def test_a_keys_secret_is_shown_once_and_a_repeat_makes_no_second_key(service: Service, ada: Caller) -> None:
    body = {"name": "bot", "scopes": ["read"]}
    first, again = (ada.post("/v1/api-keys", body, key="bot-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert service.caller(first.json()["secret"]).get("/v1/me").json()["reference"] == "ada"
    other = ada.post("/v1/api-keys", {**body, "name": "other"}, key="bot-1")
    assert code(other) == (409, "request_key_reused")
    assert service.customer("ben").post("/v1/api-keys", body, key="bot-1").status_code == 201
    number = first.json()["api_key"]["api_key_id"]
    assert code(service.customer("ben").delete(f"/v1/api-keys/{number}", key=None)) == (
        404,
        "api_key_not_found",
    )
    assert ada.delete(f"/v1/api-keys/{number}", key=None).json()["revoked_at"] is not None
    assert code(service.caller(first.json()["secret"]).get("/v1/me")) == (401, "invalid_token")


def test_making_a_key_needs_a_fresh_proof(service: Service, ada: Caller) -> None:
    grow_old(service)
    body = {"name": "late", "scopes": ["read"]}
    assert code(ada.post("/v1/api-keys", body)) == (403, "step_up_needed")
    assert ada.post("/v1/step-up", {"password": PASSWORD}, key=None).status_code == 200
    assert ada.post("/v1/api-keys", body).status_code == 201


# Clients


def test_a_client_gets_its_token_by_form_or_by_basic(service: Service, operators: dict[str, Caller]) -> None:
    body = {"client_id": "wallet", "name": "Wallet", "scopes": ["customers", "deposits"]}
    assert code(operators["treasury"].post("/v1/clients", body)) == (403, "role_missing")
    secret = operators["admin"].post("/v1/clients", body).json()["secret"]
    form = {"grant_type": "client_credentials"}
    by_form = service.http.post(
        "/v1/oauth/token", data={**form, "client_id": "wallet", "client_secret": secret}
    )
    by_basic = service.http.post(
        "/v1/oauth/token", data={**form, "scope": "deposits"}, auth=("wallet", secret)
    )
    assert (by_form.json()["scope"], by_basic.json()["scope"]) == ("customers deposits", "deposits")
    assert (by_basic.json()["token_type"], by_basic.json()["expires_in"]) == ("Bearer", 3600)
    assert by_basic.headers["Cache-Control"] == "no-store"
    token = service.caller(by_form.json()["access_token"])
    assert token.get("/v1/customers", limit=1).status_code == 200
    assert code(service.caller(by_basic.json()["access_token"]).get("/v1/customers")) == (
        403,
        "scope_missing",
    )
    assert operators["admin"].delete("/v1/clients/wallet", key=None).status_code == 200
    assert code(token.get("/v1/customers")) == (401, "invalid_token")


def test_what_is_no_request_for_a_token_is_refused(service: Service) -> None:
    form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}
    post = service.http.post
    assert code(post("/v1/oauth/token", data=form)) == (401, "client_not_accepted")
    assert code(post("/v1/oauth/token", data={**form, "grant_type": "password"}))[0] in (400, 422)
    assert post("/v1/oauth/token", json=form).status_code == 415
    assert post("/v1/oauth/token", data={"client_id": "nobody"}).status_code == 400
    for basic in ("Basic", "Basic !", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Basic YQ"):
        assert post("/v1/oauth/token", data=form, headers={"Authorization": basic}).status_code in (400, 401)
    raw = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (
        b"\xff",
        b"a=%zz&grant_type=client_credentials",
        b"&" * 1000 + b"a=1" * 100,
        b"grant_type=%00",
    ):
        assert post("/v1/oauth/token", content=body, headers=raw).status_code in (400, 401, 422)


# Logins


def test_support_gives_customers_logins_and_an_admin_gives_operators_theirs(
    service: Service, operators: dict[str, Caller], client: Caller
) -> None:
    assert client.put("/v1/customers/lena", {"name": "Lena"}, key=None).status_code == 200
    made = client.post("/v1/customers/lena/login", {"email": "lena@example.com"})
    lena = {"email": "lena@example.com", "password": made.json()["password"]}
    signed_in = service.http.post("/v1/sign-in", json=lena)
    assert service.caller(signed_in.json()["token"]).get("/v1/me").json()["reference"] == "lena"
    reset = operators["support"].post("/v1/customers/lena/login/password", {})
    assert service.http.post("/v1/sign-in", json=lena).status_code == 401
    lena["password"] = reset.json()["password"]
    assert service.http.post("/v1/sign-in", json=lena).status_code == 200
    assert code(operators["treasury"].post("/v1/customers/lena/login/password", {})) == (403, "role_missing")
    weak = client.post("/v1/customers/lena/login", {"email": "l@example.com", "password": "short"})
    assert code(weak)[1] == "weak_password"
    name = "only-viewer"
    taken = operators["admin"].post(f"/v1/operators/{name}/login", {"email": "v@desk.example"})
    assert code(taken) == (409, "already_exists")  # the fixture has given one
    assert code(operators["support"].post(f"/v1/operators/{name}/login/password", {})) == (
        403,
        "role_missing",
    )


# What needs a proof


def test_a_large_redemption_in_a_session_needs_a_fresh_proof(
    service: Service, ada: Caller, operators: dict[str, Caller]
) -> None:
    admin = operators["admin"]
    assert admin.put("/v1/step-up-amounts/USDT", {"amount": "10"}).status_code == 200
    grow_old(service)
    small = {"product": "USDT-FLEX", "amount": "9.99"}
    large = {"product": "USDT-FLEX", "amount": "10"}
    assert ada.post("/v1/redemptions", small).status_code == 200
    for body in (large, {"product": "USDT-FLEX", "is_all": True}):
        assert code(ada.post("/v1/redemptions", body)) == (403, "step_up_needed")
    held = ada.get("/v1/positions", product="USDT-30D").json()["items"][0]
    quote = ada.post(f"/v1/positions/{held['position_id']}/early-redemption-quotes").json()
    before = ada.get("/v1/balances").json()
    assert code(ada.post("/v1/early-redemptions", {"quote_id": quote["quote_id"]})) == (403, "step_up_needed")
    assert ada.get("/v1/balances").json() == before
    assert service.api_key("ada").post("/v1/redemptions", large).status_code == 200
    ada.post("/v1/step-up", {"password": PASSWORD}, key=None)
    assert ada.post("/v1/redemptions", large).status_code == 200
    assert ada.post("/v1/early-redemptions", {"quote_id": quote["quote_id"]}).status_code == 200
    assert admin.put("/v1/step-up-amounts/USDT", {"amount": None}).status_code == 200
    with service.database.transaction() as tx:
        assert identity.step_up_amounts(tx) == {}
