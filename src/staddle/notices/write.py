"""Writing notices into the outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import HOUSE, LockedCells, cell_of

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a customer; customer 0 is everybody. Amounts in `body` are plain strings."""

    customer_id: int
    kind: str
    body: Mapping[str, object]


def write_notices(tx: Tx, locked: LockedCells, notices: Sequence[Notice], now: datetime) -> None:
    """Write notices; the cells must be locked, and their counters saved afterwards (`journal.post` does)."""
    if not notices:
        return
    cells = [HOUSE if notice.customer_id == HOUSE else cell_of(notice.customer_id) for notice in notices]
    tx.execute(
        sql.write_notices,
        {
            "cells": cells,
            "notice_ids": [locked.next_notice(cell) for cell in cells],
            "customer_ids": [notice.customer_id for notice in notices],
            "kinds": [notice.kind for notice in notices],
            "bodies": [msgspec.json.encode(notice.body).decode() for notice in notices],
            "now": now,
        },
    )
