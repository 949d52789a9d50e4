"""Settle before change: pay a position's completed days, then give it what it holds next (product.md rule 7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.errors import InvariantBroken
from staddle.failpoint import failpoint
from staddle.ledger import HOUSE, AccountKind, Asset, LockedCells, Transfer, account_of, cell_of
from staddle.positions.facts import Held, distribution_time

sql = queries(__package__)


class AccountMissing(InvariantBroken):
    """A reward names an account that has no balance row: damage to one position, which runs park (rule 19)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what a position earns: its days through `through` are settled on what it held until now."""

    position_id: int
    through: datetime
    principal: Decimal
    tier_offset: Decimal
    ended_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a position stands after settling: accrual days, their basis, and what was paid just now."""

    days: int
    basis: Decimal
    paid: Decimal


def open_reward_days(tx: Tx, due: Iterable[tuple[int, datetime]]) -> None:
    """Make the partitions that settling these positions through these instants writes to, where one is missing."""
    wanted = {"distribution_time": distribution_time(tx), **settlement_of(due)}
    for row in tx.execute(sql.unsettled_days, wanted).fetchall():
        tx.execute(sql.open_reward_day, {"run_on": row.run_on})


def settlement_of(due: Iterable[tuple[int, datetime]]) -> dict[str, list[object]]:
    """Write (position, through) pairs as the columns that the statements take."""
    pairs = list(due)
    return {
        "cells": [cell_of(position_id) for position_id, _ in pairs],
        "position_ids": [position_id for position_id, _ in pairs],
        "through": [through for _, through in pairs],
    }


def settle(tx: Tx, due: Sequence[tuple[int, datetime]]) -> dict[int, Settled]:
    """Pay the completed, unpaid days of each position through its instant; running it again pays nothing more."""
    if not due:
        return {}
    open_reward_days(tx, due)
    rows = tx.execute(
        sql.settle, {"distribution_time": distribution_time(tx), **settlement_of(due)}
    ).fetchall()
    if len(rows) != len(due):
        raise InvariantBroken("a settlement named a position that is not there")
    if any(row.accounts_named != row.accounts_moved for row in rows):
        raise AccountMissing("a reward names an account that has no balance row")
    failpoint("settle.paid")
    return {row.position_id: Settled(row.days, row.basis, row.paid) for row in rows}


def change_positions(tx: Tx, changes: Sequence[Change], settled: dict[int, Settled], now: datetime) -> None:
    """Give settled positions what they hold next; what they held is kept for receipts and audit."""
    if not changes:
        return
    updated = tx.execute(
        sql.change_positions,
        {
            "cells": [cell_of(change.position_id) for change in changes],
            "position_ids": [change.position_id for change in changes],
            "days": [settled[change.position_id].days for change in changes],
            "bases": [settled[change.position_id].basis for change in changes],
            "principals": [change.principal for change in changes],
            "tier_offsets": [change.tier_offset for change in changes],
            "ended_at": [change.ended_at for change in changes],
            "ended_by": [change.ended_by for change in changes],
            "now": now,
        },
    )
    if updated.rowcount != len(changes):
        raise InvariantBroken("a position to be changed has ended or is not there")
    failpoint("settle.changed")


def transfers_of_position(
    locked: LockedCells,
    held: Held,
    asset: Asset,
    moves: Sequence[tuple[str, AccountKind, AccountKind, Decimal]],
    key: str,
) -> list[Transfer]:
    """Make the transfers of one act on a position from (kind, debit, credit, amount); amounts of zero are left out."""
    transfers: list[Transfer] = []
    for kind, debit, credit, amount in moves:
        if amount == 0:
            continue
        transfer_id = locked.next_transfer(held.cell)
        transfers.append(
            Transfer(
                transfer_id=transfer_id,
                act_id=transfers[0].act_id if transfers else transfer_id,
                kind=kind,
                customer_id=held.customer_id,
                debit_account=account_of(
                    HOUSE if debit >= AccountKind.CUSTODY else held.customer_id, asset, debit
                ),
                credit_account=account_of(
                    HOUSE if credit >= AccountKind.CUSTODY else held.customer_id, asset, credit
                ),
                amount=amount,
                request_key=key,
                position_id=held.position_id,
            )
        )
    return transfers
