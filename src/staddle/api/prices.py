"""What coins are worth: told by operators, for everybody to see. An estimate; nothing is booked or decided by it."""

from datetime import datetime
from typing import Annotated

import msgspec

from staddle.api.fields import AmountText, Body, Code
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.api.pages import Page
from staddle.desk import Price, prices_of, set_prices
from staddle.money import parse_decimal
from staddle.server.allow import ANYBODY, operator
from staddle.server.at import At

TAG = "Prices"


class PriceBody(Body, frozen=True, kw_only=True):
    """What one whole coin is worth in the quote currency, and since when; without `priced_at`, since now."""

    quote: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3,10}$", examples=["USD"])]
    price: AmountText
    priced_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@reads("/v1/prices", allow=ANYBODY, gives=Page[Price], tag=TAG)
def list_prices(at: At) -> Page[Price]:
    """List the newest known price of each coin in each quote currency; a coin may have none."""
    return Page(items=prices_of(at.tx))


@writes("PUT", "/v1/prices/{asset}", allow=operator("product", "treasury"), gives=Price, tag=TAG)
def set_price_of_asset(at: At, asset: Code, body: PriceBody) -> Given:
    """Say what a coin is worth, and get the newest known price: one older than that changes nothing."""

    def keep() -> Price:
        price = Price(
            asset=asset,
            quote=body.quote,
            price=parse_decimal(body.price),
            priced_at=at.now if body.priced_at is None else body.priced_at,
        )
        return set_prices(at.tx, at.by, [price], at.now)[0]

    return once(at, "set_price", {"asset": asset, "price": body}, keep)
