"""Whose turn it is: a customer's deliveries to an endpoint form a lane, and whoever claims the lane sends its first.

A claim ends by itself: what a killed process had claimed comes back after CLAIM, and is sent again under the same id.
All instants are of the machine's clock.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

from staddle.db import Tx, queries
from staddle.errors import InvalidConfig
from staddle.notices.endpoints import opened_secrets
from staddle.notices.publish import publish
from staddle.notices.read import Told

if TYPE_CHECKING:  # what it imports takes time, and most who need this room need no secrets
    from staddle.keyring import Keyring

sql = queries(__package__)
CLAIM = timedelta(seconds=60)
PER_ENDPOINT = 8
GIVE_UP = timedelta(days=3)
DISABLE = timedelta(days=5)
WAIT_MIN, WAIT_MAX = timedelta(seconds=5), timedelta(hours=8)
GONE = 410


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that this process has claimed, with all that sending it takes.

    `reference` is the desk's own name for the customer; no `secrets` when the key that sealed them is missing.
    """

    endpoint_id: int
    told: Told
    reference: str | None
    url: str
    secrets: tuple[bytes, ...]
    attempt_count: int
    failing_since: datetime | None
    claim: str
    claimed_until: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attempt: the status answered, or the `failure` that kept an answer from coming."""

    due: Due
    started_at: datetime
    milliseconds: int
    status: int | None
    failure: str | None
    answer: str

    @property
    def is_delivered(self) -> bool:
        """Any status from 200 to 299 says that the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


def claim_lanes(tx: Tx, busy: Sequence[int], keyring: "Keyring", now: datetime) -> list[Due]:
    """Claim lanes that are due, and give the first delivery of each.

    `busy` names the endpoint of every delivery that this process is sending: no endpoint has more than PER_ENDPOINT
    at once, and one that is failing only one, so that neither a slow nor a dead one holds up the others.
    """
    sending = Counter(busy)
    claim, until = secrets.token_hex(8), now + CLAIM
    wanted = {
        "endpoint_ids": list(sending),
        "sending": list(sending.values()),
        "room": PER_ENDPOINT,
        "claim": claim,
        "until": until,
        "now": now,
    }
    if tx.execute(sql.claim_lanes, wanted).rowcount == 0:
        return []
    opened: dict[int, tuple[bytes, ...]] = {}
    found = []
    for row in tx.execute(sql.claimed, {"claim": claim}).fetchall():
        if row.endpoint_id not in opened:
            opened[row.endpoint_id] = _secrets_of(row, keyring, now)
        found.append(
            Due(
                endpoint_id=row.endpoint_id,
                told=Told(row.notice_id, row.customer_id, row.kind, row.body, row.effective_at),
                reference=row.reference,
                url=row.url,
                secrets=opened[row.endpoint_id],
                attempt_count=row.attempt_count,
                failing_since=row.failing_since,
                claim=claim,
                claimed_until=until,
            )
        )
    return found


def _secrets_of(row: Any, keyring: "Keyring", now: datetime) -> tuple[bytes, ...]:
    """Open an endpoint's secrets; one whose key is missing must not hold up the others."""
    try:
        return tuple(opened_secrets(row, keyring, now))
    except InvalidConfig:
        return ()


def record_results(tx: Tx, results: Sequence[Result], desk_now: datetime, now: datetime) -> int:
    """Write down what came of attempts, and let each lane go on; gives how many were written.

    A result whose claim has ended meanwhile is not: somebody else has the lane now, and sends it again.
    """
    ids = sorted({result.due.endpoint_id for result in results})
    endpoints = {row.endpoint_id: row for row in tx.execute(sql.hold_endpoints, {"endpoint_ids": ids})}
    lanes = {
        "endpoint_ids": [result.due.endpoint_id for result in results],
        "customer_ids": [result.due.told.customer_id for result in results],
        "claims": [result.due.claim for result in results],
    }
    held = {tuple(row) for row in tx.execute(sql.hold_lanes, lanes).fetchall()}
    kept = [
        result
        for result in results
        if (result.due.endpoint_id, result.due.told.customer_id, result.due.claim) in held
    ]
    if not kept:
        return 0
    _write(tx, kept, now)
    for endpoint_id, row in endpoints.items():
        _judge(tx, row, [each for each in kept if each.due.endpoint_id == endpoint_id], desk_now, now)
    return len(kept)


def _write(tx: Tx, kept: Sequence[Result], now: datetime) -> None:
    """Log the attempts, move the deliveries on, then the lanes: each has its own statement, for it reads the last."""
    states, due_ats, failing = [], [], []
    for result in kept:
        since = None if result.is_delivered else result.due.failing_since or result.started_at
        due_at = now if since is None else next_try(result.due, since, now)
        states.append("delivered" if since is None else "pending" if due_at is not None else "dead")
        due_ats.append(due_at or now)
        failing.append(since)
    named = {
        "endpoint_ids": [result.due.endpoint_id for result in kept],
        "customer_ids": [result.due.told.customer_id for result in kept],
        "notice_ids": [result.due.told.notice_id for result in kept],
    }
    attempts = {
        "numbers": [result.due.attempt_count + 1 for result in kept],
        "started_ats": [result.started_at for result in kept],
        "milliseconds": [result.milliseconds for result in kept],
        "statuses": [result.status for result in kept],
        "failures": [result.failure for result in kept],
        "answers": [result.answer[:500] for result in kept],
    }
    tx.execute(sql.log_attempts, {**named, **attempts})
    tx.execute(
        sql.move_deliveries, {**named, "states": states, "due_ats": due_ats, "failing": failing, "now": now}
    )
    tx.execute(sql.move_lanes, named)
    tx.execute(sql.end_lanes, named)


def next_try(due: Due, failing_since: datetime, now: datetime) -> datetime | None:
    """Say when a delivery that failed is tried again; None when it has failed for three days.

    It waits twice as long as it has been failing, 5 seconds at least and 8 hours at most, and up to a fifth longer by
    a number of its own, so that those that failed together do not all come back together.
    """
    last = failing_since + GIVE_UP
    if now >= last:
        return None
    wait = min(max(2 * (now - failing_since), WAIT_MIN), WAIT_MAX)
    spread = crc32(f"{due.endpoint_id} {due.told.notice_id} {due.attempt_count}".encode()) % 1000
    return min(now + wait + wait * spread // 5000, last)


def _judge(tx: Tx, endpoint: Any, results: Sequence[Result], desk_now: datetime, now: datetime) -> None:
    """Note whether an endpoint is failing; disable one that says it is gone, or that has failed for five days."""
    if not results or endpoint.state != "enabled":
        return
    if any(result.is_delivered for result in results):
        if endpoint.failing_since is not None:
            tx.execute(sql.mark_failing, {"endpoint_id": endpoint.endpoint_id, "since": None})
        return
    since = endpoint.failing_since or now
    if endpoint.failing_since is None:
        tx.execute(sql.mark_failing, {"endpoint_id": endpoint.endpoint_id, "since": now})
    is_gone = any(result.status == GONE for result in results)
    if is_gone or now - since >= DISABLE:
        because = "gone" if is_gone else "failing"
        tx.execute(sql.disable_endpoint, {"endpoint_id": endpoint.endpoint_id, "because": because})
        told = {
            "endpoint_id": endpoint.endpoint_id,
            "client_id": endpoint.client_id,
            "because": because,
        }
        publish(tx, "webhook_disabled", told, desk_now)
