"""Sessions: opened by signing in, each with a token of its own; listed and ended by their owner."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from staddle.db import Tx, queries
from staddle.errors import SessionNotFound
from staddle.identity.caller import Caller, Seen
from staddle.identity.logins import Login, login_of
from staddle.identity.security_log import note_of
from staddle.identity.tokens import SESSION, hash_of, new_id, new_token
from staddle.identity.who_is import IDLE_MAX, address_of, agent_of

sql = queries(__package__)

LASTS = {"customer": timedelta(days=30), "operator": timedelta(hours=12)}
"""After this long a session ends, however much it is used."""

OpenedBy = Literal["password", "code", "recovery_code", "passkey", "external"]


@dataclass(frozen=True, slots=True)
class Session:
    """One place where somebody is signed in."""

    session_id: str
    opened_by: OpenedBy
    opened_at: datetime
    last_used_at: datetime
    expires_at: datetime
    stepped_up_at: datetime | None
    address: str | None
    agent: str


class SignedIn:
    """A new session and its token, which is shown here once and stored nowhere; it does not show itself in a log."""

    __slots__ = ("login", "session", "token")

    def __init__(self, token: str, session: Session, login: Login) -> None:
        self.token = token
        self.session = session
        self.login = login

    def __repr__(self) -> str:
        return f"SignedIn(session={self.session!r})"


def open_session(
    tx: Tx, login: Login, opened_by: OpenedBy, stepped_up_at: datetime | None, seen: Seen, now: datetime
) -> SignedIn:
    """Open a session under a new token: whatever token the browser came with counts for nothing."""
    token = new_token(SESSION)
    address = address_of(seen)
    new = {
        "session_id": new_id(),
        "token_hash": hash_of(token),
        "login_id": login.login_id,
        "opened_by": opened_by,
        "now": now,
        "expires_at": now + LASTS[login.kind],
        "stepped_up_at": stepped_up_at,
        "address": None if address is None else str(address),
        "agent": agent_of(seen),
    }
    row = tx.execute(sql.open_session, new).fetchone()
    assert row is not None
    details = {"by": opened_by, "session_id": row.session_id}
    note_of(tx, login.customer_id, login.operator, "sign_in", details, seen, now)
    return SignedIn(token, Session(*row), login)


def sign_out(tx: Tx, caller: Caller, seen: Seen, now: datetime) -> None:
    """End the session that is calling; without one there is nothing to do."""
    if caller.session_id is not None:
        revoke_session(tx, caller, caller.session_id, seen, now)


def sessions_of(tx: Tx, caller: Caller, now: datetime) -> list[Session]:
    """Read where the caller is signed in, the last used first."""
    login = login_of(tx, caller)
    wanted = {"login_id": login.login_id, "now": now, "used_since": now - IDLE_MAX[login.kind]}
    return [Session(*row) for row in tx.execute(sql.sessions_of, wanted).fetchall()]


def revoke_session(tx: Tx, caller: Caller, session_id: str, seen: Seen, now: datetime) -> None:
    """End one of the caller's own sessions; raises SessionNotFound."""
    if not _end(tx, caller, session_id, None, seen, now):
        raise SessionNotFound


def revoke_sessions(tx: Tx, caller: Caller, seen: Seen, now: datetime) -> int:
    """End all of the caller's sessions but the one that is calling; gives how many there were."""
    return _end(tx, caller, None, caller.session_id, seen, now)


def _end(tx: Tx, caller: Caller, session_id: str | None, but: str | None, seen: Seen, now: datetime) -> int:
    login = login_of(tx, caller)
    ended = {"login_id": login.login_id, "session_id": session_id, "but": but, "now": now}
    count = len(tx.execute(sql.end_sessions, ended).fetchall())
    if count:
        details = {"session_id": session_id, "count": count}
        note_of(tx, login.customer_id, login.operator, "sign_out", details, seen, now)
    return count
