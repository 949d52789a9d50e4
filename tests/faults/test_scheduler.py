"""Many workers on one desk are one: whoever leads is killed, stopped, cut off, and every run is done once."""

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from tests.faults import lived
from tests.faults.books import prove
from tests.faults.conftest import Copy
from tests.faults.keepers import Workers, advance, is_caught_up, wait_until, workers_of
from tests.faults.test_runs_at_once import paid_until

from staddle import desk, rewards
from staddle.config import Config
from staddle.db import Database, open_server
from staddle.server.lead import LEAVES_OFF_SECONDS, TAKES_OVER_SECONDS, Lead

DAY = timedelta(days=1)
TAKEOVER_SECONDS = 15
PLACES = ("run.plan_kept", "run.piece_committed", "run.published")
"""Every day's run comes to them, one after the other, whoever leads."""


def at_its_clock(database: Database) -> Database:
    """The lived-in desk, with its clock at where its books stand."""
    with database.transaction() as tx:
        desk.set_clock(tx, lived.NOW)
    return database


def undisturbed(database: Database, days: int) -> list[object]:
    """Live through some days in one process, which nothing happens to; gives all that was paid."""
    now = lived.NOW
    at_its_clock(database)
    for _ in range(days + 1):
        with database.transaction() as tx:
            desk.set_clock(tx, now)
        rewards.tick(database, "alone", now)
        now += DAY
    return paid_until(database)


def next_leader(workers: Workers, gone: int) -> float:
    """Wait for another leader; gives the seconds."""
    return wait_until(
        lambda: workers.leader() in {process.pid for process in workers.running if process.pid != gone},
        TAKEOVER_SECONDS,
        f"another leader than {gone}; {workers.logs()[-2000:]}",
    )


def test_workers_that_are_killed_again_and_again_do_every_run_once(copy: Copy, tmp_path: Path) -> None:
    database, days = at_its_clock(copy()), 0
    seconds: list[float] = []
    with workers_of(database, tmp_path) as workers:
        armed = {workers.start(place).pid for place in PLACES}
        wait_until(lambda: is_caught_up(database), 30, "all is done that was due before")
        while days < 3 or len(seconds) < len(PLACES):
            advance(database, DAY)
            days += 1
            leader = workers.leader()
            if len(seconds) < len(PLACES) and leader is not None and leader not in armed:
                os.kill(leader, signal.SIGKILL)
            ends_at = time.monotonic() + 90
            while not is_caught_up(database):
                assert time.monotonic() < ends_at, workers.logs()[-3000:]
                for dead in workers.reap():
                    assert dead.returncode == -signal.SIGKILL, workers.logs()[-3000:]
                    seconds.append(next_leader(workers, dead.pid))
                    workers.start()
                time.sleep(0.05)
        assert workers.stop() == [0, 0, 0]
        assert "Traceback" not in workers.logs()
    print(f"\ntaken over after {', '.join(f'{each:.1f}' for each in seconds)} s", file=sys.stderr)
    assert max(seconds) < TAKEOVER_SECONDS
    with database.transaction() as tx:
        runs = [run for run in rewards.latest_runs(tx, 20) if run.started_by == "scheduler"]
        assert [run.state for run in runs] == ["finished"] * days
        assert [alarm.kind for alarm in desk.list_alarms(tx)] == []
    assert paid_until(database) == undisturbed(copy(), days)
    prove(database)


def test_a_leader_that_stands_still_is_followed_and_does_no_harm_when_it_wakes_up(
    copy: Copy, tmp_path: Path
) -> None:
    database = at_its_clock(copy())
    with workers_of(database, tmp_path) as workers:
        sleeper = workers.start("run.piece_committed", is_stopped=True)
        wait_until(lambda: is_caught_up(database), 30, "all is done that was due before")
        workers.start()
        advance(database, DAY)
        wait_until(
            lambda: state_of_process(sleeper.pid) == "T", 30, "it stands still in the middle of the run"
        )
        seconds = next_leader(workers, sleeper.pid)
        print(f"\ntaken over after {seconds:.1f} s", file=sys.stderr)
        wait_until(lambda: is_caught_up(database), 30, "the run is finished by the other one")
        sleeper.send_signal(signal.SIGCONT)
        advance(database, DAY)
        wait_until(lambda: is_caught_up(database), 30, f"the next day is done; {workers.logs()[-2000:]}")
        assert workers.stop() == [0, 0]
        assert "Traceback" not in workers.logs()
    assert paid_until(database) == undisturbed(copy(), 2)
    prove(database)


def state_of_process(pid: int) -> str:
    """A process's state as the kernel gives it: T stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_workers_outlive_a_server_that_is_killed_beneath_them(tmp_path: Path) -> None:
    config = Config(home=tmp_path / "home", database_url=None, database=None, operator=None)
    with open_server(config) as server, server.open("staddle") as database:
        lived.live(database)
        at_its_clock(database)
        with workers_of(database, tmp_path) as workers:
            workers.start()
            workers.start()
            wait_until(lambda: len(workers.at_work()) == 2, 30, "both are at work")
            postmaster = int(
                (tmp_path / "home" / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
            )
            os.kill(postmaster, signal.SIGKILL)
            advance(database, DAY)
            seconds = wait_until(lambda: is_caught_up(database), 60, workers.logs()[-3000:])
            print(f"\nwent on after {seconds:.1f} s", file=sys.stderr)
            assert workers.reap() == []
            assert workers.stop() == [0, 0]
        prove(database)


def test_workers_whose_connections_are_cut_again_and_again_go_on(copy: Copy, tmp_path: Path) -> None:
    database = at_its_clock(copy())
    with workers_of(database, tmp_path) as workers:
        for _ in range(2):
            workers.start()
        wait_until(lambda: is_caught_up(database), 30, "all is done that was due before")
        for _ in range(3):
            advance(database, DAY)
            cut(database)
            wait_until(lambda: is_caught_up(database), 30, workers.logs()[-3000:])
        assert workers.stop() == [0, 0]
    assert paid_until(database) == undisturbed(copy(), 3)
    prove(database)


def cut(database: Database) -> None:
    """End all sessions by which anybody keeps the schedule, or looks who does."""
    with database.owner() as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> ''"
        )


def test_a_leader_leaves_off_before_another_takes_over(database: Database) -> None:
    clock = [100.0]
    first, second = (Lead(database.dsn, name, lambda: clock[0]) for name in ("first", "second"))
    assert (first.look(), second.look()) == (True, False)
    for _ in range(20):
        clock[0] += 2
        assert (first.look(), second.look()) == (True, False)
    clock[0] += LEAVES_OFF_SECONDS
    assert not first.is_leader
    assert not second.look()
    clock[0] += TAKES_OVER_SECONDS - LEAVES_OFF_SECONDS
    assert second.look()
    assert not first.look()
    second.step_down()
    assert first.look()
    first.step_down()


def test_a_leader_without_a_database_leaves_off_and_comes_back(database: Database) -> None:
    clock = [100.0]
    lead = Lead(database.dsn, "only", lambda: clock[0])
    assert lead.look()
    cut(database)
    assert lead.look(), "a connection that was lost is no reason to leave off at once"
    clock[0] += LEAVES_OFF_SECONDS
    assert not lead.is_leader
    assert lead.look()
    lead.step_down()


def test_of_many_who_look_at_once_one_leads(database: Database) -> None:
    leads = [Lead(database.dsn, f"number {number}") for number in range(8)]
    assert sum(lead.look() for lead in leads) == 1
    assert sum(lead.look() for lead in leads) == 1
    for lead in leads:
        lead.step_down()
