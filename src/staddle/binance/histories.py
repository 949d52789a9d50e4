"""What has passed: subscriptions, redemptions, rewards, rates. Every row is there once, and as soon as it happened."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from staddle.binance.asked import Asked, Page, Period, milliseconds
from staddle.binance.endpoint import Document, reads, rows
from staddle.binance.products import offer_of
from staddle.binance.values import amount, base_rate, given, rate
from staddle.days import DAY
from staddle.money import ZERO
from staddle.positions.passed import Ended, GivenBack, Opened, Wanted, ended, given_back, opened
from staddle.products.rates import rate_at, rate_history
from staddle.rewards.reached import Reached, reached_funding
from staddle.server.at import At

YEAR = timedelta(days=366)
REWARD_TYPES = {"BONUS": True, "REALTIME": False, "REWARDS": False, "ALL": True}
"""Which types of flexible rewards there are: all are paid out daily and never added to what is staked."""
ENDINGS = {"maturity": "MATURE", "to_flexible": "NEW_TRANSFERRED", "early_redemption": "AHEAD"}
ACCOUNTS = {"spot": "SPOT", "funding": "FUNDING"}
PERIODS = {"DAY": "DAY", "YEAR": "YEAR"}


@reads("/flexible/history/subscriptionRecord", weight=150)
def flexible_subscriptions(at: At, asked: Asked) -> Document:
    """List what was subscribed to flexible products, newest first."""
    found = opened(at.tx, at.customer_id, False, wanted(at, asked, number="purchaseId", product="productId"))
    return rows([flexible_subscription(at, each) for each in found.rows], found.total)


@reads("/locked/history/subscriptionRecord", weight=150, product=-6020)
def locked_subscriptions(at: At, asked: Asked) -> Document:
    """List what was subscribed to fixed terms, newest first."""
    found = opened(at.tx, at.customer_id, True, wanted(at, asked, number="purchaseId"))
    return rows([locked_subscription(at, each) for each in found.rows], found.total)


@reads("/flexible/history/redemptionRecord", weight=150)
def flexible_redemptions(at: At, asked: Asked) -> Document:
    """List what was redeemed from flexible products, newest first."""
    found = given_back(at.tx, at.customer_id, wanted(at, asked, number="redeemId", product="productId"))
    return rows([flexible_redemption(at, each) for each in found.rows], found.total)


@reads("/locked/history/redemptionRecord", weight=150, product=-6020)
def locked_redemptions(at: At, asked: Asked) -> Document:
    """List how fixed terms have ended, newest first."""
    found = ended(at.tx, at.customer_id, wanted(at, asked, number="redeemId"))
    return rows([locked_redemption(at, each) for each in found.rows], found.total)


@reads("/flexible/history/rewardsRecord", weight=150)
def flexible_rewards(at: At, asked: Asked) -> Document:
    """List the rewards of flexible products, newest first: what one product paid at one moment is one row."""
    which = wanted(at, asked, product="productId")
    if not asked.choice("type", REWARD_TYPES, "ALL"):
        return rows([], 0)
    found = reached_funding(at.tx, at.customer_id, False, which)
    return rows([flexible_reward(at, each) for each in found.rows], found.total)


@reads("/locked/history/rewardsRecord", weight=150, product=-6020)
def locked_rewards(at: At, asked: Asked) -> Document:
    """List the rewards of fixed terms, newest first: what one position was paid at one moment is one row."""
    found = reached_funding(at.tx, at.customer_id, True, wanted(at, asked))
    return rows([locked_reward(at, each) for each in found.rows], found.total)


@reads("/flexible/history/rateHistory", weight=150)
def rate_record(at: At, asked: Asked) -> Document:
    """List how the rate of a product has gone, newest first: at each change, and at the start of each day (UTC)."""
    code = asked.text("productId")
    asked.choice("aprPeriod", PERIODS, "DAY")
    period, page = asked.period(at.now, longest=YEAR), asked.page()
    offer = offer_of(at, code, "flexible")
    rates = [each.rate for each in rate_history(at.tx, code)]
    until = min(period.until_at, at.now + timedelta(milliseconds=1))
    instants = {each.effective_at for each in rates if period.from_at <= each.effective_at < until}
    instants |= set(days_of(Period(max(period.from_at, rates[0].effective_at), until)))
    found = sorted(instants, reverse=True)
    some = []
    for instant in found[page.offset : page.offset + page.limit]:
        in_force = rate_at(rates, instant)
        assert in_force is not None
        figures = {"annualPercentageRate": rate(base_rate(in_force.tiers)), "time": milliseconds(instant)}
        some.append({"productId": code, "asset": offer.asset, **figures})
    return {"rows": some, "total": str(len(found))}


@reads("/flexible/history/collateralRecord", weight=1)
def collateral_record(at: At, asked: Asked) -> Document:
    """List what was pledged for loans: nothing, for there are no loans here."""
    asked.maybe("productId")
    asked.period(at.now)
    asked.page()
    return {"rows": [], "total": "0"}


def wanted(at: At, asked: Asked, number: str | None = None, product: str | None = None) -> Wanted:
    """Read which rows are wanted; `number` and `product` are the names of the parameters that say so."""
    period, page = asked.period(at.now), asked.page()
    return filled(asked, period, page, number, product)


def filled(asked: Asked, period: Period, page: Page, number: str | None, product: str | None) -> Wanted:
    """Put together what was read."""
    return Wanted(
        from_at=period.from_at,
        until_at=period.until_at,
        limit=page.limit,
        offset=page.offset,
        asset=asked.maybe("asset"),
        product=None if product is None else asked.maybe(product),
        position_id=asked.number("positionId"),
        number=None if number is None else asked.number(number),
    )


def days_of(period: Period) -> list[datetime]:
    """Give the starts of days, by UTC, from an instant on and before another."""
    first = datetime.combine(period.from_at.date(), time(), UTC)
    first = first if first == period.from_at else first + DAY
    return [first + number * DAY for number in range(max(0, -((first - period.until_at) // DAY)))]


def paid_from(each: Opened) -> Document:
    """Write which accounts paid; principal that came out of another position was paid by none."""
    names = [name for name, part in (("SPOT", each.from_spot), ("FUNDING", each.from_funding)) if part]
    return given(sourceAccount="AND".join(names) or None)


def purchase(at: At, each: Opened, kind: str) -> Document:
    """Write what all subscriptions have."""
    return {
        "time": milliseconds(each.at),
        "asset": each.asset,
        "amount": amount(each.amount, each.asset, at.scales),
        "type": kind,
        **paid_from(each),
        "amtFromSpot": amount(each.from_spot, each.asset, at.scales),
        "amtFromFunding": amount(each.from_funding, each.asset, at.scales),
        "status": "SUCCESS",
    }


def flexible_subscription(at: At, each: Opened) -> Document:
    """Write a subscription to a flexible product; the number of a purchase is that of its position."""
    is_auto = each.request_key.startswith("auto:")
    kind = "CONVERT" if each.renewed_from is not None else "AUTO" if is_auto else "NORMAL"
    return {"purchaseId": each.position_id, "productId": each.product, **purchase(at, each, kind)}


def locked_subscription(at: At, each: Opened) -> Document:
    """Write a subscription to a fixed term."""
    return {
        "positionId": each.position_id,
        "purchaseId": str(each.position_id),
        "projectId": each.product,
        "lockPeriod": str(each.term_days),
        **purchase(at, each, "NORMAL" if each.renewed_from is None else "RESTAKE"),
    }


def flexible_redemption(at: At, each: GivenBack) -> Document:
    """Write a redemption from a flexible product."""
    return {
        "amount": amount(each.amount, each.asset, at.scales),
        "asset": each.asset,
        "time": milliseconds(each.at),
        "projectId": each.product,
        "productId": each.product,
        "redeemId": each.act_id,
        "destAccount": ACCOUNTS[each.destination],
        "status": "PAID",
    }


def locked_redemption(at: At, each: Ended) -> Document:
    """Write how a fixed term has ended; the number of a redemption is that of its position."""

    def money(value: Any) -> str:
        return amount(value, each.asset, at.scales)

    return {
        "positionId": each.position_id,
        "redeemId": each.position_id,
        "time": milliseconds(each.at),
        "asset": each.asset,
        "lockPeriod": str(each.term_days),
        "amount": money(each.amount),
        "originalAmount": money(each.opened_principal),
        "type": ENDINGS[each.ended_by],
        "deliverDate": milliseconds(each.at),
        "lossAmount": money(each.forfeited),
        "isComplete": True,
        "rewardAsset": each.asset,
        "rewardAmt": money(max(ZERO, each.earned - each.forfeited)),
        "status": "PAID",
    }


def flexible_reward(at: At, each: Reached) -> Document:
    """Write what a flexible product paid at one moment."""
    return {
        "asset": each.asset,
        "rewards": amount(each.amount, each.asset, at.scales),
        "projectId": each.product,
        "productId": each.product,
        "type": "BONUS",
        "time": milliseconds(each.at),
    }


def locked_reward(at: At, each: Reached) -> Document:
    """Write what a fixed term was paid at one moment."""
    return {
        "positionId": each.position_id,
        "time": milliseconds(each.at),
        "asset": each.asset,
        "lockPeriod": str(each.term_days),
        "amount": amount(each.amount, each.asset, at.scales),
        "type": "Locked Rewards",
    }
