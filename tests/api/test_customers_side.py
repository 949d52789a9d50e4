"""Customers over HTTP: what they have, what they may do, and that they are told so exactly."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.api.world import Caller, Service
from tests.living import assert_audited

from staddle import verify_receipt
from staddle.rewards import write_statement

D = Decimal


def pages(caller: Caller, path: str, limit: int, /, **query: Any) -> Iterator[list[Any]]:
    """Read a list page by page to its end."""
    cursor: dict[str, str] = {}
    while True:
        answer = caller.get(path, limit=limit, **query, **cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        yield page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def all_of(caller: Caller, path: str, limit: int = 1000, /, **query: Any) -> list[Any]:
    return [item for page in pages(caller, path, limit, **query) for item in page]


# What they have


def test_a_customer_lists_the_positions_they_hold_and_nobody_elses(ada: Caller, ben: Caller) -> None:
    held = ["USDT-FLEX", "BTC-FLEX", "USDT-30D", "USDT-FLEX"]
    assert [position["product"] for position in all_of(ada, "/v1/positions")] == held
    assert {position["product"] for position in all_of(ben, "/v1/positions")} == {"USDT-FLEX", "USDT-90D"}
    assert all_of(ada, "/v1/positions", product="BTC-FLEX", state="all") == [
        position for position in all_of(ada, "/v1/positions") if position["product"] == "BTC-FLEX"
    ]


def test_a_client_may_act_for_a_customer_and_a_key_only_within_its_scopes(
    service: Service, client: Caller
) -> None:
    assert client.acting_for("ben").get("/v1/positions").json()["items"][0]["product"] == "USDT-90D"
    refused = service.api_key("ada", ["subscribe"]).get("/v1/positions")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert service.api_key("ada", ["read"]).get("/v1/positions").status_code == 200


def test_me_says_who_the_desk_thinks_i_am(ada: Caller) -> None:
    me = ada.get("/v1/me").json()
    assert (me["reference"], me["country"], me["vip_level"]) == ("ada", "DE", 1)
    assert me["customer_id"].isdigit()


def test_balances_add_up_and_name_the_rewards_of_all_time(ada: Caller) -> None:
    for balance in all_of_page(ada, "/v1/balances"):
        parts = [D(balance[name]) for name in ("spot", "funding", "earn", "accrued")]
        assert sum(parts) == D(balance["total"]), balance
    totals = {each["asset"]: each["rewards_kept"] for each in all_of_page(ada, "/v1/rewards/totals")}
    assert {each["asset"]: each["lifetime_rewards"] for each in all_of_page(ada, "/v1/balances")} == totals


def all_of_page(caller: Caller, path: str, **query: Any) -> list[Any]:
    """Read a list that has only one page."""
    page = caller.get(path, **query).json()
    assert page["next_cursor"] is None
    items: list[Any] = page["items"]
    return items


def test_transfers_are_listed_newest_first_typed_and_found_by_coin_and_kind(ada: Caller) -> None:
    everything = all_of(ada, "/v1/transfers")
    assert [each["type"] for each in reversed(everything)][:3] == ["deposit", "deposit", "subscription"]
    for limit in (1, 2, 3):
        assert all_of(ada, "/v1/transfers", limit) == everything
    btc = all_of(ada, "/v1/transfers", asset="BTC", type="redemption")
    assert [(each["amount"], each["debit"], each["credit"]) for each in btc] == [
        ("0.10000000", "earn", "funding")
    ]
    assert all_of(ada, "/v1/transfers", asset="NOPE") == []


def test_rewards_are_listed_over_all_history_with_totals_for_the_same_filters(ada: Caller) -> None:
    everything = all_of(ada, "/v1/rewards")
    for limit in (1, 10):
        assert all_of(ada, "/v1/rewards", limit) == everything
    assert [each["run_on"] for each in everything] == sorted(
        (each["run_on"] for each in everything), reverse=True
    )
    period = {"from_on": "2026-01-26", "to_on": "2026-01-28", "asset": "USDT"}
    some = all_of(ada, "/v1/rewards", **period)
    assert {each["run_on"] for each in some} == {"2026-01-26", "2026-01-27", "2026-01-28"}
    (total,) = all_of_page(ada, "/v1/rewards/totals", **period)
    assert D(total["rewards"]) == sum(D(each["amount"]) for each in some)


def test_the_receipt_of_every_reward_is_accepted_by_the_program_that_verifies_it(
    ada: Caller, tmp_path: Path
) -> None:
    for reward in all_of(ada, "/v1/rewards"):
        given = ada.get(f"/v1/receipts/{reward['receipt']}")
        file = tmp_path / "receipt.json"
        file.write_bytes(given.content)
        assert verify_receipt.main([str(file)]) == 0, given.text
        assert json.loads(given.content)["amount"] == reward["amount"]
    file.write_bytes(given.content.replace(b'"amount": "0.', b'"amount": "1.', 1))
    assert verify_receipt.main([str(file)]) == 1


def test_a_receipt_is_its_owners(ada: Caller, ben: Caller) -> None:
    name = all_of(ada, "/v1/rewards", 1)[0]["receipt"]
    assert ben.get(f"/v1/receipts/{name}").json()["code"] == "position_not_found"
    assert ada.get("/v1/receipts/nothing").json()["code"] == "reward_not_found"


# Statements


def test_the_statement_in_pages_is_the_whole_statement(service: Service, ada: Caller) -> None:
    whole = all_of(ada, "/v1/statement", 1000)
    assert len(whole) > 30
    for limit in (1, 4, 7):
        assert all_of(ada, "/v1/statement", limit) == whole
    assert {each["type"] for each in whole} >= {"deposit", "subscription", "reward", "redemption"}
    period = {"from_at": "2026-01-26T00:00:00Z", "until_at": "2026-01-28T00:00:00+00:00"}
    some = all_of(ada, "/v1/statement", 2, **period)
    assert some == [row for row in whole if "2026-01-26T00:00:00Z" <= row["at"] < "2026-01-28T00:00:00Z"]


def test_the_csv_has_the_columns_and_rows_of_the_command_line(service: Service, ada: Caller) -> None:
    given = ada.get("/v1/statement.csv")
    assert given.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in given.headers["Content-Disposition"]
    out = io.StringIO(newline="")
    with service.database.transaction() as tx:
        customer_id = int(ada.get("/v1/me").json()["customer_id"])
        write_statement(tx, customer_id, service.living.now.replace(year=2025), service.living.now, out)
    assert given.text == out.getvalue()
    rows = list(csv.DictReader(io.StringIO(given.text)))
    shown = all_of(ada, "/v1/statement")
    assert [(row["type"], row["amount"], row["from"], row["to"], row["reference"]) for row in rows] == [
        (each["type"], each["amount"], each["debit"], each["credit"], each["reference"]) for each in shown
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from_at": "2026-02-02T00:00:00Z", "until_at": "2026-02-01T00:00:00Z"}, "invalid_time"),
        ({"from_at": "2026-02-02T00:00:00"}, "malformed_request"),
        ({"from_at": "yesterday"}, "malformed_request"),
        ({"cursor": "AAAA"}, "invalid_cursor"),
        ({"cursor": "%%"}, "invalid_cursor"),
        ({"limit": "0"}, "malformed_request"),
        ({"limit": "1001"}, "malformed_request"),
    ],
)
def test_a_statement_that_cannot_be_made_says_why(ada: Caller, query: dict[str, str], code: str) -> None:
    refused = ada.get("/v1/statement", **query)
    assert (refused.status_code in (400, 422), refused.json()["code"]) == (True, code)


def test_instants_at_the_ends_of_the_calendar_are_within_it(ada: Caller) -> None:
    ends = {"from_at": "0001-01-01T00:00:00Z", "until_at": "9999-12-31T23:59:59Z"}
    assert all_of(ada, "/v1/statement", **ends) == all_of(ada, "/v1/statement")
    dates = {"from_on": "0001-01-01", "to_on": "9999-12-31"}
    assert all_of(ada, "/v1/rewards", **dates) == all_of(ada, "/v1/rewards")
    assert all_of(ada, "/v1/rewards", from_on="9999-12-31") == []


# Agreements and choices


def test_consents_name_the_version_the_instant_and_the_address(service: Service) -> None:
    carl = service.customer("carl")
    assert all_of_page(carl, "/v1/consents") == []
    staked = {"product": "USDT-FLEX", "amount": "5", "agreement_version": 1}
    assert carl.post("/v1/subscriptions", staked).status_code == 200
    (consent,) = all_of_page(carl, "/v1/consents")
    assert (consent["version"], consent["accepted_from"]) == (1, "127.0.0.1")


def test_choices_are_kept_and_shown_again(ben: Caller) -> None:
    (held,) = all_of(ben, "/v1/positions", product="USDT-90D")
    chosen = ben.put(f"/v1/positions/{held['position_id']}/maturity-choice", {"at_maturity": "redeem"})
    assert chosen.json()["choice"]["at_maturity"] == "redeem"
    assert all_of(ben, "/v1/positions", product="USDT-90D")[0]["at_maturity"] == "redeem"
    auto = {"source": "funding", "floor": "0.00000001", "agreement_version": 1}
    set_to = ben.put("/v1/auto-subscriptions/USDT-FLEX", auto).json()["choice"]
    assert (set_to["source"], set_to["floor"]) == ("funding", "0.00000001")
    (standing,) = all_of_page(ben, "/v1/auto-subscriptions")
    assert (standing["product"], standing["floor"], standing["is_on"]) == ("USDT-FLEX", "0.00000001", True)
    ben.put("/v1/auto-subscriptions/USDT-FLEX", auto | {"is_on": False})
    assert all_of_page(ben, "/v1/auto-subscriptions")[0]["is_on"] is False
    ben.put("/v1/rate-guards/USDT-FLEX", {"apr_min": "0.03", "action": "redeem"})
    (guard,) = all_of_page(ben, "/v1/rate-guards")
    assert (guard["product"], guard["apr_min"], guard["action"]) == ("USDT-FLEX", "0.03", "redeem")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/auto-subscriptions/USDT-30D", {"agreement_version": 1}, "not_a_flexible_product"),
        ("/v1/auto-subscriptions/USDT-FLEX", {}, "agreement_not_accepted"),
        ("/v1/auto-subscriptions/NOPE", {"agreement_version": 1}, "product_not_found"),
        ("/v1/rate-guards/USDT-30D", {"apr_min": "0.1", "action": "redeem"}, "not_a_flexible_product"),
        ("/v1/rate-guards/USDT-FLEX", {"apr_min": "101"}, "invalid_rate"),
        ("/v1/rate-guards/USDT-FLEX", {"apr_min": "-1"}, "malformed_request"),
        ("/v1/positions/1/maturity-choice", {"at_maturity": "redeem"}, "position_not_found"),
        ("/v1/positions/x/maturity-choice", {"at_maturity": "redeem"}, "malformed_request"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(ben: Caller, path: str, body: Any, code: str) -> None:
    assert ben.put(path, body).json()["code"] == code


# Acts


def test_preview_says_what_subscribing_then_does(ada: Caller) -> None:
    wanted = {"product": "USDT-FLEX", "amount": "100", "agreement_version": 1}
    shown = ada.post("/v1/subscriptions/preview", wanted, key=None).json()
    before = all_of(ada, "/v1/positions")
    done = ada.post("/v1/subscriptions", wanted).json()
    assert shown["position_id"] == "0"
    assert {**shown, "position_id": done["position_id"]} == done
    assert len(all_of(ada, "/v1/positions")) == len(before) + 1
    # Of the third holding of 100, above 1,200: all of it at 0.8 %.
    assert (done["blended_apr"], done["daily_estimate"]) == ("0.008", "0.00219178")


def test_redeeming_takes_an_amount_or_all_but_not_both(ada: Caller) -> None:
    for body in ({}, {"amount": "1", "is_all": True}):
        refused = ada.post("/v1/redemptions", {"product": "BTC-FLEX", **body})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_choice")
    some = ada.post("/v1/redemptions", {"product": "BTC-FLEX", "amount": "0.1"}).json()
    assert some["left"] == "0.30000000"
    rest = ada.post("/v1/redemptions", {"product": "BTC-FLEX", "is_all": True, "destination": "spot"}).json()
    assert rest["left"] == "0.00000000"
    gone = ada.post("/v1/redemptions", {"product": "BTC-FLEX", "is_all": True})
    assert (gone.status_code, gone.json()["code"]) == (409, "nothing_to_redeem")


def test_leaving_early_is_quoted_confirmed_and_refused_with_the_new_quote_once_its_figures_changed(
    service: Service, ada: Caller, ben: Caller
) -> None:
    (held,) = all_of(ada, "/v1/positions", product="USDT-30D")
    ask = f"/v1/positions/{held['position_id']}/early-redemption-quotes"
    service.passes(hours=8, minutes=28)  # the midnight of the next run is two minutes away
    quote = ada.post(ask)
    assert quote.status_code == 201
    figures = quote.json()
    assert (figures["principal"], figures["rewards"]) == ("1000.00000000", "1.97260273")
    assert figures["returned"] == "998.02739727"
    assert sum(D(each["taken_back"]) for each in figures["payouts"]) == D(figures["rewards_forfeited"])
    assert ben.post(ask).json()["code"] == "position_not_found"
    confirm = {"quote_id": figures["quote_id"]}
    assert ben.post("/v1/early-redemptions", confirm).json()["code"] == "quote_not_found"
    service.passes(minutes=3)
    refused = ada.post("/v1/early-redemptions", confirm, key="confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "quote_changed")
    fresh = refused.json()["details"]["quote"]
    assert (fresh["returned"], fresh["asset"]) == ("997.80821918", "USDT")
    again = ada.post("/v1/early-redemptions", confirm, key="confirm")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == refused.content
    done = ada.post("/v1/early-redemptions", {"quote_id": fresh["quote_id"]})
    assert done.status_code == 200
    assert done.json()["quote"] == fresh | {"sentence": done.json()["quote"]["sentence"]}
    (left,) = all_of(ada, "/v1/positions", product="USDT-30D", state="ended")
    assert (left["ended_by"], left["rewards_forfeited"]) == ("early_redemption", "2.19178082")
    service.catch_up()


def test_at_the_end_of_the_day_the_books_hold(service: Service) -> None:
    assert_audited(service.database)
