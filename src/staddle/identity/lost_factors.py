"""A lost phone: whoever has neither app nor recovery code is let in again by two people of the desk, never by one.

It is what somebody would ask for who has stolen a password, so one operator asks and another one decides.
"""

from datetime import datetime

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import ApprovalNotFound
from staddle.identity.caller import Caller, Seen
from staddle.identity.logins import Login, find_login, lock_for
from staddle.identity.security_log import note

sql = queries(__package__)
ACT = "remove_lost_factors"


def ask_to_remove_factors(tx: Tx, by: Caller, login_id: str, now: datetime) -> int:
    """Ask a second person to take a login's second factors away; gives the approval's number.

    A customer's is for operators with the role support or admin, an operator's for an admin. Raises LoginNotFound,
    RoleMissing.
    """
    login = lock_for(tx, by, login_id)
    request = {"login_id": login_id, "customer_id": login.customer_id, "operator": login.operator}
    return desk.ask(tx, by.operator or "", ACT, subject_of(login), request, login_id, now)


def remove_lost_factors(tx: Tx, by: Caller, approval_id: int, seen: Seen, now: datetime) -> Login:
    """Approve it: the app, its recovery codes and the passkeys are gone, and every session ends; the password stays.

    Raises ApprovalNotFound, SecondPersonNeeded (one's own request), WrongState, RoleMissing.
    """
    asked = desk.find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    login_id = asked.basis
    login = lock_for(tx, by, login_id)
    desk.approve(tx, by.operator or "", approval_id, ACT, login_id, now)
    tx.execute(sql.remove_totp, {"login_id": login_id})
    tx.execute(sql.remove_recovery_codes, {"login_id": login_id})
    tx.execute(sql.remove_passkeys, {"login_id": login_id})
    tx.execute(sql.end_sessions, {"login_id": login_id, "session_id": None, "but": None, "now": now})
    if login.customer_id is not None:
        note(tx, login.customer_id, ACT, {"by": by.operator}, seen, now)
    return find_login(tx, login_id)


def subject_of(login: Login) -> str:
    """Name whose factors they are, as the desk's log does."""
    return login.operator or str(login.customer_id)
