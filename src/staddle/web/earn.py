"""Earn: what is on offer, by coin, with a filter, a search, and a calculator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from staddle.errors import StaddleError
from staddle.money import ZERO
from staddle.pages.page import View, Visit, shows
from staddle.positions import Estimate, estimate, held_by_product
from staddle.products import ProductOffer, headline_steps, list_products
from staddle.web.amounts import read_amount

SPARK = timedelta(days=90)
CALCULATED_DAYS = 365
CAN_BE_TAKEN = ("open", "scheduled")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The products of one coin."""

    asset: str
    offers: Sequence[ProductOffer]

    @property
    def best(self) -> Decimal:
        """The highest rate of the coin that can be had now."""
        return max(
            (o.rate.headline_apr for o in self.offers if o.rate and o.status in CAN_BE_TAKEN), default=ZERO
        )


@shows("/")
def show_earn(
    visit: Visit,
    q: str = "",
    asset: str = "",
    kind: Literal["", "flexible", "fixed"] = "",
    sort: Literal["asset", "apr"] = "asset",
    held: Literal["", "1"] = "",
    amount: str = "",
    days: int = CALCULATED_DAYS,
) -> View:
    """Show the products that customers see, by coin; with an amount, what it would bring in each product of a coin."""
    offers = list_products(visit.tx, visit.now)
    holds = (
        held_by_product(visit.tx, visit.viewer.customer_id) if visit.viewer.customer_id is not None else {}
    )
    wanted = [offer for offer in offers if fits(offer, q, asset, kind) and (not held or offer.code in holds)]
    estimates, wrong = calculate(visit, wanted, amount, min(max(days, 1), 3650), holds)
    return View(
        "earn.html",
        {
            "shelves": shelves(wanted, sort),
            "assets": sorted({offer.asset for offer in offers}),
            "holds": holds,
            "steps": headline_steps(visit.tx, visit.now),
            "since": visit.now - SPARK,
            "estimates": estimates,
            "wrong": wrong,
            "chosen": {
                "q": q, "asset": asset, "kind": kind, "sort": sort, "held": held, "amount": amount, "days": days,
            },
        },
        part="products",
    )  # fmt: skip


def fits(offer: ProductOffer, q: str, asset: str, kind: str) -> bool:
    """Say whether a product is among those that are looked for."""
    words = f"{offer.asset} {offer.name} {offer.code}".casefold()
    return (
        (not asset or offer.asset == asset)
        and (not kind or offer.kind == kind)
        and all(word in words for word in q[:100].casefold().split())
    )


def shelves(offers: Sequence[ProductOffer], sort: str) -> list[Shelf]:
    """Put products together by coin, those that can be taken first; the best rate first where that is asked for."""
    by_asset: dict[str, list[ProductOffer]] = {}
    for offer in offers:
        by_asset.setdefault(offer.asset, []).append(offer)
    made = [
        Shelf(asset, sorted(some, key=lambda offer: offer.status not in CAN_BE_TAKEN))
        for asset, some in by_asset.items()
    ]
    return sorted(made, key=lambda shelf: shelf.best, reverse=True) if sort == "apr" else made


def calculate(
    visit: Visit, offers: Sequence[ProductOffer], amount: str, days: int, holds: dict[str, Decimal]
) -> tuple[dict[str, Estimate], StaddleError | None]:
    """Work out what an amount would bring in each product, on top of what is held there; or why it is no amount."""
    if not amount:
        return {}, None
    found = {}
    try:
        read = read_amount(amount, visit.look.language)
        for offer in offers:
            brings = estimate(offer, read, days, holds.get(offer.code, ZERO))
            if brings is not None:
                found[offer.code] = brings
    except StaddleError as error:
        return {}, error
    return found, None
