"""The people who work the desk, and what each may do."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.errors import (
    InvalidChoice,
    InvalidName,
    OperatorNotFound,
    RoleMissing,
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
    grant_asked: int | None = None
    """The request by which another admin may give them more roles, while it waits."""


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


def lock_operators(tx: Tx) -> None:
    """Let one process at a time change who may do what."""
    tx.execute(sql.lock_operators)


def any_operator(tx: Tx, name: str) -> Operator:
    """Read an operator, also one who works the desk no more; raises OperatorNotFound."""
    for operator in list_operators(tx):
        if operator.name == name:
            return operator
    raise OperatorNotFound(f"There is no operator {name[:40]!r}.")


def active_admins(tx: Tx) -> set[str]:
    """Name those who say who may do what."""
    return {each.name for each in list_operators(tx) if each.is_active and "admin" in each.roles}


def insert_operator(tx: Tx, name: str, roles: list[str], now: datetime) -> Operator:
    """Write the row of somebody new; raises InvalidName."""
    if not _NAME.fullmatch(name):
        raise InvalidName(
            "An operator's name has 1 to 40 small letters, digits, '.', '_' or '-', and begins with a letter."
        )
    tx.execute(sql.add_operator, {"name": name, "roles": roles, "now": now})
    return any_operator(tx, name)


def change_operator(tx: Tx, name: str, roles: Collection[str], *, is_active: bool) -> Operator:
    """Write an operator's row, unless the desk would be without an admin: it could never have one again."""
    is_admin = is_active and "admin" in roles
    if not is_admin and not active_admins(tx) - {name}:
        raise WrongState("This would leave the desk without an admin; nothing was changed.")
    changed = {"name": name, "roles": [role for role in ROLES if role in roles], "is_active": is_active}
    tx.execute(sql.change_operator, changed)
    return any_operator(tx, name)
