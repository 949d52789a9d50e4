"""Rule 31: what is foreseen if nobody acts is what is then paid; what is supposed changes what it should."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import START, Living
from tests.stories.test_treasury import approve, ask, pool

from staddle import errors, treasury
from staddle.db import Database
from staddle.ledger import find_asset
from staddle.treasury import Supposed, WhatIf
from staddle.treasury.by_day import lives, sum_up
from staddle.treasury.outlook import read_outlook

D = Decimal
DAY = timedelta(days=1)


def suppose(living: Living, days: int = 120, **wanted: Any) -> Supposed:
    with living.database.transaction() as tx:
        return treasury.what_if(tx, WhatIf(asset="USDT", days=days, **wanted), living.now)


def bases_foreseen(living: Living, days: int) -> list[Decimal]:
    """What each day's distribution pays, undivided."""
    with living.database.transaction() as tx:
        outlook = read_outlook(tx, living.now, find_asset(tx, "USDT").asset_id, days)
    sums = sum_up(outlook, lives(outlook, days), days, lambda *_: "all")
    return sums["all"].bases


def a_desk(database: Database, pool_size: str = "100000") -> Living:
    """All there is at once: tiers with holdings that stack, terms that end, renew, move and accrue, locked and floating
    rates, and revisions announced at odd hours.
    """
    living = Living(database, start=START)
    living.asset("USDT", pool=D(pool_size))
    living.product(
        "FLEX", "USDT", bands=(("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))
    )
    living.product("PLAIN", "USDT", apr="0.03")
    living.product("FIX", "USDT", apr="0.08", term_days=7)
    living.product("FLOAT", "USDT", apr="0.05", term_days=14, rate_policy="floating")
    living.product("ACCRUE", "USDT", apr="0.1", term_days=14, payout="at_maturity")
    living.product(
        "MOVE", "USDT", apr="0.06", term_days=9, at_maturity="to_flexible", flexible_product="PLAIN"
    )
    living.product("AGAIN", "USDT", apr="0.07", term_days=7, at_maturity="renew")
    for number in range(4):
        someone = living.customer(f"customer {number}", USDT="100000")
        for code in ("FLEX", "PLAIN", "FIX", "FLOAT", "ACCRUE", "MOVE", "AGAIN"):
            living.passes(hours=3, minutes=7 * number)
            living.subscribe(someone, code, f"{400 + 371 * number}.123456")
            if code == "FLEX":
                living.subscribe(someone, code, "450.000001")
    living.revise(
        "FLEX",
        None,
        (("0", "700", "0.09"), ("700", None, "0.01")),
        at=living.now + timedelta(days=2, hours=5),
    )
    living.revise("FLOAT", "0.04", at=living.now + timedelta(days=3))
    living.revise("AGAIN", "0.02", at=living.now + timedelta(days=4, hours=1))
    living.catch_up()
    return living


def live(living: Living, days: int) -> None:
    for _ in range(days):
        living.comes(
            datetime.combine(living.now.date() + DAY, datetime.min.time(), UTC) + timedelta(minutes=3)
        )
        living.catch_up()


def test_the_base_case_is_what_the_desk_then_pays_to_the_last_digit(database: Database) -> None:
    living = a_desk(database)
    foreseen, first = bases_foreseen(living, 31), living.now.date()
    days = suppose(living, days=31).days
    cost_before = pool(living).cost
    live(living, 30)
    paid: dict[date, Decimal] = {}
    counted = living.rows(
        "SELECT run_on, sum(basis - coalesce(before, 0)) AS basis FROM (SELECT run_on, basis,"
        " lag(basis) OVER (PARTITION BY position_id ORDER BY run_on) AS before FROM reward) r GROUP BY run_on"
    )
    for row in counted:
        paid[row.run_on] = row.basis
    assert [paid.get(first + index * DAY) for index in range(1, 31)] == foreseen[1:]
    # In whole units: each position's own fraction is carried, so the sum lies within a unit for each of them.
    difference = sum((day.cost for day in days), D(0)) - (pool(living).cost - cost_before)
    positions = living.rows("SELECT count(*) AS found FROM position")[0].found
    assert abs(difference) < positions * D("0.00000001")
    assert suppose(living, days=1).days[0].left == pool(living).left
    assert len(set(foreseen)) > 8  # that many different days


def test_where_rewards_divide_evenly_the_base_case_is_exact_to_the_last_unit(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D(1000))
    living.product("FLEX", "USDT", apr="0.1")
    living.product("FIX", "USDT", apr="0.2", term_days=10)
    anna = living.customer("anna", USDT="100000")
    living.subscribe(anna, "FLEX", "365")
    living.subscribe(anna, "FIX", "730")
    living.passes(hours=1)
    days = suppose(living, days=20).days
    for day in days[1:]:
        live(living, 1)
        assert (day.on, day.left) == (living.now.date(), pool(living).left)
        assert day.principal == living.earn(anna, "USDT") or day.on == START.date() + 10 * DAY
    assert [day.cost for day in days[:4]] == [0, 0, D("0.5"), D("0.5")]
    assert days[-1].cost == D("0.1")


def test_principal_leaves_on_the_days_on_which_it_falls_due(database: Database) -> None:
    living = a_desk(database, pool_size="30")
    living.passes(days=8)
    living.catch_up()
    with living.database.transaction() as tx:
        due = treasury.maturities(tx, living.now, 120)
    days = suppose(living).days
    principal = living.rows("SELECT sum(principal) AS total FROM position WHERE ended_at IS NULL")[0].total
    for day in days:
        principal -= sum((each.principal_redeemed for each in due if each.due_on == day.on), D(0))
        assert day.principal == principal


def test_the_pool_runs_dry_on_the_day_that_the_runway_counts_to(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D(0))
    approve(living, ask(living, "funding", "3.33").approval_id)
    living.product("FLEX", "USDT", bands=(("0", "500", "0.12"), ("500", None, "0.008")))
    anna = living.customer("anna", USDT="100000")
    living.subscribe(anna, "FLEX", "1777.77777777")
    living.passes(days=3)
    living.catch_up()
    now = pool(living)
    assert now.days_left is not None
    outcome = suppose(living)
    assert outcome.dry_on == living.now.date() + (now.days_left + 1) * DAY
    assert outcome.days[1].cost in (now.cost_per_day, now.cost_per_day + D("0.00000001"))
    live(living, now.days_left)
    assert pool(living).left >= 0
    living.comes(datetime.combine(living.now.date() + DAY, datetime.min.time(), UTC))
    assert living.catch_up()[-1].state == "held"  # the pool cannot pay it in full


def flexible_desk(database: Database) -> Living:
    living = Living(database)
    living.asset("USDT", pool=D("100"))
    living.product("FLEX", "USDT", apr="0.1")
    living.product("FIX", "USDT", apr="0.2", term_days=90)
    anna = living.customer("anna", USDT="100000")
    living.subscribe(anna, "FLEX", "3650")
    living.subscribe(anna, "FIX", "365")
    living.passes(days=2)
    living.catch_up()
    return living


def test_a_supposed_rate_rules_the_days_that_begin_under_it_and_is_what_a_published_one_does(
    database: Database,
) -> None:
    living = flexible_desk(database)
    at = living.now + 3 * DAY
    supposed = [
        suppose(living, days=20, apr=D("0.3"), apr_from=at),
        suppose(living, days=20, apr_factor=D(3), apr_from=at),
    ]
    base = suppose(living, days=20)
    assert supposed[0].days == supposed[1].days
    assert [day.cost for day in supposed[0].days[1:7]] == [D("1.2")] * 4 + [D("3.2")] * 2
    assert [day.cost for day in base.days[1:7]] == [D("1.2")] * 6  # the fixed 0.2 of it keeps its rate
    living.revise("FLEX", "0.3", at=at)
    assert suppose(living, days=20).days == supposed[0].days


def test_growth_costs_what_flexible_principal_costs(database: Database) -> None:
    living = flexible_desk(database)
    days = suppose(living, days=5, growth=D("365")).days
    assert [day.principal for day in days] == [4380, 4745, 5110, 5475, 5840]
    assert [day.cost for day in days[1:]] == [D("1.3"), D("1.4"), D("1.5"), D("1.6")]
    grown = suppose(living, days=3, growth_fraction=D("0.1")).days
    assert [day.principal for day in grown] == [D(4380), D("4781.5"), D("5223.15")]


def test_in_a_run_the_flexible_leave_and_who_leaves_early_forfeits(database: Database) -> None:
    living = flexible_desk(database)
    on = living.now.date() + 2 * DAY
    outcome = suppose(living, days=5, leaving_on=on, flexible_fraction=D("0.5"), fixed_fraction=D("0.5"))
    assert [day.principal for day in outcome.days] == [D(4015)] * 2 + [D("2007.5")] * 3
    assert [day.cost for day in outcome.days[1:]] == [D("1.2"), D("1.2"), D("0.6"), D("0.6")]
    # One day was paid by now and two more are by then, of 0.2 each; half of the fixed principal forfeits them.
    assert [day.forfeited for day in outcome.days] == [0, 0, D("0.3"), 0, 0]
    assert len(outcome.assumes) == 5


def test_funding_puts_the_day_off_on_which_the_pool_runs_dry(database: Database) -> None:
    living = flexible_desk(database)
    before = suppose(living)
    assert before.dry_on is not None
    assert before.dry_on == before.dry_on_before
    funded = suppose(living, funding=D("3.6"), funding_on=living.now.date() + 4 * DAY)
    assert funded.dry_on_before == before.dry_on
    assert funded.dry_on == before.dry_on + 3 * DAY
    assert funded.days[4].funded == D("3.6")


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"days": 0}, errors.InvalidChoice),
        ({"days": 121}, errors.InvalidChoice),
        ({"apr": D("0.1")}, errors.InvalidChoice),
        ({"apr": D("0.1"), "apr_factor": D(2), "apr_from": START + 9 * DAY}, errors.InvalidChoice),
        ({"apr": D("101"), "apr_from": START + 9 * DAY}, errors.InvalidChoice),
        ({"apr_factor": D("NaN"), "apr_from": START + 9 * DAY}, errors.InvalidChoice),
        ({"growth": D("0.000000001")}, errors.TooManyDecimals),
        ({"growth": D(0)}, errors.InvalidAmount),
        ({"growth": D(1), "growth_fraction": D(1)}, errors.InvalidChoice),
        ({"flexible_fraction": D("0.5")}, errors.InvalidChoice),
        ({"fixed_fraction": D("1.01"), "leaving_on": START.date() + 9 * DAY}, errors.InvalidChoice),
        ({"funding": D(1), "funding_on": START.date()}, errors.InvalidChoice),
    ],
)
def test_what_cannot_be_supposed_is_refused(
    database: Database, wanted: dict[str, Any], error: type[errors.StaddleError]
) -> None:
    living = flexible_desk(database)
    with pytest.raises(error):
        suppose(living, **{"days": 20} | wanted)
