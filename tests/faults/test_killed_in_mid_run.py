"""A worker killed in mid-run shows as interrupted, another takes over, and the books are those of no disturbance."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults import lived
from tests.faults.acts import perform
from tests.faults.books import Books, books_of, differences, prove
from tests.faults.conftest import Copy, Undisturbed
from tests.faults.keepers import advance, is_caught_up, wait_until, workers_of
from tests.faults.lived import PIECES, RUN_AT, RUN_ON
from tests.faults.processes import finish, start_act, wait_until_stopped
from tests.faults.test_runs_at_once import paid_until
from tests.faults.test_scheduler import at_its_clock
from tests.faults.test_scheduler import undisturbed as undisturbed_days

from staddle import desk, rewards
from staddle.db import Database
from staddle.server import tasks

DAY = timedelta(days=1)


def attempts(database: Database) -> list[rewards.RunAttempt]:
    with database.transaction() as tx:
        return rewards.attempts_of(tx, RUN_ON)


def mark_of(database: Database, job: str) -> str | None:
    with database.owner() as owner:
        row = owner.execute("SELECT mark FROM job WHERE name = %s", (job,)).fetchone()
    return None if row is None else row.mark


def test_a_process_killed_in_mid_run_shows_as_interrupted_and_the_next_one_as_taking_over(
    copy: Copy, undisturbed: Undisturbed
) -> None:
    answer, after = undisturbed("run")
    database = copy()
    killed = start_act(database, "run", "run.piece_committed#2")
    assert finish(killed)[0] == -signal.SIGKILL
    [gone] = attempts(database)
    assert (gone.outcome, gone.ended_at, gone.taken_over_by) == ("interrupted", None, None)
    assert 2 <= gone.pieces_paid < gone.pieces == PIECES
    assert gone.process.endswith(f":{killed.pid}")
    assert perform(database, "run") == answer
    gone, over = attempts(database)
    assert (gone.outcome, gone.taken_over_by, gone.taken_over_at) == (
        "interrupted",
        over.process,
        over.began_at,
    )
    assert gone.ended_at is not None
    assert 2 <= gone.pieces_paid < PIECES
    assert (over.outcome, over.pieces_paid, over.process) == (
        "finished",
        PIECES,
        f"{gone.process.split(':')[0]}:{os.getpid()}",
    )
    assert differences(books_of(database), after) == {}
    prove(database)


def test_a_run_killed_paused_and_resumed_leaves_the_books_of_an_undisturbed_one(
    copy: Copy, before: Books, undisturbed: Undisturbed
) -> None:
    """The log says that it was paused and resumed; otherwise nothing differs."""
    answer, after = undisturbed("run")
    database = copy()
    assert finish(start_act(database, "run", "run.piece_committed"))[0] == -signal.SIGKILL
    with database.transaction() as tx:
        paused = rewards.pause_run(tx, "bob", RUN_ON, "its machine is gone", RUN_AT)
    assert perform(database, "run") != answer
    assert [each.outcome for each in attempts(database)] == ["interrupted"], "a paused run is not even begun"
    with database.transaction() as tx:
        assert rewards.find_report(tx, RUN_ON) == paused
        rewards.resume_run(tx, "ada", RUN_ON, RUN_AT)
    for place in ("run.piece_paid", "run.before_publishing"):
        assert finish(start_act(database, "run", place))[0] == -signal.SIGKILL
        prove(database)
    assert perform(database, "run") == answer
    assert [each.outcome for each in attempts(database)] == ["interrupted"] * 3 + ["finished"]
    found = differences(books_of(database), after)
    assert [row["act"] for row in found.pop("desk_log")["only here"]] == ["pause_run", "resume_run"]
    assert found == {}
    prove(database)


def test_pausing_a_run_that_stands_still_in_a_piece_takes_effect_after_that_piece(copy: Copy) -> None:
    database = copy()
    process = start_act(database, "run", "run.piece_before_commit", is_stopped=True)
    wait_until_stopped(process)
    with database.transaction() as tx:
        paused = rewards.pause_run(tx, "bob", RUN_ON, "a look", RUN_AT)
    process.send_signal(signal.SIGCONT)
    finish(process)
    with database.transaction() as tx:
        report = rewards.find_report(tx, RUN_ON)
    assert report.state == "paused"
    assert paused.pieces_paid < report.pieces_paid < PIECES, (
        "what was under way is finished, no more is begun"
    )
    assert attempts(database)[-1].outcome == "paused"
    prove(database)


def test_a_worker_killed_in_mid_run_is_followed_by_another_that_completes_what_was_asked_for(
    copy: Copy, tmp_path: Path
) -> None:
    database = at_its_clock(copy())
    with workers_of(database, tmp_path) as workers:
        armed = workers.start("run.piece_committed#2")
        wait_until(lambda: workers.leader() == armed.pid, 30, "it leads")
        wait_until(lambda: mark_of(database, "audit") is not None, 60, "the schedule's own audit is done")
        with database.transaction() as tx:
            desk.set_clock(tx, lived.NOW)
        advance(database, RUN_AT - lived.NOW)
        with database.transaction() as tx:
            asked = tasks.ask_task(tx, "bob", "audit", None, RUN_AT, datetime.now(UTC))
        workers.start()
        wait_until(lambda: armed in workers.reap(), 30, f"it is killed; {workers.logs()[-2000:]}")
        assert armed.returncode == -signal.SIGKILL
        wait_until(
            lambda: is_caught_up(database), 60, f"the other one completes it; {workers.logs()[-2000:]}"
        )

        def is_audited() -> bool:
            with database.transaction() as tx:
                return tasks.find_task(tx, asked.task_id).state == "done"

        wait_until(is_audited, 60, "the audit that was asked for is done, too")
    gone, over = attempts(database)
    assert gone.outcome == "interrupted"
    assert gone.pieces_paid < PIECES
    assert gone.taken_over_by == over.process
    assert (over.outcome, over.pieces_paid) == ("finished", PIECES)
    assert f":{armed.pid}:" in gone.process
    with database.transaction() as tx:
        audited = tasks.find_task(tx, asked.task_id)
    assert audited.result is not None
    assert audited.result["is_sound"]
    assert paid_until(database) == undisturbed_days(copy(), 1)
    prove(database)


def test_an_audit_whose_worker_is_killed_is_done_from_the_beginning_by_the_next(
    copy: Copy, tmp_path: Path
) -> None:
    database = at_its_clock(copy())
    with database.transaction() as tx:
        asked = tasks.ask_task(tx, "bob", "audit", None, lived.NOW, datetime.now(UTC))
        # As a worker leaves it that is killed after it has begun.
        tasks.begin_task(tx, "a worker that is gone", ["audit"], datetime.now(UTC))
    with workers_of(database, tmp_path) as workers:
        workers.start()

        def state() -> str:
            with database.transaction() as tx:
                return tasks.find_task(tx, asked.task_id).state

        wait_until(lambda: state() == "done", 60, "it is done")
        with database.transaction() as tx:
            done = tasks.find_task(tx, asked.task_id)
        assert done.begun_count == 2
        assert done.begun_by != "a worker that is gone"
        assert workers.stop() == [0]
