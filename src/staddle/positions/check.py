"""The checks of rule 13, each with a refusal of its own; pure functions over facts that were read before."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from staddle import errors
from staddle.accrual.rules import Rate
from staddle.days import DAY
from staddle.money import ZERO, check_scale, is_multiple, plain
from staddle.positions.facts import Offer


def check_open(offer: Offer, now: datetime) -> None:
    """Rule 13: is the product open for new positions?"""
    if offer.state != "live":
        raise errors.ProductClosed if offer.state in ("closed", "retired") else errors.ProductNotOpen
    if offer.subscribe_halt is not None:
        raise errors.SubscribingHalted(
            f"Subscribing is paused: {offer.subscribe_halt}", reason=offer.subscribe_halt
        )
    if now < offer.opens_at:
        raise errors.ProductNotYetOpen(opens_at=offer.opens_at)
    if offer.closes_at is not None and now >= offer.closes_at:
        raise errors.ProductClosed(closed_at=offer.closes_at)


def check_audience(offer: Offer, customer: Any, now: datetime) -> None:
    """Rule 13: is the product offered to this customer?"""
    if offer.countries_allowed is not None and customer.country not in offer.countries_allowed:
        raise errors.CountryNotServed
    if customer.country in offer.countries_excluded:
        raise errors.CountryNotServed
    if offer.new_customer_days is not None and now - customer.joined_at >= offer.new_customer_days * DAY:
        raise errors.NewCustomersOnly
    if customer.vip_level < offer.vip_level_min:
        raise errors.VipLevelTooLow(vip_level=offer.vip_level_min)


def check_agreement(accepted: int | None, version: int | None) -> None:
    """Rule 13: the version in force must be accepted in this request."""
    if accepted is None or version is None:
        raise errors.AgreementNotAccepted(version=version)
    if accepted != version:
        raise errors.AgreementOutdated(version=version)


def check_rate(offer: Offer, revision_seen: int | None, now: datetime) -> Rate:
    """There must be a rate, and it must be the one that the customer was shown."""
    rate = offer.rate_at(now)
    if rate is None:
        raise errors.NoRate
    if revision_seen is not None and revision_seen != rate.revision:
        raise errors.RateChanged(revision=rate.revision)
    return rate


def check_choice(offer: Offer, at_maturity: str | None) -> None:
    """Rule 8: what happens at maturity is the terms' choice unless the customer chooses."""
    if at_maturity is None:
        return
    if offer.term_days is None:
        raise errors.NotAFixedPosition("A flexible product has no maturity to choose for.")
    if at_maturity not in ("redeem", "renew", "to_flexible"):
        raise errors.InvalidChoice("At maturity: redeem, renew or to_flexible.")
    if at_maturity == "to_flexible" and offer.flexible_product_id is None:
        raise errors.InvalidChoice("This product names no flexible product to move to.")


def check_amount(offer: Offer, amount: Decimal, holding: Decimal, balance: Decimal) -> None:
    """Rule 13: scale, minimum, maximum, step, personal cap, quota, source balance, each with its own refusal."""
    check_scale(amount, offer.asset.scale)
    if amount < offer.amount_min:
        raise errors.BelowMinimum(
            f"The minimum is {plain(offer.amount_min)} {offer.asset.code}.", minimum=plain(offer.amount_min)
        )
    if offer.amount_max is not None and amount > offer.amount_max:
        raise errors.AboveMaximum(
            f"The maximum is {plain(offer.amount_max)} {offer.asset.code}.", maximum=plain(offer.amount_max)
        )
    if not is_multiple(amount, offer.step):
        raise errors.NotAMultipleOfStep(
            f"The step is {plain(offer.step)} {offer.asset.code}.", step=plain(offer.step)
        )
    if offer.personal_cap is not None and holding + amount > offer.personal_cap:
        left = max(ZERO, offer.personal_cap - holding)
        raise errors.PersonalCapReached(
            f"You can stake {plain(left)} {offer.asset.code} more.", left=plain(left)
        )
    quota_left = offer.quota_left()
    if quota_left is not None and amount > quota_left:
        raise errors.QuotaFull(f"{plain(quota_left)} {offer.asset.code} are left.", left=plain(quota_left))
    if amount > balance:
        raise errors.InsufficientFunds(
            f"The account holds {plain(balance)} {offer.asset.code}.", balance=plain(balance)
        )
