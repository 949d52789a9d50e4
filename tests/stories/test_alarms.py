"""Alarms: once for a cause, cleared when it is gone, and never a word of them to customers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.living import Living
from tests.stories.test_schedule import open_alarms, work

from staddle import desk, errors
from staddle.db import Database
from staddle.desk.alarms import KINDS
from staddle.notices import announcements_to, notices_of
from staddle.rewards import retry_parked
from staddle.rewards.park import park
from staddle.server.jobs import announce_changes, audit_books, watch_pools, watch_positions


@pytest.fixture
def living(database: Database) -> Living:
    return Living(database)


def test_an_alarm_is_raised_once_while_it_is_open_and_again_after_it_was_cleared(living: Living) -> None:
    with living.database.transaction() as tx:
        assert desk.raise_alarm(tx, "job_failing", "seals", {"failures": 3}, living.now)
        later = living.passes(minutes=5)
        assert not desk.raise_alarm(tx, "job_failing", "seals", {"failures": 9}, later)
        assert desk.raise_alarm(tx, "job_failing", "runs", {}, later)
        runs, seals = desk.list_alarms(tx)
        assert (seals.subject, seals.details, seals.raised_at) == (
            "seals",
            {"failures": 9},
            later - timedelta(minutes=5),
        )
        assert desk.clear_alarm(tx, "job_failing", "seals", later)
        assert not desk.clear_alarm(tx, "job_failing", "seals", later)
        assert desk.list_alarms(tx) == [runs]
        assert desk.raise_alarm(tx, "job_failing", "seals", {}, later)
        found = [(each.subject, each.cleared_at) for each in desk.list_alarms(tx, with_cleared=True)][:3]
    assert found == [("seals", None), ("runs", None), ("seals", later)]


def test_two_processes_that_find_the_same_cause_raise_one_alarm(living: Living) -> None:
    def find(_: int) -> bool:
        with living.database.transaction() as tx:
            return desk.raise_alarm(tx, "run_late", "2026-01-23", {}, living.now)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(find, range(8))) == 1


def test_an_alarm_is_cleared_by_hand_by_somebody_who_works_the_desk(living: Living) -> None:
    with living.database.transaction() as tx:
        desk.raise_alarm(tx, "webhook_dead", "endpoint 1", {}, living.now)
        number = desk.list_alarms(tx)[0].alarm_id
        with pytest.raises(errors.OperatorNotFound):
            desk.dismiss_alarm(tx, "nobody", number, living.now)
        assert desk.dismiss_alarm(tx, "ada", number, living.now).cleared_by == "ada"
        for gone in (number, 0, -1, 2**40):
            with pytest.raises(errors.AlarmNotFound):
                desk.dismiss_alarm(tx, "ada", gone, living.now)
        assert desk.read_log(tx, 1)[0].act == "dismiss_alarm"


def test_no_alarm_ever_reaches_a_customer(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "100")
    announce_changes(work(living))
    living.passes(minutes=1)
    with living.database.transaction() as tx:
        for kind in KINDS:
            desk.raise_alarm(tx, kind, "FLEX", {"product": "FLEX"}, living.now)
    announce_changes(work(living))
    with living.database.transaction() as tx:
        for kind in KINDS:
            desk.clear_alarm(tx, kind, "FLEX", living.now)
    announce_changes(work(living))
    with living.database.transaction() as tx:
        told = [*notices_of(tx, anna), *announcements_to(tx, anna)]
    assert [each.kind for each in told if "alarm" in each.kind] == []


def test_a_parked_position_is_alarmed_until_it_is_paid(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.08")
    position = living.subscribe(living.customer("anna", USDT="100"), "FLEX", "100")
    watch_positions(work(living))
    assert open_alarms(living.database) == []
    with living.database.transaction() as tx:
        park(tx, position, date(2026, 1, 22), Decimal(0), "a test", living.now)
    for _ in range(2):
        watch_positions(work(living))
    assert open_alarms(living.database) == [("position_parked", str(position))]
    with living.database.transaction() as tx:
        retry_parked(tx, "ada", position, living.now)
    watch_positions(work(living))
    assert open_alarms(living.database) == []


def test_a_pool_that_will_not_last_is_alarmed_until_it_is_funded(living: Living) -> None:
    living.asset("BTC", pool=Decimal(1))
    living.product("FLEX", "BTC", apr="0.365")
    living.subscribe(living.customer("anna", BTC="100"), "FLEX", "100")
    watch_pools(work(living))
    assert open_alarms(living.database) == [("runway_short", "BTC")]
    with living.database.transaction() as tx:
        assert desk.list_alarms(tx)[0].details == {"days_left": 10, "cost_per_day": "0.10000000"}
    living.fund_pool("BTC", Decimal(2))
    watch_pools(work(living))
    assert open_alarms(living.database) == []


def test_books_that_are_not_sound_are_alarmed_until_they_are(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    mark = audit_books(work(living))
    assert (mark, open_alarms(living.database)) == ("2026-01-22", [])
    with living.database.owner() as owner:
        owner.execute(
            "UPDATE balance SET amount = amount + 1 WHERE account_customer(account_id) = %s", [anna]
        )
    assert audit_books(work(living, mark)) == mark
    assert open_alarms(living.database) == [], "once a day"
    living.passes(days=1)
    mark = audit_books(work(living, mark))
    assert open_alarms(living.database) == [("audit_failed", "books")]
    with living.database.owner() as owner:
        owner.execute(
            "UPDATE balance SET amount = amount - 1 WHERE account_customer(account_id) = %s", [anna]
        )
    living.passes(days=1)
    audit_books(work(living, mark))
    assert open_alarms(living.database) == []
