"""What days cost is kept for pages, and only as long as it is fresh; whoever decides about money counts."""

from datetime import time, timedelta
from decimal import Decimal

import pytest
from tests.living import Living

from staddle.days import distribution_at
from staddle.db import Database
from staddle.treasury import (
    WhatIf,
    counted_costs,
    counted_foresight,
    counted_ladder,
    keep_costs,
    keep_foresight,
    ladder,
    runway,
    what_if,
)
from staddle.treasury.counted import GOOD_FOR
from staddle.treasury.foresee import count_costs


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08", amount_min="1", step="1")
    living.subscribe(living.customer("ann", USDT="5000"), "FLEX", "3000")
    return living


def test_the_runway_by_what_was_counted_is_the_runway(living: Living) -> None:
    machine = living.now
    with living.database.transaction() as tx:
        keep_costs(tx, count_costs(tx, living.now), machine)
        kept = counted_costs(tx, living.now, machine + GOOD_FOR)
        assert kept.counted_at == machine
        assert kept.costs == count_costs(tx, living.now)
        assert kept.costs["FLEX"].principal == 3000
        assert runway(tx, living.now, kept.costs) == runway(tx, living.now)


def test_what_was_counted_long_ago_is_counted_anew(living: Living) -> None:
    machine = living.now
    with living.database.transaction() as tx:
        keep_costs(tx, count_costs(tx, living.now), machine)
    living.subscribe(living.customer("ben", USDT="5000"), "FLEX", "1000")
    with living.database.transaction() as tx:
        assert counted_costs(tx, living.now, machine).costs["FLEX"].positions == 1
        late = counted_costs(tx, living.now, machine + GOOD_FOR + timedelta(seconds=1))
        assert (late.counted_at, late.costs["FLEX"].positions) == (None, 2)
        keep_costs(tx, late.costs, machine)
        assert counted_costs(tx, living.now, machine).costs["FLEX"].positions == 2


def test_what_comes_is_the_same_from_what_was_kept(living: Living) -> None:
    living.product(
        "TIERED", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.01")], amount_min="1", step="1"
    )
    living.product("30D", "USDT", term_days=30, apr="0.1", amount_min="1", step="1")
    cara = living.customer("cara", USDT="9000")
    for code, amount in (("TIERED", "1500"), ("30D", "700"), ("FLEX", "20")):
        living.subscribe(cara, code, amount)
        living.passes(hours=7)
    living.passes(days=2)
    living.catch_up()
    now, machine = living.now, living.now
    wanted = [
        WhatIf(asset="USDT"),
        WhatIf(
            asset="USDT",
            apr_factor=Decimal("0.5"),
            apr_from=distribution_at(now.date() + timedelta(9), time(0)),
        ),
        WhatIf(asset="USDT", leaving_on=now.date() + timedelta(days=5), fixed_fraction=Decimal("0.3")),
    ]
    with living.database.transaction() as tx:
        keep_foresight(tx, now, machine)
        kept, counted_at = counted_foresight(tx, now, machine)
        assert kept is not None
        assert counted_at == machine
        assert kept.groups.groups
        for each in wanted:
            assert what_if(tx, each, now, kept.groups) == what_if(tx, each, now)
        assert counted_ladder(tx, now, machine, "USDT")[0] == ladder(tx, now, "USDT")[0]
        # Of another day, or too old, it is not taken.
        assert counted_foresight(tx, now + timedelta(days=1), machine) == (None, None)
        assert counted_foresight(tx, now, machine + GOOD_FOR + timedelta(seconds=1)) == (None, None)


def test_what_was_kept_is_not_taken_where_it_says_too_little(living: Living) -> None:
    now = living.now
    with living.database.transaction() as tx:
        keep_foresight(tx, now, now)
        kept, _ = counted_foresight(tx, now, now)
    assert kept is not None
    living.subscribe(living.customer("dan", USDT="100"), "FLEX", "50")
    at_an_odd_hour = now + timedelta(days=3, hours=1, minutes=23)
    wanted = WhatIf(asset="USDT", apr=Decimal("0.2"), apr_from=at_an_odd_hour)
    with living.database.transaction() as tx:
        # The hour cuts groups that were not told apart: they are read anew, and dan is among them.
        assert what_if(tx, wanted, now, kept.groups) == what_if(tx, wanted, now)
        assert what_if(tx, WhatIf(asset="USDT"), now, kept.groups) != what_if(tx, WhatIf(asset="USDT"), now)
