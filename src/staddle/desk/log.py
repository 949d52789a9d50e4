"""The operators' log: who did what, when. It is only ever appended to, and chained by hash so that edits are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries

sql = queries(__package__)
SEALED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that an operator did."""

    log_id: int
    operator: str
    act: str
    subject: str
    details: dict[str, Any]
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries are wanted: of whom, of which act, about what, from an instant on, before an instant."""

    operator: str | None = None
    act: str | None = None
    subject: str | None = None
    from_at: datetime | None = None
    before_at: datetime | None = None


EVERYTHING = LogFilter()


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


def log_if_person(
    tx: Tx, who: str, act: str, subject: str, details: Mapping[str, object], now: datetime
) -> None:
    """Write down what was done by hand; what the scheduler does by itself stands in its own records."""
    if tx.execute(sql.is_operator, {"name": who}).fetchone() is not None:
        log(tx, who, act, subject, details, now)


def read_log(
    tx: Tx, count: int = 100, before: int | None = None, wanted: LogFilter = EVERYTHING
) -> list[LogEntry]:
    """Read the latest entries, newest first; `before` is the log_id to go on from."""
    asked = {
        "count": count,
        "before": before,
        "operator": wanted.operator,
        "act": wanted.act,
        "subject": wanted.subject,
        "from_at": wanted.from_at,
        "before_at": wanted.before_at,
    }
    # Not prepared: a plan made for any filter would not use the index of the one that is named.
    rows = tx.execute(sql.read_log, asked, prepare=False).fetchall()
    return [LogEntry(*row) for row in rows]


def logged_acts(tx: Tx) -> list[str]:
    """Name every act that the log has an entry of, in alphabetical order."""
    return [row.act for row in tx.execute(sql.logged_acts).fetchall()]


def seal_log(tx: Tx, now: datetime) -> int:
    """Chain the entries that are not in the chain yet; gives how many they were.

    Numbers have gaps, and an entry with a smaller number may be committed later: whatever has no link gets the next
    one. Sealers wait for each other.
    """
    tx.execute(sql.lock_log_seals)
    sealed = 0
    while count := tx.execute(sql.seal_log, {"now": now, "count": SEALED_AT_ONCE}).rowcount:
        sealed += count
    return sealed
