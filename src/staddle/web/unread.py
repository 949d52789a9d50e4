"""How many messages a customer has not read yet, for the mark in the frame of every page."""

from staddle.customers import Preferences
from staddle.db import Tx
from staddle.notices import announcements_to, notices_of

MOST = 99
"""Nobody counts further."""


def unread_count(tx: Tx, customer_id: int, preferences: Preferences) -> int:
    """Count what came since the customer last looked and is not muted, up to a hundred."""
    own = notices_of(tx, customer_id, preferences.read_notice_id, MOST + 1)
    shared = announcements_to(tx, customer_id, preferences.read_announcement_id, MOST + 1)
    return len([told for told in [*own, *shared] if told.kind not in preferences.muted])
