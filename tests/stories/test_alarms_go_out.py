"""Alarms reach a subscribed endpoint, signed; and two that look at the outbox and at redemptions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from standardwebhooks import Webhook
from tests.living import Living
from tests.stories.receiver import Desk, answering, receiver
from tests.stories.test_schedule import open_alarms, work

from staddle import desk, errors, treasury
from staddle.db import Database
from staddle.server.announce import announce
from staddle.server.jobs import Late, audit_books, watch_pools
from staddle.server.watch import Outbox, watch_redemptions

D = Decimal


# Redemptions


def staked(database: Database) -> tuple[Living, int]:
    """A desk on which 30 days have passed, each with a redemption of 1 of some 10,000 USDT staked."""
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="20000")
    living.subscribe(anna, "FLEX", "10000")
    for _ in range(31):
        living.passes(days=1)
        living.redeem(anna, "FLEX", "1")
    living.passes(hours=25)
    return living, anna


def found(living: Living) -> treasury.Redemptions:
    with living.database.transaction() as tx:
        [each] = treasury.redemptions(tx, living.now)
    return each


def test_redemptions_as_usual_are_no_alarm_and_many_times_the_usual_are(database: Database) -> None:
    living, anna = staked(database)
    watch_redemptions(work(living))
    assert open_alarms(database) == []
    living.redeem(anna, "FLEX", "99")
    usual = found(living)
    assert (usual.redeemed, usual.usual, usual.usual_days, usual.staked) == (D(99), D(1), 30, D(9969))
    assert not usual.is_alarm, "99 is many times the usual 1, but less than 1 % of what is staked"
    living.redeem(anna, "FLEX", "1")
    watch_redemptions(work(living))
    assert open_alarms(database) == [("unusual_redemptions", "USDT")]
    with database.transaction() as tx:
        assert desk.list_alarms(tx)[0].details == {
            "redeemed": "100.00000000",
            "count": 2,
            "usual": "1.00000000",
            "usual_days": 30,
            "staked": "9969.00000000",
            "beyond": "the usual",
        }
    living.passes(hours=24)
    watch_redemptions(work(living))
    assert open_alarms(database) == [], "a day later it is over"


def test_more_than_a_tenth_of_what_is_staked_is_unusual_on_the_first_day_too(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="20000")
    living.subscribe(anna, "FLEX", "10000")
    living.redeem(anna, "FLEX", "1000")
    assert not found(living).is_alarm
    living.redeem(anna, "FLEX", "0.00000001")
    assert (found(living).is_alarm, found(living).because, found(living).usual_days) == (True, "share", 0)


def test_maturities_are_no_wish_to_leave(database: Database) -> None:
    living = Living(database)
    living.product("SHORT", "USDT", apr="0.08", term_days=1)
    living.subscribe(living.customer("anna", USDT="1000"), "SHORT", "1000")
    living.passes(days=1, hours=1)
    assert living.tick() == 1
    with database.transaction() as tx:
        assert treasury.redemptions(tx, living.now) == []


def test_beyond_what_is_unusual_is_a_setting_of_the_desk(database: Database) -> None:
    living, anna = staked(database)
    living.redeem(anna, "FLEX", "200")
    assert found(living).is_alarm
    with database.transaction() as tx:
        changed = desk.change_redemption_limits(tx, "bob", D(500), None, living.now)
        assert (changed.redemptions_times_max, changed.redemptions_share_max) == (D(500), D("0.1"))
        entry = desk.read_log(tx, 1)[0]
        assert (entry.act, entry.operator) == ("change_redemption_limits", "bob")
        assert entry.details["redemptions_times_max"] == {"from": "5", "to": "500"}
    assert not found(living).is_alarm
    with database.transaction() as tx:
        desk.change_redemption_limits(tx, "bob", None, D("0.01"), living.now)
    assert found(living).because == "share"
    for times, share in ((D(1), None), (None, D(0)), (None, D(2))):
        with database.transaction() as tx, pytest.raises(errors.InvalidChoice):
            desk.change_redemption_limits(tx, "bob", times, share, living.now)


# The outbox


def at(machine: Desk, outbox: Outbox) -> None:
    outbox(replace(work(machine.living), machine_now=machine.now))


def why(database: Database) -> str:
    with database.transaction() as tx:
        [alarm] = desk.list_alarms(tx)
    assert alarm.kind == "outbox_behind"
    return str(alarm.details["why"])


def test_events_that_nobody_takes_from_the_outbox_are_behind_after_ten_minutes(database: Database) -> None:
    machine, outbox = Desk(database), Outbox()
    with receiver() as receiving:
        endpoint = machine.endpoint(receiving.url)
        at(machine, outbox)
        machine.happens(machine.living.customer("anna"), 3)
        at(machine, outbox)
        machine.passes(minutes=9, seconds=59)
        at(machine, outbox)
        assert open_alarms(database) == []
        machine.passes(minutes=10)
        at(machine, outbox)
        assert open_alarms(database) == [("outbox_behind", f"endpoint {endpoint}")]
        assert why(database) == "events are not taken from the outbox"
        machine.deliver()
        at(machine, outbox)
        assert open_alarms(database) == []


def test_deliveries_that_are_due_and_not_made_are_behind(database: Database) -> None:
    machine, outbox = Desk(database), Outbox()
    with receiver() as receiving:
        machine.endpoint(receiving.url)
        receiving.answer = answering(500)
        machine.happens(machine.living.customer("anna"))
        machine.deliver()
        at(machine, outbox)
        assert open_alarms(database) == [], "it waits for its next attempt"
        machine.passes(minutes=30)
        at(machine, outbox)
        assert why(database) == "deliveries are due and not made"
        receiving.answer = answering(200)
        machine.deliver()
        at(machine, outbox)
        assert open_alarms(database) == []


def test_a_receiver_that_answers_with_errors_for_an_hour_gets_nothing_either(database: Database) -> None:
    machine, outbox = Desk(database), Outbox()
    with receiver() as receiving:
        machine.endpoint(receiving.url)
        receiving.answer = answering(500)
        machine.happens(machine.living.customer("anna"))
        for _ in range(14):
            machine.deliver()
            machine.passes(minutes=5)
        machine.deliver()
        at(machine, outbox)
        assert why(database) == "the receiver answers with errors, or not at all"


# They go out


def run_late(machine: Desk) -> None:
    machine.living.product("FLEX", "USDT", apr="0.08")
    machine.living.comes(datetime(2026, 1, 23, 0, 20, tzinfo=UTC))
    late = Late()
    for _ in range(2):
        late(work(machine.living))


def runway_short(machine: Desk) -> None:
    living = machine.living
    living.asset("BTC", pool=D(1))
    living.product("COIN", "BTC", apr="0.365")
    living.subscribe(living.customer("bert", BTC="100"), "COIN", "100")
    watch_pools(work(living))


def audit_failed(machine: Desk) -> None:
    anna = machine.living.customer("anna", USDT="100")
    with machine.database.owner() as owner:
        owner.execute(
            "UPDATE balance SET amount = amount + 1 WHERE account_customer(account_id) = %s", [anna]
        )
    audit_books(work(machine.living))


def outbox_behind(machine: Desk) -> None:
    with machine.database.owner() as owner:
        owner.execute("UPDATE webhook_endpoint SET failing_since = %s", [machine.now - timedelta(hours=2)])
    at(machine, Outbox())


def unusual_redemptions(machine: Desk) -> None:
    living = machine.living
    living.product("FLEX", "USDT", apr="0.08")
    carl = living.customer("carl", USDT="1000")
    living.subscribe(carl, "FLEX", "1000")
    living.redeem(carl, "FLEX", "500")
    watch_redemptions(work(living))


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (each.__name__, each)
        for each in (run_late, runway_short, audit_failed, outbox_behind, unusual_redemptions)
    ],
)
def test_an_alarm_and_its_end_go_out_signed_to_whoever_has_subscribed(
    kind: str, cause: Callable[[Desk], None], database: Database
) -> None:
    machine = Desk(database)
    machine.now = datetime.now(UTC)
    with receiver() as receiving:
        endpoint = machine.endpoint(receiving.url, ["alarm", "alarm_cleared"])
        cause(machine)
        announce(database, machine.living.now)
        machine.deliver()
        [told] = [each for each in receiving.received if each.event["data"].get("kind") == kind]
        assert Webhook(machine.secret(endpoint)).verify(told.body, told.headers) == told.event
        alarm = told.event["data"]
        with database.transaction() as tx:
            kept = next(each for each in desk.list_alarms(tx) if each.kind == kind)
            assert alarm["alarm_id"] in (kept.alarm_id, str(kept.alarm_id))
            assert (alarm["subject"], bool(alarm["details"])) == (kept.subject, True)
            desk.dismiss_alarm(tx, "ada", kept.alarm_id, machine.living.now)
        announce(database, machine.living.now)
        machine.deliver()
        over = receiving.received[-1]
        assert over.event["type"].endswith("alarm_cleared") or over.event["data"] == {
            "alarm_id": alarm["alarm_id"]
        }
        assert Webhook(machine.secret(endpoint)).verify(over.body, over.headers) == over.event
