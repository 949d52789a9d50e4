"""What is on offer, flexible and locked: lists, what is left for the one who asks, and previews."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from staddle.accrual.rules import Tier, day_basis, paid_by
from staddle.binance.asked import Asked, milliseconds
from staddle.binance.endpoint import Document, reads, rows
from staddle.binance.refusal import Refusal, refuse
from staddle.binance.values import amount, base_rate, given, rate, tier_rates
from staddle.days import DAY, distribution_at, run_on_of
from staddle.errors import ProductNotFound
from staddle.money import EXACT, ZERO, check_scale, plain
from staddle.positions import held_by_product
from staddle.positions.facts import distribution_time
from staddle.products import ProductOffer, list_products, show_product
from staddle.server.at import At

STATUSES = {
    "open": "PURCHASING", "sold_out": "PURCHASING", "scheduled": "PREHEATING", "halted": "SUSPENDED", "closed": "END",
}  # fmt: skip
LARGEST = Decimal(10) ** 30
"""No amount is as large: what is left for somebody whom nothing limits is just below it."""


@reads("/flexible/list", weight=150)
def flexible_list(at: At, asked: Asked) -> Document:
    """List the flexible products."""
    found = offers(at, "flexible", asked.maybe("asset"))
    page = asked.page()
    some = found[page.offset : page.offset + page.limit]
    return rows([flexible_row(at, offer) for offer in some], len(found))


@reads("/locked/list", weight=150, product=-6020)
def locked_list(at: At, asked: Asked) -> Document:
    """List the fixed-term products."""
    found = offers(at, "fixed", asked.maybe("asset"))
    page = asked.page()
    some = found[page.offset : page.offset + page.limit]
    return rows([locked_row(at, offer) for offer in some], len(found))


@reads("/flexible/personalLeftQuota", weight=150)
def flexible_quota(at: At, asked: Asked) -> Document:
    """Say how much more the customer can stake in a flexible product."""
    return left_quota(at, offer_of(at, asked.text("productId"), "flexible"))


@reads("/locked/personalLeftQuota", weight=150, product=-6020)
def locked_quota(at: At, asked: Asked) -> Document:
    """Say how much more the customer can stake in a fixed-term product."""
    return left_quota(at, offer_of(at, asked.text("projectId"), "fixed"))


@reads("/flexible/subscriptionPreview", weight=150)
def flexible_preview(at: At, asked: Asked) -> Document:
    """Say what an amount would earn a day, on top of what the customer holds."""
    offer, staked = offer_of(at, asked.text("productId"), "flexible"), asked.amount("amount")
    check_previewed(offer, staked)
    basis = day_basis(staked, held_of(at, offer), tiers_of(offer))
    return {
        "totalAmount": amount(staked, offer.asset, at.scales),
        "rewardAsset": offer.asset,
        "estDailyBonusRewards": amount(paid_by(basis, offer.scale), offer.asset, at.scales),
        "estDailyRealTimeRewards": amount(ZERO, offer.asset, at.scales),
    }


@reads("/locked/subscriptionPreview", weight=150, product=-6020)
def locked_preview(at: At, asked: Asked) -> list[Document]:
    """Say what an amount would earn over the term, and when."""
    offer, staked = offer_of(at, asked.text("projectId"), "fixed"), asked.amount("amount")
    is_renewed = asked.flag("autoSubscribe", default=True)
    check_previewed(offer, staked)
    assert offer.terms.term_days is not None
    basis = day_basis(staked, held_of(at, offer), tiers_of(offer))
    days, ends_at = offer.terms.term_days, at.now + timedelta(days=offer.terms.term_days)
    total = paid_by(EXACT.multiply(basis, Decimal(days)), offer.scale)
    pays_at, pays = first_payout(at, offer, paid_by(basis, offer.scale), total, ends_at)
    return [
        given(
            rewardAsset=offer.asset,
            totalRewardAmt=amount(total, offer.asset, at.scales),
            nextPay=amount(pays, offer.asset, at.scales),
            nextPayDate=milliseconds(pays_at),
            valueDate=milliseconds(at.now),
            rewardsEndDate=milliseconds(ends_at),
            deliverDate=milliseconds(ends_at),
            nextSubscriptionDate=milliseconds(ends_at) if is_renewed else None,
        )
    ]


def first_payout(
    at: At, offer: ProductOffer, daily: Decimal, total: Decimal, ends_at: datetime
) -> tuple[datetime, Decimal]:
    """Say when rewards are paid first, and how much: after the first full day, or all of them at maturity."""
    if offer.terms.payout == "at_maturity" or offer.terms.term_days == 1:
        return ends_at, total
    daily_at = distribution_time(at.tx)
    return distribution_at(run_on_of(at.now + DAY, daily_at), daily_at), daily


def offers(at: At, kind: str, asset: str | None) -> list[ProductOffer]:
    """Read the products of a kind that customers see, by code; those that have no rate yet are not there yet."""
    found = [
        offer
        for offer in list_products(at.tx, at.now)
        if offer.kind == kind and offer.rate is not None and asset in (None, offer.asset)
    ]
    return sorted(found, key=lambda offer: (offer.asset, offer.code))


def offer_of(at: At, code: str, kind: str) -> ProductOffer:
    """Read one product of a kind; raises ProductNotFound."""
    offer = show_product(at.tx, code, at.now)
    is_there = offer.kind == kind and offer.rate is not None and at_show(offer)
    if not is_there:
        raise ProductNotFound(f"There is no product {code[:40]!r}.")
    return offer


def at_show(offer: ProductOffer) -> bool:
    """Say whether customers see a product."""
    return offer.status not in ("draft", "retired")


def flexible_row(at: At, offer: ProductOffer) -> Document:
    """Write a flexible product."""
    tiers = tiers_of(offer)
    return given(
        asset=offer.asset,
        latestAnnualPercentageRate=rate(base_rate(tiers)),
        tierAnnualPercentageRate=tier_rates(tiers, offer.asset, most_held(offer), at.config.binance_types),
        canPurchase=offer.status == "open",
        canRedeem=offer.redeem_halt is None,
        isSoldOut=offer.status == "sold_out",
        hot=False,
        minPurchaseAmount=amount(offer.terms.amount_min, offer.asset, at.scales),
        productId=offer.code,
        subscriptionStartTime=milliseconds(offer.terms.opens_at),
        status=STATUSES[offer.status],
    )


def locked_row(at: At, offer: ProductOffer) -> Document:
    """Write a fixed-term product. Of several bands the APR is the lowest: no amount gets less."""
    most = most_held(offer)
    return {
        "projectId": offer.code,
        "detail": {
            "asset": offer.asset,
            "rewardAsset": offer.asset,
            "duration": offer.terms.term_days,
            "renewable": True,
            "isSoldOut": offer.status == "sold_out",
            "apr": rate(base_rate(tiers_of(offer))),
            "status": STATUSES[offer.status],
            "subscriptionStartTime": milliseconds(offer.terms.opens_at),
        },
        "quota": {
            "totalPersonalQuota": amount(unbounded(offer) if most is None else most, offer.asset, at.scales),
            "minimum": amount(offer.terms.amount_min, offer.asset, at.scales),
        },
    }


def left_quota(at: At, offer: ProductOffer) -> Document:
    """Write how much more the customer can stake: what their cap and the product's quota leave."""
    cap = offer.terms.personal_cap
    limits = [offer.quota_left, None if cap is None else max(ZERO, cap - held_of(at, offer))]
    left = min((limit for limit in limits if limit is not None), default=unbounded(offer))
    return {"leftPersonalQuota": amount(left, offer.asset, at.scales)}


def most_held(offer: ProductOffer) -> Decimal | None:
    """Give the most that one customer can hold; None where nothing limits it."""
    limits = [limit for limit in (offer.terms.personal_cap, offer.quota_total) if limit is not None]
    return min(limits, default=None)


def unbounded(offer: ProductOffer) -> Decimal:
    """Give the largest amount that there can be of a coin."""
    return LARGEST - Decimal(1).scaleb(-offer.scale)


def held_of(at: At, offer: ProductOffer) -> Decimal:
    """Read what the customer holds of a product."""
    return held_by_product(at.tx, at.customer_id).get(offer.code, ZERO)


def tiers_of(offer: ProductOffer) -> Sequence[Tier]:
    """Give the bands of the rate in force."""
    assert offer.rate is not None
    return offer.rate.tiers


def check_previewed(offer: ProductOffer, staked: Decimal) -> None:
    """Refuse to preview what could never be subscribed."""
    check_scale(staked, offer.scale)
    if staked < offer.terms.amount_min:
        raise too_small(offer)


def too_small(offer: ProductOffer) -> Refusal:
    """Say what the smallest subscription is."""
    return refuse(-6005, f"The minimum is {plain(offer.terms.amount_min)} {offer.asset}.")
