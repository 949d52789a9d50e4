"""Operators over HTTP: all that the commands can do, each by the role that fits, and two people where two must."""

from decimal import Decimal

import httpx
from tests.api.world import Caller, Service

from staddle import desk, errors

TERMS = {"amount_min": "0.01", "step": "0.01", "quota": "500"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def on_sale(operators: dict[str, Caller], code: str, **terms: str) -> None:
    """Put a product on sale as two people do, with a rate."""
    draft = {"asset": "USDT", "kind": "flexible", "name": f"Product {code}", "terms": TERMS | terms}
    done = operators["first"].put(f"/v1/desk/products/{code}", draft)
    assert done.status_code == 200, done.text
    operators["second"].post(f"/v1/desk/products/{code}/versions/1/approve")
    asked = operators["first"].post("/v1/desk/rates", {"product": code, "apr": "0.05"}).json()
    done = operators["second"].post(f"/v1/desk/rates/{asked['approval_id']}/approve")
    assert done.status_code == 200, done.text


# What everybody may read


def test_every_error_is_listed_with_its_code_and_status(http: Caller) -> None:
    listed = {each["code"]: each for each in http.get("/v1/errors").json()}
    assert listed["insufficient_funds"]["status"] == 409
    assert listed["insufficient_funds"]["branch"] == "refused"
    assert listed["too_many_attempts"]["status"] == 429
    codes = {
        each.code()
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, errors.StaddleError)
        and each is not errors.StaddleError
    }
    assert set(listed) == codes


# Two people


def test_a_product_goes_on_sale_by_two_people_and_never_by_one(operators: dict[str, Caller]) -> None:
    first, second = operators["first"], operators["second"]
    draft = {"asset": "USDT", "kind": "fixed", "name": "A fortnight", "terms": {**TERMS, "term_days": 14}}
    drafted = first.put("/v1/desk/products/USDT-14D", draft).json()
    assert (drafted["draft"]["version"], drafted["draft"]["approved_by"]) == (1, None)
    assert drafted["draft"]["terms"]["amount_min"] == "0.01000000"
    own = first.post("/v1/desk/products/USDT-14D/versions/1/approve")
    assert problem(own) == (409, "second_person_needed")
    assert second.post("/v1/desk/products/USDT-14D/versions/1/approve").json()["state"] == "live"
    changed = second.post("/v1/desk/products/USDT-14D/versions", {"quota": None, "term_days": 15}).json()
    assert changed["draft"]["terms"] | {"quota": None, "term_days": 15} == changed["draft"]["terms"]
    assert problem(second.post("/v1/desk/products/USDT-14D/versions/2/approve")) == (
        409, "second_person_needed",
    )  # fmt: skip
    assert first.post("/v1/desk/products/USDT-14D/versions/2/approve").json()["version"] == 2
    versions = first.get("/v1/desk/products/USDT-14D/versions").json()["versions"]
    assert [(each["drafted_by"], each["approved_by"]) for each in versions] == [
        ("ada", "second"), ("second", "ada"),
    ]  # fmt: skip


def test_terms_that_do_not_fit_together_are_refused_with_the_field(operators: dict[str, Caller]) -> None:
    draft = {"asset": "USDT", "kind": "flexible", "name": "Odd", "terms": {**TERMS, "term_days": 3}}
    refused = operators["product"].put("/v1/desk/products/ODD", draft)
    assert (problem(refused), refused.json()["details"]) == ((422, "invalid_terms"), {"field": "term_days"})
    missing = operators["product"].put("/v1/desk/products/ODD", draft | {"terms": {"step": "1"}})
    assert problem(missing) == (422, "invalid_terms")
    exponent = operators["product"].put("/v1/desk/products/ODD", draft | {"terms": {**TERMS, "quota": "1e6"}})
    assert problem(exponent) == (400, "malformed_request")
    assert problem(operators["product"].get("/v1/desk/products/ODD")) == (404, "product_not_found")


def test_a_draft_is_looked_over_cloned_and_discarded_by_the_product_role_alone(
    operators: dict[str, Caller],
) -> None:
    first, viewer, treasury = operators["first"], operators["viewer"], operators["treasury"]
    on_sale(operators, "WEEK-FLEX", opens_at="2026-01-01T00:00:00Z")
    half = {
        "code": "week",
        "asset": "USDT",
        "kind": "fixed",
        "name": "",
        "terms": {"amount_min": "1", "quota": -5},
    }
    found = operators["product"].post("/v1/desk/products/check", half).json()
    assert {each["field"] for each in found["problems"]} == {"code", "name", "step", "quota", "term_days"}
    assert not found["is_sound"]
    next_one = {"code": "WEEK-FLEX", "terms": TERMS | {"quota": "600", "opens_at": "2026-01-01T00:00:00Z"}}
    found = first.post("/v1/desk/products/check", next_one).json()
    assert (found["is_sound"], [each["field"] for each in found["differences"]]) == (True, ["quota"])
    clone = {"code": "WEEK-7D", "kind": "fixed", "name": "A week", "terms": {"term_days": 7}}
    made = first.post("/v1/desk/products/WEEK-FLEX/clone", clone).json()
    assert (made["draft"]["terms"]["term_days"], made["draft"]["terms"]["quota"]) == (7, "500.00000000")
    differences = viewer.get("/v1/desk/products/WEEK-7D/versions/1/differences").json()
    assert (differences["before"], differences["differences"][0]["after"]) == (None, "7 days")
    for somebody in (viewer, treasury):
        for path, body in (
            ("/v1/desk/products/check", half),
            ("/v1/desk/products/WEEK-FLEX/clone", clone),
            ("/v1/desk/products/WEEK-7D/versions/1/discard", None),
        ):
            assert problem(somebody.post(path, body)) == (403, "role_missing")
    discarded = operators["second"].post("/v1/desk/products/WEEK-7D/versions/1/discard").json()
    assert discarded["state"] == "discarded"
    assert problem(first.post("/v1/desk/products/WEEK-7D/versions/1/discard")) == (409, "wrong_state")
    assert problem(viewer.get("/v1/products/WEEK-7D")) == (404, "product_not_found")
    assert viewer.get("/v1/desk/schedule").status_code == 200
    assert viewer.get("/v1/desk/schedule", days=0).status_code == 400


def test_a_rate_is_published_by_a_second_person_and_told_to_all_who_hold_the_product(
    service: Service, operators: dict[str, Caller], ada: Caller
) -> None:
    on_sale(operators, "TOLD-FLEX")
    held = {"product": "TOLD-FLEX", "amount": "10", "agreement_version": 1}
    assert ada.post("/v1/subscriptions", held).status_code == 200
    body = {"product": "TOLD-FLEX", "apr": "0.04", "effective_at": "2026-03-01T00:00:00Z"}
    asked = operators["first"].post("/v1/desk/rates", body, key="rate 1").json()
    again = operators["first"].post("/v1/desk/rates", body, key="rate 1")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (asked, "true")
    number = asked["approval_id"]
    waiting = operators["viewer"].get("/v1/approvals").json()["items"]
    assert [each["approval_id"] for each in waiting] == [number]
    own = operators["first"].post(f"/v1/desk/rates/{number}/approve")
    assert problem(own) == (409, "second_person_needed")
    assert operators["viewer"].get(f"/v1/approvals/{number}").json()["state"] == "waiting"
    done = operators["second"].post(f"/v1/desk/rates/{number}/approve").json()
    assert (done["rate"]["revision"], done["rate"]["tiers"][0]["apr"]) == (2, "0.04")
    assert operators["viewer"].get(f"/v1/approvals/{number}").json()["decided_by"] == "second"
    with service.database.transaction() as tx:
        told = tx.execute("SELECT kind FROM notice WHERE kind = 'rate_revised'").fetchall()
    assert told


def test_a_rate_source_is_set_by_two_people(operators: dict[str, Caller]) -> None:
    on_sale(operators, "SOURCED")
    terms = {
        "kind": "json", "url": "https://rates.example.com/apr", "figure_path": "/apr", "desk_share": "0.1",
        "apr_min": "0.01", "apr_max": "0.06", "step_max": "0.005",
    }  # fmt: skip
    asked = operators["first"].put("/v1/desk/rate-sources/SOURCED", terms).json()
    address = f"/v1/desk/rate-source-requests/{asked['approval_id']}/approve"
    assert problem(operators["first"].post(address)) == (409, "second_person_needed")
    assert problem(operators["product"].get("/v1/desk/rate-sources/SOURCED")) == (404, "source_not_found")
    assert operators["second"].post(address).json()["approved_by"] == "second"
    assert operators["viewer"].get("/v1/desk/rate-sources/SOURCED").json()["set_by"] == "ada"
    plain = operators["first"].put("/v1/desk/rate-sources/SOURCED", terms | {"url": "ftp://x"})
    assert problem(plain) == (422, "invalid_source")


def test_the_pool_moves_when_a_second_person_says_so_and_not_before(operators: dict[str, Caller]) -> None:
    first, second = operators["first"], operators["second"]
    before = funded(operators)
    body = {"move": "funding", "asset": "USDT", "amount": "50"}
    asked = first.post("/v1/treasury/pool-moves", body, key="fund").json()
    assert first.post("/v1/treasury/pool-moves", body, key="fund").json() == asked
    assert funded(operators) == before
    address = f"/v1/treasury/pool-moves/{asked['approval_id']}/approve"
    assert problem(first.post(address)) == (409, "second_person_needed")
    assert funded(operators) == before
    done = second.post(address, key="approve fund")
    assert done.json()["amount"] == "50.00000000"
    assert second.post(address, key="approve fund").json() == done.json()
    assert problem(second.post(address)) == (409, "wrong_state")
    assert funded(operators) == before + 50


def funded(operators: dict[str, Caller]) -> Decimal:
    pools = operators["viewer"].get("/v1/treasury/runway").json()["assets"]
    return next(Decimal(pool["funded"]) for pool in pools if pool["asset"] == "USDT")


def test_no_operator_credits_or_debits_a_customer_alone(operators: dict[str, Caller], client: Caller) -> None:
    client.put("/v1/customers/max", {})
    first, second = operators["first"], operators["second"]
    assert problem(first.post("/v1/deposits", {"customer": "max", "asset": "USDT", "amount": "5"})) == (
        403, "wrong_kind_of_caller",
    )  # fmt: skip

    def asked(**body: str) -> str:
        move = {"move": "deposit", "customer": "max", "asset": "USDT", "amount": "5"} | body
        answer = first.post("/v1/desk/customer-moves", move)
        assert answer.status_code == 200, answer.text
        return f"/v1/desk/customer-moves/{answer.json()['approval_id']}/approve"

    credit = asked()
    assert problem(first.post(credit)) == (409, "second_person_needed")
    assert client.get("/v1/customers/max/balances").json() == []
    done = second.post(credit, key="credit max")
    assert done.json()["amount"] == "5.00000000"
    again = second.post(credit, key="credit max")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (done.json(), "true")
    assert problem(second.post(credit)) == (409, "wrong_state")
    too_much = asked(move="withdrawal", amount="5.00000001")
    assert problem(second.post(too_much)) == (409, "insufficient_funds")
    client.post("/v1/deposits", {"customer": "max", "asset": "USDT", "amount": "1"})
    assert second.post(too_much).json()["amount"] == "5.00000001", "it was still waiting"
    assert client.get("/v1/customers/max/balances").json()[0]["spot"] == "0.99999999"
    unknown = first.post(
        "/v1/desk/customer-moves", {"move": "deposit", "customer": "no", "asset": "USDT", "amount": "5"}
    )
    assert problem(unknown) == (404, "customer_not_found")


def test_a_request_is_declined_by_the_role_that_could_approve_it_or_withdrawn_by_its_asker(
    operators: dict[str, Caller],
) -> None:
    on_sale(operators, "DECLINED")
    later = {"product": "DECLINED", "apr": "0.04", "effective_at": "2026-03-01T00:00:00Z"}
    rate = operators["product"].post("/v1/desk/rates", later).json()["approval_id"]
    wrong = operators["treasury"].post(f"/v1/approvals/{rate}/decline")
    assert problem(wrong) == (403, "role_missing")
    assert operators["product"].post(f"/v1/approvals/{rate}/decline").json()["state"] == "withdrawn"
    pool = {"move": "funding", "asset": "USDT", "amount": "1"}
    move = operators["treasury"].post("/v1/treasury/pool-moves", pool).json()["approval_id"]
    assert problem(operators["product"].post(f"/v1/approvals/{move}/decline")) == (403, "role_missing")
    assert operators["second"].post(f"/v1/approvals/{move}/decline").json()["decided_by"] == "second"
    assert problem(operators["product"].post("/v1/approvals/99999/decline")) == (404, "approval_not_found")


# Runs


def test_a_run_outside_its_limits_waits_for_a_second_person_over_http(
    service: Service, operators: dict[str, Caller], client: Caller
) -> None:
    first, second = operators["first"], operators["second"]
    assert (
        first.send("PATCH", "/v1/desk/limits", {"run_change_max": "0.01"}).json()["run_change_max"] == "0.01"
    )
    client.put("/v1/customers/whale", {})
    client.post("/v1/deposits", {"customer": "whale", "asset": "USDT", "amount": "40000"})
    staked = {"product": "USDT-FLEX", "amount": "40000", "agreement_version": 1}
    assert client.acting_for("whale").post("/v1/subscriptions", staked).status_code == 200
    service.passes(days=1, hours=10)
    early = first.post("/v1/runs", {})
    assert (problem(early), early.json()["details"]) == ((409, "run_out_of_order"), {"next": "2026-02-02"})
    ran = first.post("/v1/runs/catch-up").json()
    assert [(run["run_on"], run["state"]) for run in ran] == [
        ("2026-02-02", "finished"), ("2026-02-03", "held"),
    ]  # fmt: skip
    assert "rewards go from" in ran[1]["held_because"]
    plan = first.get("/v1/runs/plan", run_on="2026-02-03").json()
    address = "/v1/runs/2026-02-03/release"
    assert problem(operators["product"].post(address)) == (403, "role_missing")
    asked = second.post(address).json()["approval_id"]
    assert problem(second.post(f"/v1/approvals/{asked}/approve")) == (409, "second_person_needed")
    started = first.post(f"/v1/approvals/{asked}/approve")
    assert problem(started) == (409, "second_person_needed")
    assert problem(operators["product"].post(f"/v1/approvals/{asked}/approve")) == (403, "role_missing")
    done = operators["treasury"].post(f"/v1/approvals/{asked}/approve").json()["done"]
    assert (done["state"], done["released_by"]) == ("released", "only-treasury")
    done = first.post("/v1/runs", {}).json()
    assert (done["state"], done["released_by"]) == ("finished", "only-treasury")
    owed = {(line["product"], line["rewards"], line["amount"]) for line in plan["lines"]}
    assert owed == {
        (line["product"], line["rewards_planned"], line["amount_planned"]) for line in done["lines"]
    }
    assert first.post("/v1/runs", {}).json() == done
    assert first.get("/v1/runs/2026-02-03").json() == done
    log = operators["viewer"].get("/v1/desk/log", limit=1).json()["items"][0]
    assert (log["operator"], log["act"], log["subject"]) == ("only-treasury", "release_run", "2026-02-03")


def test_runs_are_listed_to_the_first_by_a_cursor(operators: dict[str, Caller]) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = operators["viewer"].get("/v1/runs", limit=4, **cursor).json()
        seen += [each["run_on"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(set(seen), reverse=True)
    assert seen[-1] == "2026-01-23"
    assert problem(operators["viewer"].get("/v1/runs/2025-01-01")) == (404, "run_not_found")
    assert problem(operators["viewer"].get("/v1/runs/yesterday")) == (400, "malformed_request")


def test_the_books_are_sealed_ticked_and_audited_over_http(operators: dict[str, Caller]) -> None:
    treasury = operators["treasury"]
    assert treasury.post("/v1/ticks").json()["runs"] == []
    assert treasury.post("/v1/seals").json()["seals"] == 0
    verdict = operators["viewer"].post("/v1/audits").json()
    assert (verdict["is_sound"], [each for each in verdict["findings"] if not each["is_information"]]) == (
        True, [],
    )  # fmt: skip
    assert len(verdict["checks"]) > 20


# The rest of the desk


def test_a_sandbox_clock_moves_once_for_its_key_and_never_back(operators: dict[str, Caller]) -> None:
    admin = operators["admin"]
    moved = admin.post("/v1/desk/clock", {"by": "2h"}, key="two hours").json()["now_at"]
    assert admin.post("/v1/desk/clock", {"by": "2h"}, key="two hours").json()["now_at"] == moved
    reused = admin.post("/v1/desk/clock", {"by": "3h"}, key="two hours")
    assert problem(reused) == (409, "request_key_reused")
    back = admin.post("/v1/desk/clock", {"to": "2026-01-01T00:00:00Z"})
    assert problem(back) == (422, "invalid_time")
    assert problem(admin.post("/v1/desk/clock", {})) == (422, "invalid_choice")
    assert problem(admin.post("/v1/desk/clock", {"to": "2026-02-01T00:00:00"})) == (400, "malformed_request")
    assert problem(operators["treasury"].post("/v1/desk/clock", {"by": "1d"})) == (403, "role_missing")


def test_a_clock_that_is_lived_through_does_every_run_on_the_way(operators: dict[str, Caller]) -> None:
    operators["first"].send("PATCH", "/v1/desk/limits", {"run_change_max": "1000000"})
    lived = operators["admin"].post("/v1/desk/clock", {"by": "2d", "is_lived": True}).json()
    assert [(run["state"], run["started_by"]) for run in lived["runs"]] == [("finished", "only-admin")] * 2


def test_an_operator_who_is_deactivated_is_out_at_once_and_nobody_gives_themselves_a_role(
    service: Service, operators: dict[str, Caller]
) -> None:
    admin = operators["admin"]
    added = admin.put("/v1/operators/zoe", {"roles": ["support"]}).json()
    assert added["roles"] == ["viewer"]
    address = f"/v1/approvals/{added['grant_asked']}/approve"
    assert problem(admin.post(address)) == (409, "second_person_needed")
    assert operators["second"].post(address).json()["done"]["roles"] == ["viewer", "support"]
    zoe = service.operator("zoe")
    assert zoe.get("/v1/desk").status_code == 200
    assert problem(zoe.put("/v1/operators/zoe/roles", {"roles": ["admin"]})) == (403, "role_missing")
    given = admin.put("/v1/operators/only-admin/roles", {"roles": ["admin", "treasury"]})
    assert given.json()["roles"] == ["viewer", "admin"]
    own = f"/v1/approvals/{given.json()['grant_asked']}/approve"
    assert problem(admin.post(own)) == (409, "second_person_needed")
    withdrawn = admin.post(own.removesuffix("approve") + "decline").json()
    assert withdrawn["state"] == "withdrawn"
    assert admin.put("/v1/operators/zoe/active", {"is_active": False}).json()["is_active"] is False
    assert zoe.get("/v1/desk").status_code == 401
    assert problem(admin.put("/v1/operators/Zoe!", {"roles": []})) == (422, "invalid_name")
    assert problem(admin.put("/v1/operators/nina", {"roles": ["king"]})) == (400, "malformed_request")


def test_files_are_imported_as_csv_each_line_once(operators: dict[str, Caller], client: Caller) -> None:
    people = "reference,name,country\njo,Jo,DE\nkim,Kim,UK\n"
    whole = operators["support"].ask("POST", "/v1/imports/customers", body=people)
    assert (problem(whole), whole.json()["details"]["problem_count"]) == ((422, "invalid_file"), 1)
    assert client.get("/v1/customers/jo").status_code == 404
    some = (
        operators["support"]
        .ask("POST", "/v1/imports/customers", body=people, query={"on_error": "skip"})
        .json()
    )
    assert (some["imported"], some["bad_lines"]) == (
        1,
        [
            {
                "line": 3,
                "column": "country",
                "code": "invalid_choice",
                "reason": some["bad_lines"][0]["reason"],
            }
        ],
    )
    coins = "customer,asset,account,amount,reference\njo,USDT,spot,5,wire-9\n"
    for imported in (1, 0):
        done = client.ask("POST", "/v1/imports/deposits", body=coins)
        assert (done.json()["imported"], done.json()["already_there"]) == (imported, 1 - imported)
    assert client.get("/v1/customers/jo/balances").json()[0]["spot"] == "5.00000000"
    as_json = client.post("/v1/imports/deposits", {"file": coins})
    assert problem(as_json) == (415, "wrong_media_type")


def test_halts_are_seen_by_customers_with_their_reason_and_end(
    operators: dict[str, Caller], ada: Caller
) -> None:
    on_sale(operators, "HALTED")
    address = "/v1/desk/products/HALTED/halts/subscribing"
    asked = operators["product"].post(address, {"reason": "Back at noon."}).json()
    assert asked["request"]["difference"] == [
        {
            "field": "subscribing",
            "words": "Subscribing",
            "before": "goes on",
            "after": "paused: Back at noon.",
        }
    ]
    decide = f"/v1/approvals/{asked['approval_id']}/approve"
    assert operators["second"].post(decide).json()["done"]["subscribe_halt"] == "Back at noon."
    wanted = {"product": "HALTED", "amount": "1", "agreement_version": 1}
    assert problem(ada.post("/v1/subscriptions", wanted)) == (409, "subscribing_halted")
    decide = f"/v1/approvals/{operators['product'].delete(address).json()['approval_id']}/approve"
    assert operators["second"].post(decide).json()["done"]["subscribe_halt"] is None
    assert ada.post("/v1/subscriptions", wanted).status_code == 200
    everything = operators["product"].post("/v1/desk/products/HALTED/halts/everything", {"reason": "no"})
    assert problem(everything) == (400, "malformed_request")


def test_an_alarm_is_cleared_by_hand_and_logged(service: Service, operators: dict[str, Caller]) -> None:

    with service.database.transaction() as tx:
        desk.raise_alarm(tx, "runway_short", "BTC", {"days_left": 3}, service.living.now)
    alarm = operators["viewer"].get("/v1/alarms").json()["items"][0]
    assert (alarm["kind"], alarm["details"]) == ("runway_short", {"days_left": 3})
    address = f"/v1/alarms/{alarm['alarm_id']}/clear"
    assert problem(operators["viewer"].post(address)) == (403, "role_missing")
    assert operators["support"].post(address).json()["cleared_by"] == "only-support"
    assert operators["viewer"].get("/v1/alarms").json()["items"] == []
    cleared = operators["viewer"].get("/v1/alarms", with_cleared=True, limit=1).json()
    assert [each["alarm_id"] for each in cleared["items"]] == [alarm["alarm_id"]]
