"""What coins are worth in BTC and in USDT, at the prices that the desk knows: an estimate, as it is there."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from staddle.desk import Price
from staddle.money import EXACT, ZERO, floor_to_unit

DECIMALS = 8


def worth_in(target: str, amounts: Mapping[str, Decimal], prices: Sequence[Price]) -> Decimal:
    """Add up what amounts of coins are worth in another one; what has no price there is not counted.

    A price in the coin itself counts before one over a currency that both have a price in.
    """
    known = {(each.asset, each.quote): each.price for each in prices}
    quotes = sorted({each.quote for each in prices})
    return sum((_worth(target, asset, held, known, quotes) for asset, held in amounts.items() if held), ZERO)


def _worth(
    target: str,
    asset: str,
    held: Decimal,
    known: Mapping[tuple[str, str], Decimal],
    quotes: Iterable[str],
) -> Decimal:
    if asset == target:
        return floor_to_unit(held, 1, DECIMALS)
    if (asset, target) in known:
        return floor_to_unit(EXACT.multiply(held, known[asset, target]), 1, DECIMALS)
    for quote in quotes:
        if (asset, quote) in known and (target, quote) in known:
            return floor_to_unit(EXACT.multiply(held, known[asset, quote]), known[target, quote], DECIMALS)
    return ZERO
