"""What the customer holds: flexible products as holdings, fixed-term positions one by one."""

from typing import Any

from staddle.binance.asked import Asked, milliseconds
from staddle.binance.choices import preferred
from staddle.binance.endpoint import Document, reads, rows
from staddle.binance.products import most_held, offers, tiers_of
from staddle.binance.values import amount, base_rate, count, given, rate, tier_rates
from staddle.money import ZERO
from staddle.positions.foresee_leave import returned_early
from staddle.positions.holdings import Holding, fixed_standings, holdings
from staddle.positions.show import Standing, show
from staddle.products import ProductOffer, show_product
from staddle.server.at import At


@reads("/flexible/position", weight=150)
def flexible_position(at: At, asked: Asked) -> Document:
    """List what the customer holds of flexible products; each product is one row, of however many positions."""
    page = asked.page()
    found = holdings(
        at.tx, at.customer_id, asked.maybe("asset"), asked.maybe("productId"), page.limit, page.offset
    )
    known = {offer.code: offer for offer in offers(at, "flexible", None)}
    return rows(
        [holding_row(at, each, offer_held(at, known, each.product)) for each in found.rows], found.total
    )


@reads("/locked/position", weight=150, product=-6020)
def locked_position(at: At, asked: Asked) -> Document:
    """List the customer's open fixed-term positions, newest first."""
    page = asked.page()
    found = fixed_standings(
        at.tx,
        at.customer_id,
        at.now,
        asked.maybe("asset"),
        asked.maybe("projectId"),
        asked.number("positionId"),
        page.limit,
        page.offset,
    )
    prefers = preferred(at.tx, [each.row for each in found.rows])
    return rows([locked_row(at, each, prefers[each.row.position_id]) for each in found.rows], found.total)


def offer_held(at: At, known: dict[str, ProductOffer], code: str) -> ProductOffer:
    """Give the offer of a product that is held, whatever has become of it."""
    return known[code] if code in known else show_product(at.tx, code, at.now)


def holding_row(at: At, holding: Holding, offer: ProductOffer) -> Document:
    """Write what is held of a flexible product. Rewards are paid out, never added: so all of them are bonus rewards."""
    asset, tiers = holding.asset, tiers_of(offer)
    return given(
        totalAmount=amount(holding.principal, asset, at.scales),
        tierAnnualPercentageRate=tier_rates(tiers, asset, most_held(offer), at.config.binance_types),
        latestAnnualPercentageRate=rate(base_rate(tiers)),
        asset=asset,
        canRedeem=offer.redeem_halt is None,
        collateralAmount=amount(ZERO, asset, at.scales),
        productId=holding.product,
        yesterdayRealTimeRewards=amount(ZERO, asset, at.scales),
        cumulativeBonusRewards=amount(holding.earned, asset, at.scales),
        cumulativeRealTimeRewards=amount(ZERO, asset, at.scales),
        cumulativeTotalRewards=amount(holding.earned, asset, at.scales),
        autoSubscribe=holding.is_auto,
    )


def locked_row(at: At, standing: Standing, prefers_flexible: bool) -> Document:
    """Write a fixed-term position. An early redemption pays what `redeemAmountEarly` says, at this very moment."""
    row, shown = standing.row, show(standing)
    types, returned = at.config.binance_types, returned_early(standing)
    assert shown.matures_at is not None
    apr = rate(shown.blended_apr or ZERO)
    ends_at = milliseconds(shown.matures_at)

    def money(value: Any) -> str:
        return amount(value or ZERO, shown.asset, at.scales)

    return given(
        positionId=shown.position_id,
        parentPositionId=shown.renewed_from,
        projectId=shown.product,
        asset=shown.asset,
        amount=money(shown.principal),
        purchaseTime=milliseconds(shown.started_at),
        duration=count(row.term_days, types),
        accrualDays=count(shown.days_done, types),
        rewardAsset=shown.asset,
        APY=apr,
        apy=apr,
        rewardAmt=money(shown.rewards_earned),
        nextPay=money(shown.next_payout),
        nextPayDate=ends_at if shown.next_payout_at is None else milliseconds(shown.next_payout_at),
        payPeriod=count(row.term_days if shown.payout == "at_maturity" else 1, types),
        redeemAmountEarly=money(returned),
        rewardsEndDate=ends_at,
        deliverDate=ends_at,
        redeemPeriod=count(0, types),
        redeemTo=redeem_to(shown.at_maturity, shown.redeem_to, prefers_flexible),
        canRedeemEarly=returned is not None,
        canFastRedemption=False,
        autoSubscribe=shown.at_maturity == "renew",
        type="AUTO" if shown.renewed_from is not None else "NORMAL",
        status="REDEEMING" if shown.state == "matured" else "HOLDING",
        canReStake=True,
    )


def redeem_to(at_maturity: str, destination: str, prefers_flexible: bool) -> str:
    """Say where principal goes: on to flexible, or back; while it renews, where it is preferred to go."""
    if at_maturity == "to_flexible" or (at_maturity == "renew" and prefers_flexible):
        return "FLEXIBLE"
    return destination.upper()
