"""What requests cost whoever sends them, counted over all processes; and how soon somebody may ask for the same again.

The counts lie in tables that a crash of the database empties: nothing depends on them but who has to wait.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from staddle.db import Tx, queries

sql = queries(__package__)
KEPT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A request's weight: from which address, on which endpoint, in which minute."""

    address: str
    endpoint: str
    weight: int
    minute: datetime


def weigh(tx: Tx, weighed: Weighed) -> int:
    """Count a request's weight; gives what its address has spent on the endpoint in this minute."""
    row = tx.execute(
        sql.weigh,
        {
            "address": weighed.address,
            "endpoint": weighed.endpoint,
            "weight": weighed.weight,
            "minute": weighed.minute,
        },
    ).fetchone()
    assert row is not None
    weight: int = row.weight
    return weight


def take_turn(tx: Tx, customer_id: int, endpoint: str, key: str, now: datetime, every: timedelta) -> bool:
    """Say whether a customer may ask for this again; the very same request, by its key, always may."""
    named = {
        "customer_id": customer_id,
        "endpoint": endpoint,
        "key": key,
        "now": now,
        "before": now - every,
    }
    return tx.execute(sql.take_request_turn, named).fetchone() is not None


def forget_weights(tx: Tx, now: datetime) -> None:
    """Forget what no minute that still counts has seen."""
    tx.execute(sql.forget_weights, {"before": now - KEPT})
    tx.execute(sql.forget_turns, {"before": now - KEPT})
