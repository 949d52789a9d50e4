"""The people who work the desk."""

import re
from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.desk.log import log
from staddle.errors import InvalidName, OperatorNotFound

sql = queries(__package__)
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works the desk."""

    name: str
    added_at: datetime


def add_operator(tx: Tx, by: str, name: str, now: datetime) -> Operator:
    """Add an operator; the first one adds themselves, the others are added by one who is known.

    Adding somebody who is there changes nothing. Raises InvalidName or OperatorNotFound.
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
    row = tx.execute(sql.add_operator, {"name": name, "now": now}).fetchone()
    assert row is not None
    log(tx, by, "add_operator", name, {}, now)
    return Operator(*row)


def find_operator(tx: Tx, name: str) -> Operator:
    """Read an operator; raises OperatorNotFound."""
    row = tx.execute(sql.find_operator, {"name": name}).fetchone() if _NAME.fullmatch(name) else None
    if row is None:
        raise OperatorNotFound(f"There is no operator {name[:40]!r}.")
    return Operator(*row)


def list_operators(tx: Tx) -> list[Operator]:
    """Read all operators, in the order in which they came."""
    return [Operator(*row) for row in tx.execute(sql.list_operators).fetchall()]
