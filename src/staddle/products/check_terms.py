"""Terms that fit together (rule 8): every rule once, each problem named with its field.

An act refuses the first problem; an editor shows them all at once, those of a draft that is half filled too: each
problem says what else it rests upon, so that it is left out where that could not be read.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import NoReturn

import msgspec

from staddle.desk.countries import COUNTRIES
from staddle.errors import InvalidTerms
from staddle.ledger import Asset
from staddle.money import has_scale, is_multiple, plain
from staddle.products.terms import APR_MAX, APR_SCALE, DIGITS_MAX, Terms, is_figure

AMOUNTS = ("amount_min", "step", "amount_max", "personal_cap", "quota")

GOES_WITH = {
    "kept_fraction": ("keep_fraction", "where a part of the rewards is kept, it must be given"),
    "reduced_apr": ("reduced_apr", "where rewards are worked out again at a lower rate, it must be given"),
    "reduced_apr_days_min": ("reduced_apr", "with a reduced APR it must be given, and may be 0"),
}
"""Which early redemption a field goes with, and what is said where it is missing."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field, in words that go on from its name; `rests_on` names other fields it speaks of."""

    field: str
    reason: str
    rests_on: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Say it as a whole sentence that names the field."""
        return f"{self.field}: {self.reason}."


def check_terms(kind: str, asset: Asset, terms: Terms) -> None:
    """Refuse terms that do not fit together, with a sentence that names the field: InvalidTerms."""
    for problem in problems_of(kind, asset, terms):
        raise refused(problem)


def problems_of(kind: str, asset: Asset, terms: Terms) -> Iterator[Problem]:
    """Give all that is wrong with terms, the most telling first."""
    yield from amount_problems(asset, terms)
    yield from window_problems(terms)
    yield from audience_problems(terms)
    yield from flexible_problems(terms) if kind == "flexible" else fixed_problems(terms)


def amount_problems(asset: Asset, terms: Terms) -> Iterator[Problem]:
    """Every amount has the asset's scale; minimum, maximum, step and cap fit together."""
    wrong = set()
    for problem in chain.from_iterable(one_amount_problems(field, terms, asset) for field in AMOUNTS):
        wrong.add(problem.field)
        yield problem
    if not wrong & {"amount_min", "step"} and not is_multiple(terms.amount_min, terms.step):
        reason = f"{plain(terms.amount_min)} is not a multiple of the step {plain(terms.step)}"
        yield Problem(field="amount_min", reason=reason, rests_on=("step",))
    for field in ("amount_max", "personal_cap"):
        amount = getattr(terms, field)
        if amount is not None and not wrong & {"amount_min", field} and amount < terms.amount_min:
            reason = f"it is below the smallest subscription of {plain(terms.amount_min)}"
            yield Problem(field=field, reason=reason, rests_on=("amount_min",))


def one_amount_problems(field: str, terms: Terms, asset: Asset) -> Iterator[Problem]:
    """An amount in terms is a finite decimal of the asset's scale, above 0; only a quota may be 0."""
    amount: Decimal | None = getattr(terms, field)
    if amount is None:
        return
    is_too_small = amount.is_finite() and (amount < 0 or (amount == 0 and field != "quota"))
    if not amount.is_finite() or is_too_small or amount.adjusted() >= DIGITS_MAX:
        yield Problem(field=field, reason="it is not a plain decimal above 0")
    elif not has_scale(amount, asset.scale):
        yield Problem(field=field, reason=f"{asset.code} has {asset.scale} decimals", rests_on=("asset",))


def window_problems(terms: Terms) -> Iterator[Problem]:
    """The sale window has instants with a time zone, in order."""
    if terms.opens_at.tzinfo is None or (terms.closes_at is not None and terms.closes_at.tzinfo is None):
        yield Problem(field="opens_at", reason="the sale window needs instants with a time zone")
    elif terms.closes_at is not None and terms.closes_at <= terms.opens_at:
        yield Problem(field="closes_at", reason="it is not after the opening", rests_on=("opens_at",))


def audience_problems(terms: Terms) -> Iterator[Problem]:
    """Whom the product is offered to: VIP level, new customers, countries."""
    if not 0 <= terms.vip_level_min <= 32_767:
        yield Problem(field="vip_level_min", reason="it is not a level of 0 or more")
    if terms.new_customer_days is not None and not 1 <= terms.new_customer_days <= 36_500:
        yield Problem(field="new_customer_days", reason="it is not a number of days of 1 or more")
    if terms.countries_allowed is not None and not terms.countries_allowed:
        reason = "an empty list would allow nobody; leave it out to allow everybody"
        yield Problem(field="countries_allowed", reason=reason)
    for field in ("countries_allowed", "countries_excluded"):
        for code in getattr(terms, field) or ():
            if code not in COUNTRIES:
                reason = f"{code[:20]!r} is not a country's two-letter ISO code such as DE or GB"
                yield Problem(field=field, reason=reason)


def flexible_problems(terms: Terms) -> Iterator[Problem]:
    """A flexible product has no term, pays daily, costs nothing to leave, and has no maturity."""
    without_loss = "a flexible product can be left at any time without loss"
    if terms.term_days is not None:
        yield Problem(field="term_days", reason="a flexible product has no term", rests_on=("kind",))
    if terms.payout != "daily":
        yield Problem(field="payout", reason="a flexible product pays daily", rests_on=("kind",))
    if (
        terms.early_redemption != "forfeit_all"
        or terms.kept_fraction is not None
        or terms.reduced_apr is not None
    ):
        yield Problem(field="early_redemption", reason=without_loss, rests_on=("kind",))
    if terms.reduced_apr_days_min is not None:
        yield Problem(field="reduced_apr_days_min", reason=without_loss, rests_on=("kind",))
    if terms.at_maturity != "redeem" or terms.flexible_product is not None:
        yield Problem(field="at_maturity", reason="a flexible product has no maturity", rests_on=("kind",))


def fixed_problems(terms: Terms) -> Iterator[Problem]:
    """A fixed product has a term, and says what leaving it early costs and where it goes at maturity."""
    if terms.term_days is None or not 1 <= terms.term_days <= 3650:
        reason = "a fixed product has a term of 1 to 3650 days"
        yield Problem(field="term_days", reason=reason, rests_on=("kind",))
    for field, (policy, needed) in GOES_WITH.items():
        is_policy, is_given = terms.early_redemption == policy, getattr(terms, field) is not None
        if is_policy != is_given:
            reason = needed if is_policy else f"it goes with early_redemption {policy}, and only with that"
            yield Problem(field=field, reason=reason, rests_on=("early_redemption",))
    yield from figure_problems("kept_fraction", terms.kept_fraction, 1)
    yield from figure_problems("reduced_apr", terms.reduced_apr, APR_MAX)
    least, term = terms.reduced_apr_days_min, terms.term_days
    if least is not None and (least < 0 or (term is not None and least > term)):
        reason = "it is not a number of days within the term"
        yield Problem(field="reduced_apr_days_min", reason=reason, rests_on=("term_days",))
    if terms.at_maturity == "to_flexible" and terms.flexible_product is None:
        reason = "to_flexible needs the code of a flexible product"
        yield Problem(field="flexible_product", reason=reason, rests_on=("at_maturity",))


def figure_problems(field: str, figure: Decimal | None, largest: int) -> Iterator[Problem]:
    """A fraction or an APR is a decimal from 0 to `largest` with at most twelve decimals."""
    if figure is not None and not is_figure(figure, largest):
        reason = f"it is not a decimal from 0 to {largest} with at most {APR_SCALE} decimals"
        yield Problem(field=field, reason=reason)


def refused(problem: Problem) -> InvalidTerms:
    """Make the refusal of a problem."""
    return InvalidTerms(problem.message, field=problem.field)


def refuse(field: str, reason: str) -> NoReturn:
    """Raise InvalidTerms with a sentence that names the field."""
    raise refused(Problem(field=field, reason=reason))
