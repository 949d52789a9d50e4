"""Links that are sent by e-mail: each holds 256 random bits of which only the SHA-256 is kept, and is good once."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from staddle.db import Tx, queries
from staddle.errors import LinkExpired
from staddle.identity.tokens import hash_of

sql = queries(__package__)
Purpose = Literal["sign_up", "recover"]
LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class EmailLink:
    """To which address a link was sent, and the login that it is for, if it is for one."""

    email: str
    login_id: str | None


def make_email_link(tx: Tx, purpose: Purpose, email: str, login_id: str | None, now: datetime) -> str:
    """Make a link's token, which is shown here once and sent to the address alone."""
    token = secrets.token_urlsafe(32)
    made = {
        "token_hash": hash_of(token),
        "purpose": purpose,
        "email": email,
        "login_id": login_id,
        "expires_at": now + LASTS,
    }
    tx.execute(sql.make_email_link, made)
    return token


def find_email_link(tx: Tx, purpose: Purpose, token: str, now: datetime) -> EmailLink:
    """Look at a link and leave it as it is; raises LinkExpired for one that is unknown, used or too old."""
    row = tx.execute(sql.find_email_link, _named(purpose, token, now)).fetchone()
    if row is None:
        raise LinkExpired
    return EmailLink(row.email, row.login_id)


def take_email_link(tx: Tx, purpose: Purpose, token: str, now: datetime) -> EmailLink:
    """Use a link up: of two at once one gets it. All others that went to its address are void, too."""
    row = tx.execute(sql.take_email_link, _named(purpose, token, now)).fetchone()
    if row is None:
        raise LinkExpired
    tx.execute(sql.drop_email_links, {"email": row.email})
    return EmailLink(row.email, row.login_id)


def _named(purpose: Purpose, token: str, now: datetime) -> dict[str, object]:
    return {"token_hash": hash_of(token), "purpose": purpose, "now": now}
