"""What a position earns: the rules in pure Python, the oracle of their SQL twin (product.md rules 2, 3, 5, 6).

A **basis** is an undivided sum over accrual days of (tier amount x APR): a finite decimal. What has been paid on a
position is always floor(basis / 365) at the asset's scale, so nothing is lost to rounding and nothing is paid twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle.days import days_begun_before
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit
from staddle.products.rates import Rate, Tier, headline_apr

__all__ = [
    "Rate",
    "Span",
    "Tier",
    "basis_after",
    "blend",
    "blended_apr",
    "day_basis",
    "headline_apr",
    "paid_by",
    "reward_of_day",
]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a position's life in which its principal and tiers stay the same.

    It begins after `anchor_days` accrual days with the sum `anchor_basis` behind it; `tier_offset` is the principal
    of the older positions of the holding, which fill the lower tiers first.
    """

    started_at: datetime
    principal: Decimal
    tier_offset: Decimal
    anchor_days: int
    anchor_basis: Decimal


def day_basis(principal: Decimal, tier_offset: Decimal, tiers: Sequence[Tier]) -> Decimal:
    """Give the sum over tiers of (amount in the tier x APR) for one accrual day; marginal, like tax brackets."""
    top = EXACT.add(tier_offset, principal)
    basis = ZERO
    for tier in tiers:
        if tier.amount_from >= top:
            break
        upper = top if tier.amount_to is None else min(top, tier.amount_to)
        amount = EXACT.subtract(upper, max(tier_offset, tier.amount_from))
        if amount > 0:
            basis = EXACT.add(basis, EXACT.multiply(amount, tier.apr))
    return basis


def basis_after(span: Span, days: int, rates: Sequence[Rate]) -> Decimal:
    """Give the basis S(days) of a position, for `days` >= the span's anchor.

    `rates` are in order of `effective_at`. A day earns the APR in force at its start (rule 6); days that begin
    before the first rate earn nothing, which callers refuse long before.
    """
    basis = span.anchor_basis
    for index, rate in enumerate(rates):
        first = max(days_begun_before(span.started_at, rate.effective_at), span.anchor_days)
        last = days
        if index + 1 < len(rates):
            last = min(days, days_begun_before(span.started_at, rates[index + 1].effective_at))
        if last > first:
            one_day = day_basis(span.principal, span.tier_offset, rate.tiers)
            basis = EXACT.add(basis, EXACT.multiply(one_day, Decimal(last - first)))
    return basis


def paid_by(basis: Decimal, scale: int) -> Decimal:
    """Give what a position with this basis has been paid in all: floor(basis / 365) at the asset's scale (rule 3)."""
    return floor_to_unit(basis, DAYS_IN_YEAR, scale)


def reward_of_day(span: Span, day: int, rates: Sequence[Rate], scale: int) -> Decimal:
    """Give the reward of accrual day `day` (the first is 1): the growth of what has been paid."""
    before = paid_by(basis_after(span, day - 1, rates), scale)
    return EXACT.subtract(paid_by(basis_after(span, day, rates), scale), before)


def blended_apr(principal: Decimal, tier_offset: Decimal, tiers: Sequence[Tier]) -> Decimal:
    """Give the APR that this amount really gets over its tiers, cut at eight decimals (rule 11)."""
    return ZERO if principal == 0 else blend(day_basis(principal, tier_offset, tiers), principal)


def blend(one_day: Decimal, principal: Decimal) -> Decimal:
    """Give the APR of a principal above zero from the basis of one day of it, cut at eight decimals (rule 11)."""
    return floor_to_unit(one_day, principal, 8)
