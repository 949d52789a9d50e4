"""What a customer sees of their positions: where each stands, what it earns, what comes next (product.md rule 26).

Everything is read by index of one customer and worked out by the pure rules; nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import msgspec

from staddle.accrual.rules import Rate, Span, basis_after, blended_apr, headline_apr, paid_by
from staddle.days import DAY, distribution_at, full_days, run_on_of
from staddle.db import Tx, queries
from staddle.errors import InvalidChoice
from staddle.ledger import cell_of
from staddle.money import ZERO
from staddle.positions.facts import distribution_time, rates_of

sql = queries(__package__)
STATES = ("open", "ended", "all")


class ShownPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position as it stands at an instant; amounts in `asset`, APRs as fractions, instants in UTC.

    `state` is open, matured (reached its maturity, not carried out yet) or ended. `rewards_earned` is what its paid
    days have brought, of which `rewards_accrued` waits for maturity (rule 18), `rewards_paid` reached Funding and
    `rewards_forfeited` was taken back by an early redemption; `rewards_due` is for days that are completed and not
    paid yet. `next_payout_at` lies in the past while a run is late; `next_payout` is exact at the rates announced.
    """

    position_id: int
    product: str
    product_name: str
    kind: str
    asset: str
    scale: int
    state: str
    principal: Decimal
    opened_principal: Decimal
    started_at: datetime
    term_days: int | None
    matures_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    is_parked: bool
    rate_policy: str
    revision: int | None
    headline_apr: Decimal | None
    blended_apr: Decimal | None
    days_done: int
    days_paid: int
    progress_seconds: int | None
    """Seconds of the term that have gone by, of `term_seconds`: the exact fraction of a progress bar."""
    term_seconds: int | None
    day_ends_at: datetime | None
    """When the running accrual day completes; each has 24 hours from the start."""
    next_payout_at: datetime | None
    next_payout: Decimal | None
    payout: str
    rewards_earned: Decimal
    rewards_accrued: Decimal
    rewards_paid: Decimal
    rewards_forfeited: Decimal
    rewards_due: Decimal
    early_redemption: str
    at_maturity: str
    redeem_to: str
    renewed_from: int | None


OF_ROW = (
    "position_id", "product", "product_name", "kind", "asset", "scale", "principal", "opened_principal", "started_at",
    "term_days", "matures_at", "ended_at", "ended_by", "is_parked", "rate_policy", "days_paid", "payout",
    "rewards_forfeited", "early_redemption", "at_maturity", "redeem_to", "renewed_from",
)  # fmt: skip
"""What is shown as the row has it; all else is worked out."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A position's row, the rates that it follows, and the time of day at which rewards are distributed."""

    row: Any
    rates: tuple[Rate, ...]
    distribution_time: time
    now: datetime

    def span(self) -> Span:
        """Give the stretch of its life that the position is in."""
        row = self.row
        return Span(row.started_at, row.principal, row.tier_offset, row.anchor_days, row.anchor_basis)

    def paid_after(self, days: int) -> Decimal:
        """Give what the position has been paid in all after so many days, no fewer than its anchor's."""
        return paid_by(basis_after(self.span(), days, self.rates), self.row.scale)

    def days_done(self) -> int:
        """Count the completed accrual days: nothing accrues after maturity or the end (rule 6)."""
        days = full_days(self.row.started_at, min(self.now, self.row.ended_at or self.now))
        return days if self.row.term_days is None else min(days, self.row.term_days)


def positions_of(
    tx: Tx,
    customer_id: int,
    now: datetime,
    state: str = "open",
    product: str | None = None,
    before: int | None = None,
    count: int = 100,
) -> list[ShownPosition]:
    """Read a customer's positions, newest first: `state` open, ended or all, those of one product if asked.

    At most `count` of them; the next page begins `before` the last one's id. Raises InvalidChoice.
    """
    if state not in STATES:
        raise InvalidChoice("Positions are open, ended or all.")
    wanted = {"state": state, "product": product, "position_id": None, "before": before, "count": count}
    return [show(standing) for standing in standings_of(tx, customer_id, now, wanted)]


def standings_of(tx: Tx, customer_id: int, now: datetime, wanted: Mapping[str, object]) -> list[Standing]:
    """Read the positions of a customer that are wanted, with their rates, in three statements for any number."""
    customer = {"cell": cell_of(customer_id), "customer_id": customer_id}
    rows = tx.execute(sql.shown_positions, {"position_ids": None, **customer, **wanted}).fetchall()
    if not rows:
        return []
    rates = rates_of(tx, {row.product_id for row in rows})
    at = distribution_time(tx)
    return [
        Standing(row, rates_followed(rates.get(row.product_id, ()), row.locked_revision), at, now)
        for row in rows
    ]


def rates_followed(rates: Sequence[Rate], locked_revision: int) -> tuple[Rate, ...]:
    """Give the rates that a position follows: all revisions, or the one it is locked to (rule 10)."""
    return tuple(rate for rate in rates if locked_revision in (0, rate.revision))


def rate_in_force(rates: Sequence[Rate], instant: datetime) -> Rate | None:
    """Give the newest of some rates at an instant; the first of them where none has begun."""
    begun = [rate for rate in rates if rate.effective_at <= instant]
    return begun[-1] if begun else next(iter(rates), None)


def show(standing: Standing) -> ShownPosition:
    """Say where a position stands."""
    row = standing.row
    fields = {name: getattr(row, name) for name in OF_ROW}
    fields |= rate_figures(standing) | clock_figures(standing) | reward_figures(standing)
    return ShownPosition(**fields, state=state_of(standing))


def state_of(standing: Standing) -> str:
    """Say whether the position is open, matured or ended."""
    if standing.row.ended_at is not None:
        return "ended"
    is_matured = standing.row.matures_at is not None and standing.row.matures_at <= standing.now
    return "matured" if is_matured else "open"


def rate_figures(standing: Standing) -> dict[str, Any]:
    """The APR now: the highest of the tiers, and what this principal gets over the tiers it fills (rule 11)."""
    row = standing.row
    rate = rate_in_force(standing.rates, standing.now)
    if row.ended_at is not None or rate is None:
        return {"revision": None, "headline_apr": None, "blended_apr": None}
    return {
        "revision": rate.revision,
        "headline_apr": headline_apr(rate.tiers),
        "blended_apr": blended_apr(row.principal, row.tier_offset, rate.tiers),
    }


def clock_figures(standing: Standing) -> dict[str, Any]:
    """The days done, the progress of the term, and when the running day completes."""
    row, days_done = standing.row, standing.days_done()
    figures: dict[str, Any] = {
        "days_done": days_done,
        "progress_seconds": None,
        "term_seconds": None,
        "day_ends_at": None,
    }
    if row.matures_at is not None:
        until = min(standing.now, row.matures_at, row.ended_at or standing.now)
        figures["progress_seconds"] = max(0, int((until - row.started_at).total_seconds()))
        figures["term_seconds"] = int((row.matures_at - row.started_at).total_seconds())
    if row.ended_at is None and days_done != row.term_days:
        figures["day_ends_at"] = row.started_at + (days_done + 1) * DAY
    return figures


def reward_figures(standing: Standing) -> dict[str, Any]:
    """What the position has earned, and what it is paid next."""
    row = standing.row
    earned = standing.paid_after(row.days_paid)
    is_open = row.ended_at is None
    waits = is_open and row.payout == "at_maturity"
    days_done = standing.days_done()
    due = standing.paid_after(days_done) - earned if is_open and days_done > row.days_paid else ZERO
    at, amount = next_payout(standing, earned) if is_open else (None, None)
    # Where rewards wait for maturity, what is forfeited never reached Funding.
    kept = earned - row.rewards_forfeited if row.payout == "at_maturity" else earned
    return {
        "rewards_earned": earned,
        "rewards_accrued": earned if waits else ZERO,
        "rewards_paid": ZERO if waits else kept,
        "rewards_due": due,
        "next_payout_at": at,
        "next_payout": amount,
    }


def next_payout(standing: Standing, earned: Decimal) -> tuple[datetime | None, Decimal | None]:
    """Say when the next unpaid day is paid, and how much that is; all at once where rewards wait for maturity."""
    row = standing.row
    if row.payout == "at_maturity":
        return row.matures_at, standing.paid_after(row.term_days)
    day = row.days_paid + 1
    if row.term_days is not None and day > row.term_days:
        return None, None
    completed_at = row.started_at + day * DAY
    at = distribution_at(run_on_of(completed_at, standing.distribution_time), standing.distribution_time)
    # The last day of a term is paid with the principal, as soon as the maturity is noticed.
    at = row.matures_at if day == row.term_days else at
    return at, standing.paid_after(day) - earned
