"""How a customer sees their pages and what they want to be told; whoever never chose anything has the defaults."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import cell_of

sql = queries(__package__)
Theme = Literal["system", "light", "dark"]


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """`muted` are kinds of messages that the customer does not want; the two ids are the newest that they have read.

    `is_chosen` says whether language, theme and time zone are the customer's own choice.
    """

    language: str = "en"
    theme: Theme = "system"
    zone: str = "UTC"
    muted: Sequence[str] = ()
    read_notice_id: int = 0
    read_announcement_id: int = 0
    is_chosen: bool = False


def preferences_of(tx: Tx, customer_id: int) -> Preferences:
    """Read a customer's preferences."""
    named = {"cell": cell_of(customer_id), "customer_id": customer_id}
    row = tx.execute(sql.preferences_of, named).fetchone()
    return Preferences() if row is None else Preferences(**row._asdict(), is_chosen=True)


def set_preferences(tx: Tx, customer_id: int, preferences: Preferences, now: datetime) -> Preferences:
    """Keep a customer's preferences as they are given; the edges know which languages and time zones there are."""
    fields: dict[str, Any] = msgspec.structs.asdict(preferences)
    del fields["is_chosen"]
    fields["muted"] = sorted(set(preferences.muted))
    named = {"cell": cell_of(customer_id), "customer_id": customer_id, "now": now}
    tx.execute(sql.set_preferences, fields | named)
    return preferences_of(tx, customer_id)
