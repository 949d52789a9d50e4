"""Paying one piece of a run: the rewards of some cells, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import psycopg

from staddle.days import DAY
from staddle.db import Database, Tx, queries
from staddle.errors import InvariantBroken, RunOutOfOrder
from staddle.failpoint import failpoint
from staddle.ledger import lock_cells
from staddle.money import ZERO, use_exact_decimals
from staddle.rewards.park import park

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class Piece:
    """The cells of a run that one transaction pays."""

    run_on: date
    cutoff: datetime
    cell_from: int
    cell_to: int


class PieceFailed(Exception):
    """A reward of the piece named an account that is not there."""


@dataclass(frozen=True, slots=True)
class Total:
    """What a piece pays of a product."""

    product_id: int
    asset_id: int
    reward_count: int
    amount: Decimal


Paid = dict[int, tuple[int, Decimal]]
"""Of each asset, as the ledger has it: how many rewards, and their sum."""


def pay_piece(database: Database, piece: Piece, now: datetime) -> int | None:
    """Pay a piece, unless it is paid; gives the number of rewards. What cannot be paid is parked (rule 19).

    Gives None, and does nothing, where the run has been paused. The run holds the piece's cells while it pays them, so
    acts of their customers wait for that moment.
    """
    use_exact_decimals()
    with database.transaction() as tx:
        locked = lock_cells(tx, range(piece.cell_from, piece.cell_to + 1))
        if tx.execute(sql.piece_paid, _named(piece)).fetchone() is not None:
            return 0
        state = tx.execute(sql.run_state, {"run_on": piece.run_on}).fetchone()
        if state is None or state.state != "executing":
            return None
        if any(counters.watermark_at != piece.cutoff - DAY for counters in locked.counters.values()):
            raise RunOutOfOrder
        tx.execute(sql.expect_many)
        planned = [Total(*row) for row in tx.execute(sql.piece_due, _named(piece)).fetchall()]
        is_again = work_out_again(tx, piece, planned)
        tx.execute(sql.go_in_order)
        parked = 0
        try:
            paid = _try_to_pay(tx, piece, None)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError, PieceFailed) as error:
            parked = park_poison(tx, piece, str(error), now)
            paid = _try_to_pay(tx, piece, None)
        failpoint("run.piece_paid")
        totals = prove_piece(tx, piece, planned, paid, is_again)
        count = finish_piece(tx, piece, totals, parked)
        failpoint("run.piece_before_commit")
    failpoint("run.piece_committed")
    return count


def work_out_again(tx: Tx, piece: Piece, planned: Sequence[Total]) -> bool:
    """Work out the piece again if what the plan worked out is gone; a crash of the server takes all of it at once."""
    row = tx.execute(sql.is_worked_out, _named(piece)).fetchone()
    if not planned or (row is not None and row.found):
        return False
    tx.execute(sql.work_out_due, _named(piece))
    return True


def prove_piece(
    tx: Tx, piece: Piece, planned: Sequence[Total], paid: Paid, is_again: bool
) -> Sequence[Total]:
    """Hold what the ledger says was paid of the piece against its plan; gives what was paid by product.

    Acts settle some of the day themselves after the plan, and what cannot be paid is parked: then what was paid is
    added up by product. Raises InvariantBroken where it is not that, to the last unit.
    """
    totals = planned
    planned_count = sum(total.reward_count for total in planned)
    if sum(count for count, _ in paid.values()) != planned_count:
        due = tx.execute(sql.due_count, _named(piece)).fetchone()
        if due is None or (due.found != planned_count and not is_again):
            raise InvariantBroken(f"run {piece.run_on}: cells {piece.cell_from}.. are not as planned: {due}")
        totals = [Total(*row) for row in tx.execute(sql.piece_totals, _named(piece)).fetchall()]
    expected: Paid = {}
    for total in totals:
        count, amount = expected.get(total.asset_id, (0, ZERO))
        expected[total.asset_id] = (count + total.reward_count, amount + total.amount)
    if expected != paid:
        raise InvariantBroken(
            f"run {piece.run_on}: cells {piece.cell_from}.. owe {expected}, in the ledger {paid}"
        )
    return totals


def _named(piece: Piece) -> dict[str, object]:
    return {
        "run_on": piece.run_on,
        "cutoff": piece.cutoff,
        "cell_from": piece.cell_from,
        "cell_to": piece.cell_to,
    }


def _try_to_pay(tx: Tx, piece: Piece, only: Sequence[int] | None) -> Paid:
    """Pay within a savepoint; gives what the ledger says was paid."""
    named = _named(piece)
    with tx.transaction():
        inserted = tx.execute(
            sql.pay_rewards, {**named, "only": None if only is None else list(only)}
        ).rowcount
        cells = list(range(piece.cell_from, piece.cell_to + 1))
        rows = tx.execute(sql.move_balances, {**named, "cells": cells}).fetchall()
        if rows and sum(row.accounts_named for row in rows) != rows[0].accounts_moved:
            raise PieceFailed("a reward names an account that has no balance row")
        if sum(row.reward_count for row in rows) != inserted:
            raise InvariantBroken(
                f"run {piece.run_on}: not every reward of cells {piece.cell_from}.. moved a balance"
            )
        return {row.asset_id: (row.reward_count, row.amount) for row in rows}


def finish_piece(tx: Tx, piece: Piece, totals: Sequence[Total], parked: int) -> int:
    """Let the index prove the piece, note its totals, and raise its cells' watermarks."""
    named = _named(piece)
    tx.execute(sql.close_piece, named)
    count = sum(total.reward_count for total in totals)
    tx.execute(sql.keep_piece, {**named, "reward_count": count, "parked_count": parked})
    tx.execute(
        sql.keep_totals,
        {
            **named,
            "product_ids": [total.product_id for total in totals],
            "reward_counts": [total.reward_count for total in totals],
            "amounts": [total.amount for total in totals],
        },
    )
    tx.execute(sql.raise_watermarks, named)
    return count


def park_poison(tx: Tx, piece: Piece, reason: str, now: datetime) -> int:
    """Find the positions that cannot be paid by halving, and park each; gives their number."""
    due = tx.execute(sql.due_positions, _named(piece)).fetchall()
    parked = 0
    suspects = [due]
    while suspects:
        some = suspects.pop()
        why = _why_not(tx, piece, [row.position_id for row in some])
        if why is None:
            continue
        if len(some) == 1:
            park(tx, some[0].position_id, piece.run_on, some[0].amount, why, now)
            parked += 1
        else:
            suspects += [some[: len(some) // 2], some[len(some) // 2 :]]
    if parked == 0:
        raise InvariantBroken(
            f"run {piece.run_on}: cells {piece.cell_from}.. cannot be paid together: {reason}"
        )
    return parked


def _why_not(tx: Tx, piece: Piece, position_ids: Sequence[int]) -> str | None:
    """Try to pay these positions and take it back; gives what went wrong, if anything did."""
    try:
        with tx.transaction(force_rollback=True):
            _try_to_pay(tx, piece, position_ids)
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError, PieceFailed) as error:
        return str(error).splitlines()[0]
    return None
