"""`staddle prices`."""

from typing import Annotated

import typer

from staddle import desk
from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import listing
from staddle.days import parse_instant
from staddle.money import parse_decimal

COLUMNS = ["asset", "quote", "price", "priced_at"]


@writes(app.prices, "set")
def set_price(
    at: At,
    asset: Annotated[str, typer.Argument(help="The coin, such as BTC.")],
    quote: Annotated[str, typer.Argument(help="The currency that it is priced in, such as USD.")],
    price: Annotated[str, typer.Argument(help="What one whole coin is worth, such as 65000.5.")],
    priced_at: Annotated[
        str | None, typer.Option("--at", help="When it had this price; default now, never later.")
    ] = None,
) -> Shown:
    """Say what a coin is worth; it is only shown to customers, as an estimate."""
    what: dict[str, object] = {"asset": asset, "quote": quote, "price": price, "at": priced_at}

    def keep() -> desk.Price:
        given = desk.Price(
            asset=asset,
            quote=quote,
            price=parse_decimal(price),
            priced_at=at.now if priced_at is None else parse_instant(priced_at),
        )
        return desk.set_prices(at.tx, at.by, [given], at.now)[0]

    return at.once("set_price", what, keep)


@reads(app.prices, "list")
def prices(at: At) -> Shown:
    """List the newest known prices."""
    return Shown({"prices": desk.prices_of(at.tx)}, lambda data: listing("", data["prices"], COLUMNS))
