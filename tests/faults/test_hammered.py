"""Eight processes hammer one limited product (rule 14): never oversold, never undersold at rest, nothing lost."""

import itertools
import json
from decimal import Decimal

import pytest
from tests.faults.books import prove
from tests.faults.lived import RUN_AT, START, number_of
from tests.faults.processes import finish, start
from tests.living import Living

from staddle import errors
from staddle.db import Database
from staddle.ledger import cell_of_reference

WORKERS = 8
TURNS = 60
QUOTA = Decimal("4.0")


def scarce_desk(database: Database) -> Living:
    """Twelve customers in a few cells, the house's among them, with 3 BTC each; 4 BTC are on sale."""
    living = Living(database, start=START)
    living.product("SCARCE", "BTC", apr="0.05", amount_min="0.1", step="0.1", quota=str(QUOTA))
    living.product("RARE", "BTC", apr="0.08", amount_min="0.1", step="0.1", quota=str(QUOTA), term_days=30)
    living.product("OPEN", "BTC", apr="0.02", amount_min="0.1", step="0.1")
    for name in [*"abcdefghijk", reference_in_cell_0()]:
        living.customer(name, BTC="3")
    return living


def reference_in_cell_0() -> str:
    return next(name for name in map(str, itertools.count()) if cell_of_reference(name) == 0)


def quota_of(database: Database, product: str) -> tuple[Decimal, Decimal]:
    """What the quota's row says is used, and what is really held, at one instant."""
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT used,"
            " (SELECT coalesce(sum(principal), 0) FROM position p WHERE p.product_id = q.product_id) AS held"
            " FROM quota q JOIN product o USING (product_id) WHERE o.code = %s",
            [product],
        ).fetchone()
    assert row is not None
    return row.used, row.held


def test_h18_eight_processes_never_oversell_a_product_and_lose_no_coin_of_its_quota(
    database: Database,
) -> None:
    living = scarce_desk(database)
    workers = [
        start("hammer", database.dsn, str(number), str(TURNS), START.isoformat(), "SCARCE,SCARCE,RARE,OPEN")
        for number in range(WORKERS)
    ]
    most = Decimal(0)
    while any(worker.poll() is None for worker in workers):
        for product in ("SCARCE", "RARE"):
            used, held = quota_of(database, product)
            assert used == held <= QUOTA
            most = max(most, used)
    ends = [finish(worker) for worker in workers]
    assert [code for code, _ in ends] == [0] * WORKERS
    assert most == QUOTA, "they never came to the edge"
    for even, odd in zip(ends[::2], ends[1::2], strict=True):
        assert json.loads(even[1]) == json.loads(odd[1]), "one key was answered in two ways"
    assert (
        number_of(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    )
    prove(database)
    living.now = RUN_AT
    for product in ("SCARCE", "RARE"):
        assert_the_rest_can_be_sold(living, product)
    held = living.rows("SELECT sum(amount) AS amount FROM balance WHERE account_kind(account_id) < 8")[
        0
    ].amount
    assert held == 12 * 3 + 2 * 10


def assert_the_rest_can_be_sold(living: Living, product: str) -> None:
    """At rest all that is left of the quota can be subscribed, and not a step more."""
    left = QUOTA - quota_of(living.database, product)[0]
    buyer = living.customer(f"the buyer of {product}", BTC="10")
    if left:
        living.subscribe(buyer, product, str(left))
    assert quota_of(living.database, product) == (QUOTA, QUOTA)
    with pytest.raises(errors.QuotaFull) as refused:
        living.subscribe(buyer, product, "0.1")
    assert refused.value.details["left"] == "0"
