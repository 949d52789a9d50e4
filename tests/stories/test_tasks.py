"""Work that is asked for is done by the worker: once, with progress that anybody reads, taken up again when it dies."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.living import Living, assert_audited
from tests.stories.test_schedule import keeping, open_alarms, quick, set_clock, work

from staddle import desk, errors, rewards
from staddle.db import Database
from staddle.errors import InvariantBroken
from staddle.server import asked, tasks
from staddle.server.asked import do_asked, do_next
from staddle.server.jobs import audit_books, do_asked_plans, do_asked_runs, jobs
from staddle.server.schedule import Job, MustStop, Work
from staddle.server.tasks import Task

__all__ = ["quick"]
D = Decimal
RUN_ON = date(2026, 1, 24)


@pytest.fixture
def living(database: Database) -> Living:
    """A desk with the runs of the 23rd and the 24th due."""
    living = Living(database)
    with database.transaction() as tx:
        desk.add_operator(tx, "ada", "vic", living.now, ["viewer"])
        tx.execute("SELECT open_reward_day(%s, 4)", [RUN_ON])
    living.product("FLEX", "USDT", apr="0.365")
    for number in range(12):
        living.subscribe(living.customer(f"customer {number}", USDT="1000"), "FLEX", "1000")
    living.comes(datetime(2026, 1, 24, 1, tzinfo=UTC))
    return living


def ask(living: Living, kind: str, run_on: date | None = None, by: str = "bob") -> Task:
    with living.database.transaction() as tx:
        return tasks.ask_task(tx, by, kind, run_on, living.now, datetime.now(UTC))


def task(living: Living, task_id: int) -> Task:
    with living.database.transaction() as tx:
        return tasks.find_task(tx, task_id)


def as_leader(living: Living, name: str = "leader one") -> Work:
    return replace(work(living), process=name)


def test_what_is_asked_for_waits_until_a_worker_takes_it_and_then_says_what_came_of_it(
    living: Living,
) -> None:
    asked_for = ask(living, "catch_up")
    assert (asked_for.state, asked_for.asked_by, asked_for.begun_by) == ("waiting", "bob", None)
    do_asked_runs(as_leader(living))
    done = task(living, asked_for.task_id)
    assert (done.state, done.begun_by, done.begun_count) == ("done", "leader one", 1)
    assert done.begun_at is not None
    assert done.finished_at is not None
    assert done.asked_at <= done.begun_at <= done.finished_at
    assert done.result is not None
    assert [(each["run_on"], each["state"]) for each in done.result["runs"]] == [
        ("2026-01-23", "finished"),
        ("2026-01-24", "finished"),
    ]
    with living.database.transaction() as tx:
        report = rewards.find_report(tx, RUN_ON)
        assert report.started_by == "bob", "whoever asked for a run has started it, and cannot release it"
        [attempt] = rewards.attempts_of(tx, RUN_ON)
        assert (attempt.process, attempt.started_by) == ("leader one", "bob")
        assert [each.act for each in desk.read_log(tx, 3)] == ["start_run", "start_run", "ask_catch_up"]
    assert_audited(living.database)


def test_a_worker_takes_up_what_is_asked_for_within_two_seconds(living: Living) -> None:
    set_clock(living, living.now)
    with keeping(living.database, jobs()) as kept:
        kept.until(lambda: kept.count("runs", "done") >= 1)
        number = ask(living, "plan", RUN_ON + timedelta(days=1)).task_id
        kept.until(lambda: task(living, number).state == "done", 10)
        found = task(living, number)
        assert found.begun_at is not None
        assert found.begun_at - found.asked_at < timedelta(seconds=3)
        assert found.begun_by == kept.scheduler.lead.name


def test_progress_is_written_down_as_it_goes(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "TOLD_EVERY_SECONDS", 0.0)
    living.run(RUN_ON - timedelta(days=1))
    number = ask(living, "run", RUN_ON).task_id
    seen = []

    def told(_what: str, _figures: object) -> None:
        progress = task(living, number).progress
        if progress is not None:
            seen.append((progress["pieces_paid"], progress["pieces"]))

    do_next(replace(as_leader(living), told=told), ["run"])
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert task(living, number).progress == {
        "pieces_paid": 4,
        "pieces": 4,
        "run_on": "2026-01-24",
        "rewards": 12,
    }


def test_the_same_work_is_asked_for_once_while_it_is_open(living: Living) -> None:
    first = ask(living, "audit")
    with pytest.raises(errors.TaskInProgress) as refusal:
        ask(living, "audit", by="ada")
    assert refusal.value.details == {"task_id": first.task_id}
    ask(living, "plan", RUN_ON)
    ask(living, "plan", RUN_ON + timedelta(days=1))
    audit_books(as_leader(living))
    assert ask(living, "audit").task_id != first.task_id


def test_runs_are_the_treasurys_to_ask_for_audits_and_plans_anybodys(living: Living) -> None:
    for kind, day in (("run", RUN_ON), ("catch_up", None)):
        with pytest.raises(errors.RoleMissing):
            ask(living, kind, day, by="vic")
    assert ask(living, "audit", by="vic").asked_by == "vic"
    assert ask(living, "plan", RUN_ON, by="vic").asked_by == "vic"
    with pytest.raises(errors.OperatorNotFound):
        ask(living, "audit", by="nobody")


@pytest.mark.parametrize(("kind", "day"), [("run", None), ("plan", None), ("audit", RUN_ON), ("theft", None)])
def test_what_makes_no_sense_is_refused(living: Living, kind: str, day: date | None) -> None:
    with pytest.raises(errors.InvalidChoice):
        ask(living, kind, day)


def test_a_run_that_cannot_be_done_fails_with_the_sentence_of_the_refusal(living: Living) -> None:
    number = ask(living, "run", RUN_ON).task_id
    do_asked_runs(as_leader(living))
    failed = task(living, number)
    assert (failed.state, failed.result) == (
        "failed",
        {"code": "run_out_of_order", "message": "The run of 2026-01-23 comes first."},
    )


def test_a_run_that_is_paused_meanwhile_waits(living: Living) -> None:
    living.run(RUN_ON - timedelta(days=1))
    number = ask(living, "run", RUN_ON).task_id

    def told(_what: str, _figures: object) -> None:
        with living.database.transaction() as tx:
            if rewards.find_report(tx, RUN_ON).state == "executing":
                rewards.pause_run(tx, "bob", RUN_ON, "a test", living.now)

    do_asked_runs(replace(as_leader(living), told=told))
    waits = task(living, number)
    assert waits.state == "waits"
    assert waits.result is not None
    assert waits.result["runs"][0]["paused_because"] == "a test"


def test_what_a_worker_left_off_is_taken_up_by_the_next_leader(living: Living) -> None:
    living.run(RUN_ON - timedelta(days=1))
    number = ask(living, "run", RUN_ON).task_id
    looks = iter([False, False, False])
    with pytest.raises(MustStop):
        do_asked(replace(as_leader(living), must_stop=lambda: next(looks, True)), ["run"])
    left = task(living, number)
    assert (left.state, left.begun_by, left.begun_count) == ("working", "leader one", 1)
    do_asked(as_leader(living, "leader two"), ["run"])
    done = task(living, number)
    assert (done.state, done.begun_by, done.begun_count) == ("done", "leader two", 2)
    with living.database.transaction() as tx:
        outcomes = [(each.process, each.outcome) for each in rewards.attempts_of(tx, RUN_ON)]
    assert outcomes == [("leader one", "stopped"), ("leader two", "finished")]
    assert_audited(living.database)


def test_a_leader_that_was_followed_writes_nothing_more(living: Living) -> None:
    number = ask(living, "audit").task_id
    with living.database.transaction() as tx:
        sleeper = tasks.begin_task(tx, "leader one", ["audit"], datetime.now(UTC))
        assert sleeper is not None
        tasks.begin_task(tx, "leader two", ["audit"], datetime.now(UTC))
        tasks.tell_task(tx, sleeper, {"percent": 99})
        tasks.finish_task(tx, sleeper, "failed", {}, datetime.now(UTC))
    assert (task(living, number).state, task(living, number).progress) == ("working", None)


def test_what_nobody_foresaw_is_written_down_and_fails_the_job(living: Living) -> None:
    number = ask(living, "catch_up").task_id

    def leave_off(_: rewards.Progress) -> None:
        raise MustStop

    living.run(RUN_ON - timedelta(days=1))
    with pytest.raises(MustStop):
        rewards.run(living.database, RUN_ON, "bob", living.now, leave_off)
    with living.database.owner() as owner:
        owner.execute("UPDATE run_plan SET amount = amount + 1 WHERE run_on = %s", [RUN_ON])
    with pytest.raises(InvariantBroken, match=r"planned .* in the ledger") as broken:
        do_asked_runs(as_leader(living))
    failed = task(living, number)
    assert (failed.state, failed.result) == (
        "failed",
        {"code": "internal_error", "message": f"InvariantBroken: {broken.value}"},
    )


# Audits


def test_an_audit_that_is_asked_for_says_how_far_it_is_and_keeps_its_verdict(
    living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "TOLD_EVERY_SECONDS", 0.0)
    number = ask(living, "audit", by="vic").task_id
    percents = []

    def told(_what: str, _figures: object) -> None:
        progress = task(living, number).progress
        if progress is not None:
            percents.append(progress["percent"])

    audit_books(replace(as_leader(living), told=told))
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] >= 95
    done = task(living, number)
    assert done.state == "done"
    assert done.result is not None
    assert (done.result["is_sound"], done.result["wrong_count"]) == (True, 0)
    assert len(done.result["checks"]) == len(rewards.CHECKS)


def test_an_audit_that_finds_something_raises_the_alarm_and_a_sound_one_clears_it(living: Living) -> None:
    with living.database.owner() as owner:
        owner.execute("UPDATE balance SET amount = amount + 1 WHERE account_kind(account_id) = 3")
    number = ask(living, "audit").task_id
    audit_books(as_leader(living))
    done = task(living, number)
    assert done.result is not None
    assert not done.result["is_sound"]
    assert done.result["wrong_count"] > 0
    assert done.result["findings"][0]["message"]
    assert open_alarms(living.database) == [("audit_failed", "books")]
    with living.database.owner() as owner:
        owner.execute("UPDATE balance SET amount = amount - 1 WHERE account_kind(account_id) = 3")
    ask(living, "audit")
    audit_books(as_leader(living))
    assert open_alarms(living.database) == []


def test_the_nightly_audit_is_kept_as_one_that_the_scheduler_asked_for(living: Living) -> None:
    living.passes(hours=3)
    mark = audit_books(as_leader(living))
    assert mark == "2026-01-24"
    with living.database.transaction() as tx:
        [kept] = tasks.list_tasks(tx, 5, kinds=["audit"])
        assert (kept.asked_by, kept.state, kept.result) == ("scheduler", "done", None)
        last = tasks.last_result(tx, "audit")
    assert last is not None
    assert last.result is not None
    assert last.result["is_sound"]
    assert audit_books(replace(as_leader(living), mark=mark)) == mark


def test_two_audits_are_never_done_at_once_and_the_second_one_begins_after_the_first(living: Living) -> None:
    number = ask(living, "audit").task_id
    begun, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        assert go_on.wait(30)

    other = threading.Thread(target=rewards.judge_alone, args=(living.database, hold))
    other.start()
    assert begun.wait(30)
    assert not do_next(as_leader(living), ["audit"])
    waits = task(living, number)
    assert (waits.state, waits.begun_count) == ("working", 1)
    assert waits.progress is not None
    assert "Another audit" in waits.progress["waits"]
    go_on.set()
    other.join(60)
    assert do_next(as_leader(living), ["audit"])
    assert task(living, number).state == "done"


# Plans


def test_a_plan_that_is_asked_for_is_kept_with_its_instant_and_pays_nothing(living: Living) -> None:
    living.run(RUN_ON - timedelta(days=1))
    number = ask(living, "plan", RUN_ON).task_id
    do_asked_plans(as_leader(living))
    with living.database.transaction() as tx:
        kept = tasks.last_result(tx, "plan", "2026-01-24")
    assert kept is not None
    assert kept.task_id == number
    assert kept.result is not None
    assert kept.result["worked_out_at"] == "2026-01-24T01:00:00Z"
    assert kept.result["totals"][0] == {
        "asset": "USDT",
        "product": None,
        "rewards": 12,
        "amount": "12.00000000",
        "amount_before": "0.00000000",
        "change": "12.00000000",
        "change_percent": None,
    }
    assert living.rows("SELECT FROM run WHERE run_on = %s", RUN_ON) == []


# Whether anybody is there


def test_without_a_worker_it_is_said_that_nobody_is_there(living: Living) -> None:
    def seen() -> tasks.LeaderSeen:
        with living.database.transaction() as tx:
            return tasks.leader_seen(tx, datetime.now(UTC))

    assert not seen().is_there
    with keeping(living.database, [Job("idle", 60, lambda _: None)]) as kept:
        kept.until(lambda: seen().is_there)
        assert seen().name == kept.scheduler.lead.name
        with living.database.transaction() as tx:
            away = tasks.leader_seen(tx, datetime.now(UTC) + timedelta(minutes=1))
        assert not away.is_there
        assert away.seen_at is not None
    assert not seen().is_there
