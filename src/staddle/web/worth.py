"""What a customer's coins are worth together, at the prices that the desk knows: an estimate that is only shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from staddle.desk import Price
from staddle.money import EXACT, ZERO, floor_to_unit
from staddle.positions import ShownAsset

FRESH = timedelta(hours=24)
SHOWN_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Worth:
    """All coins in one quote currency, cut for showing; `priced_at` is the time of the oldest price that is used."""

    quote: str
    total: Decimal
    priced_at: datetime
    is_stale: bool
    not_counted: Sequence[str]


def worth_of(assets: Sequence[ShownAsset], prices: Sequence[Price], now: datetime) -> Worth | None:
    """Add up what coins are worth, exactly, and cut once; None where no coin that is held has a price."""
    held = [each for each in assets if each.total]
    quote = best_quote({each.asset for each in held}, prices)
    if quote is None:
        return None
    known = {each.asset: each for each in prices if each.quote == quote}
    total, oldest = ZERO, now
    for each in held:
        if each.asset in known:
            price = known[each.asset]
            total = EXACT.add(total, EXACT.multiply(each.total, price.price))
            oldest = min(oldest, price.priced_at)
    return Worth(
        quote=quote,
        total=cut_for_showing(total),
        priced_at=oldest,
        is_stale=now - oldest > FRESH,
        not_counted=[each.asset for each in held if each.asset not in known],
    )


def best_quote(held: set[str], prices: Sequence[Price]) -> str | None:
    """Give the quote currency in which most of the held coins have a price, the first by name of several."""
    counts: dict[str, int] = {}
    for each in prices:
        if each.asset in held:
            counts[each.quote] = counts.get(each.quote, 0) + 1
    return min(counts, key=lambda quote: (-counts[quote], quote), default=None)


def cut_for_showing(total: Decimal) -> Decimal:
    """Cut a worth towards zero to the decimals that are shown; nothing is ever reckoned on with it."""
    return floor_to_unit(total, 1, SHOWN_DECIMALS)
