"""Rule 11: what holders were really paid, over the last 30 distributions, beside the APR that was displayed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.living import START, Living
from tests.stories.test_reward_runs import heal, poison

from staddle import errors, rewards
from staddle.db import Database
from staddle.rewards.realised import RealisedApr, realised_apr

D = Decimal
BANDS = (("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))


@pytest.fixture
def living(database: Database) -> Living:
    return Living(database)


def realised(living: Living, code: str) -> RealisedApr:
    with living.database.transaction() as tx:
        return realised_apr(tx, code, "USDT")


def lives(living: Living, days: int) -> None:
    for _ in range(days):
        living.passes(days=1)
        living.catch_up()


def test_a_flat_rate_is_realised_exactly_where_no_unit_is_cut(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    living.subscribe(living.customer("anna", USDT="365"), "FLEX", "365")
    lives(living, 40)
    found = realised(living, "FLEX")
    assert (found.from_on, found.to_on) == (date(2026, 2, 2), date(2026, 3, 3)), "the last 30 run dates"
    assert (found.rewards, found.principal_days) == (D(3), D(365 * 30)), "0.1 a day, 365 held for 30 days"
    assert (found.realised_apr, found.displayed_apr) == (D("0.1"), D("0.1"))


def test_before_thirty_days_those_that_there_were_count(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    living.subscribe(living.customer("anna", USDT="365"), "FLEX", "365")
    lives(living, 3)
    found = realised(living, "FLEX")
    assert (found.rewards, found.principal_days) == (D("0.2"), D(730)), (
        "two full days were paid by the third run"
    )
    assert (found.realised_apr, found.displayed_apr) == (D("0.1"), D("0.1"))


def test_tiers_realise_what_holdings_really_got_and_not_the_headline(living: Living) -> None:
    living.product("FLEX", "USDT", bands=BANDS)
    living.subscribe(living.customer("anna", USDT="10000"), "FLEX", "10000")
    lives(living, 32)
    found = realised(living, "FLEX")
    # 60 + 36 + 15 = 111 a year: 31 days since the start are 9.42739726, of which the first, 0.30410958, is too old.
    assert (found.rewards, found.principal_days) == (D("9.12328768"), D(300_000))
    assert (found.realised_apr, found.displayed_apr) == (D("0.0111"), D("0.12"))


def test_what_an_act_settled_counts_and_every_day_with_the_principal_it_had(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    anna = living.customer("anna", USDT="730")
    living.subscribe(anna, "FLEX", "730")
    lives(living, 5)
    living.passes(seconds=60)
    living.redeem(anna, "FLEX", "365")  # settles the fifth day, which no run has paid yet
    lives(living, 5)
    found = realised(living, "FLEX")
    assert found.principal_days == 5 * 730 + 4 * 365
    assert found.rewards == D("1.4")
    assert found.realised_apr == D("0.1")


def test_a_rate_that_changed_is_displayed_as_the_mean_of_the_days(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.2")
    living.subscribe(living.customer("anna", USDT="365"), "FLEX", "365")
    living.revise("FLEX", apr="0.1", at=START + timedelta(days=2))
    lives(living, 5)
    found = realised(living, "FLEX")
    assert found.rewards == D("0.2") * 2 + D("0.1") * 2, "days one and two began before the change"
    assert found.realised_apr == D("0.15")
    # A day before the runs of the 24th to the 27th: twice 20 %, then 10 %; before the 24th there was no rate.
    assert found.displayed_apr == D("0.15")


def test_rewards_that_wait_for_maturity_count_as_they_accrue(living: Living) -> None:
    living.product("LATER", "USDT", apr="0.1", term_days=30, payout="at_maturity")
    living.subscribe(living.customer("anna", USDT="365"), "LATER", "365")
    lives(living, 11)
    found = realised(living, "LATER")
    assert (found.rewards, found.principal_days, found.realised_apr) == (D(1), D(3650), D("0.1"))


def test_a_parked_position_counts_neither_with_its_rewards_nor_with_its_days(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    living.subscribe(living.customer("anna", USDT="365"), "FLEX", "365")
    ben = living.customer("ben", USDT="730")
    parked = living.subscribe(ben, "FLEX", "730")
    lives(living, 2)
    poison(living, ben)
    lives(living, 3)
    found = realised(living, "FLEX")
    assert (found.rewards, found.principal_days) == (D("0.4") + D("0.2"), D(365 * 4 + 730))
    heal(living, ben)
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", parked, living.now)
    found = realised(living, "FLEX")
    assert (found.rewards, found.principal_days) == (D("0.4") + D("0.8"), D(365 * 4 + 730 * 4))


def test_without_holders_or_runs_there_is_nothing_to_say(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    found = realised(living, "FLEX")
    assert (found.to_on, found.realised_apr, found.displayed_apr) == (None, None, None)
    lives(living, 2)
    found = realised(living, "FLEX")
    assert (found.rewards, found.realised_apr, found.displayed_apr) == (D(0), None, D("0.1"))
    with pytest.raises(errors.ProductNotFound):
        realised(living, "NOPE")
