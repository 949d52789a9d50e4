"""How staking back ends have failed, H4 to H8: repeats, missed runs, and one bad row that stops everyone."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from tests.living import START, Living, assert_books_hold

from staddle import customers, errors, positions, rewards
from staddle.db import Database
from staddle.ledger import Outcome

D = Decimal
DAY_1 = date(2026, 1, 24)
"""The run that pays the first day of what was staked at START."""


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.0365", amount_min="1")
    return living


def test_h04_a_write_that_is_repeated_is_done_once_and_answered_the_same(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    stake = living.subscription(anna, "FLEX", "10", key="double click")
    redeem = positions.Redeem(customer_id=anna, key="timed out", product="FLEX", amount=D(5))
    between = customers.TransferBetween(
        customer_id=anna, key="again", asset="USDT", source="spot", destination="funding", amount=D(7)
    )
    answers: list[list[Outcome[Any]]] = []
    for _ in range(3):
        with living.database.transaction() as tx:
            answers.append(
                [
                    *positions.subscribe(tx, [stake, stake], living.now),
                    *positions.redeem(tx, [redeem], living.now),
                    *customers.transfer(tx, [between], living.now),
                ]
            )
        living.passes(hours=1)
    assert [[outcome.answer for outcome in each] for each in answers] == [[o.answer for o in answers[0]]] * 3
    held = (living.spot(anna, "USDT"), living.earn(anna, "USDT"), living.funding(anna, "USDT"))
    assert held == (D(83), D(5), D(12))
    with living.database.transaction() as tx:
        other = living.subscription(anna, "FLEX", "11", key="double click")
        assert isinstance(positions.subscribe(tx, [other], living.now)[0].error, errors.RequestKeyReused)


def test_h05_a_rerun_pays_nothing_and_a_missed_run_is_made_up(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "1000")
    living.passes(days=1, hours=9)
    living.catch_up()
    assert living.funding(anna, "USDT") == D("0.1")
    living.run(DAY_1)
    living.catch_up()
    assert living.funding(anna, "USDT") == D("0.1"), "a rerun pays nothing"
    living.passes(days=3)
    with pytest.raises(errors.RunOutOfOrder):
        living.run(DAY_1 + timedelta(days=3))
    living.catch_up()
    assert list(living.rewards_of(position).values()) == [D("0.1")] * 4, "missed days are made up, each once"


def test_h05_the_database_itself_refuses_a_second_reward_of_a_day(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "1000")
    living.passes(days=1, hours=9)
    living.catch_up()
    again = "INSERT INTO reward SELECT (r).* FROM (SELECT reward AS r FROM reward WHERE position_id = %s) x"
    with living.database.transaction() as tx, pytest.raises(psycopg.errors.UniqueViolation):
        tx.execute(again, [position])


def poisoned(living: Living) -> tuple[list[int], int]:
    """Ten customers with a position each; the Funding balance of one of them is full to the brim of numeric."""
    names = [f"customer {number}" for number in range(10)]
    staked = [living.subscribe(living.customer(name, USDT="1000"), "FLEX", "1000") for name in names]
    bad = staked[4]
    with living.database.owner() as owner:
        owner.execute(
            "DELETE FROM balance b USING position p WHERE p.position_id = %s AND b.cell = p.cell"
            " AND b.account_id = p.reward_account",
            [bad],
        )
    return staked, bad


def test_h07_one_position_that_cannot_be_paid_is_parked_and_stops_nobody(living: Living) -> None:
    staked, bad = poisoned(living)
    living.passes(days=1, hours=9)
    [_, report] = living.catch_up()
    assert (report.state, report.parked_count) == ("finished", 1)
    paid = [position for position in staked if living.rewards_of(position)]
    assert paid == [position for position in staked if position != bad]
    living.passes(days=1)
    assert living.catch_up()[-1].state == "finished", "nor does it stop the days after"
    assert [len(living.rewards_of(position)) for position in paid] == [2] * 9


def test_h08_what_is_parked_says_why_and_is_paid_in_full_when_it_can_be(living: Living) -> None:
    staked, bad = poisoned(living)
    living.passes(days=2, hours=9)
    living.catch_up()
    with living.database.transaction() as tx:
        [parked] = rewards.parked_positions(tx)
        assert (parked.position_id, parked.run_on, parked.amount) == (bad, DAY_1, D("0.1"))
        assert "balance row" in parked.reason
    with pytest.raises(errors.PositionParked):
        living.redeem(living.position(bad).customer_id, "FLEX")
    with living.database.owner() as owner:
        owner.execute(
            "INSERT INTO balance SELECT cell, reward_account, 0 FROM position WHERE position_id = %s", [bad]
        )
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", bad, living.now)
    assert living.rewards_of(bad) == living.rewards_of(staked[0])
    living.passes(days=1)
    living.catch_up()
    assert living.rewards_of(bad) == living.rewards_of(staked[0])
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_h08_a_matured_position_that_cannot_end_is_parked_and_the_others_end(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.0365", term_days=1)
    staked = [living.subscribe(living.customer(name, USDT="1000"), "FIXED", "1000") for name in "abcd"]
    with living.database.owner() as owner:
        owner.execute(
            "DELETE FROM balance b USING position p WHERE p.position_id = %s AND b.cell = p.cell"
            " AND b.account_id = p.reward_account",
            [staked[1]],
        )
    living.passes(days=1, hours=9)
    try:
        reports = living.catch_up()
    except errors.InvariantBroken as error:
        pytest.fail(f"one position stopped everyone: {error}")
    assert reports[-1].state == "finished"
    ended = [
        position for position in staked if living.position(position).ended_at == START + timedelta(days=1)
    ]
    assert ended == [staked[0], *staked[2:]]
