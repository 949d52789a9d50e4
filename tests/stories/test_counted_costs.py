"""What days cost is kept for pages, and only as long as it is fresh; whoever decides about money counts."""

from datetime import timedelta

import pytest
from tests.living import Living

from staddle.db import Database
from staddle.treasury import counted_costs, keep_costs, runway
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
