"""Reading balances."""

from collections.abc import Iterable
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.ledger.accounts import asset_id_of, cell_of, customer_of, kind_of
from staddle.ledger.chart import AccountKind
from staddle.money import ZERO

sql = queries(__package__)


def balances_of(tx: Tx, account_ids: Iterable[int]) -> dict[int, Decimal]:
    """Read the balances of customers' accounts; an account without a row holds nothing and is left out."""
    wanted = sorted(set(account_ids))
    cells = [cell_of(customer_of(account_id)) for account_id in wanted]
    rows = tx.execute(sql.balances_of, {"cells": cells, "account_ids": wanted}).fetchall()
    return {row.account_id: row.amount for row in rows}


def balances_of_customer(tx: Tx, customer_id: int) -> dict[int, Decimal]:
    """Read every balance of one customer, by account id."""
    rows = tx.execute(
        sql.balances_of_customer, {"cell": cell_of(customer_id), "customer_id": customer_id}
    ).fetchall()
    return {row.account_id: row.amount for row in rows}


def house_balances(tx: Tx) -> dict[int, Decimal]:
    """Add up each house account over all cells, by account id."""
    return {row.account_id: row.amount for row in tx.execute(sql.house_balances).fetchall()}


def pool_left(tx: Tx) -> dict[int, Decimal]:
    """Give what is left of the reward pool by asset: what treasury put in, less what rewards have cost (rule 31)."""
    left: dict[int, Decimal] = {}
    for account_id, amount in house_balances(tx).items():
        if kind_of(account_id) in (AccountKind.REWARD_POOL, AccountKind.REWARD_EXPENSE):
            left[asset_id_of(account_id)] = left.get(asset_id_of(account_id), ZERO) + amount
    return left
