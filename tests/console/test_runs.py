"""Runs, what is put aside, alarms, tasks and the audit in the console: seen by all, worked by those who may."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.api.world import Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, alert_of, rows, text_of

from staddle import desk, rewards
from staddle.days import distribution_at
from staddle.rewards.park import park
from staddle.rewards.plan import plan_run
from staddle.server import tasks
from staddle.server.asked import do_asked
from staddle.server.schedule import Work

ROLES = ("viewer", "support", "product", "treasury", "admin")


def last_run(service: Service) -> rewards.RunReport:
    with service.database.transaction() as tx:
        return rewards.latest_runs(tx, 1)[0]


def work(service: Service) -> Work:
    with service.database.transaction() as tx:
        now = desk.now_of(tx, datetime.now(UTC))
    return replace(
        Work(service.database, now, datetime.now(UTC), None, (), lambda *_: None, lambda: False),
        process="a worker",
    )


@pytest.fixture
def planned(service: Service) -> Iterator[date]:
    """The next run, planned and not paid; done at the end of the test."""
    run_on = last_run(service).run_on + timedelta(days=1)
    with service.database.transaction() as tx:
        due_at = distribution_at(run_on, desk.find_desk(tx).distribution_time)
        desk.set_clock(tx, max(due_at, desk.now_of(tx, due_at)))
    plan_run(service.database, run_on, due_at, "scheduler", due_at)
    yield run_on
    with service.database.transaction() as tx:
        if rewards.find_report(tx, run_on).state == "paused":
            rewards.resume_run(tx, "ada", run_on, due_at)
    rewards.run(service.database, run_on, "scheduler", due_at)
    service.living.now = max(service.living.now, due_at)


# The list and a run


def test_the_list_shows_each_run_with_what_it_owed_and_leads_to_it(service: Service, only: Only) -> None:
    last = last_run(service)
    viewer = only("viewer")
    page = viewer.get("/console/runs").text
    assert f'href="/console/runs/{last.run_on}"' in page
    assert "Next run" in page
    for line in last.lines:
        assert line.asset in page
    finished = viewer.see("/console/runs", state="held")
    assert "Nothing is left by these filters" in finished


def test_the_list_goes_on_by_its_cursor_in_both_orders(
    service: Service, only: Only, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service.database.transaction() as tx:
        newest = [each.run_on for each in rewards.latest_runs(tx, 100)]
        after = rewards.latest_runs(tx, 2, newest[1])
        oldest = rewards.latest_runs(tx, 3, is_oldest_first=True)
    assert [each.run_on for each in after] == newest[2:4]
    assert [each.run_on for each in oldest] == newest[::-1][:3]
    page = only("viewer").get("/console/runs", sort="run").text
    assert page.index(f'/console/runs/{newest[-1]}"') < page.index(f'/console/runs/{newest[-2]}"')
    assert 'aria-sort="ascending"' in page


def test_the_list_is_a_file_too(service: Service, only: Only) -> None:
    answer = only("viewer").get("/console/runs.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(answer.text)))
    last = last_run(service)
    told = {row["product"]: Decimal(row["amount_paid"]) for row in read if row["run_on"] == str(last.run_on)}
    assert told == {line.product: line.amount_paid for line in last.lines}


def test_a_finished_run_shows_plan_attempts_and_a_reconciliation_without_a_difference(
    service: Service, only: Only
) -> None:
    run_on = last_run(service).run_on
    text = only("viewer").see(f"/console/runs/{run_on}")
    assert "nothing is left over" in text
    assert "Settled by acts" in text
    assert "Who executed it" in text
    assert "Pool holds what is owed" in text
    saved = only("viewer").get(f"/console/runs/{run_on}/reconciliation.csv")
    assert {Decimal(row["difference"]) for row in csv.DictReader(io.StringIO(saved.text))} == {Decimal(0)}
    report = only("viewer").get(f"/console/runs/{run_on}/report.json").json()
    assert (report["report"]["state"], report["reconciliation"]["is_even"]) == ("finished", True)
    assert report["attempts"][-1]["outcome"] == "finished"


def test_a_run_of_before_the_desk_is_not_there_and_one_ahead_says_when_it_is_due(
    service: Service, only: Only
) -> None:
    assert only("viewer").get("/console/runs/1999-01-01").status_code == 404
    assert only("viewer").get("/console/runs/yesterday").status_code == 404
    ahead = last_run(service).run_on + timedelta(days=5)
    assert "No plan has been worked out" in only("viewer").see(f"/console/runs/{ahead}")


# Pausing, resuming, starting


def test_the_treasury_pauses_and_resumes_a_run_and_the_page_says_by_whom_and_why(
    service: Service, planned: date, only: Only
) -> None:
    treasurer, address = only("treasury"), f"/console/runs/{planned}"
    assert "Pause the run" in treasurer.see(address)
    nothing_said = treasurer.send(f"{address}/pause", because="  ")
    assert "Please say why" in alert_of(nothing_said)
    assert treasurer.sent(f"{address}/pause", because="A node is being upgraded") == address
    text = treasurer.see(address)
    assert "Paused by only-treasury" in text
    assert "A node is being upgraded" in text
    assert "Let it go on" in text
    again = treasurer.send(f"{address}/pause", because="twice")
    assert "only one that is under way" in alert_of(again)
    treasurer.sent(f"{address}/resume")
    with service.database.transaction() as tx:
        assert rewards.find_report(tx, planned).state == "executing"
        acts = [entry.act for entry in desk.read_log(tx, 2)]
    assert acts == ["resume_run", "pause_run"]


def test_two_clicks_on_pause_are_one(service: Service, planned: date, only: Only) -> None:
    treasurer = only("treasury")
    for _ in range(2):
        assert (
            treasurer.send(f"/console/runs/{planned}/pause", key="one key", because="once").status_code == 303
        )
    assert (
        len(rows(service, "SELECT FROM desk_log WHERE act = 'pause_run' AND subject = %s", str(planned))) == 1
    )


def test_a_run_that_is_asked_for_shows_its_task_and_is_done_by_the_worker(
    service: Service, planned: date, only: Only
) -> None:
    treasurer, address = only("treasury"), f"/console/runs/{planned}"
    treasurer.sent(f"{address}/start")
    text = treasurer.see(address)
    assert "No worker keeps the schedule" in text
    assert "Asked for" in text
    assert "was asked for already" in alert_of(treasurer.send(f"{address}/start"))
    do_asked(work(service), ["run"])
    assert "nothing is left over" in treasurer.see(address)
    with service.database.transaction() as tx:
        assert rewards.attempts_of(tx, planned)[-1].process == "a worker"


@pytest.mark.parametrize("role", ROLES)
def test_only_the_treasury_starts_pauses_and_resumes_runs(role: str, planned: date, only: Only) -> None:
    visitor, address = only(role), f"/console/runs/{planned}"
    text = visitor.see(address)
    assert ("Pause the run" in text) == (role == "treasury")
    if role != "treasury":
        assert "Only the treasury" in text
        for act in ("start", "pause", "resume"):
            assert visitor.send(f"{address}/{act}", because="I wish it").status_code == 403
        assert visitor.send("/console/runs/catch-up").status_code == 403


def test_who_is_not_signed_in_sees_nothing(planned: date, stranger: Visitor) -> None:
    for address in (
        "/console/runs",
        f"/console/runs/{planned}",
        "/console/parked",
        "/console/alarms",
        "/console/audit",
    ):
        assert stranger.get(address).status_code == 303


def test_what_looks_again_gets_the_live_part_and_new_forms_only_when_the_phase_has_changed(
    planned: date, only: Only
) -> None:
    treasurer = only("treasury")

    def part(was: str) -> str:
        answer = treasurer.http.get(
            f"/console/runs/{planned}", params={"was": was}, headers={"HX-Request": "true"}
        )
        return answer.text

    same = part("executing")
    assert same.lstrip().startswith('<div id="live"')
    assert 'hx-trigger="every 1s"' in same
    assert 'id="acts"' not in same, "a reason that is being typed is not taken away"
    treasurer.sent(f"/console/runs/{planned}/pause", because="a look")
    changed = part("executing")
    assert 'id="acts" class="stack" hx-swap-oob="true"' in changed
    assert "Let it go on" in changed
    assert 'hx-trigger="every 10s"' in changed


def test_the_treasury_asks_for_the_release_of_a_held_run_and_the_page_shows_that_it_waits(
    service: Service, only: Only
) -> None:
    living = service.living
    living.passes(hours=5)
    living.subscribe(service.customer_id("carl"), "USDT-FLEX", "100")
    run_on = last_run(service).run_on + timedelta(days=2)
    with service.database.transaction() as tx:
        due_at = distribution_at(run_on, desk.find_desk(tx).distribution_time)
        desk.set_clock(tx, max(due_at, desk.now_of(tx, due_at)))
    rewards.run(service.database, run_on - timedelta(days=1), "scheduler", due_at)
    with service.database.transaction() as tx:
        desk.change_limits(tx, "ada", Decimal("0.00000001"), 30, due_at)
    assert rewards.run(service.database, run_on, "scheduler", due_at).state == "held"
    treasurer, address = only("treasury"), f"/console/runs/{run_on}"
    page = treasurer.see(address)
    assert "Outside its limits" in page
    assert "outside" in page
    assert "Ask for its release" not in only("viewer").see(address)
    assert only("support").send(f"{address}/release").status_code == 403
    treasurer.sent(f"{address}/release")
    text = treasurer.see(address)
    assert "only-treasury has asked for its release" in text
    assert "Ask for its release" not in text
    with service.database.transaction() as tx:
        [asked] = [each for each in desk.pending(tx) if each.act == "release_run"]
        rewards.approve_release(tx, "bob", asked.approval_id, due_at)
        desk.change_limits(tx, "ada", Decimal(1_000_000), 30, due_at)
    assert rewards.run(service.database, run_on, "scheduler", due_at).state == "finished"
    service.living.now = max(service.living.now, due_at)
    assert "released by bob" in only("viewer").see("/console/runs")


# Plans


def test_anybody_has_the_plan_worked_out_and_sees_it_with_its_instant(service: Service, only: Only) -> None:
    ahead = last_run(service).run_on + timedelta(days=1)
    viewer, address = only("viewer"), f"/console/runs/{ahead}"
    viewer.sent(f"{address}/plan")
    assert "The plan is being worked out" in viewer.see(address)
    do_asked(work(service), ["plan"])
    text = viewer.see(address)
    assert "as it was worked out" in text
    assert "Positions due" in text
    assert rows(service, "SELECT FROM run WHERE run_on = %s", ahead) == []


# What is put aside


def test_a_position_that_is_put_aside_is_listed_and_paid_by_support(service: Service, only: Only) -> None:
    position = rows(service, "SELECT position_id FROM position WHERE ended_at IS NULL ORDER BY 1 LIMIT 1")[
        0
    ].position_id
    run_on = last_run(service).run_on
    with service.database.transaction() as tx:
        park(tx, position, run_on, Decimal(0), "a balance row is missing", service.living.now)
    assert "a balance row is missing" in only("viewer").see("/console/parked")
    assert "Pay it now" not in only("viewer").see("/console/parked")
    assert only("product").send("/console/parked/retry", position_id=str(position)).status_code == 403
    support = only("support")
    page = support.get("/console/parked", run_on=str(run_on)).text
    assert f'value="{position}"' in page
    assert f"{position}" in support.get("/console/parked.csv").text
    assert support.sent("/console/parked/retry", position_id=str(position)) == "/console/parked"
    assert "Every position that was due has been paid" in support.see("/console/parked")
    assert "paid" in support.see("/console/parked", state="all")
    assert "not parked" in alert_of(support.send("/console/parked/retry", position_id=str(position)))
    assert "no such position" in alert_of(support.send("/console/parked/retry", position_id="x"))


# Alarms


def test_an_alarm_is_shown_with_what_to_do_and_cleared_by_hand(service: Service, only: Only) -> None:
    with service.database.transaction() as tx:
        details = {"redeemed": "500.00", "usual": "1.00"}
        desk.raise_alarm(tx, "unusual_redemptions", "USDT", details, service.living.now)
        number = desk.list_alarms(tx, kind="unusual_redemptions")[0].alarm_id
    text = only("viewer").see("/console/alarms")
    assert "far more of a coin than is usual" in text
    assert "see that custody can pay out" in text
    assert "500.00" in text
    assert only("viewer").send("/console/alarms/clear", alarm_id=str(number)).status_code == 403
    assert only("treasury").sent("/console/alarms/clear", alarm_id=str(number)) == "/console/alarms"
    still = re.sub(r"<select.*?</select>", "", only("viewer").get("/console/alarms").text, flags=re.DOTALL)
    assert "unusual redemptions" not in still
    over = only("viewer").see("/console/alarms", state="all", kind="unusual_redemptions")
    assert "by only-treasury" in over
    saved = list(csv.DictReader(io.StringIO(only("viewer").get("/console/alarms.csv", state="all").text)))
    assert any(row["details"] == "redeemed: 500.00; usual: 1.00" for row in saved)
    assert "no such open alarm" in alert_of(only("treasury").send("/console/alarms/clear", alarm_id="999999"))


def test_every_kind_of_alarm_says_what_to_do(service: Service, only: Only) -> None:
    with service.database.transaction() as tx:
        for kind in desk.alarms.KINDS:
            desk.raise_alarm(tx, kind, "books", {"figure": 1}, service.living.now)
    assert only("viewer").get("/console/alarms").status_code == 200
    with service.database.transaction() as tx:
        for kind in desk.alarms.KINDS:
            desk.clear_alarm(tx, kind, "books", service.living.now)


# The audit


def test_anybody_runs_the_audit_and_reads_its_verdict(service: Service, only: Only) -> None:
    viewer = only("viewer")
    assert "No worker keeps the schedule" in viewer.see("/console/audit")
    address = viewer.sent("/console/audit")
    assert re.fullmatch(r"/console/tasks/\d+", address)
    assert "A worker takes it up" in viewer.see(address)
    assert viewer.sent("/console/audit") == address, "there is one audit at a time"
    do_asked(work(service), ["audit"])
    text = viewer.see(address)
    assert "The books are sound" in text
    assert "Every balance is the sum of its transfers" in text
    assert "The books are sound" in viewer.see("/console/audit")
    saved = viewer.get(f"{address}/result.json").json()
    assert saved["is_sound"] is True
    assert "Audit" in viewer.see("/console/tasks", kind="audit")
    assert viewer.get("/console/tasks/999999").status_code == 404


def test_the_page_of_a_task_shows_how_far_it_is(service: Service, only: Only) -> None:
    viewer = only("viewer")
    address = viewer.sent("/console/audit")
    number = int(address.rpartition("/")[2])
    with service.database.transaction() as tx:
        task = tasks.begin_task(tx, "a worker", ["audit"], datetime.now(UTC))
        assert task is not None
        figures = {
            "check": "rewards",
            "purpose": "Every reward is right.",
            "checks_done": 7,
            "checks": 30,
            "percent": 23,
        }
        tasks.tell_task(tx, task, figures)
    page = viewer.get(address)
    assert 'value="23"' in page.text
    assert "7 of 30 checks are done" in text_of(page)
    assert 'hx-trigger="every 1s"' in page.text
    do_asked(work(service), ["audit"])
    assert "hx-trigger" not in viewer.get(f"/console/tasks/{number}").text
