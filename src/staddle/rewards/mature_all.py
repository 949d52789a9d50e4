"""Ending all positions that have reached maturity, in the run or in a tick between runs (product.md rule 23)."""

from datetime import datetime

import psycopg

from staddle.db import Database, Tx, queries
from staddle.failpoint import failpoint
from staddle.ledger import lock_cells
from staddle.positions import mature, products_maturing
from staddle.positions.facts import lock_quotas
from staddle.rewards.park import park_customer

sql = queries(__package__)
CUSTOMERS_AT_ONCE = 1_000


def mature_all(database: Database, now: datetime) -> int:
    """End every position matured by `now`, some customers in each transaction; gives how many were ended.

    A customer whose positions cannot be ended is parked and never stops the others (rule 19).
    """
    with database.transaction() as tx:
        cells = [row.cell for row in tx.execute(sql.cells_with_maturities, {"now": now}).fetchall()]
    return sum(_mature_cell(database, cell, now) for cell in cells)


def _mature_cell(database: Database, cell: int, now: datetime) -> int:
    with database.transaction() as tx:
        rows = tx.execute(sql.maturing_customers, {"cell": cell, "now": now}).fetchall()
    customers = [row.customer_id for row in rows]
    count = 0
    for start in range(0, len(customers), CUSTOMERS_AT_ONCE):
        some = customers[start : start + CUSTOMERS_AT_ONCE]
        try:
            count += _mature_some(database, cell, some, now)
        except psycopg.errors.OperationalError:
            raise
        except psycopg.Error:
            count += _mature_singly(database, cell, some, now)
    return count


def _mature_some(database: Database, cell: int, customers: list[int], now: datetime) -> int:
    with database.transaction() as tx:
        count = _mature_locked(tx, cell, customers, now)
        failpoint("mature.before_commit")
    failpoint("mature.committed")
    return count


def _mature_locked(tx: Tx, cell: int, customers: list[int], now: datetime) -> int:
    locked = lock_cells(tx, [cell])
    lock_quotas(tx, products_maturing(tx, [cell], customers, now))
    return mature(tx, locked, [cell], customers, now)


def _mature_singly(database: Database, cell: int, customers: list[int], now: datetime) -> int:
    count = 0
    for customer_id in customers:
        try:
            count += _mature_some(database, cell, [customer_id], now)
        except psycopg.errors.OperationalError:
            raise
        except psycopg.Error as error:
            with database.transaction() as tx:
                park_customer(tx, cell, customer_id, str(error), now)
    return count
