"""What leaving a fixed-term position early would return now, as `ask_to_leave` would quote it; nothing is kept."""

from decimal import Decimal

from staddle.days import distribution_at, full_days, last_run_on
from staddle.money import ZERO
from staddle.positions.leave_early import rewards_kept
from staddle.positions.show import Standing


def returned_early(standing: Standing) -> Decimal | None:
    """Give the principal that would come back; None where the position may not be left now.

    Days count as they do in a quote: those that a punctual run would have paid, under `reduced_apr` all of them.
    """
    row, now = standing.row, standing.now
    is_matured = row.matures_at is None or row.matures_at <= now
    if is_matured or row.early_redemption == "not_allowed" or row.redeem_halt is not None or row.is_held_up:
        return None
    principal: Decimal = row.principal
    if row.payout == "at_maturity":
        return principal
    at = standing.distribution_time
    through = now if row.early_redemption == "reduced_apr" else distribution_at(last_run_on(now, at), at)
    days = max(row.days_paid, min(full_days(row.started_at, through), row.term_days))
    rewards = standing.paid_after(days)
    kept = rewards_kept(row, rewards, full_days(row.started_at, now), row.scale)
    return max(ZERO, principal - (rewards - kept))
