"""What became of deliveries: the log of each, what is dead, and sending it again."""

from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.errors import DeliveryNotFound
from staddle.notices.endpoints import find_endpoint, lock_endpoint

sql = queries(__package__)
PAGE_MAX = 1000
REPLAY_MAX = 100_000
"""How many deliveries one replay makes at most; asked again, it goes on."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way to an endpoint. `state` is pending, delivered, dead or cancelled."""

    endpoint_id: int
    notice_id: int
    customer_id: int
    kind: str
    state: str
    due_at: datetime
    attempt_count: int
    failing_since: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: the status that was answered, or why there was none, and the first 500 characters of the answer."""

    number: int
    started_at: datetime
    milliseconds: int
    status: int | None
    failure: str | None
    answer: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for an endpoint: since when the oldest delivery has been due, up to which notice of all cells together
    deliveries were made, how many notices there are, and since when it answers with errors.
    """

    endpoint_id: int
    client_id: str
    due_since: datetime | None
    notices_taken: int
    notices: int
    failing_since: datetime | None


def list_deliveries(
    tx: Tx, client_id: str | None, endpoint_id: int, state: str | None, before: int | None, count: int
) -> list[Delivery]:
    """List an endpoint's deliveries in a state, or in all; newest notice ids first, below `before`."""
    find_endpoint(tx, client_id, endpoint_id)
    wanted = {
        "endpoint_id": endpoint_id,
        "state": state,
        "before": before,
        "count": min(max(count, 1), PAGE_MAX),
    }
    return [Delivery(*row) for row in tx.execute(sql.deliveries, wanted).fetchall()]


def dead_letters(tx: Tx, count: int) -> list[Delivery]:
    """List what could not be delivered to any endpoint, oldest first; for the desk's own people."""
    return [Delivery(*row) for row in tx.execute(sql.dead_letters, {"count": count}).fetchall()]


def dead_counts(tx: Tx) -> dict[int, tuple[str, int]]:
    """Count what could not be delivered, up to 10,000 of each endpoint; gives its client and the count, by endpoint."""
    return {row.endpoint_id: (row.client_id, row.count) for row in tx.execute(sql.dead_counts).fetchall()}


def backlogs(tx: Tx, machine_now: datetime) -> list[Backlog]:
    """Say how far the outbox is behind at each endpoint that is enabled; `machine_now` is the clock of deliveries."""
    rows = tx.execute(sql.backlogs, {"machine_now": machine_now}).fetchall()
    return [Backlog(*row) for row in rows]


def show_delivery(
    tx: Tx, client_id: str | None, endpoint_id: int, notice_id: int
) -> tuple[Delivery, list[Attempt]]:
    """Read a delivery and its log of attempts, oldest first; raises EndpointNotFound, DeliveryNotFound."""
    find_endpoint(tx, client_id, endpoint_id)
    named = {"endpoint_id": endpoint_id, "notice_id": notice_id}
    row = tx.execute(sql.delivery, named).fetchone()
    if row is None:
        raise DeliveryNotFound
    return Delivery(*row), [Attempt(*each) for each in tx.execute(sql.attempts, named).fetchall()]


def replay_delivery(
    tx: Tx, client_id: str | None, endpoint_id: int, notice_id: int, now: datetime
) -> Delivery:
    """Send a notice once more, or at once if it is waiting; raises EndpointNotFound, DeliveryNotFound.

    It has the same `webhook-id` as before: receivers that remember ids do nothing twice.
    """
    lock_endpoint(tx, client_id, endpoint_id)
    named = {"endpoint_id": endpoint_id, "notice_id": notice_id, "now": now}
    replayed = tx.execute(sql.replay_delivery, named).fetchone()
    if replayed is None:
        raise DeliveryNotFound
    tx.execute(sql.open_lane, {**named, "customer_id": replayed.customer_id})
    return show_delivery(tx, client_id, endpoint_id, notice_id)[0]


def replay_since(tx: Tx, client_id: str | None, endpoint_id: int, since: datetime, now: datetime) -> int:
    """Send everything once more that happened at or after an instant of the desk's clock; gives how much that is.

    It takes in what the endpoint was never sent, such as kinds that it did not want then. What is newer than its
    cursors comes by itself. At most 100,000 notices are taken at once, the oldest first.
    """
    lock_endpoint(tx, client_id, endpoint_id)
    wanted = {"endpoint_id": endpoint_id, "since": since, "count": REPLAY_MAX, "now": now}
    row = tx.execute(sql.replay_since, wanted).fetchone()
    assert row is not None
    replayed: int = row.replayed
    return replayed


def forget_deliveries(tx: Tx, before: datetime, count: int) -> int:
    """Drop deliveries that were made before an instant, with their log; dead ones stay. Gives how many."""
    return tx.execute(sql.forget_deliveries, {"before": before, "count": count}).rowcount
