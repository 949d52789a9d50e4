"""The schedule by the clock: each job does what is due when it is due, once, and none stops another."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living, assert_audited, release

from staddle import desk, errors, positions, rewards
from staddle.db import Database
from staddle.errors import InvariantBroken
from staddle.notices import announcements_to
from staddle.server import schedule
from staddle.server.jobs import (
    Late,
    Runs,
    begin_revisions,
    forget_quotes,
    jobs,
    mature,
    seal,
    serve_customers,
)
from staddle.server.schedule import Job, MustStop, Scheduler, Told, Work, job_statuses

DAY = timedelta(days=1)
RUN_ON = date(2026, 1, 23)


def work(living: Living, mark: str | None = None, must_stop: Callable[[], bool] = lambda: False) -> Work:
    """What a job is given at this moment of the desk."""
    return Work(living.database, living.now, datetime.now(UTC), mark, (), lambda *_: None, must_stop)


class Kept:
    """A scheduler at work in this process, and all that it has told."""

    def __init__(self, database: Database, some: Sequence[Job]) -> None:
        self.stop = threading.Event()
        self.told: list[Told] = []
        self._heard = threading.Condition()
        self.scheduler = Scheduler(database, self.stop, self.hear, some)

    def hear(self, told: Told) -> None:
        with self._heard:
            self.told.append(told)
            self._heard.notify_all()

    def until(self, is_so: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is so, looking whenever the scheduler has told something."""
        ends_at = time.monotonic() + seconds
        while not is_so():
            with self._heard:
                assert time.monotonic() < ends_at, f"it never was; told: {self.told[-20:]}"
                self._heard.wait(0.2)

    def count(self, job: str, what: str) -> int:
        return sum((each.job, each.what) == (job, what) for each in list(self.told))


@contextmanager
def keeping(database: Database, some: Sequence[Job]) -> Iterator[Kept]:
    """Keep a schedule for the length of a block."""
    kept = Kept(database, some)
    thread = threading.Thread(target=kept.scheduler.run_forever)
    thread.start()
    try:
        yield kept
    finally:
        kept.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def open_alarms(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as tx:
        return [(alarm.kind, alarm.subject) for alarm in desk.list_alarms(tx)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than once a second, so that tests are quick."""
    monkeypatch.setattr(schedule, "LOOK_SECONDS", 0.05)


# By the desk's clock


def set_clock(living: Living, to: datetime) -> None:
    """Move the sandbox's own clock, as `staddle clock` does from another process."""
    with living.database.transaction() as tx:
        living.now = desk.set_clock(tx, to)


def test_a_position_ends_within_a_minute_of_its_maturity_and_as_of_its_instant(
    database: Database, quick: None
) -> None:
    living = Living(database)
    living.product("ONE-DAY", "USDT", apr="0.08", term_days=1)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "ONE-DAY", "1000")
    matures_at = living.position(position).matures_at
    with keeping(database, jobs()) as kept:
        set_clock(living, matures_at - timedelta(seconds=1))
        kept.until(lambda: kept.count("runs", "done") >= 1)
        looked = kept.count("maturities", "done")
        kept.until(lambda: kept.count("maturities", "done") > looked)
        assert living.position(position).ended_at is None
        began = time.monotonic()
        set_clock(living, matures_at + timedelta(seconds=30))
        kept.until(lambda: living.position(position).ended_at is not None)
        assert time.monotonic() - began < 60
    assert living.position(position).ended_at == matures_at
    assert living.funding(anna, "USDT") == Decimal("1000.21917808")
    assert_audited(database)


def test_a_clock_that_leaps_over_days_is_caught_up_with(database: Database, quick: None) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="100")
    position = living.subscribe(anna, "FLEX", "100")
    with keeping(database, jobs()) as kept:
        kept.until(lambda: kept.count("runs", "done") > 0)
        for days in (3, 1):
            set_clock(living, living.now + days * DAY)
        kept.until(lambda: len(living.rewards_of(position)) == 3)
        kept.until(lambda: state_of(database, RUN_ON + 3 * DAY) == "finished")
    assert list(living.rewards_of(position)) == [RUN_ON + n * DAY for n in range(1, 4)]
    with database.transaction() as tx:
        assert {run.started_by for run in rewards.latest_runs(tx, 10)} == {"scheduler"}
    assert_audited(database)


def state_of(database: Database, run_on: date) -> str | None:
    with database.transaction() as tx:
        return next((run.state for run in rewards.latest_runs(tx, 10) if run.run_on == run_on), None)


def test_a_rate_that_takes_effect_is_told_and_guards_are_applied_then_and_not_before(
    database: Database,
) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    for each in (anna, bert):
        living.subscribe(each, "FLEX", "100")
    guard = positions.SetRateGuard(
        customer_id=anna, key="guard", product="FLEX", apr_min=Decimal("0.05"), action="redeem"
    )
    with database.transaction() as tx:
        positions.set_rate_guard(tx, [guard], living.now)[0].unwrap()
    mark = begin_revisions(work(living))
    living.revise("FLEX", "0.03", at=living.now + timedelta(hours=1))
    living.passes(minutes=59, seconds=59)
    mark = begin_revisions(work(living, mark))
    assert (told_to(living, bert), living.earn(anna, "USDT")) == ([], Decimal(100))
    living.passes(seconds=1)
    mark = begin_revisions(work(living, mark))
    assert living.earn(anna, "USDT") == 0
    assert living.earn(bert, "USDT") == 100
    assert [body["tiers"][0]["apr"] for body in told_to(living, bert)] == ["0.03"]
    for _ in range(3):
        living.passes(seconds=40)
        mark = begin_revisions(work(living, mark))
    assert len(told_to(living, bert)) == 1


def told_to(living: Living, customer_id: int) -> list[dict[str, Any]]:
    with living.database.transaction() as tx:
        return [told.body for told in announcements_to(tx, customer_id) if told.kind == "rate_revised"]


def test_auto_subscribe_comes_after_the_run_and_once_a_day(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="100")
    auto = positions.SetAutoSubscribe(
        customer_id=anna, key="auto", product="FLEX", floor=Decimal(40), agreement_version=living.agreement
    )
    with database.transaction() as tx:
        positions.set_auto_subscribe(tx, [auto], living.now)[0].unwrap()
    living.passes(days=1)
    mark = serve_customers(work(living))
    assert (mark, living.earn(anna, "USDT")) == (None, Decimal(0))
    Runs()(work(living))
    mark = serve_customers(work(living, mark))
    assert (mark, living.earn(anna, "USDT")) == ("2026-01-23", Decimal(60))
    living.deposit(anna, "USDT", "50")
    assert serve_customers(work(living, mark)) == mark
    assert living.earn(anna, "USDT") == 60


# Runs that wait, that are late, that are stopped


def short_of_money(database: Database) -> Living:
    """A desk whose pool does not hold the first day's rewards."""
    living = Living(database)
    living.asset("BTC", pool=Decimal("0.00000001"))
    living.product("FLEX", "BTC", apr="0.08")
    living.subscribe(living.customer("anna", BTC="10"), "FLEX", "10")
    living.passes(days=2)
    return living


def test_a_run_that_is_held_is_alarmed_and_waits_until_it_is_released(database: Database) -> None:
    living, runs = short_of_money(database), Runs()
    runs(work(living))
    assert open_alarms(database) == [("run_held", "2026-01-24")]
    planned_at = living.rows("SELECT planned_at FROM run WHERE state = 'held'")
    living.passes(minutes=1)
    runs(work(living))
    assert living.rows("SELECT planned_at FROM run WHERE state = 'held'") == planned_at
    with database.transaction() as tx:
        release(tx, date(2026, 1, 24), living.now)
    runs(work(living))
    assert state_of(database, date(2026, 1, 24)) == "finished"
    runs(work(living))
    assert open_alarms(database) == []


def test_a_run_that_waits_for_money_goes_on_by_itself_once_there_is_some(database: Database) -> None:
    living, runs = short_of_money(database), Runs()
    runs(work(living))
    living.fund_pool("BTC", Decimal(1))
    later = work(living)
    runs(
        Work(
            database,
            living.now,
            later.machine_now + timedelta(minutes=5),
            None,
            (),
            later.told,
            later.must_stop,
        )
    )
    assert state_of(database, date(2026, 1, 24)) == "finished"
    assert open_alarms(database) == []


def test_a_run_that_is_not_done_in_time_is_late_until_it_is_done(database: Database) -> None:
    living, late = Living(database), Late()
    living.product("FLEX", "USDT", apr="0.08")
    living.comes(datetime(2026, 1, 23, 0, 14, 59, tzinfo=UTC))
    for _ in range(2):
        late(work(living))
    assert open_alarms(database) == []
    living.passes(seconds=1)
    late(work(living))
    assert open_alarms(database) == []
    late(work(living))
    assert open_alarms(database) == [("run_late", "2026-01-23")]
    Runs()(work(living))
    late(work(living))
    assert open_alarms(database) == []


def test_a_run_that_is_told_to_stop_stops_after_its_piece_and_is_finished_by_the_next(
    database: Database,
) -> None:
    living = Living(database)
    with database.transaction() as tx:
        tx.execute("SELECT open_reward_day(%s, 32)", [RUN_ON + DAY])
    living.product("FLEX", "USDT", apr="0.08")
    for number in range(30):
        living.subscribe(living.customer(f"customer {number}", USDT="100"), "FLEX", "100")
    living.passes(days=1)
    Runs()(work(living))
    living.passes(days=1)
    looks = iter([False, False, False])
    with pytest.raises(MustStop):
        Runs()(work(living, must_stop=lambda: next(looks, True)))
    assert state_of(database, RUN_ON + DAY) == "executing"
    paid = living.rows("SELECT count(*) FROM run_piece WHERE run_on = %s", RUN_ON + DAY)[0].count
    assert 0 < paid < 32
    Runs()(work(living))
    assert state_of(database, RUN_ON + DAY) == "finished"
    assert_audited(database)


# Jobs that fail


def test_a_job_that_fails_stops_no_other_is_alarmed_and_tried_again(
    database: Database, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Living(database)
    monkeypatch.setattr(schedule, "BACK_OFF_SECONDS_MAX", 0.05)
    is_broken = True

    def break_down(_: Work) -> None:
        if is_broken:
            raise errors.SourceUnreadable("the wire is cut")

    with keeping(database, [Job("broken", 0, break_down), Job("sound", 0, lambda _: None)]) as kept:
        kept.until(lambda: kept.count("broken", "failed") >= 2)
        assert open_alarms(database) == []
        kept.until(lambda: open_alarms(database) == [("job_failing", "broken")])
        before = kept.count("sound", "done")
        kept.until(lambda: kept.count("sound", "done") > before)
        with database.transaction() as tx:
            found = {each.name: each for each in job_statuses(tx)}
        assert found["broken"].error == "SourceUnreadable: the wire is cut"
        assert found["broken"].failures >= 3
        assert found["sound"].done_by == kept.scheduler.lead.name
        is_broken = False
        kept.until(lambda: open_alarms(database) == [])


def test_a_broken_promise_of_the_books_stops_its_job_for_good(database: Database, quick: None) -> None:
    Living(database)

    def break_promise(_: Work) -> None:
        raise InvariantBroken("planned 2, in the ledger 1")

    with keeping(database, [Job("broken", 0, break_promise), Job("sound", 0, lambda _: None)]) as kept:
        kept.until(lambda: open_alarms(database) == [("invariant_broken", "broken")])
        before = kept.count("sound", "done")
        kept.until(lambda: kept.count("sound", "done") > before + 3)
        assert kept.count("broken", "began") == 1


def test_a_job_remembers_its_mark_from_one_process_to_the_next(database: Database, quick: None) -> None:
    Living(database)
    seen: list[str | None] = []

    def count(given: Work) -> str:
        seen.append(given.mark)
        return str(int(given.mark or 0) + 1)

    for _ in range(2):
        with keeping(database, [Job("counting", 0, count)]) as kept:
            kept.until(lambda: kept.count("counting", "done") >= 2)
    assert seen[:2] == [None, "1"]
    assert seen == [None, *[str(number) for number in range(1, len(seen))]]


def test_a_database_without_a_desk_is_waited_for(database: Database, quick: None) -> None:
    with keeping(database, jobs()) as kept:
        kept.until(lambda: kept.count("leader", "leads") == 1)
        Living(database)
        kept.until(lambda: kept.count("runs", "done") > 0)


# The small ones


def test_quotes_that_expired_long_ago_are_forgotten(database: Database) -> None:
    living = Living(database)
    living.product("LONG", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "LONG", "1000")
    living.quote(anna, position)
    living.passes(days=1, minutes=5)
    forget_quotes(work(living))
    assert len(living.rows("SELECT FROM quote")) == 1
    kept = living.quote(anna, position)
    living.passes(seconds=1)
    forget_quotes(work(living))
    assert [row.quote_id for row in living.rows("SELECT quote_id FROM quote")] == [kept.quote_id]
    living.confirm(anna, kept.quote_id)
    assert_audited(database)


def test_what_is_new_in_the_books_is_sealed(database: Database) -> None:
    living = Living(database)
    living.customer("anna", USDT="1000")
    assert (
        living.rows("SELECT FROM transfer t WHERE NOT EXISTS (SELECT FROM seal s WHERE s.cell = t.cell)")
        != []
    )
    seal(work(living))
    assert (
        living.rows("SELECT FROM transfer t WHERE NOT EXISTS (SELECT FROM seal s WHERE s.cell = t.cell)")
        == []
    )


def test_looking_for_maturities_reads_one_entry_of_the_index_in_each_cell(database: Database) -> None:
    living = Living(database)
    living.product("LONG", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    for _ in range(50):
        living.subscribe(anna, "LONG", "1")
    mature(work(living))
    with database.owner() as owner:
        owner.execute("ANALYZE position")
        owner.execute("SET enable_seqscan = off")
        statement = (
            "SELECT matures_at FROM position WHERE cell = 1 AND ended_at IS NULL AND term_days IS NOT NULL"
            " AND parked_days IS NULL ORDER BY matures_at LIMIT 1"
        )
        plan = "\n".join(row[0] for row in owner.execute("EXPLAIN " + statement))
    assert "position_by_maturity" in plan
    assert "Sort" not in plan
