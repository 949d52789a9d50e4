"""Revising a rate: tiers as rows of fields, what it changes while they are typed, the notice that holders will read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle import approvals
from staddle.console.foresight import read_instant, read_percent
from staddle.console.rates import MAKES
from staddle.console.treasury import read_coins
from staddle.document import percent, trimmed
from staddle.errors import InvalidRate, StaddleError
from staddle.money import ZERO
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.products import ProductOffer, Tier, next_distribution, rate_history, show_product
from staddle.treasury import foresee_rate

BLANK_ROWS = 1
ROWS_MAX = 40
DAYS_AHEAD = timedelta(days=2)


class RateForm(Form, frozen=True, kw_only=True):
    """A rate: for each tier up to which amount of a holding, and its APR in percent; from an instant in UTC on."""

    amount_to: list[str] = msgspec.field(default_factory=list)
    apr: list[str] = msgspec.field(default_factory=list)
    effective_at: str = ""


@shows("/console/rates/{code}/revise", allow=MAKES)
def show_revise(visit: Visit, code: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show the form to revise a rate, with what is in force or announced last to begin with."""
    return View("rate_revise.html", revise_values(visit, code, typed))


@shows("/console/rates/{code}/effect", allow=MAKES)
def show_rate_effect(visit: Visit, code: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show what the rate would change, while somebody types: the piece of the form that changes."""
    return View("rate_effect.html", revise_values(visit, code, typed))


def revise_values(visit: Visit, code: str, typed: Typed) -> dict[str, Any]:
    """Give what the form shows: rows of tiers, the instant, the effect, and the notice."""
    offer = show_product(visit.tx, code, visit.now)
    history = rate_history(visit.tx, offer.code)
    rows = rows_of(typed, history[-1].rate.tiers if history else ())
    last = history[-1].rate.effective_at if history else None
    starts = typed.get("effective_at", default_start(visit, last))
    shown: dict[str, Any] = {
        "offer": offer,
        "rows": rows,
        "effective_at": starts,
        "is_first": not history,
        "last": history[-1] if history else None,
        "typed": typed,
        "effect": None,
        "refused": None,
    }
    if any(row["apr"] for row in rows):
        try:
            tiers, at = read_tiers(offer, rows), read_start(starts)
            shown["tiers"] = tiers
            shown["effect"] = foresee_rate(visit.tx, offer.code, tiers, at, visit.now)
        except StaddleError as error:
            shown["refused"] = error
    return shown


def default_start(visit: Visit, last: datetime | None) -> str:
    """Begin with a distribution in some days, after all that is announced; a product's first rate with its approval."""
    if last is None:
        return ""
    at = next_distribution(visit.tx, max(visit.now + DAYS_AHEAD, last))
    return f"{at:%Y-%m-%dT%H:%M}"


def rows_of(typed: Typed, tiers: Sequence[Tier]) -> list[dict[str, str]]:
    """Give the rows of fields: what was typed, or the tiers that there are; and room for one more."""
    if "apr" in typed.values:
        tops, aprs = list(typed.several("amount_to")), list(typed.several("apr"))
        rows = [
            {"amount_to": top, "apr": apr}
            for top, apr in zip(tops + [""] * (len(aprs) - len(tops)), aprs, strict=False)
            if top or apr
        ]
    else:
        rows = [
            {
                "amount_to": "" if tier.amount_to is None else trimmed(tier.amount_to),
                "apr": percent(tier.apr),
            }
            for tier in tiers
        ]
    blank = [{"amount_to": "", "apr": ""} for _ in range(BLANK_ROWS if rows else 2)]
    return (rows + blank)[:ROWS_MAX]


def read_tiers(offer: ProductOffer, rows: Sequence[dict[str, str]]) -> list[Tier]:
    """Read the rows as tiers, each from where the one before it ends; empty rows are none. Raises InvalidRate."""
    tiers: list[Tier] = []
    low: Decimal = ZERO
    filled = [row for row in rows if row["amount_to"] or row["apr"]]
    for number, row in enumerate(filled, 1):
        if not row["apr"]:
            raise InvalidRate(f"Tier {number} has no APR.")
        try:
            high, apr = read_coins(row["amount_to"]), read_percent(row["apr"])
        except StaddleError as error:
            raise InvalidRate(f"Tier {number}: {error}") from None
        if high is None and number < len(filled):
            raise InvalidRate(
                f"Tier {number} has no end, and another follows it. Say up to which amount it reaches."
            )
        tiers.append(Tier(low, high, apr))
        low = low if high is None else high
    if tiers and tiers[-1].amount_to is not None:
        raise InvalidRate(
            f"Leave the last tier's end empty: there must be a rate for every amount of {offer.asset}."
        )
    return tiers


def read_start(text: object) -> datetime | None:
    """Read from when on; nothing is the approval, for a product's first rate."""
    return read_instant(str(text)) if text else None


@sends("/console/rates/{code}/revise", allow=MAKES, again=show_revise)
def propose_revision(visit: Visit, code: str, form: RateForm) -> GoTo:
    """Put a rate before a second person; nothing is published before they approve."""
    offer = show_product(visit.tx, code, visit.now)
    tops = [*form.amount_to, *[""] * len(form.apr)]
    rows = [{"amount_to": top, "apr": apr} for top, apr in zip(tops, form.apr, strict=False)]
    tiers, at = read_tiers(offer, rows), read_start(form.effective_at)
    what = {"product": code, "tiers": [str(tier) for tier in tiers], "at": form.effective_at}

    def ask() -> dict[str, object]:
        return {"approval_id": approvals.ask_rate(visit.tx, visit.at.by, code, tiers, at, visit.now)}

    asked = once(visit, "propose_rate", what, ask)
    said = visit.say(
        "The rate waits for a second person as request %(number)s. Nothing is published yet.",
        number=asked["approval_id"],
    )
    return GoTo(f"/console/rates/{code}", said)
