"""The receipt of one accrual day: everything a stranger needs to recompute it with a pencil (product.md rule 27).

`staddle.verify_receipt` does so; it shares no code with us. docs/operate/receipts.md describes every field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from staddle.accrual.rules import Rate, Span, basis_after, day_basis, paid_by
from staddle.days import DAY, distribution_at, format_instant, full_days, run_on_of
from staddle.db import Tx, queries
from staddle.errors import InvalidChoice, InvariantBroken, PositionNotFound, RewardNotFound
from staddle.ledger import kind_of
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, plain, plain_at
from staddle.positions.show import Standing, rate_in_force, standings_of
from staddle.positions.show_position import spans_of

sql = queries(__package__)
FORMAT = "staddle reward receipt 1"
Document = dict[str, Any]
"""A receipt as JSON has it: amounts and figures as plain strings, never floats; instants in UTC."""


@dataclass(frozen=True, slots=True)
class PaidDay:
    """A paid accrual day: what the position held on it, the rate in force at its start, and the sums around it."""

    standing: Standing
    day: int
    run_on: date
    span: Span
    rate: Rate
    basis_before: Decimal
    basis_after: Decimal
    reward: Any
    """The row of the reward; None where the day was too small to be paid a unit."""

    def paid_before(self) -> Decimal:
        """What the position had been paid in all before this day."""
        return paid_by(self.basis_before, self.standing.row.scale)

    def paid_after(self) -> Decimal:
        """What it has been paid in all with this day."""
        return paid_by(self.basis_after, self.standing.row.scale)


def receipt_of(
    tx: Tx,
    customer_id: int,
    position_id: int,
    now: datetime,
    *,
    day: int | None = None,
    run_on: date | None = None,
) -> Document:
    """Give the receipt of a paid accrual day, named by its number (the first is 1) or by the date of its run.

    Days paid with zero units have one too. Raises PositionNotFound; RewardNotFound for a day that is not paid;
    InvariantBroken if what the ledger says cannot be recomputed.
    """
    wanted = {"state": "all", "product": None, "position_id": position_id, "before": None, "count": 1}
    standings = standings_of(tx, customer_id, now, wanted)
    if not standings:
        raise PositionNotFound
    standing = standings[0]
    return document_of(paid_day(tx, standing, day_named(standing, day, run_on)))


def receipt_named(tx: Tx, customer_id: int, name: str, now: datetime) -> Document:
    """Give the receipt by the name that the position page shows: the position's id and the run date."""
    position_id, _, run_on = name.partition("-")
    if not (position_id.isascii() and position_id.isdigit() and len(position_id) < 19):
        raise RewardNotFound("A receipt is named by position and run date, such as 512-2026-01-31.")
    try:
        parsed = date.fromisoformat(run_on)
    except ValueError:
        raise RewardNotFound("A receipt is named by position and run date, such as 512-2026-01-31.") from None
    return receipt_of(tx, customer_id, int(position_id), now, run_on=parsed)


def day_named(standing: Standing, day: int | None, run_on: date | None) -> int:
    """Give the number of the day that is meant, which must have been paid."""
    if (day is None) == (run_on is None):
        raise InvalidChoice("Name either the accrual day or the run date.")
    if run_on is not None:
        day = full_days(standing.row.started_at, distribution_at(run_on, standing.distribution_time))
    assert day is not None
    if not 1 <= day <= standing.row.days_paid:
        raise RewardNotFound
    return day


def paid_day(tx: Tx, standing: Standing, day: int) -> PaidDay:
    """Find what a paid day earned on, and hold the ledger's row against the rules."""
    row = standing.row
    span = span_of_day(spans_of(tx, standing), day)
    rate = rate_in_force(standing.rates, row.started_at + (day - 1) * DAY)
    assert rate is not None
    run_on = run_on_of(row.started_at + day * DAY, standing.distribution_time)
    named = {"cell": row.cell, "position_id": row.position_id, "run_on": run_on}
    found = PaidDay(
        standing=standing,
        day=day,
        run_on=run_on,
        span=span,
        rate=rate,
        basis_before=basis_after(span, day - 1, standing.rates),
        basis_after=basis_after(span, day, standing.rates),
        reward=tx.execute(sql.reward_of_day, named).fetchone(),
    )
    amount = ZERO if found.reward is None else found.reward.amount
    if amount != found.paid_after() - found.paid_before():
        raise InvariantBroken(f"position {row.position_id}, day {day}: the ledger says {plain(amount)}")
    return found


def span_of_day(spans: Sequence[tuple[Span, int | None]], day: int) -> Span:
    """Find the stretch of a position's life that a day lies in."""
    return next(span for span, last_day in spans if last_day is None or day <= last_day)


def document_of(found: PaidDay) -> Document:
    """Write the receipt."""
    row, scale = found.standing.row, found.standing.row.scale
    day_from = row.started_at + (found.day - 1) * DAY
    distributed_at = distribution_at(found.run_on, found.standing.distribution_time)
    reward = found.reward
    return {
        "format": FORMAT,
        "receipt": f"{row.position_id}-{found.run_on}",
        "asset": row.asset,
        "scale": scale,
        "product": row.product,
        "terms_version": row.version,
        "position_id": str(row.position_id),
        "started_at": format_instant(row.started_at),
        "term_days": row.term_days,
        "day": found.day,
        "day_from": format_instant(day_from),
        "day_to": format_instant(day_from + DAY),
        "principal": plain_at(found.span.principal, scale),
        "older_principal": plain_at(found.span.tier_offset, scale),
        "rate": rate_document(found),
        "day_basis": figure(day_basis(found.span.principal, found.span.tier_offset, found.rate.tiers)),
        "day_interest": fraction(day_basis(found.span.principal, found.span.tier_offset, found.rate.tiers)),
        "basis_before": figure(found.basis_before),
        "basis_after": figure(found.basis_after),
        "paid_before": plain_at(found.paid_before(), scale),
        "paid_after": plain_at(found.paid_after(), scale),
        "carry_before": carry(found.basis_before, found.paid_before()),
        "carry_after": carry(found.basis_after, found.paid_after()),
        "amount": plain_at(found.paid_after() - found.paid_before(), scale),
        "run_on": found.run_on.isoformat(),
        "distributed_at": format_instant(distributed_at),
        "paid_by": None if reward is None else ("act" if reward.is_early else "run"),
        "paid_to": kind_of(row.reward_account).name.lower(),
        "account": str(row.reward_account),
        "forfeited": None if reward is None else plain_at(reward.forfeited, scale),
        "seal": seal_document(reward),
    }


def rate_document(found: PaidDay) -> Document:
    """Write the rate of the day, with what lay in each of its tiers; marginal, like tax brackets."""
    bottom, tiers = found.span.tier_offset, []
    top = EXACT.add(bottom, found.span.principal)
    for tier in found.rate.tiers:
        upper = top if tier.amount_to is None else min(top, tier.amount_to)
        amount = max(ZERO, EXACT.subtract(upper, max(bottom, tier.amount_from)))
        tiers.append(
            {
                "from": figure(tier.amount_from),
                "to": None if tier.amount_to is None else figure(tier.amount_to),
                "apr": figure(tier.apr),
                "amount": plain_at(amount, found.standing.row.scale),
                "amount_x_apr": figure(EXACT.multiply(amount, tier.apr)),
            }
        )
    return {
        "revision": found.rate.revision,
        "effective_at": format_instant(found.rate.effective_at),
        "is_locked": found.standing.row.locked_revision != 0,
        "tiers": tiers,
    }


def seal_document(reward: Any) -> Document | None:
    """Write which seal of the hash chain covers the reward, once one does."""
    if reward is None or reward.seal_number is None:
        return None
    return {
        "number": reward.seal_number,
        "hash": reward.seal_hash.hex(),
        "sealed_at": format_instant(reward.sealed_at),
    }


def carry(basis: Decimal, paid: Decimal) -> Document:
    """Write the undivided rest that is carried to the next day, below one unit of the asset (rule 3)."""
    return fraction(EXACT.subtract(basis, EXACT.multiply(paid, Decimal(DAYS_IN_YEAR))))


def fraction(numerator: Decimal) -> Document:
    """Write an amount divided by 365, exactly."""
    return {"numerator": figure(numerator), "denominator": DAYS_IN_YEAR}


def figure(number: Decimal) -> str:
    """Write a figure in full, without zeros that say nothing."""
    text = plain(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def receipt_json(receipt: Document) -> bytes:
    """Write a receipt as the file that a customer keeps."""
    return msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n"
