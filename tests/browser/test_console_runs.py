"""Runs in the console as an operator sees them: progress that moves by itself, a pause, a worker that is killed."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import SignIn
from tests.browser.served import Desk
from tests.faults.keepers import Workers, wait_until, workers_of

from staddle import desk as room
from staddle import rewards
from staddle.days import distribution_at
from staddle.server import tasks

PIECES = 16


@pytest.fixture
def workers(desk: Desk, tmp_path: Path) -> Iterator[Workers]:
    with workers_of(desk.database, tmp_path) as workers:
        yield workers


def next_run(desk: Desk) -> tuple[str, datetime]:
    """The date of the next run, in pieces that a test can stop at, and the instant of its distribution."""
    with desk.database.transaction() as tx:
        run_on = rewards.latest_runs(tx, 1)[0].run_on + timedelta(days=1)
        return str(run_on), distribution_at(run_on, room.find_desk(tx).distribution_time)


def in_pieces(desk: Desk, run_on: str) -> None:
    """Cut a day that has not come into pieces, as that of a large desk is."""
    name = f"reward_{run_on.replace('-', '_')}"
    with desk.database.owner() as owner:
        owner.execute(f"DROP TABLE IF EXISTS {name}")
        owner.execute("DELETE FROM reward_piece WHERE run_on = %s", [run_on])
        owner.execute("SELECT open_reward_day(%s, %s)", [run_on, PIECES])


def comes(desk: Desk, instant: datetime) -> None:
    """Let the desk's clock come to an instant; a worker does what is due then."""
    with desk.database.transaction() as tx:
        room.set_clock(tx, max(instant, room.now_of(tx, instant)))
    desk.living.now = max(desk.living.now, instant)


def state_of(desk: Desk, run_on: str) -> str | None:
    with desk.database.transaction() as tx:
        report = rewards.report_of(tx, datetime.fromisoformat(run_on).date())
    return None if report is None else report.state


def is_worker_there(desk: Desk) -> bool:
    with desk.database.transaction() as tx:
        return tasks.leader_seen(tx, datetime.now(UTC)).is_there


def test_a_run_is_seen_moving_is_killed_is_taken_over_and_completes_without_loading_the_page_again(
    desk: Desk, page: Page, sign_in_operator: SignIn, workers: Workers
) -> None:
    run_on, due_at = next_run(desk)
    in_pieces(desk, run_on)
    sign_in_operator(page, "ada")
    page.goto(f"/console/runs/{run_on}")
    page.evaluate("window.isTheSamePage = true")
    armed = workers.start("run.piece_before_commit#4", is_stopped=True)
    wait_until(lambda: workers.leader() == armed.pid, 60, "it leads")
    comes(desk, due_at)
    page.goto(f"/console/runs/{run_on}")
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator("#live")).to_contain_text(
        re.compile(rf"[1-9]\d* of {PIECES} pieces are paid"), timeout=60_000
    )
    expect(page.locator("#live")).to_contain_text("at work")
    for _ in both_themes(page):
        assert_accessible(page)
    workers.start()
    os.kill(armed.pid, signal.SIGKILL)
    expect(page.locator("#live")).to_contain_text("Interrupted after", timeout=30_000)
    expect(page.locator("#live")).to_contain_text("taken over by", timeout=60_000)
    expect(page.locator("#live .tag").first).to_have_text("finished", timeout=60_000)
    expect(page.locator("#live")).to_contain_text(f"{PIECES} of {PIECES} pieces are paid")
    expect(page.locator("#live")).to_contain_text("nothing is left over")
    expect(page.locator("#acts")).to_contain_text("Nothing is left to do")
    assert page.evaluate("window.isTheSamePage") is True
    assert page.locator("#live").get_attribute("hx-trigger") is None, "it has stopped looking"
    assert state_of(desk, run_on) == "finished"


def test_a_run_is_paused_with_a_reason_that_is_typed_while_the_page_looks_again_and_is_resumed(
    desk: Desk, page: Page, sign_in_operator: SignIn, workers: Workers
) -> None:
    run_on, due_at = next_run(desk)
    in_pieces(desk, run_on)
    worker = workers.start("run.piece_before_commit#3", is_stopped=True)
    wait_until(lambda: workers.leader() == worker.pid, 60, "it leads")
    sign_in_operator(page, "bob")
    comes(desk, due_at)
    page.goto(f"/console/runs/{run_on}")
    expect(page.locator("#pause-form")).to_be_visible(timeout=60_000)
    page.locator("#because").click()
    page.keyboard.type("A node is ", delay=150)
    page.keyboard.type("being upgraded", delay=150)
    expect(page.locator("#because")).to_have_value("A node is being upgraded")
    page.get_by_role("button", name="Pause the run").click()
    expect(page.locator("#live")).to_contain_text("Paused by bob")
    assert state_of(desk, run_on) == "paused"
    for _ in both_themes(page):
        assert_accessible(page)
    worker.kill()
    worker.wait()
    workers.reap()
    workers.start()
    wait_until(lambda: workers.leader() not in (None, worker.pid), 60, "another leads")
    expect(page.locator("#live")).to_contain_text("A node is being upgraded")
    page.get_by_role("button", name="Let it go on").click()
    expect(page.locator("#live .tag").first).to_have_text("finished", timeout=60_000)
    expect(page.locator("#live")).to_contain_text("nothing is left over")
    assert state_of(desk, run_on) == "finished"


def test_an_audit_is_run_from_its_page_and_says_by_itself_what_it_found(
    desk: Desk, page: Page, sign_in_operator: SignIn, workers: Workers
) -> None:
    wait_until(lambda: not is_worker_there(desk), 30, "the worker that was killed is taken for gone")
    sign_in_operator(page, "bob")
    page.goto("/console/audit")
    expect(page.locator("main")).to_contain_text("No worker keeps the schedule")
    page.get_by_role("button", name="Run the audit").click()
    page.wait_for_url(re.compile(r"/console/tasks/\d+$"))
    expect(page.locator("#live")).to_contain_text("No worker keeps the schedule")
    for _ in both_themes(page):
        assert_accessible(page)
    page.evaluate("window.isTheSamePage = true")
    workers.start()
    expect(page.locator("#live")).to_contain_text("The books are sound", timeout=60_000)
    assert page.evaluate("window.isTheSamePage") is True
    for _ in both_themes(page):
        assert_accessible(page)
    page.goto("/console/audit")
    expect(page.locator("main")).to_contain_text("The books are sound")


def test_a_plan_is_worked_out_when_it_is_asked_for_and_shown_as_soon_as_it_is_there(
    desk: Desk, page: Page, sign_in_operator: SignIn, workers: Workers
) -> None:
    run_on, _ = next_run(desk)
    workers.start()
    sign_in_operator(page, "ada")
    page.goto(f"/console/runs/{run_on}")
    expect(page.locator("#live")).to_contain_text("No plan has been worked out")
    page.get_by_role("button", name="Work the plan out").click()
    expect(page.locator("#live")).to_contain_text("Positions due", timeout=60_000)
    expect(page.locator("#live")).to_contain_text("as it was worked out")
    with desk.database.transaction() as tx:
        assert tasks.last_result(tx, "plan", run_on) is not None


def test_an_alarm_is_cleared_by_hand(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    with desk.database.transaction() as tx:
        room.raise_alarm(tx, "webhook_dead", "endpoint 9", {"dead_count": 4}, desk.living.now)
    sign_in_operator(page, "bob")
    page.goto("/console/alarms")
    for _ in both_themes(page):
        assert_accessible(page)
    row = page.locator("tr", has_text="endpoint 9")
    row.get_by_text("Figures").click()
    expect(row).to_contain_text("dead count")
    row.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status").first).to_contain_text("comes back where its cause is found again")
    expect(page.locator("tr", has_text="endpoint 9")).to_have_count(0)
