"""The people who work the desk. A role is given by two admins, and taken away by one."""

from typing import Annotated, Literal

import msgspec

from staddle import approvals
from staddle.api.fields import Body
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.desk import Operator, list_operators
from staddle.server.allow import operator
from staddle.server.at import At

TAG = "Operators"
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
    """Add an operator, who sees everything at once; one who is there stays as they are.

    Further roles wait for another admin (`grant_asked`), unless you are the only one.
    """
    asked = {"name": name, "roles": sorted(body.roles)}
    return once(
        at, "add_operator", asked, lambda: approvals.add_operator(at.tx, at.by, name, at.now, body.roles)
    )


@writes("PUT", "/v1/operators/{name}/roles", allow=operator("admin"), gives=Operator, tag=TAG)
def set_roles_of_operator(at: At, name: OperatorName, body: RolesBody) -> Given:
    """Say what an operator may do. What is taken away is gone at once; what is given waits for another admin.

    `grant_asked` is that request. Nobody gives themselves a role, and an admin must be left.
    """
    asked = {"name": name, "roles": sorted(body.roles)}
    return once(at, "set_roles", asked, lambda: approvals.set_roles(at.tx, at.by, name, body.roles, at.now))


@writes("PUT", "/v1/operators/{name}/active", allow=operator("admin"), gives=Operator, tag=TAG)
def set_operator_active(at: At, name: OperatorName, body: ActiveBody) -> Given:
    """Let an operator work the desk, or no more: whoever is signed in as them is out at once.

    Whoever comes back sees everything, and has their roles again when another admin agrees (`grant_asked`).
    """
    asked = {"name": name, "is_active": body.is_active}
    return once(
        at,
        "set_active",
        asked,
        lambda: approvals.set_operator_active(at.tx, at.by, name, body.is_active, at.now, at.machine_now),
    )
