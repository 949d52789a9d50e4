"""The statement: every row that changed what a customer has, in order, as CSV (product.md rule 29).

docs/operate/statement-columns.md describes the columns. Rows of consecutive periods, put together, are the rows of the
whole; from the first to the last they add up to the balances.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple, TextIO

import msgspec

from staddle.days import DAY, format_instant, run_on_of
from staddle.db import Tx, queries
from staddle.errors import InvalidTime
from staddle.ledger import Asset, all_assets, asset_id_of, cell_of, customer_of, kind_of
from staddle.money import EXACT, ZERO, plain_at
from staddle.positions.facts import distribution_time

sql = queries(__package__)
ROWS_AT_ONCE = 2_000
IN_MEMORY_MAX = 1 << 20
"""A longer statement waits for its reader in a file, and not in memory."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet run a text as a formula; the last four are their full-width twins."""


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `amount` moved from one account to another; `change` is what the customer has more, or less, by it."""

    at: datetime
    type: str
    asset: Asset
    amount: Decimal
    debit: str
    credit: str
    change: Decimal
    product: str | None
    position_id: int | None
    reference: str
    key: str | None
    note: str


COLUMNS = (
    "time",
    "type",
    "asset",
    "amount",
    "from",
    "to",
    "change",
    "product",
    "position",
    "reference",
    "key",
    "note",
)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a row stands in the order of all rows, which never changes: the next page begins behind it."""

    at: datetime
    rank: int
    number: int
    run_on: date | None


class Line(NamedTuple):
    """A row and its place; `is_early` where its position ended by an early redemption."""

    row: StatementRow
    place: Place
    is_early: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a period are wanted: of some types, of one coin, of positions that were left early or were not,
    those that changed one account. None: all.
    """

    types: Sequence[str] | None = None
    asset: str | None = None
    is_early: bool | None = None
    account_id: int | None = None


ALL_ROWS = Wanted()


def statement(tx: Tx, customer_id: int, from_at: datetime, until_at: datetime) -> Iterator[StatementRow]:
    """Give the rows of a period, from `from_at` on and before `until_at`, some at a time from the server.

    A reward that a run has paid counts from its distribution instant on, however late the run was; all else from the
    act that brought it. Raises InvalidTime for a period that ends before it begins.
    """
    return (line.row for line in lines(tx, customer_id, from_at, until_at, None, None))


def statement_page(
    tx: Tx, customer_id: int, from_at: datetime, until_at: datetime, after: Place | None, count: int
) -> list[Line]:
    """Give up to `count` rows of a period behind a place of it; all rows are those of `statement`."""
    return list(lines(tx, customer_id, from_at, until_at, after, count))


def lines(
    tx: Tx,
    customer_id: int,
    from_at: datetime,
    until_at: datetime,
    after: Place | None,
    count: int | None,
    wanted: Wanted = ALL_ROWS,
    before: Place | None = None,
    is_newest_first: bool = False,
) -> Iterator[Line]:
    """Read rows with their places, some at a time from the server: behind `after` and ahead of `before`."""
    at, assets = distribution_time(tx), all_assets(tx)
    asked = asked_for(at, assets, customer_id, (from_at, until_at), (after, before), wanted)
    asked |= {"is_newest_first": is_newest_first, "count": count}
    with tx.cursor(name="statement") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(sql.statement, asked)
        for row in cursor:
            first_run_on = None if row.started_at is None else run_on_of(row.started_at + DAY, at)
            written = statement_row(row, assets[asset_id_of(row.credit_account)], first_run_on)
            place = Place(row.at, row.rank, row.number, row.run_on)
            yield Line(written, place, row.ended_by == "early_redemption")


def asked_for(
    at: time,
    assets: Mapping[int, Asset],
    customer_id: int,
    period: tuple[datetime, datetime],
    places: tuple[Place | None, Place | None],
    wanted: Wanted,
) -> dict[str, object]:
    """Give what the statement takes, but for order and number: rows of a period behind one place and ahead of another.

    Raises InvalidTime for a period that ends before it begins.
    """
    (from_at, until_at), (after, before) = period, places
    if after is not None:
        from_at = max(from_at, after.at)
    if until_at < from_at:
        raise InvalidTime("The period ends before it begins.")
    return {
        "cell": cell_of(customer_id),
        "customer_id": customer_id,
        "from_at": from_at,
        "until_at": until_at,
        "distribution_time": at,
        "run_from": run_on_of(from_at, at),
        "run_until": run_on_of(until_at, at),
        **place_named("after", after),
        **place_named("before", before),
        "types": None if wanted.types is None else list(wanted.types),
        "asset_id": asset_id_wanted(assets, wanted.asset),
        "is_early": wanted.is_early,
        "account_id": wanted.account_id,
    }


def place_named(name: str, place: Place | None) -> dict[str, object]:
    """Give the parts of a place as the statement takes them."""
    fields = Place.__struct_fields__
    return {f"{name}_{field}": None if place is None else getattr(place, field) for field in fields}


def asset_id_wanted(assets: Mapping[int, Asset], code: str | None) -> int | None:
    """Give the number of a coin, 0 for one that there is not, None where any will do."""
    if code is None:
        return None
    return next((asset.asset_id for asset in assets.values() if asset.code == code), 0)


def statement_row(row: Any, asset: Asset, first_run_on: date | None) -> StatementRow:
    """Write a row in the words of the statement."""
    sign = (customer_of(row.credit_account) != 0) - (customer_of(row.debit_account) != 0)
    return StatementRow(
        at=row.at,
        type=row.type,
        asset=asset,
        amount=row.amount,
        debit=kind_of(row.debit_account).name.lower(),
        credit=kind_of(row.credit_account).name.lower(),
        change=EXACT.multiply(row.amount, Decimal(sign)) if sign else ZERO,
        product=row.product,
        position_id=row.position_id,
        reference=reference_of(row),
        key=row.request_key,
        note=note_of(row, first_run_on),
    )


def reference_of(row: Any) -> str:
    """Name the receipt of a reward, the position that a renewal opened, or the transfer."""
    return f"{row.position_id}-{row.run_on}" if row.run_on is not None else str(row.number)


def note_of(row: Any, first_run_on: date | None) -> str:
    """Say what the columns do not."""
    if row.run_on is not None:
        assert first_run_on is not None
        return f"accrual day {(row.run_on - first_run_on).days + 1}"
    if row.corrects is not None:
        return f"corrects transfer {row.corrects}"
    if row.type == "renewal":
        return f"goes on as position {row.number}, started at {format_instant(row.renewed_at)}"
    return ""


def write_statement(tx: Tx, customer_id: int, from_at: datetime, until_at: datetime, out: TextIO) -> int:
    """Write the statement of a period as CSV, in memory that does not grow with it; gives the number of rows.

    `out` must be opened with newline="", so that lines end as RFC 4180 says. Raises InvalidTime.
    """
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    for row in statement(tx, customer_id, from_at, until_at):
        writer.writerow(cells_of(row))
        count += 1
    return count


def statement_file(
    tx: Tx, customer_id: int, from_at: datetime, until_at: datetime
) -> "SpooledTemporaryFile[bytes]":
    """Write the statement of a period as CSV into a file that has no name, to be read from its beginning."""
    file = SpooledTemporaryFile(IN_MEMORY_MAX)  # noqa: SIM115  closed when it was sent
    try:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        write_statement(tx, customer_id, from_at, until_at, text)
        text.flush()
        text.detach()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def cells_of(row: StatementRow) -> list[str]:
    """Write the columns of a row: plain decimals at the asset's scale, UTC to the second, no formulas."""
    scale = row.asset.scale
    return [
        row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.type,
        row.asset.code,
        plain_at(row.amount, scale),
        row.debit,
        row.credit,
        plain_at(row.change, scale),
        harmless(row.product or ""),
        "" if row.position_id is None else str(row.position_id),
        row.reference,
        harmless(row.key or ""),
        row.note,
    ]


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
