"""What waits for a second person: with what it changes and effects, decided by one operation for all kinds."""

from typing import Annotated, Literal

import msgspec

from staddle import approvals
from staddle.api.fields import Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.approvals import Deciding, Request, RequestInFull
from staddle.errors import ApprovalNotFound
from staddle.server.allow import operator
from staddle.server.at import At

TAG = "Approvals"
SEE, DECIDE = operator("viewer"), operator("admin", "product", "support", "treasury")
Which = Annotated[
    Literal["waiting", "decided"], msgspec.Meta(description="What nobody has decided yet, or the rest.")
]


class RequestAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that waits for a second person under this number, as that person sees it."""

    approval_id: int
    request: RequestInFull


class RequestApproved(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was approved, and what the act gave that was done by it."""

    request: RequestInFull
    done: object


def asked(at: At, approval_id: int) -> RequestAsked:
    """Say what was asked for, as the second person sees it."""
    return RequestAsked(approval_id=approval_id, request=approvals.show_request(at.tx, approval_id, at.now))


@reads("/v1/approvals", allow=SEE, gives=Page[Request], tag=TAG)
def list_approvals(
    at: At, state: Which = "waiting", cursor: Cursor = None, limit: Limit = 50
) -> Page[Request]:
    """List what waits for a second person, oldest first; or what was decided, newest first."""
    before = read_cursor(cursor, int)
    if state == "waiting":
        found = [each for each in approvals.waiting(at.tx, at.now) if each.approval_id > (before or 0)]
    else:
        found = approvals.decided(at.tx, at.now, limit + 1, before)
    return page(found, limit, lambda each: each.approval_id)


@reads("/v1/approvals/{approval_id}", allow=SEE, gives=RequestInFull, tag=TAG)
def show_approval(at: At, approval_id: Id) -> RequestInFull:
    """Show a request: what it changes, what comes of it, as seen when it was asked for and where that is other now."""
    return approvals.show_request(at.tx, id_of(approval_id, ApprovalNotFound), at.now)


@writes(
    "POST", "/v1/approvals/{approval_id}/approve", allow=DECIDE, gives=RequestApproved, tag=TAG, keyed="must"
)
def approve_request(at: At, approval_id: Id) -> Given:
    """Approve a request of whatever kind, as a second person with the role for it; it is done at once.

    A request is refused as `approval_stale` where something has changed since: it must be made again.
    """
    number = id_of(approval_id, ApprovalNotFound)

    def do() -> RequestApproved:
        done = approvals.approve(at.tx, Deciding(at.caller, number, at.now, at.machine_now, at.seen)).done
        return RequestApproved(request=approvals.show_request(at.tx, number, at.now), done=done)

    return once(at, "approve_request", {"approval_id": number}, do)


@writes("POST", "/v1/approvals/{approval_id}/decline", allow=DECIDE, gives=RequestInFull, tag=TAG)
def decline_approval(at: At, approval_id: Id) -> Given:
    """Decline a request, or withdraw your own; nothing is done. It needs the role that could approve it."""
    number = id_of(approval_id, ApprovalNotFound)

    def do() -> RequestInFull:
        approvals.decline(at.tx, at.caller, number, at.now)
        return approvals.show_request(at.tx, number, at.now)

    return once(at, "decline", {"approval_id": number}, do)
