"""Many runs at once, runs beside live traffic, and what happens to a run between its plan and its payment."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.faults.acts import perform
from tests.faults.books import books_of, differences, prove
from tests.faults.conftest import Copy, Undisturbed
from tests.faults.lived import RUN_AT, RUN_ON, customer_of, number_of
from tests.faults.processes import finish, go_on, start, start_act, wait_until_stopped
from tests.living import Living

from staddle import errors, positions, rewards
from staddle.db import Database
from staddle.rewards.park import park

PROCESSES = 8


@pytest.mark.parametrize("act", ["run", "catch_up"])
def test_h06_eight_runs_at_once_are_one_run(act: str, copy: Copy, undisturbed: Undisturbed) -> None:
    answer, after = undisturbed(act)
    database = copy()
    ends = [finish(process) for process in [start_act(database, act) for _ in range(PROCESSES)]]
    assert [code for code, _ in ends] == [0] * PROCESSES
    assert differences(books_of(database), after) == {}
    if act == "run":
        assert {said for _, said in ends} == {answer}
    assert (
        number_of(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    )
    prove(database)


def test_a_run_beside_live_traffic_pays_what_it_pays_alone_and_nobody_waits_in_a_circle(copy: Copy) -> None:
    alone, busy = copy(), copy()
    perform(alone, "catch_up")
    later = (RUN_AT + timedelta(days=2)).isoformat()
    traffic = [start("hammer", busy.dsn, str(number), "40", later, "FLEX,OPEN,AGAIN") for number in range(4)]
    runs = [start_act(busy, "catch_up") for _ in range(2)]
    ends = [finish(process) for process in [*traffic, *runs]]
    assert [code for code, _ in ends] == [0] * len(ends)
    assert number_of(busy, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    assert number_of(busy, "SELECT count(*) FROM reward WHERE is_early") > number_of(
        alone, "SELECT count(*) FROM reward WHERE is_early"
    ), "no act came before the run"
    assert paid_until(alone) == paid_until(busy)
    prove(busy)


def paid_until(database: Database) -> list[object]:
    """Who was paid what for which day by the runs done; a position is named by its customer, product and start."""
    with database.transaction() as tx:
        rows = tx.execute(
            "SELECT p.customer_id, p.product_id, p.started_at, p.opened_principal, r.run_on, r.amount"
            " FROM reward r JOIN position p USING (cell, position_id)"
            " WHERE r.run_on <= (SELECT max(run_on) FROM run) ORDER BY 1, 2, 3, 4, 5, 6"
        ).fetchall()
    return list(rows)


def completing_at_the_cutoff(database: Database) -> Living:
    """A desk where a position completes a day at the very instant of the distribution."""
    living = Living(database, start=RUN_AT - timedelta(days=1, minutes=5))
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    return living


def test_an_act_of_before_the_distribution_that_comes_after_its_plan_does_not_stop_the_run(
    database: Database,
) -> None:
    living = completing_at_the_cutoff(database)
    run = start_act(database, "run", "run.planned", is_stopped=True)
    wait_until_stopped(run)
    redeem = positions.Redeem(
        customer_id=customer_of(database, "anna"), key="in the last second", product="FLEX"
    )
    living.comes(RUN_AT - timedelta(minutes=5, seconds=1))
    with database.transaction() as tx:
        positions.redeem(tx, [redeem], living.now)
    go_on(run)
    assert finish(run)[0] == 0
    with database.transaction() as tx:
        assert rewards.find_report(tx, RUN_ON).state == "finished"
    prove(database)


def test_a_parked_position_cannot_be_paid_between_the_plan_and_the_end_of_a_run(copy: Copy) -> None:
    database = copy()
    position_id = number_of(database, "SELECT min(position_id) FROM position WHERE term_days = 30")
    with database.transaction() as tx:
        park(tx, position_id, RUN_ON - timedelta(days=1), Decimal(0), "a test", RUN_AT)
    run = start_act(database, "run", "run.planned", is_stopped=True)
    wait_until_stopped(run)
    try:
        with database.transaction() as tx, pytest.raises(errors.RunInProgress):
            rewards.retry_parked(tx, "ada", position_id, RUN_AT)
    finally:
        go_on(run)
        assert finish(run)[0] == 0
    with database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position_id, RUN_AT)
        assert rewards.find_report(tx, RUN_ON).state == "finished"
    prove(database)


def test_an_act_while_the_plan_is_added_up_is_counted_once(database: Database) -> None:
    """What was worked out and what acts have settled are of one moment: an act right after it changes neither."""
    living = completing_at_the_cutoff(database)
    run = start_act(database, "run", "run.worked_out", is_stopped=True)
    wait_until_stopped(run)
    redeem = positions.Redeem(customer_id=customer_of(database, "anna"), key="meanwhile", product="FLEX")
    living.comes(RUN_AT)
    with database.transaction() as tx:
        positions.redeem(tx, [redeem], living.now)
    go_on(run)
    assert finish(run)[0] == 0
    with database.transaction() as tx:
        (line,) = rewards.find_report(tx, RUN_ON).lines
    assert (line.rewards_planned, line.rewards_paid) == (1, 0)
    prove(database)
