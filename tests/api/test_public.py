"""What everybody may read over HTTP (rule 11): the clock, coins, products with their rates, agreements."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.api.world import Caller, Service

from staddle import products

D = Decimal


def test_the_clock_is_the_desks_and_says_when_rewards_come_next(service: Service, http: Caller) -> None:
    shown = http.get("/v1/time").json()
    assert shown["is_sandbox"] is True
    assert shown["now"] == "2026-02-01T15:30:00Z"
    assert shown["next_distribution_at"] == "2026-02-02T00:00:00Z"


def test_coins_are_listed_with_their_decimals(http: Caller) -> None:
    listed = http.get("/v1/assets").json()
    assert [(each["code"], each["scale"], each["unit"]) for each in listed["items"]] == [
        ("BTC", 8, "0.00000001"),
        ("USDT", 8, "0.00000001"),
    ]


def test_products_show_all_that_a_rate_must_be_shown_with(http: Caller) -> None:
    offer = http.get("/v1/products/USDT-FLEX").json()
    assert (offer["rate"]["headline_apr"], offer["rate"]["is_up_to"]) == ("0.12", True)
    assert [tier["apr"] for tier in offer["rate"]["tiers"]] == ["0.12", "0.008", "0.003"]
    assert [tier["amount_to"] for tier in offer["rate"]["tiers"]] == ["500.00000000", "5000.00000000", None]
    assert offer["rate"]["effective_at"] == "2026-01-22T15:30:00Z"
    assert offer["can_change"] is True
    assert offer["terms"]["personal_cap"] == "50000.00000000"
    assert http.get("/v1/products/USDT-30D").json()["can_change"] is False


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ({}, ["BTC-FLEX", "USDT-FLEX", "USDT-30D", "USDT-90D"]),
        ({"asset": "BTC"}, ["BTC-FLEX"]),
        ({"kind": "fixed"}, ["USDT-30D", "USDT-90D"]),
        ({"asset": "USDT", "kind": "flexible", "status": "open"}, ["USDT-FLEX"]),
        ({"status": "closed"}, []),
    ],
)
def test_products_are_found_by_coin_kind_and_status(
    http: Caller, filters: dict[str, str], codes: list[str]
) -> None:
    listed = http.get("/v1/products", **filters).json()["items"]
    assert [offer["code"] for offer in listed] == codes


def test_rates_are_listed_newest_first_with_the_one_that_is_announced(service: Service, http: Caller) -> None:
    service.living.revise("USDT-90D", apr="0.09", at=service.living.now + timedelta(days=3))
    listed = http.get("/v1/products/USDT-90D/rates").json()["items"]
    assert [(rate["revision"], rate["headline_apr"]) for rate in listed] == [(2, "0.09"), (1, "0.1")]
    assert http.get("/v1/products/USDT-90D").json()["next_rate"]["headline_apr"] == "0.09"
    assert "approved_by" not in listed[0], "who works the desk is not for everybody"


def test_a_draft_is_nobodys_business_yet(service: Service, http: Caller) -> None:
    with service.database.transaction() as tx:
        terms = products.Terms(amount_min=D(1), step=D(1), opens_at=service.living.now)
        products.draft_product(tx, "ada", "SECRET", "USDT", "flexible", "Secret", terms, service.living.now)
    for path in ("/v1/products/SECRET", "/v1/products/SECRET/rates", "/v1/products/SECRET/realised-apr"):
        refused = http.get(path)
        assert (refused.status_code, refused.json()["code"]) == (404, "product_not_found"), path
    assert "SECRET" not in http.get("/v1/products").text


def test_the_realised_apr_stands_beside_the_displayed_one_and_moves_with_the_next_run(
    service: Service, http: Caller
) -> None:
    shown = http.get("/v1/products/BTC-FLEX/realised-apr").json()
    # 0.5 BTC for four days and a part of it for five; 1 % at first, 2 % for the days that began from the 29th on.
    assert (shown["to_on"], shown["principal_days"]) == ("2026-02-01", "4.10000000")
    assert D(shown["realised_apr"]) < D(shown["displayed_apr"]) < D("0.02")
    service.passes(days=1)
    service.catch_up()
    later = http.get("/v1/products/BTC-FLEX/realised-apr").json()
    assert (later["to_on"], later["principal_days"]) == ("2026-02-02", "4.50000000")


def test_the_agreement_is_there_to_be_read_before_it_is_accepted(http: Caller) -> None:
    current = http.get("/v1/agreements/current").json()
    assert current == http.get(f"/v1/agreements/{current['version']}").json()
    assert set(current) == {"version", "title", "body", "published_at"}
    assert http.get("/v1/agreements/99").json()["code"] == "agreement_not_found"
    assert http.get("/v1/agreements/one").json()["code"] == "malformed_request"


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v1/products/NOPE", {}, 404, "product_not_found"),
        ("/v1/products/%20", {}, 404, "product_not_found"),
        ("/v1/products/" + "A" * 41, {}, 400, "malformed_request"),
        ("/v1/products", {"kind": "liquid"}, 400, "malformed_request"),
        ("/v1/products", {"colour": "blue"}, 400, "malformed_request"),
        ("/v1/nothing", {}, 404, "address_not_found"),
    ],
)
def test_what_cannot_be_read_or_found_is_said_by_its_code(
    http: Caller, path: str, query: dict[str, str], status: int, code: str
) -> None:
    refused = http.get(path, **query)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["moved"] is False
