"""What is on offer, for everybody: coins, products with their terms and rates, and what they really paid."""

from decimal import Decimal
from typing import Literal

import msgspec

from staddle.api.fields import Code
from staddle.api.operation import reads
from staddle.api.pages import Page
from staddle.errors import ProductNotFound
from staddle.ledger import all_assets
from staddle.products import ProductOffer, RateShown, list_products, show_product, shown_rates
from staddle.products.state import NEVER_ON_SALE
from staddle.rewards import RealisedApr
from staddle.server.allow import ANYBODY
from staddle.server.at import At
from staddle.server.realised import realised_of

TAG = "Products"


class AssetOffered(msgspec.Struct, frozen=True, kw_only=True):
    """A coin. `unit` is its smallest amount, with `scale` decimals."""

    code: str
    name: str
    scale: int
    unit: Decimal


@reads("/v1/assets", allow=ANYBODY, gives=Page[AssetOffered], tag=TAG)
def list_assets(at: At) -> Page[AssetOffered]:
    """List the coins of this desk, with their decimals."""
    assets = sorted(all_assets(at.tx).values(), key=lambda asset: asset.code)
    return Page(
        items=[
            AssetOffered(code=each.code, name=each.name, scale=each.scale, unit=each.unit) for each in assets
        ]
    )


@reads("/v1/products", allow=ANYBODY, gives=Page[ProductOffer], tag=TAG)
def list_product_offers(
    at: At,
    asset: Code | None = None,
    kind: Literal["flexible", "fixed"] | None = None,
    status: Literal["scheduled", "open", "sold_out", "halted", "closed"] | None = None,
) -> Page[ProductOffer]:
    """List the products: terms in full, the rate with its tiers, when it last changed and whether it can change."""
    wanted = {"asset": asset, "kind": kind, "status": status}
    given = {name: value for name, value in wanted.items() if value is not None}
    return Page(
        items=[
            offer
            for offer in list_products(at.tx, at.now)
            if all(getattr(offer, name) == value for name, value in given.items())
        ]
    )


@reads("/v1/products/{product}", allow=ANYBODY, gives=ProductOffer, tag=TAG)
def show_product_offer(at: At, product: Code) -> ProductOffer:
    """Show one product: terms in full, the tier table, when the rate last changed, whether it can, and the next one."""
    return offer_of(at, product)


@reads("/v1/products/{product}/rates", allow=ANYBODY, gives=Page[RateShown], tag=TAG)
def list_rates(at: At, product: Code) -> Page[RateShown]:
    """List all rates that a product has had, newest first, an announced one included."""
    return Page(items=shown_rates(at.tx, offer_of(at, product).code))


@reads("/v1/products/{product}/realised-apr", allow=ANYBODY, gives=RealisedApr, tag=TAG)
def show_realised_apr(at: At, product: Code) -> RealisedApr:
    """Show what holders were really paid in the last 30 distributions, beside the APR that was displayed."""
    return realised_of(at.tx, offer_of(at, product))


def offer_of(at: At, code: str) -> ProductOffer:
    """Read a product that is, or was, on sale; a draft is nobody's business yet."""
    offer = show_product(at.tx, code, at.now)
    if offer.status in NEVER_ON_SALE:
        raise ProductNotFound(f"There is no product {code[:40]!r}.", product=code[:40])
    return offer
