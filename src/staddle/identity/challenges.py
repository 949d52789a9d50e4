"""What is handed out and must come back within minutes, once: challenges of passkeys, states of sign-ins elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from staddle.db import Tx, queries
from staddle.identity.tokens import new_id

sql = queries(__package__)
Purpose = Literal["add_passkey", "sign_in", "step_up", "external"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that has come back in time."""

    login_id: str | None
    secret: bytes = field(repr=False)
    details: dict[str, Any] = field(repr=False)


def make_challenge(
    tx: Tx,
    purpose: Purpose,
    login_id: str | None,
    secret: bytes,
    details: Mapping[str, object],
    expires_at: datetime,
    now: datetime,
) -> str:
    """Keep a challenge until it comes back; gives its id. Those that never came back go on this occasion."""
    challenge_id = new_id()
    tx.execute(sql.drop_expired_challenges, {"now": now})
    made = {
        "challenge_id": challenge_id,
        "purpose": purpose,
        "login_id": login_id,
        "secret": secret,
        "details": msgspec.json.encode(details).decode(),
        "expires_at": expires_at,
    }
    tx.execute(sql.make_challenge, made)
    return challenge_id


def take_challenge(tx: Tx, purpose: Purpose, challenge_id: str, now: datetime) -> Challenge | None:
    """Take a challenge back: of two at once, one gets it; None for one that is unknown, used, or too old."""
    taken = {"challenge_id": challenge_id.replace("\x00", ""), "purpose": purpose}
    row = tx.execute(sql.take_challenge, taken).fetchone()
    if row is None or now >= row.expires_at:
        return None
    return Challenge(row.login_id, bytes(row.secret), row.details)
