"""What coins are worth in other currencies, as operators say: an estimate that is only shown.

No price ever enters the ledger, the audit or any rule; a desk without prices works as one that has them.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.errors import InvalidAmount, InvalidChoice, InvalidTime, RoleMissing, StaddleError
from staddle.ledger import find_asset
from staddle.money import has_scale, plain

sql = queries(__package__)
_QUOTE = re.compile(r"[A-Z]{3,10}", re.ASCII)
MAY_SET = ("product", "treasury")
PRICE_BELOW = Decimal(10) ** 12
PRICE_DECIMALS_MAX = 12
"""With these two, the product of any amount and any price is exact within the digits of staddle.money.EXACT."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What one whole coin was worth in a quote currency at an instant."""

    asset: str
    quote: str
    price: Decimal
    priced_at: datetime


def set_prices(tx: Tx, by: str, prices: Sequence[Price], now: datetime) -> list[Price]:
    """Keep the prices of coins, all or none; gives the newest known of each. Those that are kept are logged.

    One that is older than what is known changes nothing. Raises OperatorNotFound, RoleMissing, AssetNotFound,
    InvalidChoice (the quote), InvalidAmount or InvalidTime.
    """
    if not set(MAY_SET) & set(find_operator(tx, by).roles):
        raise RoleMissing("This needs the role product or treasury.", roles=sorted(MAY_SET))
    for each in prices:
        check_price(each, now)
        wanted = {
            "asset_id": find_asset(tx, each.asset).asset_id,
            "quote": each.quote,
            "price": each.price,
            "priced_at": each.priced_at,
            "by": by,
        }
        if tx.execute(sql.set_price, wanted).fetchone() is not None:
            details = {"quote": each.quote, "price": plain(each.price), "priced_at": each.priced_at}
            log(tx, by, "set_price", each.asset, details, now)
    known = {(each.asset, each.quote): each for each in prices_of(tx)}
    return [known[each.asset, each.quote] for each in prices]


def check_price(price: Price, now: datetime) -> None:
    """Refuse what cannot be a price, naming the field: InvalidChoice, InvalidAmount, InvalidTime."""
    wrong: tuple[str, StaddleError] | None = None
    if not _QUOTE.fullmatch(price.quote):
        wrong = "quote", InvalidChoice("A quote currency has 3 to 10 capital letters, such as USD.")
    elif not price.price.is_finite() or not 0 < price.price < PRICE_BELOW:
        wrong = "price", InvalidAmount("A price is a plain decimal number above zero and below 10^12.")
    elif not has_scale(price.price, PRICE_DECIMALS_MAX):
        wrong = "price", InvalidAmount(f"A price has at most {PRICE_DECIMALS_MAX} decimals.")
    elif price.priced_at.tzinfo is None:
        wrong = "priced_at", InvalidTime("The time of a price names no time zone.")
    elif price.priced_at > now:
        wrong = "priced_at", InvalidTime("No price is known before its time: this one is in the future.")
    if wrong is not None:
        field, error = wrong
        error.field = field
        raise error


def prices_of(tx: Tx) -> list[Price]:
    """Read the newest known price of each coin in each quote currency, by coin and quote."""
    return [
        Price(asset=row.asset, quote=row.quote, price=row.price, priced_at=row.priced_at)
        for row in tx.execute(sql.prices).fetchall()
    ]
