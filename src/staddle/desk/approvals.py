"""What needs a second person: asked for by one operator, decided by another, refused once it is stale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk.difference import Difference
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.errors import ApprovalNotFound, ApprovalStale, SecondPersonNeeded, WrongState

sql = queries(__package__)
ID_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for approval. `basis` is what it was made upon: if that has changed, the request is stale.

    `difference` is what it changes, field by field, and `effect` what comes of it, both as they were when it was asked
    for; None where nobody has looked.
    """

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
    difference: list[Difference] | None = None
    effect: list[Difference] | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether whoever asked has taken it back."""
        return self.decision == "declined" and self.decided_by == self.asked_by


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


def keep_effect(
    tx: Tx, approval_id: int, difference: Sequence[Difference], effect: Sequence[Difference]
) -> None:
    """Keep with a request what it changes and what comes of it; nothing can change that afterwards."""
    kept = {
        "approval_id": approval_id,
        "difference": msgspec.json.encode(difference).decode(),
        "effect": msgspec.json.encode(effect).decode(),
    }
    tx.execute(sql.keep_effect, kept)


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


def settle(tx: Tx, by: str, approval: Approval, now: datetime) -> None:
    """Close a request because what it asks for was just done in another way, by two people as well.

    It counts as approved by whoever did it, or as withdrawn where that is who asked.
    """
    decide(tx, by, approval, "declined" if approval.asked_by == by else "approved", now)


def find_approval(tx: Tx, approval_id: int) -> Approval:
    """Read a request for approval; raises ApprovalNotFound."""
    row = tx.execute(sql.find_approval, {"approval_id": check_id(approval_id)}).fetchone()
    if row is None:
        raise ApprovalNotFound
    return _approval(row)


def pending(tx: Tx, act: str | None = None, subject: str | None = None) -> list[Approval]:
    """Read the requests that wait for a second person, oldest first; of one act, about one subject where named."""
    rows = tx.execute(sql.pending_approvals, {"act": act, "subject": subject}).fetchall()
    return [_approval(row) for row in rows]


def count_pending(tx: Tx) -> int:
    """Count the requests that wait for a second person."""
    row = tx.execute(sql.count_pending).fetchone()
    return 0 if row is None else int(row.waiting)


def decided(tx: Tx, count: int, before: int | None = None, act: str | None = None) -> list[Approval]:
    """Read up to `count` requests that were decided or withdrawn, newest first; `before` is where to go on from."""
    wanted = {"count": count, "before": before, "act": act}
    rows = tx.execute(sql.decided_approvals, wanted).fetchall()
    return [_approval(row) for row in rows]


def _approval(row: Any) -> Approval:
    shown = (
        None if each is None else msgspec.convert(each, list[Difference])
        for each in (row.difference, row.effect)
    )
    return Approval(*row[:10], *shown)


def lock_undecided(tx: Tx, by: str, approval_id: int) -> Approval:
    """Hold a request that nobody has decided yet, for a known operator."""
    find_operator(tx, by)
    row = tx.execute(sql.lock_approval, {"approval_id": check_id(approval_id)}).fetchone()
    if row is None:
        raise ApprovalNotFound
    approval = _approval(row)
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
