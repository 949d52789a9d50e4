"""What comes: which product opens, closes, or gets another rate, and when (rules 8 to 10)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from staddle.db import Tx, queries
from staddle.errors import InvalidChoice

sql = queries(__package__)
What = Literal["opens", "closes", "rate", "would_open"]
DAYS_MAX = 3650


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """Something that will happen to a product by itself.

    `opens`: subscribing begins under the version in force, which was approved before; `closes`: its sale window ends;
    `rate`: an announced revision takes effect; `would_open`: a draft says so, and nobody has approved it yet.
    """

    at: datetime
    what: What
    product: str
    name: str
    asset: str
    version: int | None
    """Of the terms; None for a rate."""
    revision: int | None
    """Of the rate; None for terms."""
    headline_apr: Decimal | None
    """The highest APR of the rate that comes, as a fraction."""
    headline_before: Decimal | None
    """The highest APR before it; None for a first rate."""


def schedule(tx: Tx, now: datetime, days: int) -> list[Coming]:
    """Read what will happen to products within so many days, earliest first. Raises InvalidChoice."""
    if not 1 <= days <= DAYS_MAX:
        raise InvalidChoice(f"The schedule is for 1 to {DAYS_MAX} days.")
    rows = tx.execute(sql.schedule, {"now": now, "until": now + timedelta(days=days)}).fetchall()
    return [Coming(**row._asdict()) for row in rows]
