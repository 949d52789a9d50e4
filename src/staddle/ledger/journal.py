"""Posting: the only way by which transfers come into being and balances move (product.md rule 1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.errors import InvariantBroken
from staddle.failpoint import failpoint
from staddle.ledger.accounts import ASSET_BITS, cell_of, customer_of, kind_of
from staddle.ledger.cells import LockedCells, save_cells
from staddle.ledger.chart import MOVES, AccountKind

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One move of money as it goes into the books; ids come from `LockedCells`, `act_id` joins those of one act."""

    transfer_id: int
    act_id: int
    kind: str
    customer_id: int
    debit_account: int
    credit_account: int
    amount: Decimal
    request_key: str
    position_id: int | None = None
    corrects: int | None = None


def check_declared(transfer: Transfer) -> None:
    """Hold a transfer against the chart before the database does; anything else is a bug of ours."""
    move = (kind_of(transfer.debit_account), kind_of(transfer.credit_account))
    if move not in MOVES[transfer.kind]:
        raise InvariantBroken(f"{transfer.kind} may not move money from {move[0].name} to {move[1].name}")


def post(
    tx: Tx, locked: LockedCells, transfers: Sequence[Transfer], now: datetime, opening: Iterable[int] = ()
) -> None:
    """Post the transfers and move the balances by exactly what was inserted; one statement each for any number.

    The cells must be locked by the caller. Balance rows are opened first (those of the customers' accounts in
    `opening` too), because a proposed row would be held against `a_balance_is_never_below_zero` before it is added
    up. Raises psycopg's CheckViolation on an overdraft, which acts rule out beforehand.
    """
    if transfers:
        for transfer in transfers:
            check_declared(transfer)
        cells = [cell_of(transfer.transfer_id) for transfer in transfers]
        debited = [transfer.debit_account for transfer in transfers]
        credited = [transfer.credit_account for transfer in transfers]
        open_balances(
            tx,
            {*zip(cells, debited, strict=True), *zip(cells, credited, strict=True)} | with_expense(opening),
        )
        posted = tx.execute(
            sql.post_transfers,
            {
                "cells": cells,
                "transfer_ids": [transfer.transfer_id for transfer in transfers],
                "act_ids": [transfer.act_id for transfer in transfers],
                "kinds": [transfer.kind for transfer in transfers],
                "customer_ids": [transfer.customer_id for transfer in transfers],
                "debit_accounts": debited,
                "credit_accounts": credited,
                "amounts": [transfer.amount for transfer in transfers],
                "request_keys": [transfer.request_key for transfer in transfers],
                "position_ids": [transfer.position_id for transfer in transfers],
                "corrects": [transfer.corrects for transfer in transfers],
                "now": now,
            },
        ).fetchone()
        if posted is None or posted.accounts_moved != posted.accounts_named:
            raise InvariantBroken("a transfer named an account that has no balance row")
        failpoint("post.moved")
    save_cells(tx, locked)


def open_balances(tx: Tx, accounts: Iterable[tuple[int, int]]) -> None:
    """Make sure that each (cell, account id) has a balance row."""
    rows = sorted(accounts)
    tx.execute(
        sql.open_balances,
        {"cells": [cell for cell, _ in rows], "account_ids": [account for _, account in rows]},
    )


def with_expense(reward_accounts: Iterable[int]) -> set[tuple[int, int]]:
    """Name the accounts that a reward to each of these customers' accounts touches."""
    named = set()
    for account in reward_accounts:
        cell = cell_of(customer_of(account))
        named |= {(cell, account), (cell, account & ASSET_BITS | AccountKind.REWARD_EXPENSE)}
    return named
