"""Who may do what: an admin takes roles away at once, but gives none without another admin.

While the desk has only one active admin, that one gives them alone, for nobody else could; it is in the log as such and
raises an alarm (decision 0026).
"""

from collections.abc import Collection
from datetime import datetime

from staddle.db import Tx
from staddle.desk.alarms import raise_alarm
from staddle.desk.approvals import approve, ask, find_approval
from staddle.desk.log import log
from staddle.desk.operators import (
    ROLES,
    Operator,
    active_admins,
    any_operator,
    change_operator,
    check_roles,
    insert_operator,
    list_operators,
    lock_operators,
    require_admin,
)
from staddle.errors import ApprovalNotFound, OperatorNotFound, SecondPersonNeeded

ACT = "grant_roles"


def add_operator(tx: Tx, by: str, name: str, now: datetime, roles: Collection[str] = ()) -> Operator:
    """Add an operator; the first one adds themselves and has all roles, the others need an admin.

    They see everything at once, and have further roles when another admin has agreed (`grant_asked`). Adding somebody
    who is there changes nothing. Raises InvalidName, InvalidChoice, OperatorNotFound, RoleMissing.
    """
    lock_operators(tx)
    known = {operator.name: operator for operator in list_operators(tx)}
    if by not in known and (known or by != name):
        raise OperatorNotFound(f"There is no operator {by[:40]!r}.")
    if name in known:
        return known[name]
    if not known:
        first = insert_operator(tx, name, list(ROLES), now)
        log(tx, by, "add_operator", name, {"roles": first.roles}, now)
        return first
    require_admin(tx, by)
    wanted = check_roles(roles)
    added = insert_operator(tx, name, check_roles(()), now)
    log(tx, by, "add_operator", name, {"roles": added.roles}, now)
    return give(tx, by, added, wanted, now)


def set_roles(tx: Tx, by: str, name: str, roles: Collection[str], now: datetime) -> Operator:
    """Say what an operator may do; an admin's act. What is taken away is gone at once.

    What is given waits for another admin (`grant_asked`), who is not the one who gains. Raises InvalidChoice,
    OperatorNotFound, RoleMissing, WrongState where no admin would be left, or SecondPersonNeeded where the only admin
    would give themselves a role.
    """
    wanted = check_roles(roles)
    lock_operators(tx)
    require_admin(tx, by)
    there = any_operator(tx, name)
    kept = [role for role in there.roles if role in wanted]
    if kept != there.roles:
        changed = change_operator(tx, name, kept, is_active=there.is_active)
        log(tx, by, "take_roles", name, {"from": there.roles, "to": kept}, now)
        there = changed
    return give(tx, by, there, wanted, now)


def set_active(tx: Tx, by: str, name: str, is_active: bool, now: datetime) -> Operator:
    """Let an operator work the desk, or no more; an admin's act. Their sessions are refused from this moment on.

    Whoever comes back sees everything at once, and has the roles of before when another admin has agreed. Raises
    OperatorNotFound, RoleMissing, or WrongState where no admin would be left.
    """
    lock_operators(tx)
    require_admin(tx, by)
    there = any_operator(tx, name)
    if is_active == there.is_active:
        return there
    roles = check_roles(()) if is_active else there.roles
    changed = change_operator(tx, name, roles, is_active=is_active)
    log(tx, by, "activate_operator" if is_active else "deactivate_operator", name, {"roles": roles}, now)
    return give(tx, by, changed, there.roles, now) if is_active else changed


def approve_roles(tx: Tx, by: str, approval_id: int, now: datetime) -> Operator:
    """Give somebody roles that another admin has asked for; neither of the two is the one who gains.

    Raises ApprovalNotFound, RoleMissing, SecondPersonNeeded, WrongState, or ApprovalStale where their roles have
    changed since.
    """
    lock_operators(tx)
    asked = find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    require_admin(tx, by)
    if asked.subject == by:
        raise SecondPersonNeeded("Another admin must agree: nobody gives themselves a role.")
    there = any_operator(tx, asked.subject)
    request = approve(tx, by, approval_id, ACT, basis_of(there), now)
    changed = change_operator(tx, there.name, request["to"], is_active=there.is_active)
    log(tx, by, "set_roles", there.name, {"from": there.roles, "to": changed.roles}, now)
    return changed


def give(tx: Tx, by: str, there: Operator, wanted: Collection[str], now: datetime) -> Operator:
    """Give what somebody does not have yet: ask another admin, or where there is none do it alone, with an alarm."""
    to = [role for role in ROLES if role in wanted or role in there.roles]
    if to == there.roles:
        return there
    if active_admins(tx) != {by}:
        ask(tx, by, ACT, there.name, {"from": there.roles, "to": to}, basis_of(there), now)
        return any_operator(tx, there.name)
    if by == there.name:
        raise SecondPersonNeeded("Another admin must give you this role: nobody gives one to themselves.")
    changed = change_operator(tx, there.name, to, is_active=there.is_active)
    details = {"from": there.roles, "to": to}
    log(tx, by, "set_roles", there.name, details | {"is_alone": True}, now)
    raise_alarm(tx, "roles_granted_alone", there.name, details | {"by": by}, now)
    return changed


def basis_of(operator: Operator) -> str:
    """What a grant stands upon: the roles that somebody has, and whether they work the desk."""
    return f"{'active' if operator.is_active else 'not active'}: {', '.join(operator.roles)}"
