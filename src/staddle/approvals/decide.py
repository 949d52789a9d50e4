"""The one door through which every request is decided: approved and done in the same transaction, or declined."""

from dataclasses import dataclass
from datetime import datetime

from staddle import desk
from staddle.approvals.kinds import KINDS, Deciding
from staddle.approvals.show import role_missing, why_not
from staddle.db import Tx
from staddle.desk import Approval, find_approval
from staddle.identity import Caller


@dataclass(frozen=True, slots=True)
class Approved:
    """A request that was approved, and what the act gave that was done by it."""

    approval: Approval
    done: object


def approve(tx: Tx, deciding: Deciding) -> Approved:
    """Approve a request, of whatever kind, and do what it asks for.

    Raises ApprovalNotFound, WrongState (decided already), SecondPersonNeeded (one's own, or one is barred),
    RoleMissing, ApprovalStale (something has changed since: it must be made again), and whatever the act itself
    refuses: then it still waits.
    """
    desk.find_operator(tx, deciding.by)
    approval = find_approval(tx, deciding.approval_id)
    refusal = why_not(tx, approval, deciding.by, deciding.caller.roles, deciding.now)
    if refusal is not None:
        raise refusal
    done = KINDS[approval.act].approve(tx, deciding)
    return Approved(find_approval(tx, deciding.approval_id), done)


def decline(tx: Tx, caller: Caller, approval_id: int, now: datetime) -> Approval:
    """Decline a request, or withdraw one's own; nothing is done.

    It needs the role that could approve it, or to have asked. Raises ApprovalNotFound, WrongState or RoleMissing.
    """
    asked = find_approval(tx, approval_id)
    by = caller.operator or ""
    if asked.asked_by != by and not caller.roles & set(KINDS[asked.act].roles):
        raise role_missing(KINDS[asked.act].roles)
    return desk.decline(tx, by, approval_id, now)
