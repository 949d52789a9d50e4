"""What happened to a customer's access, for the customer to read; what operators do to access is in the desk's log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle import desk
from staddle.db import Tx, queries
from staddle.identity.caller import Caller, Seen
from staddle.identity.who_is import address_of, agent_of

sql = queries(__package__)
UNSEEN = Seen("", "")
"""Where an act came from no request."""


@dataclass(frozen=True, slots=True)
class SecurityEntry:
    """One thing that happened to a customer's access, and from where."""

    log_id: int
    act: str
    details: dict[str, Any]
    address: str | None
    agent: str
    effective_at: datetime


def note(
    tx: Tx, customer_id: int, act: str, details: Mapping[str, object], seen: Seen, now: datetime
) -> None:
    """Write down what happened to a customer's access, in the transaction that did it. Never a secret."""
    address = address_of(seen)
    entry = {
        "customer_id": customer_id,
        "act": act,
        "details": msgspec.json.encode(details).decode(),
        "address": None if address is None else str(address),
        "agent": agent_of(seen),
        "now": now,
    }
    tx.execute(sql.note, entry)


def note_of(
    tx: Tx,
    customer_id: int | None,
    operator: str | None,
    act: str,
    details: Mapping[str, object],
    seen: Seen,
    now: datetime,
) -> None:
    """Write down what somebody did to their own access: a customer's in their log, an operator's in the desk's."""
    if customer_id is not None:
        note(tx, customer_id, act, details, seen, now)
    if operator is not None:
        desk.log(tx, operator, act, operator, {**details, "address": str(address_of(seen) or "")}, now)


def note_by(
    tx: Tx, by: Caller, customer_id: int, act: str, details: Mapping[str, object], seen: Seen, now: datetime
) -> None:
    """Write down what was done to a customer's access; where an operator did it, in the desk's log too."""
    note(tx, customer_id, act, {**details, "by": by.operator or by.client_id or "you"}, seen, now)
    if by.operator is not None:
        desk.log(tx, by.operator, act, str(customer_id), details, now)


def read_security_log(
    tx: Tx, customer_id: int, count: int = 50, before: int | None = None
) -> list[SecurityEntry]:
    """Read what happened to a customer's access, newest first; `before` is the log_id to go on from."""
    wanted = {"customer_id": customer_id, "count": count, "before": before}
    return [SecurityEntry(*row) for row in tx.execute(sql.read_security_log, wanted).fetchall()]
