"""The operators' log: who did what, when. It is only ever appended to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries

sql = queries(__package__)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that an operator did."""

    log_id: int
    operator: str
    act: str
    subject: str
    details: dict[str, Any]
    effective_at: datetime


def log(tx: Tx, operator: str, act: str, subject: str, details: Mapping[str, object], now: datetime) -> None:
    """Write down what an operator did, in the transaction that did it. Amounts become strings."""
    entry = {
        "operator": operator,
        "act": act,
        "subject": subject,
        "details": msgspec.json.encode(details).decode(),
        "now": now,
    }
    tx.execute(sql.log, entry)


def read_log(tx: Tx, count: int = 100, before: int | None = None) -> list[LogEntry]:
    """Read the latest entries, newest first; `before` is the log_id to go on from."""
    wanted = {"count": count, "before": before}
    return [LogEntry(*row) for row in tx.execute(sql.read_log, wanted).fetchall()]
