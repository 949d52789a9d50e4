"""Writing notices into the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import LockedCells, cell_of

sql = queries(__package__)


class Notice(msgspec.Struct, frozen=True):
    """Something that happened to a customer; customer 0 is everybody. Amounts in `body` are plain strings."""

    customer_id: int
    kind: str
    body: Mapping[str, object]


def write_notices(tx: Tx, locked: LockedCells, notices: Sequence[Notice], now: datetime) -> None:
    """Write notices; the cells must be locked, and their counters saved afterwards (`journal.post` does)."""
    if not notices:
        return
    tx.execute(
        sql.write_notices,
        {
            "notice_ids": [locked.next_notice(cell_of(notice.customer_id)) for notice in notices],
            "customer_ids": [notice.customer_id for notice in notices],
            "kinds": [notice.kind for notice in notices],
            "bodies": msgspec.json.encode([notice.body for notice in notices]).decode(),
            "now": now,
        },
    )
