"""Customers over HTTP: what they have, what they may do, and that they are told so exactly."""

from tests.api.world import Caller, Service


def test_a_customer_lists_the_positions_they_hold_and_nobody_elses(ada: Caller, ben: Caller) -> None:
    mine = ada.get("/v1/positions").json()
    assert [position["product"] for position in mine["items"]] == [
        "USDT-FLEX", "BTC-FLEX", "USDT-30D", "USDT-FLEX",
    ]  # fmt: skip
    assert {position["product"] for position in ben.get("/v1/positions").json()["items"]} == {
        "USDT-FLEX", "USDT-90D",
    }  # fmt: skip


def test_a_client_may_act_for_a_customer_and_a_key_only_within_its_scopes(
    service: Service, client: Caller
) -> None:
    assert client.acting_for("ben").get("/v1/positions").json()["items"][0]["product"] == "USDT-90D"
    refused = service.api_key("ada", ["subscribe"]).get("/v1/positions")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
