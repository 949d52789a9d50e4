"""Looking through the transfers of the whole desk, newest first, in bounded time however many there are.

There is no index over time but one that summarises blocks of the table, for each entry in an ordinary one would cost
every act. So transfers are read backwards, a stretch of time after the other, each as long as the one before it
makes advisable; a page may end before it is full, where nothing that is wanted lay in what was looked through.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.errors import InvalidChoice
from staddle.ledger.accounts import Asset, asset_id_of, cell_of, kind_of
from staddle.ledger.assets import all_assets
from staddle.ledger.chart import MOVES, AccountKind

sql = queries(__package__)
KINDS = tuple(kind for kind in MOVES if kind != "reward")
"""The kinds of transfers; rewards have rows of their own."""
RARE = frozenset(
    {"accrued_payout", "forfeiture", "pool_funding", "pool_withdrawal", "income_to_pool", "correction"}
)
"""Kinds that have an index, for acts in a hurry never post them."""
FIRST_STRETCH = timedelta(minutes=1)
GROWTH_MAX = 4
SLACK = timedelta(hours=1)
"""What waited for its turn may take effect a little before what was posted ahead of it in its cell."""
LOOKED_AT_ONCE = 20_000
"""How many transfers a stretch is to hold."""
LOOKED_MAX = 60_000
"""So many transfers are looked through for a page; then it ends, full or not."""
ROWS_AT_ONCE = 2_000
BEFORE_ALL = 1 << 62
"""Behind every id."""


class LedgerTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as it stands in the books; accounts by their names in the chart, `customer_id` None for the house.

    `effective_at` is the desk's clock, `recorded_at` when this database wrote the row down.
    """

    transfer_id: int
    act_id: int
    kind: str
    asset: str
    amount: Decimal
    debit: str
    credit: str
    customer_id: int | None
    position_id: int | None
    effective_at: datetime
    recorded_at: datetime
    key: str
    corrects_id: int | None


class TransferFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which transfers are wanted; None: all. `account` is a kind of account that was debited or credited."""

    kind: str | None = None
    asset: str | None = None
    account: str | None = None
    customer_id: int | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


class TransferPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends; the next one begins behind it."""

    effective_at: datetime
    transfer_id: int


class TransferPage(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers, newest first; `next` is None where there are no more."""

    items: list[LedgerTransfer]
    next: TransferPlace | None


def transfers_of_desk(
    tx: Tx, wanted: TransferFilter, before: TransferPlace | None, count: int, now: datetime
) -> TransferPage:
    """Read up to `count` transfers, newest first, behind a place. Raises InvalidChoice for no such kind or account."""
    assets = all_assets(tx)
    named = named_by(wanted, assets)
    first, last = bounds(tx, wanted, now)
    place = before or TransferPlace(last, 0)
    if wanted.customer_id is not None:
        asked = {**named, "from_at": first, "until_at": last}
        asked["before_id"] = before.transfer_id if before else BEFORE_ALL
        return page_of(by_key(tx, sql.transfers_of_customer, asked, count), count, assets)
    if place.effective_at <= first:
        return TransferPage(items=[], next=None)
    asked = {**named, "from_at": first, "until_at": place.effective_at, "before_id": place.transfer_id}
    if wanted.kind in RARE:
        return page_of(by_key(tx, sql.rare_transfers, asked, count), count, assets)
    return backwards(tx, asked, place, first, count, assets)


def bounds(tx: Tx, wanted: TransferFilter, now: datetime) -> tuple[datetime, datetime]:
    """Give the period that is looked through: the one that is wanted, but no more than there is in the books."""
    row = tx.execute(sql.bounds_of_transfers).fetchone()
    if row is None or row.first_at is None:
        return now, now
    # A cell's first and last transfers are nearly its earliest and latest: acts of one moment wait for each other.
    first, last = row.first_at - SLACK, row.last_at + SLACK
    return max(first, wanted.from_at or first), min(last, wanted.until_at or last)


def named_by(wanted: TransferFilter, assets: Mapping[int, Asset]) -> dict[str, Any]:
    """Give the filters as the statements take them. Raises InvalidChoice."""
    if wanted.kind is not None and wanted.kind not in KINDS:
        raise InvalidChoice(f"Transfers are of the kinds {', '.join(KINDS)}.")
    kinds = {kind.name.lower(): int(kind) for kind in AccountKind}
    if wanted.account is not None and wanted.account not in kinds:
        raise InvalidChoice(f"Accounts are of the kinds {', '.join(kinds)}.")
    codes = {asset.code: asset.asset_id for asset in assets.values()}
    return {
        "kind": wanted.kind,
        "asset_id": None if wanted.asset is None else codes.get(wanted.asset, 0),
        "account_kind": None if wanted.account is None else kinds[wanted.account],
        "customer_id": wanted.customer_id,
        "cell": None if wanted.customer_id is None else cell_of(wanted.customer_id),
    }


def by_key(tx: Tx, statement: Any, asked: dict[str, Any], count: int) -> list[Any]:
    """Read a page that an index gives."""
    return tx.execute(statement, {**asked, "count": count + 1}, prepare=False).fetchall()


def page_of(rows: list[Any], count: int, assets: Mapping[int, Asset]) -> TransferPage:
    """Make a page of what may be one row more than it takes."""
    shown = rows[:count]
    is_more = len(rows) > count
    place = TransferPlace(shown[-1].effective_at, shown[-1].transfer_id) if is_more else None
    return TransferPage(items=[transfer_row(row, assets) for row in shown], next=place)


def backwards(
    tx: Tx,
    asked: dict[str, Any],
    place: TransferPlace,
    first: datetime,
    count: int,
    assets: Mapping[int, Asset],
) -> TransferPage:
    """Read stretches from a place backwards until the page is full, all is read, or enough was looked through."""
    rows: list[Any] = []
    width, looked = FIRST_STRETCH, 0
    while True:
        # A place behind whole stretches has no id: whatever took effect before its instant comes behind it.
        begins = max(first, place.effective_at - width)
        stretch = {
            "from_at": begins,
            "until_at": place.effective_at,
            "before_id": place.transfer_id,
            "count": count + 1 - len(rows),
        }
        found = tx.execute(sql.transfers_of_stretch, {**asked, **stretch}, prepare=False).fetchall()
        seen = found[0].looked
        rows += [row for row in found if row.transfer_id is not None]
        looked += seen
        if len(rows) > count or begins <= first:
            return page_of(rows, count, assets)
        place = TransferPlace(begins, 0)
        if looked >= LOOKED_MAX:
            return TransferPage(items=[transfer_row(row, assets) for row in rows], next=place)
        width = min(GROWTH_MAX * width, max(width // GROWTH_MAX, width * LOOKED_AT_ONCE // max(seen, 1)))


def export_transfers(tx: Tx, wanted: TransferFilter, now: datetime) -> Iterator[LedgerTransfer]:
    """Give every transfer that is wanted, newest first, some at a time from the server."""
    assets = all_assets(tx)
    first, last = bounds(tx, wanted, now)
    asked = {**named_by(wanted, assets), "from_at": first, "until_at": last}
    with tx.cursor(name="transfers") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(sql.transfers_exported, asked)
        for row in cursor:
            yield transfer_row(row, assets)


def transfer_row(row: Any, assets: Mapping[int, Asset]) -> LedgerTransfer:
    """Write a transfer in the words of the chart."""
    return LedgerTransfer(
        transfer_id=row.transfer_id,
        act_id=row.act_id,
        kind=row.kind,
        asset=assets[asset_id_of(row.credit_account)].code,
        amount=row.amount,
        debit=kind_of(row.debit_account).name.lower(),
        credit=kind_of(row.credit_account).name.lower(),
        customer_id=row.customer_id or None,
        position_id=row.position_id,
        effective_at=row.effective_at,
        recorded_at=row.recorded_at,
        key=row.request_key,
        corrects_id=row.corrects,
    )
