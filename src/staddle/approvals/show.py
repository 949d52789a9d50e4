"""What waits for a second person and what was decided: what it changes, what comes of it then and now, who may."""

from datetime import datetime

import msgspec

from staddle import desk
from staddle.approvals.kinds import KINDS, Kind
from staddle.db import Tx
from staddle.desk import Approval, Difference, find_approval
from staddle.errors import ApprovalStale, RoleMissing, SecondPersonNeeded, StaddleError, WrongState


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request for approval as a list shows it.

    `state` is waiting, stale (something has changed since: it must be made again), approved, declined or withdrawn.
    `difference` and `effect` are what it changes and what comes of it, as seen when it was asked for.
    """

    approval_id: int
    act: str
    title: str
    subject: str
    state: str
    roles: list[str]
    """Who may decide: somebody with one of these roles, who has not asked."""
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    request: dict[str, object]
    difference: list[Difference]
    effect: list[Difference]

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided it yet."""
        return self.decided_by is None


class RequestInFull(Request, frozen=True, kw_only=True):
    """One request with what comes of it now, where that is not what it was; None once it is decided."""

    effect_now: list[Difference] | None
    """The figures that are others by now."""
    barred: str | None
    """Who may not approve it besides the one who asked."""


def waiting(tx: Tx, now: datetime) -> list[Request]:
    """Read what waits for a second person, oldest first."""
    return [shown(tx, approval, now) for approval in desk.pending(tx)]


def decided(
    tx: Tx, now: datetime, count: int, before: int | None = None, act: str | None = None
) -> list[Request]:
    """Read up to `count` requests that were decided, newest first; `before` is the number to go on from."""
    return [shown(tx, approval, now) for approval in desk.decided(tx, count, before, act)]


def show_request(tx: Tx, approval_id: int, now: datetime) -> RequestInFull:
    """Read one request in full; raises ApprovalNotFound."""
    approval = find_approval(tx, approval_id)
    kind = KINDS[approval.act]
    brief = shown(tx, approval, now)
    is_open = approval.decision is None
    return RequestInFull(
        **msgspec.structs.asdict(brief),
        effect_now=changed_since(tx, kind, approval, now) if brief.state == "waiting" else None,
        barred=kind.barred(tx, approval) if is_open else None,
    )


def shown(tx: Tx, approval: Approval, now: datetime) -> Request:
    """Put together what a list shows of a request."""
    kind = KINDS[approval.act]
    return Request(
        approval_id=approval.approval_id,
        act=approval.act,
        title=kind.title,
        subject=approval.subject,
        state=state_of(tx, kind, approval, now),
        roles=list(kind.roles),
        asked_by=approval.asked_by,
        asked_at=approval.asked_at,
        decided_by=approval.decided_by,
        decided_at=approval.decided_at,
        request=approval.request,
        difference=approval.difference or [],
        effect=approval.effect or [],
    )


def state_of(tx: Tx, kind: Kind, approval: Approval, now: datetime) -> str:
    """Say how a request stands."""
    if approval.decision is not None:
        return "withdrawn" if approval.is_withdrawn else approval.decision
    return "stale" if is_stale(tx, kind, approval, now) else "waiting"


def is_stale(tx: Tx, kind: Kind, approval: Approval, now: datetime) -> bool:
    """Say whether something that it was made upon has changed, or its time has gone by."""
    if kind.is_past(approval, now):
        return True
    try:
        return kind.basis(tx, approval) != approval.basis
    except StaddleError:
        return True


def changed_since(tx: Tx, kind: Kind, approval: Approval, now: datetime) -> list[Difference]:
    """Give the figures of the effect that are others now than when it was asked for."""
    try:
        _, effect = kind.describe(tx, approval, now)
    except StaddleError:
        return []
    return [each for each in effect if each not in (approval.effect or [])]


def why_not(tx: Tx, approval: Approval, by: str, roles: frozenset[str], now: datetime) -> StaddleError | None:
    """Say why somebody cannot approve a request now; None where they can. Approving it raises the same."""
    kind = KINDS[approval.act]
    if approval.decision is not None:
        return WrongState(f"This was already {state_of(tx, kind, approval, now)} by {approval.decided_by}.")
    if is_stale(tx, kind, approval, now):
        return ApprovalStale()
    if approval.asked_by == by:
        return SecondPersonNeeded("You have asked for this yourself; somebody else must approve it.")
    if not roles & set(kind.roles):
        return role_missing(kind.roles)
    if kind.barred(tx, approval) == by:
        return SecondPersonNeeded(BARRED.get(approval.act, "Somebody else must approve this."))
    return None


BARRED = {
    "put_in_force": "You have drafted these terms; somebody else must approve them.",
    "release_run": "You have started this run; somebody else must release it.",
    "grant_roles": "You would gain these roles yourself; another admin must agree.",
}
"""Why somebody may not approve what they have not asked for."""


def role_missing(roles: list[str] | tuple[str, ...]) -> RoleMissing:
    """Say which role is needed."""
    return RoleMissing(f"This needs the role {' or '.join(roles)}.", role=roles[0])
