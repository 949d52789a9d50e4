"""Rules 5, 6 and 17 to 21: the daily run, late, missed, repeated, split, held, and with what it cannot pay."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from tests.living import START, Living, assert_audited, assert_books_hold, release

from staddle import errors, rewards
from staddle.db import Database
from staddle.ledger import AccountKind, account_of, cell_of
from staddle.rewards.plan import plan_run

D = Decimal


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.365")
    return living


def staker(living: Living, name: str = "anna", amount: str = "1000") -> tuple[int, int]:
    customer = living.customer(name, USDT=amount)
    return customer, living.subscribe(customer, "FLEX", amount)


def test_rewards_go_to_funding_by_themselves_at_the_cost_of_the_desk(living: Living) -> None:
    anna, _ = staker(living)
    living.passes(days=2, hours=9)
    living.catch_up()
    assert (living.funding(anna, "USDT"), living.spot(anna, "USDT")) == (D(2), D(0))
    asset = living.assets["USDT"]
    cost = living.rows(
        "SELECT cell, amount FROM balance WHERE account_id = %s",
        account_of(0, asset, AccountKind.REWARD_EXPENSE),
    )
    assert [tuple(row) for row in cost if row.amount] == [(anna % 256, D(-2))]


def test_a_run_is_reported_with_what_was_planned_paid_and_settled_before(living: Living) -> None:
    staker(living)
    bert, _ = staker(living, "bert", "500")
    living.passes(days=1, hours=1)
    living.redeem(bert, "FLEX", "100")  # settles a day that this run owes
    living.passes(hours=8)
    report = living.catch_up()[-1]
    assert (report.run_on, report.state, report.held_because) == (date(2026, 1, 24), "finished", None)
    line = report.lines[0]
    assert (line.product, line.asset, line.rewards_planned, line.amount_planned) == (
        "FLEX",
        "USDT",
        2,
        D("1.5"),
    )
    assert (line.rewards_paid, line.amount_paid) == (1, D(1))
    with living.database.transaction() as tx:
        assert rewards.find_report(tx, report.run_on) == report
        assert [each.run_on.day for each in rewards.latest_runs(tx, 5)] == [24, 23]


def test_a_run_done_again_pays_nothing_and_reports_the_same(living: Living) -> None:
    anna, _ = staker(living)
    living.passes(days=1, hours=9)
    first = living.catch_up()[-1]
    before = living.rows("SELECT * FROM balance ORDER BY 1, 2")
    living.passes(hours=3)
    assert living.run(first.run_on) == first
    assert living.catch_up() == []
    assert living.rows("SELECT * FROM balance ORDER BY 1, 2") == before
    assert living.funding(anna, "USDT") == 1


def test_runs_are_done_in_order_each_once_its_time_has_come(living: Living) -> None:
    living.passes(days=3)
    with pytest.raises(errors.RunOutOfOrder) as refusal:
        living.run(date(2026, 1, 25))
    assert refusal.value.details == {"next": date(2026, 1, 23)}
    with pytest.raises(errors.RunOutOfOrder):
        living.run(date(2026, 1, 22))  # before the desk's first
    living.catch_up()
    with pytest.raises(errors.RunNotDue):
        living.run(date(2026, 1, 26))
    living.comes(datetime(2026, 1, 26, tzinfo=UTC) - timedelta(microseconds=1))
    with pytest.raises(errors.RunNotDue):
        living.run(date(2026, 1, 26))
    living.passes(microseconds=1)
    assert living.run(date(2026, 1, 26)).state == "finished"
    with living.database.transaction() as tx, pytest.raises(errors.RunNotFound):
        rewards.find_report(tx, date(2026, 1, 27))


def test_two_runs_at_once_share_the_work_and_pay_once(living: Living) -> None:
    people = [staker(living, f"customer {n}")[0] for n in range(5)]
    living.passes(days=3, hours=9)
    with ThreadPoolExecutor(3) as pool:
        for doing in [pool.submit(living.catch_up) for _ in range(3)]:
            doing.result()
    assert {living.funding(each, "USDT") for each in people} == {D(3)}
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_a_dry_run_gives_the_totals_and_writes_nothing(living: Living) -> None:
    staker(living)
    living.passes(days=1, hours=9)
    living.run(date(2026, 1, 23))
    with living.database.transaction() as tx:
        planned = rewards.foresee(tx, date(2026, 1, 24), datetime(2026, 1, 24, tzinfo=UTC))
    assert list(planned.values()) == [(1, D(1))]
    assert living.rows("SELECT FROM reward") == []
    assert living.rows("SELECT FROM run WHERE run_on = '2026-01-24'") == []


def test_what_was_worked_out_and_lost_in_a_crash_is_worked_out_again(living: Living) -> None:
    """The plan's rows keep no log, so a server that crashes before the payment comes back without them."""
    for name in ("anna", "bert"):
        staker(living, name)
    living.passes(days=2)
    cutoff = datetime(2026, 1, 24, tzinfo=UTC)
    living.run(date(2026, 1, 23))
    assert plan_run(living.database, date(2026, 1, 24), cutoff, "ada", cutoff) == "executing"
    with living.database.owner() as owner:
        owner.execute("TRUNCATE due_reward")
    assert living.run(date(2026, 1, 24)).state == "finished"
    assert len(living.rows("SELECT FROM reward")) == 2


def test_a_run_makes_room_for_its_day_and_the_next_two(living: Living) -> None:
    staker(living)
    living.passes(days=2)
    living.run(date(2026, 1, 23))
    days = living.rows("SELECT DISTINCT run_on FROM reward_piece ORDER BY run_on")
    assert [row.run_on for row in days] == [date(2026, 1, 23), date(2026, 1, 24), date(2026, 1, 25)]


def test_a_day_of_rewards_and_what_is_due_are_one_file_a_part(living: Living) -> None:
    """A second and a third file for values too long for a page would be made and thrown away with every part."""
    staker(living)
    living.passes(days=2)
    living.run(date(2026, 1, 23))
    parts = living.rows(
        """SELECT c.oid::regclass::text AS name, c.reltoastrelid <> 0 AS has_annex
             FROM unnest(ARRAY['reward', 'due_reward']::regclass[]) AS kept (root)
            CROSS JOIN LATERAL pg_partition_tree(kept.root) t
             JOIN pg_class c ON c.oid = t.relid
            WHERE t.isleaf"""
    )
    assert len(parts) == 3 + 16
    assert [row.name for row in parts if row.has_annex] == []


@pytest.mark.parametrize("hour", [time(18, 30), time(23, 59, 59)])
def test_any_time_of_day_can_be_the_distribution_time(database: Database, hour: time) -> None:
    living = Living(database, distribution_time=hour)
    living.product("FLEX", "USDT", apr="0.365")
    anna, position = staker(living)
    living.comes(datetime.combine(date(2026, 1, 23), hour, UTC) - timedelta(seconds=1))
    living.catch_up()
    assert living.funding(anna, "USDT") == 0
    living.passes(seconds=1)
    living.catch_up()  # the first day was done at 15:30 that afternoon
    assert living.rewards_of(position) == {date(2026, 1, 23): D(1)}


def test_a_day_that_completes_at_the_very_distribution_is_paid_by_it(database: Database) -> None:
    living = Living(database, start=datetime(2026, 1, 22, tzinfo=UTC))
    living.product("FLEX", "USDT", apr="0.365")
    on_time, _ = staker(living)
    living.passes(microseconds=1)
    too_late, _ = staker(living, "bert")
    living.comes(datetime(2026, 1, 23, tzinfo=UTC))
    living.catch_up()
    assert (living.funding(on_time, "USDT"), living.funding(too_late, "USDT")) == (D(1), D(0))


def test_days_are_24_hours_when_clocks_change_and_in_leap_years(database: Database) -> None:
    living = Living(database, start=datetime(2028, 2, 28, 1, 30, tzinfo=UTC))
    living.product("FLEX", "USDT", apr="0.365")
    _, position = staker(living)
    living.comes(datetime(2028, 4, 1, tzinfo=UTC))  # over 29 February and 26 March, when Europe loses an hour
    living.catch_up()
    paid = living.rewards_of(position)
    assert set(paid.values()) == {D(1)}
    assert sorted(paid) == [date(2028, 3, 1) + timedelta(days=n) for n in range(32)]


# Rule 20: limits


def test_a_pool_that_is_too_small_holds_the_run_until_it_is_funded(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("0.99999999"))
    living.product("FLEX", "USDT", apr="0.365")
    anna, _ = staker(living)
    living.passes(days=1, hours=9)
    report = living.catch_up()[-1]
    assert report.state == "held"
    assert report.held_because == "the USDT pool holds 0.99999999 and 1.00000000 are owed"
    assert living.funding(anna, "USDT") == 0
    living.fund_pool("USDT", D("0.00000001"))
    assert living.catch_up()[-1].state == "finished"  # exactly enough is enough
    assert living.funding(anna, "USDT") == 1


def test_a_total_far_from_the_last_one_holds_the_run_for_a_second_person(database: Database) -> None:
    living = Living(database, run_change_max="0.5")
    living.product("FLEX", "USDT", apr="0.365")
    staker(living, "anna", "1000")
    living.passes(days=1, hours=9)
    living.catch_up()
    staker(living, "bert", "500")
    living.passes(days=2)
    assert living.catch_up()[-1].state == "finished"  # half as much more is within the bounds
    staker(living, "cleo", "751")
    living.passes(days=1)
    assert living.catch_up()[-1].state == "finished"
    living.passes(days=1)
    held = living.catch_up()
    assert [report.state for report in held] == ["held"]
    assert "from 1.5" in str(held[0].held_because)
    run_on = held[0].run_on
    with living.database.transaction() as tx, pytest.raises(errors.SecondPersonNeeded):
        release(tx, run_on, living.now, by="ada")
    living.passes(days=1)
    assert [report.state for report in living.catch_up()] == ["held"]  # and none behind it is done
    with living.database.transaction() as tx:
        assert release(tx, run_on, living.now).state == "released"
    with living.database.transaction() as tx, pytest.raises(errors.WrongState):
        release(tx, run_on, living.now)
    reports = living.catch_up()
    assert [(report.state, report.released_by) for report in reports] == [
        ("finished", "bob"),
        ("finished", None),
    ]


# Rule 19: what cannot be paid


def poison(living: Living, customer: int) -> None:
    """Take the customer's Funding account away behind everybody's back."""
    with living.database.owner() as owner:
        owner.execute(
            "DELETE FROM balance WHERE cell = %s AND account_id = %s",
            [cell_of(customer), account_of(customer, living.assets["USDT"], AccountKind.FUNDING)],
        )


def heal(living: Living, customer: int) -> None:
    with living.database.owner() as owner:
        owner.execute(
            "INSERT INTO balance VALUES (%s, %s, 0)",
            [cell_of(customer), account_of(customer, living.assets["USDT"], AccountKind.FUNDING)],
        )


def test_a_position_that_cannot_be_paid_is_parked_and_the_others_are_paid(living: Living) -> None:
    sick, position = staker(living, "sick")
    well = [staker(living, f"customer {n}")[0] for n in range(4)]
    poison(living, sick)
    living.passes(days=1, hours=9)
    report = living.catch_up()[-1]
    assert (report.state, report.parked_count) == ("finished", 1)
    assert {living.funding(each, "USDT") for each in well} == {D(1)}
    with living.database.transaction() as tx:
        parked = rewards.parked_positions(tx)
    assert [(each.position_id, each.run_on, each.amount) for each in parked] == [
        (position, date(2026, 1, 24), D(1))
    ]
    with pytest.raises(errors.PositionParked):
        living.redeem(sick, "FLEX")
    living.passes(days=2)
    assert [each.parked_count for each in living.catch_up()] == [0, 0]  # passed by, without a word more
    assert {living.funding(each, "USDT") for each in well} == {D(3)}


def test_a_parked_position_is_paid_exactly_what_it_missed_and_then_goes_on(living: Living) -> None:
    sick, position = staker(living, "sick")
    poison(living, sick)
    living.passes(days=3, hours=9)
    living.revise("FLEX", "0.73", at=living.now + timedelta(hours=1))
    living.catch_up()
    heal(living, sick)
    with living.database.transaction() as tx:
        assert rewards.retry_parked(tx, "ada", position, living.now).paid == 3
        assert rewards.parked_positions(tx) == []
        assert len(rewards.parked_positions(tx, with_retried=True)) == 1
    with living.database.transaction() as tx, pytest.raises(errors.PositionNotFound):
        rewards.retry_parked(tx, "ada", position, living.now)
    living.passes(days=2)
    living.catch_up()
    assert list(living.rewards_of(position).values()) == [1, 1, 1, 1, 2]
    assert living.funding(sick, "USDT") == 6
    living.redeem(sick, "FLEX")
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_a_matured_position_that_cannot_be_ended_is_parked_and_never_stops_the_run(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.365", term_days=1)
    sick, well = living.customer("sick", USDT="1000"), living.customer("well", USDT="1000")
    position = living.subscribe(sick, "FIXED", "1000")
    living.subscribe(well, "FIXED", "1000")
    poison(living, sick)
    living.passes(days=1, hours=9)
    assert living.catch_up()[-1].state == "finished"
    assert living.funding(well, "USDT") == 1001
    with living.database.transaction() as tx:
        assert [each.position_id for each in rewards.parked_positions(tx)] == [position]
    living.passes(days=3)
    living.catch_up()
    heal(living, sick)
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position, living.now)
    living.tick()
    assert living.funding(sick, "USDT") == 1001  # nothing for the days between its maturity and its payment
    assert_audited(living.database)


def poison_position(living: Living, position: int) -> None:
    """Let the database refuse every reward of one position."""
    with living.database.owner() as owner:
        owner.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE check_violation USING MESSAGE = 'poisoned'; END$$"
        )
        owner.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON reward FOR EACH ROW"
            f" WHEN (NEW.position_id = {position}) EXECUTE FUNCTION refuse()"
        )


def test_an_older_position_waits_while_a_younger_one_of_its_holding_is_parked(living: Living) -> None:
    bands = [("0", "1000", "0.365"), ("1000", None, "0.0365")]
    living.product("FIXED", "USDT", bands=bands, term_days=9, rate_policy="floating")
    anna = living.customer("anna", USDT="3000")
    oldest, older, sick = (living.subscribe(anna, "FIXED", "1000") for _ in range(3))
    poison_position(living, sick)
    living.passes(days=2, hours=9)
    assert [report.parked_count for report in living.catch_up()] == [0, 1, 0]
    for position in (oldest, older, sick):
        with pytest.raises(errors.PositionParked):
            living.quote(anna, position)
    with living.database.owner() as owner:
        owner.execute("DROP TRIGGER poison ON reward")
    living.comes(START + timedelta(days=9))
    assert living.tick() == 3  # maturing settles it, and with that it is parked no more
    with living.database.transaction() as tx:
        assert rewards.parked_positions(tx) == []
    living.catch_up()
    # Nine days each: a unit for the oldest, a tenth for the others; parked or not, nothing was lost.
    assert living.funding(anna, "USDT") == 3000 + 9 + D("0.9") * 2
    assert_audited(living.database)


# Rule 21 and rule 5


def test_catch_up_pays_each_day_at_that_days_rate(living: Living) -> None:
    anna, position = staker(living)
    for day, apr in ((2, "0.73"), (3, "1.095")):
        living.revise("FLEX", apr, at=START + timedelta(days=day))
    living.comes(START + timedelta(days=5, hours=9))
    assert len(living.catch_up()) == 6
    assert list(living.rewards_of(position).values()) == [1, 1, 2, 3, 3]
    assert living.funding(anna, "USDT") == 10


def test_an_act_during_an_outage_settles_its_own_days_and_the_late_runs_pay_the_rest(living: Living) -> None:
    (anna, older), (bert, _) = staker(living), staker(living, "bert")
    living.passes(days=2, hours=1)
    living.redeem(anna, "FLEX", "500")
    living.passes(days=2)
    living.catch_up()
    assert list(living.rewards_of(older).values()) == [1, 1, D("0.5")]
    assert (living.funding(anna, "USDT"), living.funding(bert, "USDT")) == (D("502.5"), D(3))
