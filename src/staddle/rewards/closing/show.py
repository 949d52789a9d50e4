"""Reading the closings: the trial balance of a day, what moved on it, and how it differs from the day before."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.errors import ClosingNotFound
from staddle.ledger import AccountKind
from staddle.money import EXACT, ZERO

sql = queries(__package__)


class ClosingLine(msgspec.Struct, frozen=True, kw_only=True):
    """What all accounts of one kind held together: `balance` is credits minus debits, and stands in `debit` where it is
    below zero and in `credit` otherwise; `change` is against the closing before.
    """

    account: str
    balance: Decimal
    debit: Decimal
    credit: Decimal
    change: Decimal


class ClosingMovement(msgspec.Struct, frozen=True, kw_only=True):
    """What moved between two kinds of account since the closing before, by one kind of transfer or as rewards."""

    kind: str
    debit: str
    credit: str
    count: int
    amount: Decimal


class ClosingAsset(msgspec.Struct, frozen=True, kw_only=True):
    """The trial balance in one asset: `debits` and `credits` are equal, `difference` is zero in sound books."""

    asset: str
    lines: list[ClosingLine]
    debits: Decimal
    credits: Decimal
    difference: Decimal
    movements: list[ClosingMovement]


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """The books of all cells just before the distribution at `distributed_at`, and with its rewards."""

    closed_on: date
    distributed_at: datetime
    closed_at: datetime
    closed_before: date | None
    """The day that was closed before, against which changes are."""
    assets: list[ClosingAsset]


def latest_closings(tx: Tx, count: int, before: date | None = None) -> list[Closing]:
    """Read the latest closings, newest first; `before` is the date to go on from."""
    rows = tx.execute(sql.closings, {"count": count, "before": before}).fetchall()
    return closings_of(tx, rows)


def find_closing(tx: Tx, closed_on: date) -> Closing:
    """Read the closing of a day; raises ClosingNotFound."""
    row = tx.execute(sql.closing, {"closed_on": closed_on}).fetchone()
    before = tx.execute(sql.last_closed, {"closed_on": closed_on}).fetchone()
    if row is None or before is None:
        raise ClosingNotFound(f"The day {closed_on} is not closed.")
    found = {"closed_on": row.closed_on, "closed_at": row.closed_at, "distributed_at": row.distributed_at}
    return closings_of(tx, [_Row(**found, closed_before=before.closed_on)])[0]


class _Row(msgspec.Struct, frozen=True):
    closed_on: date
    closed_at: datetime
    distributed_at: datetime
    closed_before: date | None


def closings_of(tx: Tx, rows: Sequence[Any]) -> list[Closing]:
    """Read what belongs to some closings, in two statements for any number."""
    days = {row.closed_on for row in rows}
    earlier = {row.closed_before for row in rows if row.closed_before is not None}
    balances = tx.execute(sql.balances_of_closings, {"days": sorted(days | earlier)}).fetchall()
    of_days = {"days": sorted(days), "asset": None, "account_kind": None}
    moved = tx.execute(sql.movements_of_closings, of_days).fetchall()
    held: dict[date, dict[str, dict[int, Decimal]]] = {}
    for row in balances:
        held.setdefault(row.closed_on, {}).setdefault(row.asset, {})[row.account_kind] = row.amount
    return [
        Closing(
            closed_on=row.closed_on,
            distributed_at=row.distributed_at,
            closed_at=row.closed_at,
            closed_before=row.closed_before,
            assets=[
                asset_of(asset, amounts, before_of(held, row.closed_before, asset), movements)
                for asset, amounts in held.get(row.closed_on, {}).items()
                for movements in [movements_in(moved, row.closed_on, asset)]
            ],
        )
        for row in rows
    ]


def before_of(
    held: dict[date, dict[str, dict[int, Decimal]]], day: date | None, asset: str
) -> dict[int, Decimal]:
    """Give the balances of the closing before, by kind of account."""
    return {} if day is None else held.get(day, {}).get(asset, {})


def asset_of(
    asset: str, amounts: dict[int, Decimal], before: dict[int, Decimal], movements: list[ClosingMovement]
) -> ClosingAsset:
    """Lay out the trial balance of one asset."""
    lines = [line_of(kind, amount, before.get(kind, ZERO)) for kind, amount in amounts.items()]
    debit, credit = total(line.debit for line in lines), total(line.credit for line in lines)
    return ClosingAsset(
        asset=asset,
        lines=lines,
        debits=debit,
        credits=credit,
        difference=EXACT.subtract(credit, debit),
        movements=movements,
    )


def line_of(kind: int, amount: Decimal, before: Decimal) -> ClosingLine:
    """Put a balance into the column in which it stands."""
    return ClosingLine(
        account=account_name(kind),
        balance=amount,
        debit=max(ZERO, -amount),
        credit=max(ZERO, amount),
        change=EXACT.subtract(amount, before),
    )


def movements_in(rows: Iterable[Any], closed_on: date, asset: str) -> list[ClosingMovement]:
    """Pick the movements of one day and asset."""
    return [
        ClosingMovement(
            kind=row.kind,
            debit=account_name(row.debit_kind),
            credit=account_name(row.credit_kind),
            count=row.move_count,
            amount=row.amount,
        )
        for row in rows
        if row.closed_on == closed_on and row.asset == asset
    ]


def account_name(kind: int) -> str:
    """Name a kind of account as the chart does, in small letters."""
    return AccountKind(kind).name.lower()


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up, exactly."""
    whole = ZERO
    for amount in amounts:
        whole = EXACT.add(whole, amount)
    return whole
