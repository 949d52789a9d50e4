"""What if: a rate changed, more principal came, customers ran, treasury funded. Pure arithmetic upon sums that one
query reads; its base case is what will be paid if nobody does anything (product.md rule 31).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec

from staddle.db import Tx
from staddle.errors import InvalidChoice
from staddle.ledger import Asset, find_asset, pool_left
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, check_positive, check_scale, floor_to_unit, plain
from staddle.products import Rate, Tier
from staddle.products.terms import APR_MAX
from staddle.treasury.by_day import Life, Sums, lives, stretches, sum_up
from staddle.treasury.outlook import DAYS_MAX, Group, KeptGroups, Outlook, basis_so_far, read_outlook

FACTOR_MAX = Decimal(1_000)


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What is supposed. Without anything it is the base case: all goes on as it stands and is announced."""

    asset: str
    days: int = DAYS_MAX
    apr_factor: Decimal | None = None
    """Every floating rate of the asset times this, from `apr_from` on; or, in its place, `apr` for every amount."""
    apr: Decimal | None = None
    apr_from: datetime | None = None
    growth: Decimal | None = None
    """New flexible principal a day; or, in its place, `growth_fraction` of what is there."""
    growth_fraction: Decimal | None = None
    leaving_on: date | None = None
    flexible_fraction: Decimal | None = None
    """The part of flexible principal that leaves on that day."""
    fixed_fraction: Decimal | None = None
    """The part of fixed principal that leaves early on that day, where its terms allow it, and forfeits."""
    funding: Decimal | None = None
    funding_on: date | None = None


class WhatIfDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day, in UTC. `left` = what was left the day before + funded - cost; below zero it is what is missing."""

    on: date
    principal: Decimal
    """What is staked at the end of the day."""
    cost: Decimal
    """What the distribution of this date pays. The sum over the days is exact and cut once, so nothing is lost."""
    funded: Decimal
    forfeited: Decimal
    """Income from those who leave early; it is no part of the pool."""
    left: Decimal


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of it."""

    asset: str
    days: list[WhatIfDay]
    dry_on: date | None
    """The first day whose rewards the pool cannot pay in full; None if it lasts through all of them."""
    dry_on_before: date | None
    """The same, if nothing of what is supposed happens."""
    assumes: list[str]


def what_if(tx: Tx, wanted: WhatIf, now: datetime, kept: KeptGroups | None = None) -> Supposed:
    """Work out what comes of a supposition; writes nothing. Raises AssetNotFound, InvalidChoice, InvalidAmount or
    TooManyDecimals. `kept` is what was read of the positions before, where that is near enough.
    """
    asset = find_asset(tx, wanted.asset)
    check(wanted, asset, now)
    changes = [] if wanted.apr_from is None else [wanted.apr_from]
    outlook = read_outlook(tx, now, asset.asset_id, wanted.days, changes, kept)
    left = EXACT.quantize(pool_left(tx).get(asset.asset_id, ZERO), asset.unit)
    base = play(outlook, asset, left, WhatIf(asset=wanted.asset, days=wanted.days))
    days = play(outlook, asset, left, wanted)
    return Supposed(
        asset=asset.code,
        days=days,
        dry_on=dry_on(days),
        dry_on_before=dry_on(base),
        assumes=assumptions(wanted),
    )


def check(wanted: WhatIf, asset: Asset, now: datetime) -> None:
    """Refuse what cannot be supposed."""
    if not 1 <= wanted.days <= DAYS_MAX:
        raise InvalidChoice(f"Days are worked out for 1 to {DAYS_MAX}.")
    if wanted.apr is not None and wanted.apr_factor is not None:
        raise InvalidChoice("Suppose an APR or a factor, not both.")
    if wanted.growth is not None and wanted.growth_fraction is not None:
        raise InvalidChoice("Suppose growth by an amount or by a fraction, not both.")
    is_rate = wanted.apr is not None or wanted.apr_factor is not None
    if is_rate and (wanted.apr_from is None or wanted.apr_from < now):
        raise InvalidChoice("Say from which instant on the rate changes; that is now or later.")
    for name, most in (
        ("apr", Decimal(APR_MAX)),
        ("apr_factor", FACTOR_MAX),
        ("growth_fraction", Decimal(1)),
        ("flexible_fraction", Decimal(1)),
        ("fixed_fraction", Decimal(1)),
    ):
        figure: Decimal | None = getattr(wanted, name)
        if figure is not None and not (figure.is_finite() and 0 <= figure <= most and fits(figure)):
            raise InvalidChoice(f"`{name}` is a figure from 0 to {plain(most)} with up to 12 decimals.")
    for amount in (wanted.growth, wanted.funding):
        if amount is not None:
            check_positive(amount)
            check_scale(amount, asset.scale)
    today = now.astimezone(UTC).date()
    is_run = wanted.flexible_fraction is not None or wanted.fixed_fraction is not None
    for on, is_needed in ((wanted.leaving_on, is_run), (wanted.funding_on, wanted.funding is not None)):
        if is_needed and (on is None or not today <= on < today + timedelta(days=wanted.days)):
            raise InvalidChoice("Name a day within those that are worked out, today included.")


def fits(figure: Decimal) -> bool:
    """Say whether a figure has no more decimals than an APR may have."""
    exponent = figure.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -12


def play(outlook: Outlook, asset: Asset, left: Decimal, wanted: WhatIf) -> list[WhatIfDay]:
    """Live through the days of a supposition."""
    outlook = replace(outlook, rates=supposed_rates(outlook, wanted))
    found = lives(outlook, wanted.days)

    def kind_of(life: Life, stage: Group) -> str:
        return f"{stays_as(outlook, life, wanted)} {'fixed' if stage.term_days else 'flexible'}"

    sums = sum_up(outlook, found, wanted.days, kind_of)
    left_on = None if wanted.leaving_on is None else (wanted.leaving_on - outlook.today).days
    kept = kept_parts(sums, wanted, left_on, asset.scale)
    forfeited = forfeitures(outlook, found, wanted, asset.scale)
    rows, grown, cost_so_far, paid = [], ZERO, Fraction(0), ZERO
    for index in range(wanted.days):
        on = outlook.today + timedelta(days=index)
        parts = kept if left_on is not None and index > left_on else {}
        bases = {kind: Fraction(each.bases[index]) * part_of(parts, kind) for kind, each in sums.items()}
        grounds = standing_at(sums, max(index - 1, 0), parts)
        cost_so_far += sum(bases.values(), Fraction(0)) + basis_of_growth(bases, grounds, grown)
        cost = cut(cost_so_far / DAYS_IN_YEAR, asset.scale) - paid
        paid += cost
        after = kept if left_on is not None and index >= left_on else {}
        standing = standing_at(sums, index, after)
        if index == left_on:
            grown -= floor_to_unit(EXACT.multiply(grown, wanted.flexible_fraction or ZERO), 1, asset.scale)
        grown += growth_of(standing, grown, wanted, asset.scale)
        funded = wanted.funding if wanted.funding is not None and on == wanted.funding_on else ZERO
        left += funded - cost
        rows.append(
            WhatIfDay(
                on=on,
                principal=cut(sum(standing.values(), Fraction(0)), asset.scale) + grown,
                cost=cost,
                funded=funded,
                forfeited=forfeited if index == left_on else ZERO,
                left=left,
            )
        )
    return rows


def cut(amount: Fraction, scale: int) -> Decimal:
    """Cut an exact fraction, not negative, at an asset's decimals."""
    return floor_to_unit(Decimal(amount.numerator), Decimal(amount.denominator), scale)


def supposed_rates(outlook: Outlook, wanted: WhatIf) -> dict[int, tuple[Rate, ...]]:
    """Put the supposed change among the floating rates: what is in force and announced from its instant on."""
    if wanted.apr_from is None or (wanted.apr is None and wanted.apr_factor is None):
        return outlook.rates
    changed = {}
    for product_id, rates in outlook.rates.items():
        before = [each for each in rates if each.effective_at < wanted.apr_from]
        after = [
            replace(each, tiers=supposed_tiers(each.tiers, wanted)) for each in rates if each not in before
        ]
        if before and not any(each.effective_at == wanted.apr_from for each in after):
            # No position is locked to it, so that its number tells it apart from all that were published.
            now = Rate(-1, wanted.apr_from, supposed_tiers(before[-1].tiers, wanted))
            after.insert(0, now)
        changed[product_id] = (*before, *after)
    return changed


def supposed_tiers(tiers: Sequence[Tier], wanted: WhatIf) -> tuple[Tier, ...]:
    """Change the APR of every tier."""
    if wanted.apr is not None:
        return tuple(replace(tier, apr=wanted.apr) for tier in tiers)
    assert wanted.apr_factor is not None
    return tuple(replace(tier, apr=EXACT.multiply(tier.apr, wanted.apr_factor)) for tier in tiers)


def stays_as(outlook: Outlook, life: Life, wanted: WhatIf) -> str:
    """Say what of a life leaves in the run: a part of it as `flexible` or as `fixed`, or nothing: `kept`."""
    if wanted.leaving_on is None:
        return "kept"
    stage = stage_at(life, wanted.leaving_on)
    if stage is None:
        return "kept"
    if stage.term_days is None:
        return "flexible"
    early = outlook.early.get((stage.product_id, stage.version))
    return "kept" if early is None or early.early_redemption == "not_allowed" else "fixed"


def stage_at(life: Life, on: date) -> Group | None:
    """Give the stage of a life that stands at the end of a day."""
    return next((each for each in life.stages if each.matures_on is None or each.matures_on > on), None)


def kept_parts(sums: dict[str, Sums], wanted: WhatIf, left_on: int | None, scale: int) -> dict[str, Fraction]:
    """Work out what part stays of what leaves: whole units go."""
    parts: dict[str, Fraction] = {}
    if left_on is None:
        return parts
    for name, fraction in (("flexible", wanted.flexible_fraction), ("fixed", wanted.fixed_fraction)):
        standing = sum(
            (each.principals[left_on] for kind, each in sums.items() if kind.startswith(name)), ZERO
        )
        if fraction is not None and standing > 0:
            leaving = floor_to_unit(EXACT.multiply(standing, fraction), 1, scale)
            parts[name] = Fraction(standing - leaving) / Fraction(standing)
    return parts


def part_of(parts: dict[str, Fraction], kind: str) -> Fraction:
    """Give the part that stays of a kind."""
    return parts.get(kind.split(maxsplit=1)[0], Fraction(1))


def standing_at(sums: dict[str, Sums], index: int, parts: dict[str, Fraction]) -> dict[str, Fraction]:
    """Give the principal that stands at the end of a day, by kind."""
    return {kind: Fraction(each.principals[index]) * part_of(parts, kind) for kind, each in sums.items()}


def basis_of_growth(bases: dict[str, Fraction], standing: dict[str, Fraction], grown: Decimal) -> Fraction:
    """What came new earns as flexible principal does on average."""
    of_flexible = [kind for kind in bases if kind.endswith("flexible")]
    principal = sum((standing[kind] for kind in of_flexible), Fraction(0))
    if grown == 0 or principal == 0:
        return Fraction(0)
    return sum((bases[kind] for kind in of_flexible), Fraction(0)) * Fraction(grown) / principal


def growth_of(standing: dict[str, Fraction], grown: Decimal, wanted: WhatIf, scale: int) -> Decimal:
    """Give the flexible principal that comes new on a day, in whole units."""
    flexible = sum((amount for kind, amount in standing.items() if kind.endswith("flexible")), Fraction(0))
    if flexible == 0:
        return ZERO
    if wanted.growth is not None:
        return wanted.growth
    if wanted.growth_fraction is None:
        return ZERO
    return cut((flexible + Fraction(grown)) * Fraction(wanted.growth_fraction), scale)


def forfeitures(outlook: Outlook, found: list[Life], wanted: WhatIf, scale: int) -> Decimal:
    """Work out what those who leave early forfeit of what they have been paid, under the terms of each."""
    if wanted.leaving_on is None or not wanted.fixed_fraction:
        return ZERO
    basis = ZERO
    for life in found:
        stage = stage_at(life, wanted.leaving_on)
        if stage is not None and stays_as(outlook, life, wanted) == "fixed":
            basis = EXACT.add(basis, forfeited_basis(outlook, stage, wanted.leaving_on))
    return floor_to_unit(EXACT.multiply(basis, wanted.fixed_fraction), DAYS_IN_YEAR, scale)


def forfeited_basis(outlook: Outlook, stage: Group, on: date) -> Decimal:
    """Give what a stage would forfeit on a day, undivided by 365 (rules 24 and 25)."""
    basis = basis_so_far(outlook, stage)
    for first_on, last_on, day in stretches(outlook, stage, (on - outlook.today).days + 1):
        basis = EXACT.add(basis, EXACT.multiply(day, Decimal(max(0, (min(last_on, on) - first_on).days + 1))))
    early = outlook.early[stage.product_id, stage.version]
    if early.early_redemption == "keep_fraction":
        return EXACT.multiply(basis, EXACT.subtract(Decimal(1), early.kept_fraction))
    if early.early_redemption == "reduced_apr":
        assert stage.began_on is not None
        held = max(0, (on - stage.began_on).days)
        kept = EXACT.multiply(EXACT.multiply(stage.principal, early.reduced_apr), Decimal(held))
        return (
            ZERO
            if held >= early.reduced_apr_days_min and kept >= basis
            else (EXACT.subtract(basis, kept) if held >= early.reduced_apr_days_min else basis)
        )
    return basis


def dry_on(days: Sequence[WhatIfDay]) -> date | None:
    """Give the first day whose rewards the pool cannot pay in full."""
    return next((day.on for day in days if day.left < 0), None)


def assumptions(wanted: WhatIf) -> list[str]:
    """Say what the figures take for granted."""
    said = [
        "Positions stay as they are until they mature; then each goes where its customer chose, into the terms that "
        "are in force today, at the rate in force on that day, and stands in the tiers where it stood.",
        "Rates are those announced by now. Nobody subscribes, and nobody leaves before a term ends.",
        "Sums are exact and cut once. What is paid to each position is cut at its own last unit (rule 3), so on any "
        "day the true sum of payments lies within one unit for each position of this.",
    ]
    if wanted.apr is not None or wanted.apr_factor is not None:
        said.append(
            "The changed rate rules the days that begin under it; positions that keep their rate keep it."
        )
    if wanted.growth is not None or wanted.growth_fraction is not None:
        said.append(
            "New principal is flexible, earns what flexible principal earns on average, and is paid from the next day."
        )
    if wanted.flexible_fraction is not None:
        said.append(
            "Flexible customers leave at the end of the day, alike in all products and tiers, after they were paid."
        )
    if wanted.fixed_fraction is not None:
        said.append(
            "Those who leave a fixed term early forfeit under their own terms; what they forfeit is income and not "
            "moved to the pool. Terms that do not allow it are kept."
        )
    return said
