"""A customer's statement of any period, row by row: JSON in pages, and CSV with the columns of the command line."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

import msgspec

from staddle.api.operation import Given, reads
from staddle.api.pages import Cursor, Limit, Page, read_cursor, write_cursor
from staddle.desk import find_desk
from staddle.rewards import Place, StatementRow, statement_file, statement_page
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Statements"
FIRST_INSTANT, LAST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
Instant: TypeAlias = Annotated[
    datetime, msgspec.Meta(tz=True, description="RFC 3339, such as 2026-01-31T00:00:00Z.")
]


@reads("/v1/statement", allow=customer("read"), gives=Page[StatementRow], tag=TAG)
def list_statement(
    at: At,
    from_at: Instant | None = None,
    until_at: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[StatementRow]:
    """List all that happened to your coins, oldest first: from an instant on, and before another; by default all.

    `debit` and `credit` are the columns `from` and `to` of the CSV. A reward counts from its distribution on.
    """
    begins, ends = period(at, from_at, until_at)
    after = read_cursor(cursor, Place)
    found = statement_page(at.tx, at.customer_id, begins, ends, after, limit + 1)
    some = found[:limit]
    is_last = len(found) <= limit
    return Page(
        items=[line.row for line in some],
        next_cursor=None if is_last else write_cursor(some[-1].place),
    )


@reads("/v1/statement.csv", allow=customer("read"), gives=bytes, tag=TAG, media_type="text/csv")
def download_statement(at: At, from_at: Instant | None = None, until_at: Instant | None = None) -> Given:
    """Download the statement as CSV; docs/operate/statement-columns.md describes its columns, which are stable."""
    begins, ends = period(at, from_at, until_at)
    file = statement_file(at.tx, at.customer_id, begins, ends)
    headers = {"Content-Disposition": 'attachment; filename="statement.csv"'}
    return Given(file, headers=headers, media_type="text/csv")


def period(at: At, from_at: datetime | None, until_at: datetime | None) -> tuple[datetime, datetime]:
    """Give the period that is meant, within the calendar of a desk."""
    begins = find_desk(at.tx).created_at if from_at is None else max(from_at, FIRST_INSTANT)
    ends = at.now + timedelta(microseconds=1) if until_at is None else until_at
    return min(begins, LAST_INSTANT), min(max(ends, FIRST_INSTANT), LAST_INSTANT)
