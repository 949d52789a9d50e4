"""A run is paused between two pieces and resumed: logged, left alone by the schedule, late as any other."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Lock

import pytest
from tests.living import Living, assert_audited
from tests.stories.test_schedule import open_alarms, work

from staddle import desk, errors, rewards
from staddle.db import Database
from staddle.rewards.attempt import attempt
from staddle.rewards.pay import Piece, pay_piece
from staddle.rewards.plan import plan_run
from staddle.server.jobs import Late, Runs

D = Decimal
RUN_ON = date(2026, 1, 24)
CUTOFF = datetime(2026, 1, 24, tzinfo=UTC)
PIECES = 8


@pytest.fixture
def living(database: Database) -> Living:
    """A desk with the run of the 24th due, in eight pieces, and 30 customers who are owed one day each."""
    living = Living(database)
    with database.transaction() as tx:
        for day in range(3):
            tx.execute("SELECT open_reward_day(%s, %s)", [RUN_ON + timedelta(days=day), PIECES])
    living.product("FLEX", "USDT", apr="0.365")
    for number in range(30):
        living.subscribe(living.customer(f"customer {number}", USDT="1000"), "FLEX", "1000")
    living.passes(days=1)
    living.catch_up()
    living.comes(CUTOFF)
    return living


def pause(living: Living, by: str = "bob", because: str = "A node is being upgraded") -> rewards.RunReport:
    with living.database.transaction() as tx:
        return rewards.pause_run(tx, by, RUN_ON, because, living.now)


def resume(living: Living, by: str = "ada") -> rewards.RunReport:
    with living.database.transaction() as tx:
        return rewards.resume_run(tx, by, RUN_ON, living.now)


@contextmanager
def after_piece(number: int, do: Callable[[], object]) -> Iterator[None]:
    """Do something as soon as so many pieces are paid: pieces are paid one after the other meanwhile."""
    one_at_a_time, paid = Lock(), itertools.count(1)
    broken: list[Exception] = []

    def pay(database: Database, piece: Piece, now: datetime) -> int | None:
        with one_at_a_time:
            if broken:
                raise broken[0]
            count = pay_piece(database, piece, now)
            if count is not None and next(paid) == number:
                try:
                    do()
                except Exception as error:
                    broken.append(error)
                    raise
            return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["staddle.rewards.run"], "pay_piece", pay)
        yield


def paused_in_the_middle(living: Living, after: int = 3) -> rewards.RunReport:
    """Do the run, and pause it as soon as so many more pieces are paid."""
    with after_piece(after, lambda: pause(living)):
        return living.run(RUN_ON)


def report_of(living: Living) -> rewards.RunReport:
    with living.database.transaction() as tx:
        return rewards.find_report(tx, RUN_ON)


def test_a_run_that_is_paused_stops_between_two_pieces_and_says_by_whom_when_and_why(living: Living) -> None:
    report = paused_in_the_middle(living)
    assert (report.state, report.paused_by, report.paused_because, report.paused_at) == (
        "paused",
        "bob",
        "A node is being upgraded",
        living.now,
    )
    assert (report.pieces_paid, report.pieces) == (3, PIECES)
    paid = living.rows("SELECT count(*) AS n FROM reward WHERE run_on = %s", RUN_ON)[0].n
    noted = living.rows("SELECT sum(reward_count) AS n FROM run_piece WHERE run_on = %s", RUN_ON)[0].n
    assert paid == noted < 30
    assert_audited(living.database)


def test_a_paused_run_goes_on_where_it_stood_and_pays_what_it_would_have_paid(living: Living) -> None:
    paused = paused_in_the_middle(living)
    living.passes(hours=5)
    assert resume(living).state == "executing"
    finished = living.run(RUN_ON)
    assert (finished.state, finished.paused_by, finished.paused_at, finished.paused_because) == (
        "finished",
        None,
        None,
        None,
    )
    assert [(line.rewards_paid, line.amount_paid) for line in finished.lines] == [(30, D(30))]
    assert finished.planned_at == paused.planned_at
    assert_audited(living.database)


def test_pausing_and_resuming_are_in_the_log(living: Living) -> None:
    paused_in_the_middle(living)
    resume(living)
    with living.database.transaction() as tx:
        resumed, paused = desk.read_log(tx, 2)
    assert (paused.act, paused.operator, paused.subject) == ("pause_run", "bob", "2026-01-24")
    assert paused.details["because"] == "A node is being upgraded"
    assert (resumed.act, resumed.operator) == ("resume_run", "ada")
    assert resumed.details == {"paused_by": "bob", "paused_because": "A node is being upgraded"}


def test_a_paused_run_is_left_alone_by_whoever_starts_it_and_later_runs_wait_behind_it(
    living: Living,
) -> None:
    before = paused_in_the_middle(living)
    living.passes(days=2)
    assert living.run(RUN_ON) == before
    assert [each.run_on for each in living.catch_up()] == [RUN_ON]
    with pytest.raises(errors.RunOutOfOrder):
        living.run(RUN_ON + timedelta(days=1))
    Runs()(work(living))
    assert report_of(living) == before
    resume(living)
    Runs()(work(living))
    with living.database.transaction() as tx:
        states = [(each.run_on.day, each.state) for each in rewards.latest_runs(tx, 3)]
    assert states == [(26, "finished"), (25, "finished"), (24, "finished")]
    assert_audited(living.database)


def test_a_run_that_was_paused_after_its_last_piece_is_published_only_when_it_is_resumed(
    living: Living,
) -> None:
    report = paused_in_the_middle(living, after=PIECES)
    assert (report.state, report.pieces_paid) == ("paused", PIECES)
    living.passes(days=1)
    with pytest.raises(errors.RunOutOfOrder):
        living.run(RUN_ON + timedelta(days=1))
    resume(living)
    assert living.run(RUN_ON).state == "finished"
    assert_audited(living.database)


def test_only_a_run_that_is_under_way_can_be_paused_and_only_one_that_is_paused_resumed(
    living: Living,
) -> None:
    with pytest.raises(errors.RunNotFound):
        pause(living)
    plan_run(living.database, RUN_ON, CUTOFF, "ada", living.now)
    with pytest.raises(errors.WrongState):
        resume(living)
    assert pause(living).state == "paused"
    with pytest.raises(errors.WrongState):
        pause(living)
    resume(living)
    living.run(RUN_ON)
    with pytest.raises(errors.WrongState):
        pause(living)


def test_a_run_that_is_held_waits_already(living: Living) -> None:
    with living.database.transaction() as tx:
        desk.change_limits(tx, "ada", D("0.000001"), 30, living.now)
    living.run(RUN_ON)
    living.passes(days=1)
    living.deposit(customer := living.customer("whale", USDT="100000"), "USDT", "1")
    living.subscribe(customer, "FLEX", "100000")
    living.passes(days=2)
    [*_, held] = living.catch_up()
    assert held.state == "held"
    with living.database.transaction() as tx, pytest.raises(errors.WrongState, match="waits already"):
        rewards.pause_run(tx, "bob", held.run_on, "because", living.now)


@pytest.mark.parametrize("because", ["", "   ", "x" * 301, "two\nlines"])
def test_who_pauses_says_why(living: Living, because: str) -> None:
    plan_run(living.database, RUN_ON, CUTOFF, "ada", living.now)
    with pytest.raises(errors.InvalidChoice) as refusal:
        pause(living, because=because)
    assert refusal.value.details == {"field": "because"}
    with pytest.raises(errors.OperatorNotFound):
        pause(living, by="nobody")


def test_a_run_that_stays_paused_is_late_and_the_alarm_says_why(living: Living) -> None:
    paused_in_the_middle(living)
    late = Late()
    living.passes(minutes=15)
    for _ in range(2):
        late(work(living))
    assert open_alarms(living.database) == [("run_late", "2026-01-24")]
    with living.database.transaction() as tx:
        details = desk.list_alarms(tx)[0].details
    assert (details["state"], details["paused_by"], details["paused_because"]) == (
        "paused",
        "bob",
        "A node is being upgraded",
    )
    resume(living)
    Runs()(work(living))
    late(work(living))
    assert open_alarms(living.database) == []


def test_a_redemption_while_a_run_is_paused_settles_its_day_and_the_run_leaves_it_out(living: Living) -> None:
    paused_in_the_middle(living)
    unpaid = living.rows(
        "SELECT customer_id FROM position p WHERE NOT EXISTS (SELECT FROM reward r WHERE r.position_id = p.position_id"
        " AND r.run_on = %s)",
        RUN_ON,
    )
    living.passes(hours=1)
    living.redeem(unpaid[0].customer_id, "FLEX", "100")
    resume(living)
    report = living.run(RUN_ON)
    assert report.lines[0].rewards_paid == 29
    with living.database.transaction() as tx:
        found = rewards.reconcile(tx, RUN_ON)
    [line] = found.products
    assert (line.planned, line.paid_by_run, line.settled_by_acts, line.parked, line.difference) == (
        D(30),
        D(29),
        D(1),
        D(0),
        D(0),
    )
    assert found.is_even
    assert_audited(living.database)


# Attempts


def attempts(living: Living) -> list[rewards.RunAttempt]:
    with living.database.transaction() as tx:
        return rewards.attempts_of(tx, RUN_ON)


def test_every_attempt_at_a_run_is_written_down_with_how_it_ended(living: Living) -> None:
    class Unforeseen(Exception):
        pass

    def break_down() -> None:
        raise Unforeseen("the wire is cut")

    with after_piece(2, break_down), pytest.raises(Unforeseen):
        rewards.run(living.database, RUN_ON, "scheduler", living.now, process="worker one")
    paused_in_the_middle(living, after=1)
    resume(living)
    living.run(RUN_ON)
    failed, paused, finished = attempts(living)
    assert (failed.outcome, failed.process, failed.started_by) == ("failed", "worker one", "scheduler")
    assert failed.details == "Unforeseen: the wire is cut"
    assert failed.pieces_paid < paused.pieces_paid < finished.pieces_paid == PIECES
    assert (paused.outcome, finished.outcome) == ("paused", "finished")
    assert [each.attempt for each in attempts(living)] == [1, 2, 3]
    assert all(each.ended_at is not None and each.began_at <= each.ended_at for each in attempts(living))
    living.run(RUN_ON)
    assert len(attempts(living)) == 3, "a finished run is not executed again"


def test_an_attempt_whose_process_lives_is_not_taken_for_interrupted(living: Living) -> None:
    seen: list[list[str | None]] = []
    with after_piece(2, lambda: seen.append([each.outcome for each in attempts(living)])):
        living.run(RUN_ON)
    assert seen == [[None]]


def test_two_processes_at_one_run_at_once_are_two_attempts_and_neither_is_interrupted(living: Living) -> None:
    with (
        attempt(living.database, RUN_ON, "ada", "one") as first,
        attempt(living.database, RUN_ON, "bob", "two") as second,
    ):
        assert [(each.process, each.outcome) for each in attempts(living)] == [("one", None), ("two", None)]
        first.outcome, second.outcome = "stopped", "finished"
    assert [each.outcome for each in attempts(living)] == ["stopped", "finished"]
