"""How a request says in plain words what changes: amounts with their coin, rates, instants, counts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from staddle.days import format_instant
from staddle.db import Tx, queries
from staddle.desk import Difference
from staddle.document import percent as in_percent
from staddle.document import trimmed
from staddle.products import Tier

sql = queries(__package__)
Told = list[Difference]


def changed(field: str, words: str, before: object, after: object) -> Difference:
    """Say what was and what will be; None is nothing."""
    was, will_be = (None if each is None else str(each) for each in (before, after))
    return Difference(field=field, words=words, before=was, after=will_be)


def sum_of(amount: Decimal, asset: str) -> str:
    """Write an amount with its coin."""
    return f"{trimmed(amount)} {asset}"


def days(count: int | None) -> str:
    """Write how long a pool lasts; None while nothing is earned."""
    return "without end" if count is None else f"{count} days"


def instant(at: datetime) -> str:
    """Write an instant in UTC."""
    return format_instant(at)


def percent(apr: Decimal) -> str:
    """Write a fraction as a percentage."""
    return f"{in_percent(apr)} %"


def rate_words(tiers: Sequence[Tier]) -> str:
    """Write tiers in one line, such as `12 % to 500, 0.8 % to 5000, then 0.3 %`."""
    if len(tiers) == 1:
        return percent(tiers[0].apr)
    bands = [
        f"{percent(tier.apr)} to {trimmed(tier.amount_to)}" for tier in tiers if tier.amount_to is not None
    ]
    return ", ".join([*bands, f"then {percent(tiers[-1].apr)}"])


def holders(tx: Tx, product_id: int, asset: str) -> Told:
    """Say how many customers hold a product, and how much they have in it."""
    row = tx.execute(sql.holders, {"product_id": product_id}).fetchone()
    assert row is not None
    return [
        changed("customers", "Customers who hold it", None, row.customers),
        changed("principal", "Principal they hold", None, sum_of(row.principal, asset)),
    ]
