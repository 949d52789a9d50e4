"""Ending all positions that have reached maturity, in the run or in a tick between runs (product.md rule 23)."""

from datetime import datetime

import psycopg

from staddle.db import Database, queries
from staddle.failpoint import failpoint
from staddle.ledger import HOUSE, cell_of, lock_cells
from staddle.positions import mature, products_maturing
from staddle.positions.facts import lock_quotas
from staddle.positions.settle import AccountMissing
from staddle.rewards.park import park_customer

sql = queries(__package__)
CUSTOMERS_AT_ONCE = 1_000


def mature_all(database: Database, now: datetime) -> int:
    """End every position matured by `now`, some customers in each transaction; gives how many were ended.

    A customer whose positions cannot be ended is parked and never stops the others (rule 19).
    """
    count, last = 0, HOUSE
    while some := _next_customers(database, last, now):
        try:
            count += _mature_some(database, some, now)
        except psycopg.errors.OperationalError:
            raise
        except (psycopg.Error, AccountMissing):
            count += _mature_singly(database, some, now)
        last = some[-1]
    return count


def _next_customers(database: Database, last: int, now: datetime) -> list[int]:
    """Name the next customers, in order of cell and id, who have a position that has reached its maturity."""
    after = {"cell": cell_of(last), "customer_id": last, "now": now, "limit": CUSTOMERS_AT_ONCE}
    with database.transaction() as tx:
        return [row.customer_id for row in tx.execute(sql.maturing_customers, after).fetchall()]


def _mature_some(database: Database, customers: list[int], now: datetime) -> int:
    cells = {cell_of(customer_id) for customer_id in customers}
    with database.transaction() as tx:
        locked = lock_cells(tx, cells)
        lock_quotas(tx, products_maturing(tx, cells, customers, now))
        count = mature(tx, locked, cells, customers, now)
        failpoint("mature.before_commit")
    failpoint("mature.committed")
    return count


def _mature_singly(database: Database, customers: list[int], now: datetime) -> int:
    count = 0
    for customer_id in customers:
        try:
            count += _mature_some(database, [customer_id], now)
        except psycopg.errors.OperationalError:
            raise
        except (psycopg.Error, AccountMissing) as error:
            with database.transaction() as tx:
                park_customer(tx, cell_of(customer_id), customer_id, str(error), now)
    return count
