"""The people who work the desk, and what each may do."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.desk.log import log
from staddle.errors import (
    InvalidChoice,
    InvalidName,
    OperatorNotFound,
    RoleMissing,
    SecondPersonNeeded,
    WrongState,
)

sql = queries(__package__)
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,39}", re.ASCII)

ROLES = ("viewer", "support", "product", "treasury", "admin")
"""viewer sees; support works for customers; product makes products and rates; treasury moves the desk's money; admin
says who may do what, and does nothing else. Every role includes viewer, no other role includes another."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works the desk; one who is no longer active is kept for the log's sake."""

    name: str
    added_at: datetime
    roles: list[str]
    is_active: bool


def add_operator(tx: Tx, by: str, name: str, now: datetime, roles: Collection[str] = ()) -> Operator:
    """Add an operator with roles; the first one adds themselves and has all of them, the others need an admin.

    Adding somebody who is there changes nothing. Raises InvalidName, InvalidChoice, OperatorNotFound, RoleMissing.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName(
            "An operator's name has 1 to 40 small letters, digits, '.', '_' or '-', and begins with a letter."
        )
    tx.execute(sql.lock_operators)
    known = {operator.name: operator for operator in list_operators(tx)}
    if by not in known and (known or by != name):
        raise OperatorNotFound(f"There is no operator {by[:40]!r}.")
    if name in known:
        return known[name]
    if known:
        require_admin(tx, by)
    given = check_roles(roles) if known else list(ROLES)
    row = tx.execute(sql.add_operator, {"name": name, "roles": given, "now": now}).fetchone()
    assert row is not None
    log(tx, by, "add_operator", name, {"roles": given}, now)
    return Operator(*row)


def set_roles(tx: Tx, by: str, name: str, roles: Collection[str], now: datetime) -> Operator:
    """Say what an operator may do from now on; an admin's act. Nobody gives themselves a role.

    Raises InvalidChoice, OperatorNotFound, RoleMissing, SecondPersonNeeded, or WrongState where no admin would be left.
    """
    given = check_roles(roles)
    there = _lock(tx, by, name)
    if by == name and set(given) - set(there.roles):
        raise SecondPersonNeeded("Another admin must give you this role: nobody gives one to themselves.")
    changed = _change(tx, name, given, is_active=there.is_active)
    log(tx, by, "set_roles", name, {"from": there.roles, "to": given}, now)
    return changed


def set_active(tx: Tx, by: str, name: str, is_active: bool, now: datetime) -> Operator:
    """Let an operator work the desk, or no more; an admin's act. Their sessions are refused from this moment on.

    Raises OperatorNotFound, RoleMissing, or WrongState where no admin would be left.
    """
    there = _lock(tx, by, name)
    changed = _change(tx, name, there.roles, is_active=is_active)
    log(tx, by, "activate_operator" if is_active else "deactivate_operator", name, {}, now)
    return changed


def require_admin(tx: Tx, name: str) -> Operator:
    """Read an operator who says who may do what; raises OperatorNotFound or RoleMissing."""
    operator = find_operator(tx, name)
    if "admin" not in operator.roles:
        raise RoleMissing("This needs the role 'admin'.", role="admin")
    return operator


def check_roles(roles: Collection[str]) -> list[str]:
    """Give roles back in their order, viewer always among them; raises InvalidChoice for one that there is not."""
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise InvalidChoice(
            f"{unknown[0][:40]!r} is not a role; there are {', '.join(ROLES)}.", field="roles"
        )
    return [role for role in ROLES if role in roles or role == "viewer"]


def find_operator(tx: Tx, name: str) -> Operator:
    """Read an operator who works the desk; raises OperatorNotFound, also for one who does no more."""
    row = tx.execute(sql.find_operator, {"name": name}).fetchone() if _NAME.fullmatch(name) else None
    if row is None:
        raise OperatorNotFound(f"There is no operator {name[:40]!r}.")
    operator = Operator(*row)
    if not operator.is_active:
        raise OperatorNotFound(f"{name} does not work the desk any more.")
    return operator


def list_operators(tx: Tx) -> list[Operator]:
    """Read all operators, in the order in which they came."""
    return [Operator(*row) for row in tx.execute(sql.list_operators).fetchall()]


def _lock(tx: Tx, by: str, name: str) -> Operator:
    """Hold the operators for a change by an admin, and give the one to be changed."""
    tx.execute(sql.lock_operators)
    require_admin(tx, by)
    for operator in list_operators(tx):
        if operator.name == name:
            return operator
    raise OperatorNotFound(f"There is no operator {name[:40]!r}.")


def _change(tx: Tx, name: str, roles: list[str], *, is_active: bool) -> Operator:
    """Write an operator's row, unless the desk would be without an admin: it could never have one again."""
    is_admin = is_active and "admin" in roles
    others = (each for each in list_operators(tx) if each.name != name)
    if not is_admin and not any(each.is_active and "admin" in each.roles for each in others):
        raise WrongState("This would leave the desk without an admin; nothing was changed.")
    row = tx.execute(sql.change_operator, {"name": name, "roles": roles, "is_active": is_active}).fetchone()
    assert row is not None
    return Operator(*row)
