"""What is known today about the days to come: who earns at which rate until when, from one pass over the positions.

Positions that will cost the same on the same days are one group. An accrual day earns the rate in force at its start
(rule 6), so groups are told apart by where in the day they begin only where a rate changes at that hour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from staddle.days import DAY, distribution_at, run_on_of
from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.money import EXACT, ZERO
from staddle.products import Rate, Tier, rate_at
from staddle.treasury.standing import Tiers, line_at

sql = queries(__package__)
MOMENT = timedelta(microseconds=1)
DAYS_MAX = 120


@dataclass(frozen=True, slots=True)
class Group:
    """Positions that earn alike. Dates are those of distributions: the first that pays them something that is not paid
    yet, and the last, with which a fixed term is complete. `matures_on` is the day, in UTC, of the maturity itself.
    """

    product_id: int
    version: int
    locked_revision: int
    at_maturity: str
    term_days: int | None
    first_on: date
    last_on: date | None
    matures_on: date | None
    began_on: date | None
    """The distribution at or after which they began; None where it no longer matters."""
    phase: timedelta
    """Where in the 24 hours up to a distribution they begin, as far as any rate cares."""
    anchor_days: int
    anchor_basis: Decimal
    top_from: Decimal
    offset_from: Decimal
    positions: int
    principal: Decimal
    offset: Decimal
    is_renewed: bool = False
    """Whether they do not exist yet: the principal of a position that will mature, under its next terms."""


@dataclass(frozen=True, slots=True)
class OutlookProduct:
    """What decides where the principal of a product goes at maturity: the terms in force."""

    product_id: int
    asset_id: int
    code: str
    kind: str
    is_open: bool
    term_days: int | None
    rate_policy: str | None
    flexible_product_id: int | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the foresight of an asset, or of all, is worked out from."""

    today: date
    paid_on: date
    """The last distribution that every cell has been paid."""
    distribution_time: time
    groups: tuple[Group, ...]
    products: dict[int, OutlookProduct]
    rates: dict[int, tuple[Rate, ...]]
    early: dict[tuple[int, int], Any]

    def day_start(self, on: date, phase: timedelta) -> datetime:
        """Give the instant at which the accrual day began that the distribution of a date pays."""
        return distribution_at(on, self.distribution_time) - 2 * DAY + phase

    def tiers_of(self, group: Group, on: date) -> Tiers:
        """Give the tiers at which a group earns what the distribution of a date pays."""
        rates = self.rates.get(group.product_id, ())
        if group.locked_revision:
            return next((each.tiers for each in rates if each.revision == group.locked_revision), ())
        found = rate_at(rates, self.day_start(on, group.phase))
        return () if found is None else found.tiers


@dataclass(frozen=True, slots=True)
class KeptGroups:
    """The groups of all assets as they were read before, and what they were told apart by."""

    paid_until: datetime
    phases: tuple[timedelta, ...]
    bounds: tuple[Decimal, ...]
    groups: tuple[Group, ...]

    def tell_apart(self, paid_until: datetime, phases: list[timedelta], bounds: list[Decimal]) -> bool:
        """Say whether they can be told apart by all that is asked for; by more does no harm."""
        is_as_fine = set(phases) <= set(self.phases) and set(bounds) <= set(self.bounds)
        return self.paid_until == paid_until and is_as_fine


def read_outlook(
    tx: Tx,
    now: datetime,
    asset_id: int | None = None,
    days: int = DAYS_MAX,
    changes: Iterable[datetime] = (),
    kept: KeptGroups | None = None,
) -> Outlook:
    """Read what the next days are worked out from. `changes` are instants at which a rate is supposed to change.

    `kept` is what was read before, in the place of one more pass over the positions, where it says enough.
    """
    at = find_desk(tx).distribution_time
    row = tx.execute(sql.paid_until).fetchone()
    assert row is not None
    paid_until: datetime = row.watermark_at.astimezone(UTC)
    paid_on = run_on_of(paid_until, at)
    rates = all_rates(tx)
    products = {
        each.product_id: OutlookProduct(*each) for each in tx.execute(sql.outlook_products).fetchall()
    }
    in_asset = [each for each in products.values() if asset_id in (None, each.asset_id)]
    revisions = [rate for each in in_asset for rate in rates.get(each.product_id, ())]
    bounds = sorted({ZERO, *(tier.amount_from for rate in revisions for tier in rate.tiers)})
    horizon = now + (days + 2) * DAY
    fixed_floats = any(each.kind == "fixed" for each in in_asset)
    relevant = [
        rate.effective_at
        for rate in revisions
        if rate.effective_at <= horizon and (fixed_floats or rate.effective_at > paid_until - 2 * DAY)
    ]
    phases = sorted({phase_of(each, at) for each in (*relevant, *changes)})
    if kept is not None and kept.tell_apart(paid_until, phases, bounds):
        ours = {each.product_id for each in in_asset}
        groups = tuple(each for each in kept.groups if each.product_id in ours)
    else:
        groups = read_groups(tx, paid_until, at, phases, bounds, asset_id)
    return Outlook(
        today=now.astimezone(UTC).date(),
        paid_on=paid_on,
        distribution_time=at,
        groups=groups,
        products=products,
        rates=rates,
        early={(each.product_id, each.version): each for each in tx.execute(sql.early_terms).fetchall()},
    )


def read_groups(
    tx: Tx,
    paid_until: datetime,
    distribution_time: time,
    phases: Sequence[timedelta],
    bounds: Sequence[Decimal],
    asset_id: int | None,
) -> tuple[Group, ...]:
    """Put the open positions of an asset, or of all, into groups; reads each of them once."""
    tx.execute(sql.expect_a_few_sums)
    named = {
        "paid_until": paid_until,
        "distribution_time": distribution_time,
        "phases": list(phases),
        "bounds": list(bounds),
        "asset_id": asset_id,
    }
    paid_on = run_on_of(paid_until, distribution_time)
    rows = tx.execute(sql.outlook, named).fetchall()
    flexible = tx.execute(sql.outlook_flexible, named).fetchall()
    return (
        *(group_of(row, paid_on, phases, bounds) for row in rows),
        *(flexible_of(row, paid_on, phases, bounds) for row in flexible),
    )


def groups_to_keep(tx: Tx, now: datetime) -> KeptGroups:
    """Read the groups of all assets, told apart by every rate there is and by the hour of the distribution."""
    at = find_desk(tx).distribution_time
    row = tx.execute(sql.paid_until).fetchone()
    assert row is not None
    paid_until: datetime = row.watermark_at.astimezone(UTC)
    revisions = [rate for rates in all_rates(tx).values() for rate in rates]
    horizon = now + (DAYS_MAX + 2) * DAY
    phases = {phase_of(rate.effective_at, at) for rate in revisions if rate.effective_at <= horizon}
    bounds = {ZERO, *(tier.amount_from for rate in revisions for tier in rate.tiers)}
    told_apart_by = sorted({*phases, DAY}), sorted(bounds)
    groups = read_groups(tx, paid_until, at, *told_apart_by, None)
    return KeptGroups(paid_until, tuple(told_apart_by[0]), tuple(told_apart_by[1]), groups)


def all_rates(tx: Tx) -> dict[int, tuple[Rate, ...]]:
    """Read all rates of all products, in order of their instants, by product."""
    tiers: dict[tuple[int, int, datetime], list[Tier]] = {}
    for row in tx.execute(sql.all_rates).fetchall():
        found = tiers.setdefault((row.product_id, row.revision, row.effective_at), [])
        found.append(Tier(row.amount_from, row.amount_to, row.apr))
    rates: dict[int, tuple[Rate, ...]] = {}
    for (product_id, revision, effective_at), bands in tiers.items():
        rates[product_id] = (*rates.get(product_id, ()), Rate(revision, effective_at, tuple(bands)))
    return rates


def phase_of(instant: datetime, distribution_time: time) -> timedelta:
    """Say how far an instant lies behind the last distribution before it: above 0, up to 24 hours."""
    run_on = run_on_of(instant, distribution_time)
    return instant.astimezone(UTC) - distribution_at(run_on, distribution_time) + DAY


def group_of(row: Any, paid_on: date, phases: Sequence[timedelta], bounds: Sequence[Decimal]) -> Group:
    """Read a group, and work out which distributions pay it."""
    began_on = row.started_on + timedelta(days=1 if row.is_after else 0)
    first_on = max(began_on + timedelta(days=row.anchor_days), paid_on) + timedelta(days=1)
    term = None if row.term_days is None else timedelta(days=row.term_days)
    return Group(
        product_id=row.product_id,
        version=row.version,
        locked_revision=row.locked_revision,
        at_maturity=row.at_maturity,
        term_days=row.term_days,
        first_on=first_on,
        last_on=None if term is None else began_on + term,
        matures_on=None if term is None else row.started_on + term,
        began_on=began_on,
        phase=phases[row.phase - 1] if row.phase else MOMENT,
        anchor_days=row.anchor_days,
        anchor_basis=row.anchor_basis,
        top_from=bounds[row.top_band - 1],
        offset_from=bounds[row.offset_band - 1],
        positions=row.positions,
        principal=row.principal,
        offset=row.offset,
    )


def flexible_of(row: Any, paid_on: date, phases: Sequence[timedelta], bounds: Sequence[Decimal]) -> Group:
    """Read a group of flexible positions that every distribution pays from the next one on."""
    return Group(
        product_id=row.product_id,
        version=row.version,
        locked_revision=row.locked_revision,
        at_maturity="redeem",
        term_days=None,
        first_on=paid_on + timedelta(days=1),
        last_on=None,
        matures_on=None,
        began_on=None,
        phase=phases[row.phase - 1] if row.phase else MOMENT,
        anchor_days=0,
        anchor_basis=ZERO,
        top_from=bounds[row.top_band - 1],
        offset_from=bounds[row.offset_band - 1],
        positions=row.positions,
        principal=row.principal,
        offset=row.offset,
    )


def day_basis(group: Group, tiers: Tiers) -> Decimal:
    """Give what a group earns in a day at these tiers, undivided by 365; the twin of `standing.day_basis_of`."""
    top_apr, top_base = line_at(tiers, group.top_from)
    low_apr, low_base = line_at(tiers, group.offset_from)
    top = EXACT.add(group.principal, group.offset)
    earned = EXACT.subtract(EXACT.multiply(top, top_apr), EXACT.multiply(group.offset, low_apr))
    return EXACT.add(earned, EXACT.multiply(Decimal(group.positions), EXACT.subtract(top_base, low_base)))


def basis_so_far(outlook: Outlook, group: Group) -> Decimal:
    """Give what a group of a fixed term has been paid for so far, undivided by 365."""
    basis = group.anchor_basis
    if group.began_on is None or group.is_renewed:
        return basis
    on = group.began_on + timedelta(days=group.anchor_days + 1)
    while on < group.first_on and (group.last_on is None or on <= group.last_on):
        basis = EXACT.add(basis, day_basis(group, outlook.tiers_of(group, on)))
        on += timedelta(days=1)
    return basis


def successor(outlook: Outlook, group: Group) -> Group | None:
    """Give what becomes of a group at maturity if its customers choose nothing else; None where it is redeemed.

    It goes on where it stood in the tiers, under the terms in force today and the rate in force at its maturity.
    """
    assert group.last_on is not None
    assert group.matures_on is not None
    product = outlook.products[group.product_id]
    target: OutlookProduct | None = product
    if group.at_maturity == "to_flexible":
        target = outlook.products.get(product.flexible_product_id or 0)
    elif group.at_maturity != "renew":
        return None
    if target is None or not target.is_open:
        return None
    first_on = group.last_on + timedelta(days=1)
    rate = rate_at(outlook.rates.get(target.product_id, ()), outlook.day_start(first_on, group.phase))
    if rate is None:
        return None
    term = None if target.term_days is None else timedelta(days=target.term_days)
    return replace(
        group,
        product_id=target.product_id,
        version=target.version or 0,
        locked_revision=rate.revision if target.rate_policy == "locked" else 0,
        term_days=target.term_days,
        first_on=first_on,
        last_on=None if term is None else group.last_on + term,
        matures_on=None if term is None else group.matures_on + term,
        began_on=group.last_on,
        anchor_days=0,
        anchor_basis=ZERO,
        is_renewed=True,
    )
