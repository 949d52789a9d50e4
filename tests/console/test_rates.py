"""Rates in the console: what they cost, revised with their effect in sight, by two people, and told to holders."""

import csv
import html
import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.api.world import Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, alert_of, rows, text_of

from staddle import treasury
from staddle.days import format_instant
from staddle.money import plain
from staddle.positions.publish_rate import holders_told, publish_rate
from staddle.products import Tier, approve_source, propose_rate, rate_history, show_product


def rows_of(visitor: Visitor, path: str, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(visitor.get(path, **query).text)))


def starts(service: Service, days: int = 3) -> str:
    at = (service.living.now + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{at:%Y-%m-%dT%H:%M}"


D = Decimal
TIERS: dict[str, Any] = {"amount_to": ["1000", ""], "apr": ["7.5", "2"]}


def test_every_product_stands_there_with_its_rate_and_what_a_day_of_it_costs(
    service: Service, only: Only
) -> None:
    viewer = only("viewer")
    found = {row["product"]: row for row in rows_of(viewer, "/console/rates.csv")}
    with service.database.transaction() as tx:
        costs = treasury.count_costs(tx, service.living.now)
        offer = show_product(tx, "USDT-FLEX", service.living.now)
    assert offer.rate is not None
    assert found["USDT-FLEX"]["headline_apr"] == plain(offer.rate.headline_apr)
    assert found["USDT-FLEX"]["principal"] == plain(costs["USDT-FLEX"].principal)
    assert found["USDT-30D"]["policy"] == "locked"
    floating = rows_of(viewer, "/console/rates.csv", policy="floating")
    assert {row["policy"] for row in floating} == {"floating"}
    downwards = [row["cost_per_day"] for row in rows_of(viewer, "/console/rates.csv", sort="-cost", q="usdt")]
    assert downwards == sorted(downwards, key=float, reverse=True)
    assert "USDT-FLEX" in viewer.see("/console/rates")


def test_the_effect_and_the_notice_are_seen_before_anybody_is_asked(service: Service, ada: Visitor) -> None:
    answer = ada.get("/console/rates/USDT-FLEX/effect", effective_at=starts(service), **TIERS)
    text = text_of(answer)
    with service.database.transaction() as tx:
        from_form = treasury.foresee_rate(
            tx, "USDT-FLEX", tiers_of("1000", "0.075", "0.02"), instant(service), service.living.now
        )
    assert f"It touches {from_form.customers} customer" in text
    assert "up to 7.50" in text
    assert "a year from" in text
    row = answer.text.split("All USDT costs a day")[1].split("</tr>")[0]
    costs = [Decimal(each.replace(",", "")) for each in re.findall(r'<bdi dir="ltr">([0-9.,]+)</bdi>', row)]
    assert costs == [from_form.asset_cost_per_day_before, from_form.asset_cost_per_day_after]
    assert "<form" not in answer.text


def instant(service: Service) -> Any:
    return (service.living.now + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)


def tiers_of(top: str, low_apr: str, high_apr: str) -> list[Tier]:
    return [Tier(D(0), D(top), D(low_apr)), Tier(D(top), None, D(high_apr))]


def test_a_rate_is_published_by_a_second_person_and_told_to_all_who_hold_the_product(
    service: Service, ada: Visitor, bob: Visitor
) -> None:
    address = ada.sent("/console/rates/USDT-FLEX/revise", effective_at=starts(service), **TIERS)
    assert address == "/console/rates/USDT-FLEX"
    assert "Nothing is published yet" in ada.see(address)
    [waiting] = rows(
        service, "SELECT approval_id FROM approval WHERE act = 'revise_rate' AND decision IS NULL"
    )
    with service.database.transaction() as tx:
        before = len(rate_history(tx, "USDT-FLEX"))
        revised = publish_rate(tx, "bob", waiting.approval_id, service.living.now)
        assert revised.rate.revision == before + 1
        told = holders_told(tx, "USDT-FLEX")[revised.rate.revision]
    holders = rows(
        service,
        "SELECT count(DISTINCT customer_id) AS found FROM position JOIN product USING (product_id)"
        " WHERE code = 'USDT-FLEX' AND ended_at IS NULL",
    )
    assert told == holders[0].found > 0
    page = bob.see("/console/rates/USDT-FLEX")
    assert "announced" in page
    assert f"{told} customer" in page
    newest = rows_of(bob, "/console/rates/USDT-FLEX/revisions.csv")[0]
    assert (newest["effective_at"], newest["apr"]) == (format_instant(instant(service)), "0.075")
    assert (newest["proposed_by"], newest["approved_by"]) == ("ada", "bob")


def test_what_is_wrong_with_a_rate_is_said_while_it_is_typed_and_when_it_is_sent(
    service: Service, ada: Visitor
) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"amount_to": ["1000", "500", ""], "apr": ["7", "6", "5"]}, "end must lie above"),
        ({"amount_to": ["", ""], "apr": ["7", "6"]}, "has no end"),
        ({"amount_to": ["1000"], "apr": ["7"]}, "last tier's end"),
        ({"amount_to": ["1000", ""], "apr": ["7", ""]}, "last tier's end"),
        ({"amount_to": ["1000", ""], "apr": ["", "5"]}, "has no APR"),
        ({"amount_to": [""], "apr": ["seven"]}, "Tier 1"),
        ({"amount_to": [""], "apr": ["10001"]}, "Tier 1"),
    ]
    for fields, said in wrong:
        while_typed = ada.get("/console/rates/USDT-FLEX/effect", effective_at=starts(service), **fields)
        assert said in text_of(while_typed), fields
        sent = ada.send("/console/rates/USDT-FLEX/revise", effective_at=starts(service), **fields)
        assert sent.status_code in (400, 422)
        assert said in alert_of(sent)
        assert f'value="{starts(service)}"' in sent.text
    past = ada.send("/console/rates/USDT-FLEX/revise", effective_at=starts(service, -3), **TIERS)
    assert past.status_code == 409
    assert "now" in alert_of(past)
    assert rows(service, "SELECT 1 FROM approval WHERE act = 'revise_rate' AND decision IS NULL") == []


def test_the_tier_editor_works_without_a_script(ada: Visitor) -> None:
    page = ada.get("/console/rates/USDT-FLEX/revise").text
    rows_there = len(re.findall(r'name="apr"', page))
    more = ada.get("/console/rates/USDT-FLEX/revise", amount_to=["1", "2", ""], apr=["9", "8", "7"]).text
    assert len(re.findall(r'name="apr"', more)) == 4
    assert rows_there >= 2
    assert "What it changes" in html.unescape(more)


def test_only_who_makes_products_revises_rates(service: Service, only: Only, stranger: Visitor) -> None:
    for role in ("viewer", "support", "treasury"):
        visitor = only(role)
        page = visitor.get("/console/rates/USDT-FLEX").text
        assert "need the role product" in page
        assert "/revise" not in page
        for end in ("/revise", "/effect"):
            assert visitor.get(f"/console/rates/USDT-FLEX{end}").status_code == 403
        for end in ("/revise", "/source", "/source/end", "/source/read", "/source/propose"):
            fields = {
                "kind": "json",
                "url": "x",
                "desk_share": "1",
                "apr_min": "1",
                "apr_max": "2",
                "step_max": "1",
            }
            refused = visitor.send(f"/console/rates/USDT-FLEX{end}", **TIERS, **fields)
            assert refused.status_code == 403, end
    assert "/revise" in only("product").get("/console/rates/USDT-FLEX").text
    assert stranger.get("/console/rates").status_code == 303


def test_a_source_is_set_by_two_people_and_ended_by_one(service: Service, ada: Visitor) -> None:
    address = "/console/rates/USDT-FLEX"
    with service.database.transaction() as tx:  # a source goes on from a rate without tiers
        at = instant(service) + timedelta(days=30)
        asked = propose_rate(tx, "ada", "USDT-FLEX", [Tier(D(0), None, D("0.05"))], at, service.living.now)
        publish_rate(tx, "bob", asked, service.living.now)
    fields = {
        "kind": "json", "url": "https://rates.example/feed", "figure_path": "/apr", "desk_share": "10",
        "apr_min": "1", "apr_max": "9", "step_max": "0.5", "stale_hours": "24",
    }  # fmt: skip
    wrong = ada.send(f"{address}/source", **fields | {"desk_share": "a lot"})
    assert wrong.status_code in (400, 422)
    assert "plain figure" in alert_of(wrong)
    sent = ada.send(f"{address}/source", **fields)
    assert sent.status_code == 303, alert_of(sent)
    [waiting] = rows(
        service, "SELECT approval_id FROM approval WHERE act = 'set_rate_source' AND decision IS NULL"
    )
    with service.database.transaction() as tx:
        terms = approve_source(tx, "bob", waiting.approval_id, service.living.now).terms
    assert (plain(terms.desk_share), plain(terms.apr_max), plain(terms.step_max)) == ("0.10", "0.09", "0.005")
    assert "https://rates.example/feed" in ada.see(address)
    assert "follows no source any more" in ada.see(ada.sent(f"{address}/source/end"))
