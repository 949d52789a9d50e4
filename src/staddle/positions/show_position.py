"""One position in full: where it stands, its rates since it started, every reward with its receipt (rule 26)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.accrual.rules import Rate, Span, Tier, blended_apr, headline_apr
from staddle.days import DAY, run_on_of
from staddle.db import Tx, queries
from staddle.errors import PositionNotFound
from staddle.ledger import cell_of
from staddle.positions.show import ShownPosition, Standing, show, standings_of

sql = queries(__package__)


class RateStretch(msgspec.Struct, frozen=True, kw_only=True):
    """From when on the position had, or will have, which APR: a revision began, or what it holds changed."""

    from_at: datetime
    revision: int
    headline_apr: Decimal
    blended_apr: Decimal
    principal: Decimal


class ShownReward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward that was paid for one accrual day. `forfeited` is how much of it an early redemption took back."""

    receipt: str
    """Names the receipt: the position's id and the run date."""
    day: int
    run_on: date
    amount: Decimal
    is_early: bool
    forfeited: Decimal


class PositionInFull(msgspec.Struct, frozen=True, kw_only=True):
    """The position page. `tiers` are those in force; `rewards` are the newest first; days too small to be paid a unit
    have none, and have a receipt all the same.
    """

    asset: str
    position: ShownPosition
    tiers: tuple[Tier, ...]
    rates: list[RateStretch]
    renewed_as: int | None
    rewards: list[ShownReward]


def position_of(tx: Tx, customer_id: int, position_id: int, now: datetime) -> PositionInFull:
    """Read everything about a position of this customer; raises PositionNotFound."""
    wanted = {"state": "all", "product": None, "position_id": position_id, "before": None, "count": 1}
    found = standings_of(tx, customer_id, now, wanted)
    if not found:
        raise PositionNotFound
    standing, shown = found[0], show(found[0])
    named = {"cell": cell_of(customer_id), "customer_id": customer_id, "position_id": position_id}
    renewed = tx.execute(sql.renewed_as, named).fetchone()
    in_force = [rate.tiers for rate in standing.rates if rate.revision == shown.revision]
    return PositionInFull(
        asset=shown.asset,
        position=shown,
        tiers=in_force[0] if in_force else (),
        rates=rate_stretches(spans_of(tx, standing), standing.rates),
        renewed_as=None if renewed is None else renewed.position_id,
        rewards=rewards_of(tx, standing),
    )


def spans_of(tx: Tx, standing: Standing) -> list[tuple[Span, int | None]]:
    """Read the stretches of a position's life, oldest first, each with its last day (None: the running one); those in
    which no day was completed are left out.
    """
    row = standing.row
    past = tx.execute(sql.past_of_position, {"cell": row.cell, "position_id": row.position_id}).fetchall()
    spans: list[tuple[Span, int | None]] = [
        (Span(row.started_at, old.principal, old.tier_offset, old.from_days, old.from_basis), old.to_days)
        for old in past
        if old.to_days > old.from_days
    ]
    if row.ended_at is None:
        spans.append((standing.span(), None))
    return spans


def rate_stretches(spans: Sequence[tuple[Span, int | None]], rates: Sequence[Rate]) -> list[RateStretch]:
    """Lay the rates over the stretches of a position's life, those announced for the future too.

    An accrual day has the APR in force at its start; here a stretch begins when the revision does.
    """
    stretches = []
    for span, last_day in spans:
        begins = span.started_at + span.anchor_days * DAY
        ends = None if last_day is None else span.started_at + last_day * DAY
        for number, rate in enumerate(rates):
            is_last = number + 1 == len(rates)
            from_at = begins if number == 0 else max(begins, rate.effective_at)
            if (not is_last and rates[number + 1].effective_at <= from_at) or (ends and from_at >= ends):
                continue
            stretches.append(
                RateStretch(
                    from_at=from_at,
                    revision=rate.revision,
                    headline_apr=headline_apr(rate.tiers),
                    blended_apr=blended_apr(span.principal, span.tier_offset, rate.tiers),
                    principal=span.principal,
                )
            )
    return stretches


def rewards_of(tx: Tx, standing: Standing) -> list[ShownReward]:
    """Read every reward of a position, newest first."""
    row, at = standing.row, standing.distribution_time
    last = row.started_at + max(row.days_paid, 1) * DAY
    rows = tx.execute(
        sql.rewards_received,
        {
            "cell": row.cell,
            "position_id": row.position_id,
            "first_run_on": run_on_of(row.started_at + DAY, at),
            "last_run_on": run_on_of(last, at),
        },
    ).fetchall()
    first_run_on = run_on_of(row.started_at + DAY, at)
    return [
        ShownReward(
            receipt=f"{row.position_id}-{reward.run_on}",
            day=(reward.run_on - first_run_on).days + 1,
            run_on=reward.run_on,
            amount=reward.amount,
            is_early=reward.is_early,
            forfeited=reward.forfeited,
        )
        for reward in rows
    ]
