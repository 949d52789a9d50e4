"""The realised APR of a product: what its holders were really paid, beside what was displayed (product.md rule 11)."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from staddle.days import DAY, distribution_at
from staddle.db import Tx, queries
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit
from staddle.positions.facts import distribution_time
from staddle.products import Rate, find_product, headline_apr, rate_at, rates_of

sql = queries(__package__)
WINDOW = timedelta(days=30)
APR_SCALE = 8


class RealisedApr(msgspec.Struct, frozen=True, kw_only=True):
    """What holders were paid in the last 30 finished distributions, as an APR, beside the APR that was displayed.

    `realised_apr` = `rewards` x 365 / `principal_days`, cut at 8 decimals. `rewards` is what the distributions of the
    run dates `from_on` to `to_on` paid for this product: by the runs, and before them by acts that settled. An accrual
    of a product that pays at maturity counts; parked positions do not, neither their rewards nor their days. What
    early redemptions took back later is not subtracted: that is a term of the product and not its rate.
    `principal_days` is the principal of each accrual day that these rewards are for, added up.
    `displayed_apr` is the headline APR, "up to" where there are tiers, in force a day before each of these
    distributions, as their mean cut at 8 decimals. Both are null where nothing was held or no rate was in force.
    """

    product: str
    asset: str
    from_on: date | None
    to_on: date | None
    rewards: Decimal
    principal_days: Decimal
    realised_apr: Decimal | None
    displayed_apr: Decimal | None


def last_finished_run(tx: Tx) -> date | None:
    """Give the date of the last finished run: until the next one, realised APRs stay what they are."""
    row = tx.execute(sql.last_finished_run).fetchone()
    last: date | None = None if row is None else row.run_on
    return last


def realised_apr(tx: Tx, code: str, asset: str) -> RealisedApr:
    """Work out a product's realised APR over the last 30 finished distributions; raises ProductNotFound.

    It looks at every position of the product once.
    """
    product, last = find_product(tx, code), last_finished_run(tx)
    if last is None:
        return RealisedApr(
            product=code,
            asset=asset,
            from_on=None,
            to_on=None,
            rewards=ZERO,
            principal_days=ZERO,
            realised_apr=None,
            displayed_apr=None,
        )
    at, first = distribution_time(tx), last - WINDOW + timedelta(days=1)
    period = {"product_id": product.product_id, "first_run_on": first, "last_run_on": last}
    through = {"from_at": distribution_at(first, at) - DAY, "through_at": distribution_at(last, at)}
    paid = tx.execute(sql.realised_rewards, period).fetchone()
    held = tx.execute(sql.principal_days, {"product_id": product.product_id, **through}).fetchone()
    rewards, principal_days = (ZERO if row is None else row.amount for row in (paid, held))
    return RealisedApr(
        product=code,
        asset=asset,
        from_on=first,
        to_on=last,
        rewards=rewards,
        principal_days=principal_days,
        realised_apr=apr_of(rewards, principal_days),
        displayed_apr=displayed_apr(rates_of(tx, product.product_id), first, last, at),
    )


def apr_of(rewards: Decimal, principal_days: Decimal) -> Decimal | None:
    """Give rewards a year for each coin, cut at 8 decimals; None where no coin was held for a day."""
    if principal_days == 0:
        return None
    return floor_to_unit(EXACT.multiply(rewards, Decimal(DAYS_IN_YEAR)), principal_days, APR_SCALE)


def displayed_apr(rates: tuple[Rate, ...], first: date, last: date, at: time) -> Decimal | None:
    """Give the mean of the headline APRs that were in force a day before each distribution, where one was."""
    instants: list[datetime] = []
    while first <= last:
        instants.append(distribution_at(first, at) - DAY)
        first += timedelta(days=1)
    found = [rate for instant in instants if (rate := rate_at(rates, instant)) is not None]
    total = sum((headline_apr(rate.tiers) for rate in found), ZERO)
    return floor_to_unit(total, len(found), APR_SCALE) if found else None
