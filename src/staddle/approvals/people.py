"""What requests about people change: the roles of an operator, the lost second factors of a login."""

from datetime import datetime

from staddle.approvals.words import Told, changed, sql
from staddle.db import Tx
from staddle.desk import ROLES, Approval, list_operators
from staddle.desk.grants import basis_of
from staddle.desk.operators import any_operator
from staddle.identity import find_login


def of_roles(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:  # noqa: ARG001
    """Say which roles somebody has before and after, and how many people have each that is new."""
    there = any_operator(tx, asked.subject)
    gained = [role for role in asked.request["to"] if role not in there.roles]
    after = [role for role in ROLES if role in there.roles or role in gained]
    roles = (", ".join(each) for each in (there.roles, after))
    people = [each for each in list_operators(tx) if each.is_active]
    effect = [
        changed(role, f"People with the role {role}", count, count + 1)
        for role in gained
        for count in [sum(role in each.roles for each in people)]
    ]
    return [changed("roles", f"Roles of {there.name}", *roles)], effect


def basis_of_roles(tx: Tx, asked: Approval) -> str:
    """What a grant stands upon."""
    return basis_of(any_operator(tx, asked.subject))


def of_factors(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:  # noqa: ARG001
    """Say which second factors a login loses, and how many sessions end."""
    login = find_login(tx, asked.request["login_id"])
    app = "a code of an app" if login.has_code else "no app"
    passkeys = "1 passkey" if login.passkey_count == 1 else f"{login.passkey_count} passkeys"
    difference = [changed("factors", "Second factors", f"{app}, {passkeys}", "no app, 0 passkeys")]
    row = tx.execute(sql.open_sessions, {"login_id": login.login_id, "now": asked.asked_at}).fetchone()
    assert row is not None
    return difference, [changed("sessions", "Sessions that are open", row.sessions, 0)]


def basis_of_factors(tx: Tx, asked: Approval) -> str:
    """What it stands upon: whose login it is."""
    return find_login(tx, asked.request["login_id"]).login_id
