"""What needs a second person: asked for by one operator, decided by another, refused once it is stale."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.errors import ApprovalNotFound, ApprovalStale, SecondPersonNeeded, WrongState

sql = queries(__package__)
ID_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for approval. `basis` is what it was made upon: if that has changed, the request is stale."""

    approval_id: int
    act: str
    subject: str
    request: dict[str, Any]
    basis: str
    asked_by: str
    asked_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None


def ask(
    tx: Tx, by: str, act: str, subject: str, request: Mapping[str, object], basis: str, now: datetime
) -> int:
    """Put a request before a second person; gives the approval's number. Amounts become strings."""
    find_operator(tx, by)
    asked = {
        "act": act,
        "subject": subject,
        "request": msgspec.json.encode(request).decode(),
        "basis": basis,
        "by": by,
        "now": now,
    }
    row = tx.execute(sql.ask_approval, asked).fetchone()
    assert row is not None
    approval_id: int = row.approval_id
    log(tx, by, f"ask_{act}", subject, {"approval_id": approval_id, **request}, now)
    return approval_id


def approve(tx: Tx, by: str, approval_id: int, act: str, basis: str, now: datetime) -> dict[str, Any]:
    """Approve a request and give it back, to be done in the same transaction.

    `act` is the act that the caller is about to do and `basis` what it stands upon now. Raises
    ApprovalNotFound, WrongState (decided already), SecondPersonNeeded (one's own) or ApprovalStale.
    """
    approval = lock_undecided(tx, by, approval_id)
    if approval.act != act:
        raise ApprovalNotFound
    if approval.asked_by == by:
        raise SecondPersonNeeded
    if approval.basis != basis:
        raise ApprovalStale
    decide(tx, by, approval, "approved", now)
    return approval.request


def decline(tx: Tx, by: str, approval_id: int, now: datetime) -> Approval:
    """Decline a request, or withdraw one's own; nothing is done."""
    approval = lock_undecided(tx, by, approval_id)
    decide(tx, by, approval, "declined", now)
    return find_approval(tx, approval_id)


def find_approval(tx: Tx, approval_id: int) -> Approval:
    """Read a request for approval; raises ApprovalNotFound."""
    row = tx.execute(sql.find_approval, {"approval_id": check_id(approval_id)}).fetchone()
    if row is None:
        raise ApprovalNotFound
    return Approval(*row)


def pending(tx: Tx) -> list[Approval]:
    """Read the requests that wait for a second person, oldest first."""
    return [Approval(*row) for row in tx.execute(sql.pending_approvals).fetchall()]


def lock_undecided(tx: Tx, by: str, approval_id: int) -> Approval:
    """Hold a request that nobody has decided yet, for a known operator."""
    find_operator(tx, by)
    row = tx.execute(sql.lock_approval, {"approval_id": check_id(approval_id)}).fetchone()
    if row is None:
        raise ApprovalNotFound
    approval = Approval(*row)
    if approval.decision is not None:
        raise WrongState(f"This was already {approval.decision} by {approval.decided_by}.")
    return approval


def decide(tx: Tx, by: str, approval: Approval, decision: str, now: datetime) -> None:
    """Write down who decided, and how."""
    tx.execute(
        sql.decide_approval, {"approval_id": approval.approval_id, "by": by, "decision": decision, "now": now}
    )
    log(tx, by, f"{decision}_{approval.act}", approval.subject, {"approval_id": approval.approval_id}, now)


def check_id(approval_id: int) -> int:
    """Give back a number that can be one of an approval; anything else is ApprovalNotFound."""
    if not 0 < approval_id <= ID_MAX:
        raise ApprovalNotFound
    return approval_id
