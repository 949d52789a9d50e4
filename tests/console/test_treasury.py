"""Treasury in the console: what every pool has been through, what comes, and moves that two people do."""

import csv
import io
import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from tests.api.world import Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, alert_of, text_of

from staddle import treasury
from staddle.money import plain
from staddle.treasury import Runway, WhatIf


def pool_of(service: Service) -> Runway:
    with service.database.transaction() as tx:
        return {each.asset: each for each in treasury.runway(tx, service.living.now)}["USDT"]


def rows_of(visitor: Visitor, path: str, **query: str) -> list[dict[str, str]]:
    answer = visitor.get(path, **query)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_every_pool_stands_there_with_what_it_costs_and_how_long_it_lasts(
    service: Service, only: Only
) -> None:
    viewer = only("viewer")
    pool = pool_of(service)
    [row] = [row for row in rows_of(viewer, "/console/treasury.csv") if row["asset"] == "USDT"]
    assert (row["left"], row["cost_per_day"]) == (plain(pool.left), plain(pool.cost_per_day))
    assert row["days_left"] == str(pool.days_left)
    with service.database.transaction() as tx:
        days = treasury.pool_history(tx, "USDT", service.living.now, 30)
    assert row["rewards_30_days"] == plain(sum((day.rewards for day in days), Decimal(0)))
    assert "USDT" in viewer.see("/console/treasury", sort="-left")
    assert rows_of(viewer, "/console/treasury.csv", asset="nothing") == []


def test_funding_is_asked_for_with_its_effect_and_done_by_a_second_person(
    service: Service, ada: Visitor, bob: Visitor
) -> None:
    before = pool_of(service)
    foreseen = ada.see("/console/treasury/USDT/effect", move="funding", amount="1 000.5")
    assert "Lasts then" in foreseen
    address = ada.sent("/console/treasury/USDT/moves", move="funding", amount="1 000.5", reference="wire 77")
    assert address == "/console/treasury/USDT"
    page = ada.get(address).text
    assert "wire 77" in page
    assert pool_of(service) == before  # nothing has moved
    [waiting] = rows_of(ada, "/console/treasury/USDT/moves.csv", state="waiting")
    with service.database.transaction() as tx:
        command = treasury.ApprovePoolMove(key="second", by="bob", approval_id=int(waiting["approval_id"]))
        treasury.approve_pool_move(tx, [command], service.living.now)[0].unwrap()
    after = pool_of(service)
    assert after.left - before.left == after.funded - before.funded
    assert plain(after.left - before.left).startswith("1000.5")
    assert "wire 77" in bob.see("/console/treasury/USDT/moves")
    assert rows_of(bob, "/console/treasury/USDT/moves.csv", state="waiting") == []


def test_a_move_that_is_wrong_is_refused_with_a_sentence_and_what_was_typed(ada: Visitor) -> None:
    for fields, said in (
        ({"move": "funding", "amount": "12,5"}, "plain number"),
        ({"move": "withdrawal", "amount": "9" * 25}, "left in the pool"),
        ({"move": "funding", "amount": ""}, "amount"),
    ):
        answer = ada.send("/console/treasury/USDT/moves", reference="kept text", **fields)
        assert answer.status_code in (400, 409, 422)
        assert said in alert_of(answer)
        assert "kept text" in answer.text


def test_a_form_sent_twice_asks_once(ada: Visitor) -> None:
    for _ in range(2):
        ada.send("/console/treasury/USDT/moves", key="the same", move="funding", amount="3")
    waiting = rows_of(ada, "/console/treasury/USDT/moves.csv", state="waiting")
    assert [row["amount"] for row in waiting if row["amount"].startswith("3.")] == ["3.00000000"]


def test_who_only_looks_sees_everything_and_moves_nothing(only: Only, stranger: Visitor) -> None:
    for role in ("viewer", "support", "product"):
        visitor = only(role)
        for end in ("", "/days", "/ladder", "/what-if", "/moves"):
            assert "USDT" in visitor.see(f"/console/treasury/USDT{end}")
        page = visitor.get("/console/treasury/USDT").text
        assert "need the role treasury" in page
        assert 'action="/console/treasury/USDT/moves"' not in page
        refused = visitor.send("/console/treasury/USDT/moves", move="funding", amount="5")
        assert refused.status_code == 403
    assert 'action="/console/treasury/USDT/moves"' in only("treasury").get("/console/treasury/USDT").text
    assert stranger.get("/console/treasury").status_code == 303


def test_the_days_of_a_pool_are_those_of_the_history(service: Service, ada: Visitor) -> None:
    with service.database.transaction() as tx:
        days = treasury.pool_history(tx, "USDT", service.living.now, 3_650)
    rows = rows_of(ada, "/console/treasury/USDT/days.csv")
    assert [row["left"] for row in rows] == [plain(day.left) for day in days]
    assert ada.get("/console/treasury/NONE").status_code == 404


def test_the_ladder_and_its_file_say_the_same(service: Service, ada: Visitor) -> None:
    with service.database.transaction() as tx:
        [found] = treasury.ladder(tx, service.living.now, "USDT")
    rows = rows_of(ada, "/console/treasury/USDT/ladder.csv")
    assert len(rows) == 120
    assert rows[-1]["leaving_in_all"] == plain(found.days[-1].leaving_in_all)
    page = ada.get("/console/treasury/USDT/ladder").text
    assert page.count("<tr>") == 121
    assert "Coverage" in page


def test_what_is_supposed_shows_the_day_on_which_the_pool_runs_dry(service: Service, ada: Visitor) -> None:
    pool = pool_of(service)
    assert pool.days_left is None or pool.days_left > 120
    assert "lasts through all of these days" in ada.see("/console/treasury/USDT/what-if")
    on = service.living.now.date() + timedelta(days=5)
    wanted = {"apr": "9000", "apr_from": f"{service.living.now.date() + timedelta(days=1)}T00:00"}
    at = datetime.combine(service.living.now.date() + timedelta(days=1), time(0), UTC)
    with service.database.transaction() as tx:
        supposed = WhatIf(asset="USDT", apr=Decimal(90), apr_from=at)
        outcome = treasury.what_if(tx, supposed, service.living.now)
    rows = rows_of(ada, "/console/treasury/USDT/what-if.csv", **wanted)
    assert [row["cost"] for row in rows] == [plain(day.cost) for day in outcome.days]
    part = ada.http.get(
        "/console/treasury/USDT/what-if",
        params={"growth": "12", "leaving_on": str(on), "flexible_percent": "50"},
        headers={"HX-Request": "true"},
    )
    assert re.match(r"\s*<div id=\"outcome\"", part.text)
    assert "<form" not in part.text
    assert "Flexible customers leave" in text_of(part)
    wrong = ada.get("/console/treasury/USDT/what-if", growth_percent="abc")
    assert "not a plain figure" in text_of(wrong)
    assert 'aria-invalid="true"' in wrong.text
