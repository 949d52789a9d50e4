"""What an amount would earn in a product at the rate in force: for the calculator, before anybody has signed in."""

from decimal import Decimal

import msgspec

from staddle.accrual.rules import blended_apr, day_basis, paid_by
from staddle.db import Tx, queries
from staddle.errors import StaddleError
from staddle.ledger import Asset, cell_of
from staddle.money import EXACT, ZERO, check_positive, check_scale
from staddle.positions.check import check_amount
from staddle.positions.facts import Offer
from staddle.products import ProductOffer

sql = queries(__package__)


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What `amount` of `asset` would be paid at the rate in force, which may change: a day, and over `days` in all."""

    product: str
    asset: str
    amount: Decimal
    days: int
    blended_apr: Decimal
    daily: Decimal
    total: Decimal


def estimate(offer: ProductOffer, amount: Decimal, days: int, held: Decimal = ZERO) -> Estimate | None:
    """Work out what an amount on top of what is `held` would earn; None where the product has no rate yet.

    A fixed product is reckoned to the end of its term. Raises InvalidAmount or TooManyDecimals.
    """
    check_positive(amount)
    check_scale(amount, offer.scale)
    if offer.rate is None:
        return None
    basis = day_basis(amount, held, offer.rate.tiers)
    days = offer.terms.term_days or days
    return Estimate(
        product=offer.code,
        asset=offer.asset,
        amount=amount,
        days=days,
        blended_apr=blended_apr(amount, held, offer.rate.tiers),
        daily=paid_by(basis, offer.scale),
        total=paid_by(EXACT.multiply(basis, Decimal(days)), offer.scale),
    )


def refusal_of(offer: ProductOffer, asset: Asset, amount: Decimal) -> StaddleError | None:
    """Say why an amount would be refused (rule 13) to somebody who holds none of a product and enough of its coin.

    It is for trying out terms that are not in force: pure, with the very checks of a subscription.
    """
    fields = msgspec.structs.asdict(offer.terms)
    tried = Offer(
        product_id=0,
        code=offer.code,
        kind=offer.kind,
        state="live",
        subscribe_halt=None,
        redeem_halt=None,
        version=offer.version,
        asset=asset,
        flexible_product_id=None,
        quota_used=offer.quota_used,
        quota_total=offer.quota_total,
        **{name: fields[name] for name in Offer.__dataclass_fields__ if name in fields},
    )
    try:
        check_amount(tried, amount, ZERO, amount)
    except StaddleError as error:
        return error
    return None


def held_by_product(tx: Tx, customer_id: int) -> dict[str, Decimal]:
    """Read what a customer holds of each product, by its code."""
    named = {"cell": cell_of(customer_id), "customer_id": customer_id}
    return {row.code: row.principal for row in tx.execute(sql.held_by_product, named).fetchall()}
