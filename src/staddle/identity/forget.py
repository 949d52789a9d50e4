"""What has expired is forgotten in time: sessions, challenges, tokens, links, failed attempts. The logs keep all."""

from datetime import datetime, timedelta

from staddle.db import Tx, queries
from staddle.identity.throttle import FORGOTTEN_AFTER

sql = queries(__package__)
SESSIONS_KEPT = timedelta(days=30)
"""So long after its end a session is kept, for whoever looks into something that happened."""


def forget_expired(tx: Tx, now: datetime) -> int:
    """Forget what lets nobody in any more; gives the number of rows. `now` is the machine's clock."""
    before = {"now": now, "sessions_before": now - SESSIONS_KEPT, "attempts_before": now - FORGOTTEN_AFTER}
    statements = (
        sql.forget_sessions,
        sql.forget_challenges,
        sql.forget_tokens,
        sql.forget_failures,
        sql.forget_email_links,
    )
    return sum(tx.execute(statement, before).rowcount for statement in statements)
