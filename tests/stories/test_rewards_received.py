"""Rules 26 and 28: a customer's rewards over all of history, in pages, and what they add up to."""

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.living import Living

from staddle import errors, positions
from staddle.db import Database, Server
from staddle.ledger import AccountKind
from staddle.rewards.received import (
    RewardFilter,
    RewardReceived,
    RewardTotal,
    reward_totals,
    rewards_received,
)

D = Decimal
BANDS = (("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))
Lived = tuple[Living, int]


@pytest.fixture(scope="module")
def lived(server: Server, template: str) -> Iterator[Lived]:
    """Fifty days of anna, who holds five positions in four products of two coins; ben is there beside her."""
    name = f"rewards_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        yield live(Living(database))
    server.drop(name)


def live(living: Living) -> Lived:
    living.product("FLEX", "USDT", bands=BANDS)
    living.product("FIXED", "USDT", apr="0.08", term_days=30)
    living.product("LATER", "USDT", apr="0.1", term_days=90, payout="at_maturity")
    living.product("BTC", "BTC", apr="0.01")
    anna, ben = living.customer("anna", USDT="9000", BTC="1"), living.customer("ben", USDT="900")
    living.subscribe(anna, "FLEX", "1000")
    living.subscribe(ben, "FLEX", "900")
    fixed = living.subscribe(anna, "FIXED", "1000")
    living.subscribe(anna, "LATER", "300")
    living.subscribe(anna, "BTC", "0.0003")
    for day in range(50):
        living.passes(days=1)
        if day == 7:
            living.subscribe(anna, "FLEX", "200")
        if day == 20:
            living.leave_early(anna, fixed)
        if day == 30:
            living.redeem(anna, "FLEX", "700")
        living.catch_up()
    return living, anna


def all_of(lived: Lived, wanted: RewardFilter, at_once: int = 1000) -> list[RewardReceived]:
    """Read all rewards, so many at once."""
    living, anna = lived
    found: list[RewardReceived] = []
    before = None
    while True:
        with living.database.transaction() as tx:
            page = rewards_received(tx, anna, wanted, before, at_once, living.now)
        found += page
        if len(page) < at_once:
            return found
        before = (page[-1].run_on, page[-1].position_id)


def totals(lived: Lived, wanted: RewardFilter) -> dict[str, RewardTotal]:
    living, anna = lived
    with living.database.transaction() as tx:
        return {total.asset: total for total in reward_totals(tx, anna, wanted, living.now)}


def test_every_reward_is_listed_once_newest_first_however_they_are_paged(lived: Lived) -> None:
    living, anna = lived
    rows = living.rows(
        "SELECT r.run_on, r.position_id, r.amount FROM reward r JOIN position p USING (cell, position_id)"
        " WHERE p.customer_id = %s ORDER BY r.run_on DESC, r.position_id DESC",
        anna,
    )
    found = all_of(lived, RewardFilter())
    assert [(each.run_on, each.position_id, each.amount) for each in found] == [tuple(row) for row in rows]
    assert len(found) > 150
    for at_once in (1, 7, 100):
        assert all_of(lived, RewardFilter(), at_once) == found


def test_a_reward_says_what_it_was_for_and_names_its_receipt(lived: Lived) -> None:
    oldest = all_of(lived, RewardFilter(product="FLEX"))[-1]
    assert (oldest.asset, oldest.day, oldest.run_on) == ("USDT", 1, date(2026, 1, 24))
    assert oldest.amount == D("0.17534246"), "(500 x 0.12 + 500 x 0.008) / 365"
    assert oldest.receipt == f"{oldest.position_id}-2026-01-24"
    assert (oldest.paid_to, oldest.forfeited) == ("funding", D(0))
    assert {each.paid_to for each in all_of(lived, RewardFilter(product="LATER"))} == {"accrued"}


def test_filters_leave_only_what_they_name(lived: Lived) -> None:
    everything = all_of(lived, RewardFilter())
    fixed = next(each.position_id for each in everything if each.product == "FIXED")
    period = RewardFilter(from_on=date(2026, 2, 1), to_on=date(2026, 2, 3))
    cases: list[tuple[RewardFilter, Callable[[RewardReceived], bool]]] = [
        (RewardFilter(asset="BTC"), lambda each: each.asset == "BTC"),
        (RewardFilter(product="FLEX"), lambda each: each.product == "FLEX"),
        (RewardFilter(position_id=fixed), lambda each: each.position_id == fixed),
        (period, lambda each: date(2026, 2, 1) <= each.run_on <= date(2026, 2, 3)),
    ]
    for wanted, holds in cases:
        found = all_of(lived, wanted, 3)
        assert found == [each for each in everything if holds(each)] != []
    assert all_of(lived, RewardFilter(product="NOPE")) == []


@pytest.mark.parametrize(
    "wanted",
    [
        RewardFilter(),
        RewardFilter(asset="USDT"),
        RewardFilter(product="FLEX"),
        RewardFilter(from_on=date(2026, 2, 1)),
        RewardFilter(to_on=date(2026, 2, 14)),
        RewardFilter(product="FIXED", from_on=date(2026, 1, 30), to_on=date(2026, 2, 2)),
        RewardFilter(product="BTC", from_on=date(2026, 2, 20), to_on=date(2026, 2, 20)),
    ],
)
def test_totals_are_the_sums_of_what_is_listed(lived: Lived, wanted: RewardFilter) -> None:
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for each in all_of(lived, wanted):
        earned, lost = sums.get(each.asset, (D(0), D(0)))
        sums[each.asset] = (earned + each.amount, lost + each.forfeited)
    found = {asset: (each.rewards, each.rewards_forfeited) for asset, each in totals(lived, wanted).items()}
    assert {asset: figures for asset, figures in found.items() if figures[0]} == sums


def test_totals_of_all_time_are_the_lifetime_rewards_of_the_assets_page(lived: Lived) -> None:
    living, anna = lived
    with living.database.transaction() as tx:
        shown = {each.asset: each.lifetime_rewards for each in positions.assets_of(tx, anna)}
    assert {asset: each.rewards_kept for asset, each in totals(lived, RewardFilter()).items()} == shown
    assert totals(lived, RewardFilter())["USDT"].rewards_forfeited > 4
    later = totals(lived, RewardFilter(product="LATER"))["USDT"].rewards_kept
    assert later == living.balance(anna, "USDT", AccountKind.ACCRUED)


def test_a_period_that_ends_before_it_begins_is_refused_and_one_beyond_all_days_is_empty(
    lived: Lived,
) -> None:
    with pytest.raises(errors.InvalidTime):
        all_of(lived, RewardFilter(from_on=date(2026, 2, 2), to_on=date(2026, 2, 1)))
    assert all_of(lived, RewardFilter(from_on=date(8999, 1, 1))) == []
    assert totals(lived, RewardFilter(to_on=date(2000, 1, 1))) == {}
    living, _ = lived
    nobody = living.customer("nobody")
    with living.database.transaction() as tx:
        assert rewards_received(tx, nobody, RewardFilter(), None, 10, living.now + timedelta(days=1)) == []
