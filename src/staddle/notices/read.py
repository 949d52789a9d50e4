"""Reading the outbox: what a customer is told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from staddle.db import Tx, queries
from staddle.ledger import cell_of
from staddle.notices.kinds import kinds_for

sql = queries(__package__)
PAGE = 200
NEWEST = 2**63 - 1
"""Before this comes every notice."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it stands in the outbox; customer 0 is everybody whom it concerns."""

    notice_id: int
    customer_id: int
    kind: str
    body: dict[str, Any]
    effective_at: datetime


def notices_of(tx: Tx, customer_id: int, after: int = 0, count: int = PAGE) -> list[Told]:
    """Read what happened to a customer, in order; `after` is the last notice id that was already read."""
    wanted = {"cell": cell_of(customer_id), "customer_id": customer_id, "after": after, "count": count}
    return [Told(*row) for row in tx.execute(sql.notices_of, wanted).fetchall()]


def announcements_to(tx: Tx, customer_id: int, after: int = 0, count: int = PAGE) -> list[Told]:
    """Read what was announced to everybody, or to holders of a product while the customer was one, in order.

    These have a numbering of their own: keep the last id that was read apart from that of `notices_of`.
    """
    wanted = {
        "cell": cell_of(customer_id),
        "customer_id": customer_id,
        "after": after,
        "count": count,
        "to_everybody": kinds_for("everybody"),
        "to_holders": kinds_for("holders"),
    }
    return [Told(*row) for row in tx.execute(sql.announcements_to, wanted).fetchall()]


def latest_notices_of(
    tx: Tx, customer_id: int, before: int = NEWEST, count: int = PAGE, muted: Collection[str] = ()
) -> list[Told]:
    """Read what happened to a customer, newest first, but for kinds that are muted; `before` is where to go on from."""
    wanted = {
        "cell": cell_of(customer_id),
        "customer_id": customer_id,
        "before": before,
        "muted": list(muted),
        "count": count,
    }
    return [Told(*row) for row in tx.execute(sql.latest_notices_of, wanted).fetchall()]


def latest_announcements_to(
    tx: Tx,
    customer_id: int,
    since: datetime,
    before: int = NEWEST,
    count: int = PAGE,
    muted: Collection[str] = (),
) -> list[Told]:
    """Read what `announcements_to` gives newest first: after an instant, and but for kinds that are muted."""
    wanted = {
        "cell": cell_of(customer_id),
        "customer_id": customer_id,
        "since": since,
        "before": before,
        "count": count,
        "to_everybody": [kind for kind in kinds_for("everybody") if kind not in muted],
        "to_holders": [kind for kind in kinds_for("holders") if kind not in muted],
    }
    return [Told(*row) for row in tx.execute(sql.latest_announcements_to, wanted).fetchall()]
