"""The people who work the desk, and the requests that wait for a second one of them."""

from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Body, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.customers.ask_move import ACT as MOVE_CUSTOMER_MONEY
from staddle.desk import (
    Approval,
    Operator,
    add_operator,
    decline,
    find_approval,
    list_operators,
    pending,
    set_roles,
)
from staddle.errors import ApprovalNotFound
from staddle.identity import require_role
from staddle.identity import set_operator_active as set_active
from staddle.identity.lost_factors import ACT as REMOVE_FACTORS
from staddle.products.revise import ACT as REVISE_RATE
from staddle.products.sources import ACT as SET_RATE_SOURCE
from staddle.server.allow import operator
from staddle.server.at import At
from staddle.treasury.move_pool import ACT as MOVE_POOL

TAG = "Operators"
ROLE_OF_ACT = {
    MOVE_CUSTOMER_MONEY: "treasury",
    REVISE_RATE: "product",
    SET_RATE_SOURCE: "product",
    MOVE_POOL: "treasury",
    REMOVE_FACTORS: "support",
}
"""The role that decides about a request for approval; whoever asked may withdraw it."""
Role = Literal["viewer", "support", "product", "treasury", "admin"]
OperatorName = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["bob"])]


class RolesBody(Body, frozen=True, kw_only=True):
    """Every role that an operator is to have; viewer is always among them."""

    roles: list[Role]


class ActiveBody(Body, frozen=True, kw_only=True):
    """Whether an operator works the desk."""

    is_active: bool


@reads("/v1/operators", allow=operator("viewer"), gives=list[Operator], tag=TAG)
def list_desk_operators(at: At) -> list[Operator]:
    """List the operators, with their roles, in the order in which they came."""
    return list_operators(at.tx)


@writes("PUT", "/v1/operators/{name}", allow=operator("admin"), gives=Operator, tag=TAG)
def add_desk_operator(at: At, name: OperatorName, body: RolesBody) -> Given:
    """Add an operator with roles; one who is there stays as they are."""
    asked = {"name": name, "roles": sorted(body.roles)}
    return once(at, "add_operator", asked, lambda: add_operator(at.tx, at.by, name, at.now, body.roles))


@writes("PUT", "/v1/operators/{name}/roles", allow=operator("admin"), gives=Operator, tag=TAG)
def set_roles_of_operator(at: At, name: OperatorName, body: RolesBody) -> Given:
    """Say what an operator may do from now on. Nobody gives themselves a role, and an admin must be left."""
    asked = {"name": name, "roles": sorted(body.roles)}
    return once(at, "set_roles", asked, lambda: set_roles(at.tx, at.by, name, body.roles, at.now))


@writes("PUT", "/v1/operators/{name}/active", allow=operator("admin"), gives=Operator, tag=TAG)
def set_operator_active(at: At, name: OperatorName, body: ActiveBody) -> Given:
    """Let an operator work the desk, or no more: whoever is signed in as them is out at once."""
    asked = {"name": name, "is_active": body.is_active}
    return once(
        at,
        "set_active",
        asked,
        lambda: set_active(at.tx, at.by, name, body.is_active, at.now, at.machine_now),
    )


@reads("/v1/approvals", allow=operator("viewer"), gives=list[Approval], tag="Approvals")
def list_approvals(at: At) -> list[Approval]:
    """List what waits for a second person, oldest first."""
    return pending(at.tx)


@reads("/v1/approvals/{approval_id}", allow=operator("viewer"), gives=Approval, tag="Approvals")
def show_approval(at: At, approval_id: Id) -> Approval:
    """Show a request for approval: what was asked for, by whom, and what became of it."""
    return find_approval(at.tx, id_of(approval_id, ApprovalNotFound))


@writes(
    "POST",
    "/v1/approvals/{approval_id}/decline",
    allow=operator("admin", "product", "support", "treasury"),
    gives=Approval,
    tag="Approvals",
)
def decline_approval(at: At, approval_id: Id) -> Given:
    """Decline a request, or withdraw your own; nothing is done. It needs the role that could approve it."""
    number = id_of(approval_id, ApprovalNotFound)
    asked = find_approval(at.tx, number)
    if asked.asked_by != at.by:
        require_role(at.caller, ROLE_OF_ACT[asked.act])
    return once(at, "decline", {"approval_id": number}, lambda: decline(at.tx, at.by, number, at.now))
