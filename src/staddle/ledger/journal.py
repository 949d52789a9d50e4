"""Posting: the only way by which transfers come into being and balances move (product.md rule 1)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, columns, queries
from staddle.errors import InvariantBroken
from staddle.failpoint import failpoint
from staddle.ledger.accounts import ASSET_BITS, KIND_BITS, cell_of, customer_of, kind_of
from staddle.ledger.cells import LockedCells, save_cells
from staddle.ledger.chart import MOVES, AccountKind

sql = queries(__package__)
DECLARED = {(kind, debit, credit) for kind, moves in MOVES.items() for debit, credit in moves}


class Transfer(msgspec.Struct, frozen=True):
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
    debit, credit = transfer.debit_account, transfer.credit_account
    if (transfer.kind, debit & KIND_BITS, credit & KIND_BITS) not in DECLARED:
        raise InvariantBroken(
            f"{transfer.kind} may not move money from {kind_of(debit).name} to {kind_of(credit).name}"
        )


def post(
    tx: Tx, locked: LockedCells, transfers: Sequence[Transfer], now: datetime, opening: Iterable[int] = ()
) -> None:
    """Post the transfers and move the balances by exactly what was inserted; one statement for any number.

    The cells must be locked by the caller. An account without a balance row is opened by its first transfer; those
    of the customers' accounts in `opening`, and the expense accounts behind them, are opened for rewards to come.
    Raises psycopg's CheckViolation on an overdraft, which acts rule out beforehand.
    """
    if transfers:
        for transfer in transfers:
            check_declared(transfer)
        if rewarded := with_expense(opening):
            open_balances(tx, rewarded)
        tx.execute(sql.post_transfers, {**columns(transfers), "now": now})
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
