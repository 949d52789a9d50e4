"""One product: what it is now, its versions side by side, who holds what under which, and what can be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from staddle.approvals import ask_terms
from staddle.console.products import MAKES, SEES
from staddle.desk import Approval, Difference, pending
from staddle.ledger import all_assets
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.positions import HeldUnder, held_by_version
from staddle.products import (
    Product,
    Terms,
    Version,
    close_product,
    differences,
    discard_version,
    find_product,
    in_force_before,
    is_said,
    retire_product,
    schedule,
    show_product,
    term_words,
    versions_of,
)
from staddle.products.approve import ACT as PUT_IN_FORCE
from staddle.products.differences import WORDS
from staddle.products.halt import ACT as CHANGE_HALT
from staddle.products.schedule import DAYS_MAX

SIDE_BY_SIDE = 4
"""So many versions stand beside each other unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that waits, and what it would change."""

    version: Version
    before: int | None
    changes: Sequence[tuple[str, str | None, str | None]]
    asked: Approval | None
    """The request that puts it before a second person, where somebody has asked."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the terms over several versions: what each says, and whether that differs from the one before."""

    words: str
    says: Sequence[tuple[str, bool]]


class VersionForm(Form, frozen=True, kw_only=True):
    """A version of the terms."""

    version: int


@shows("/console/products/{code}", allow=SEES)
def show_one_product(
    visit: Visit, code: str, versions: Literal["some", "all"] = "some", typed: Typed = NOTHING_TYPED
) -> View:
    """Show a product in full, but for how many positions there are: that is asked for by itself."""
    return full(visit, code, versions, typed, None)


@shows("/console/products/{code}/held", allow=SEES)
def show_held(visit: Visit, code: str, versions: Literal["some", "all"] = "some") -> View:
    """Show a product with what is open under each version: to a script the line of the table that says so.

    Counting goes through all open positions of a product, which takes longer than a page should on a large desk.
    """
    held = held_by_version(visit.tx, find_product(visit.tx, code).product_id)
    return full(visit, code, versions, NOTHING_TYPED, held)


def full(visit: Visit, code: str, versions: str, typed: Typed, held: Mapping[int, HeldUnder] | None) -> View:
    """Put together all that the page of a product shows."""
    found = find_product(visit.tx, code)
    offer = show_product(visit.tx, code, visit.now)
    known = versions_of(visit.tx, found.product_id)
    shown = known if versions == "all" else latest(found, known)
    requests = pending(visit.tx, subject=code)
    return View(
        "product.html",
        {
            "product": found,
            "offer": offer,
            "coin": all_assets(visit.tx)[found.asset_id],
            "facts": differences(None, offer.terms),
            "drafts": drafts_of(found, known, requests),
            "shown": shown,
            "lines": lines_of(shown),
            "more_versions": len(known) - len(shown),
            "held": held,
            "halting": {each.request["what"]: each for each in requests if each.act == CHANGE_HALT},
            "coming": [each for each in schedule(visit.tx, visit.now, DAYS_MAX) if each.product == code],
            "requests": [each for each in requests if each.act not in (PUT_IN_FORCE, CHANGE_HALT)],
            "typed": typed,
            "versions": versions,
        },
        part="held",
    )


def latest(product: Product, versions: Sequence[Version]) -> list[Version]:
    """Choose the versions that matter: the one in force, and the last ones that were not discarded."""
    kept = [each for each in versions if each.discarded_at is None and each.version != product.version]
    in_force = [each for each in versions if each.version == product.version]
    some = kept[-(SIDE_BY_SIDE - len(in_force)) :]
    return sorted([*in_force, *some], key=lambda each: each.version) or list(versions[-1:])


def drafts_of(product: Product, versions: Sequence[Version], requests: Sequence[Approval]) -> list[Draft]:
    """List the versions that may still be approved, newest first, with what each would change."""
    found = []
    for each in reversed(versions):
        if (
            not each.is_waiting
            or each.version < (product.version or 0)
            or product.state not in ("draft", "live")
        ):
            continue
        before = in_force_before(product, versions, each.version)
        changes = differences(None if before is None else before.terms, each.terms)
        asked = next(
            (one for one in requests if one.act == PUT_IN_FORCE and one.request["version"] == each.version),
            None,
        )
        found.append(Draft(each, None if before is None else before.version, table_of(changes), asked))
    return found


def table_of(found: Sequence[Difference]) -> list[tuple[str, str | None, str | None]]:
    """Give differences as the console's table shows them."""
    return [(each.words, each.before, each.after) for each in found]


def lines_of(versions: Sequence[Version]) -> list[Line]:
    """Lay versions side by side: a line for each field that means anything in one of them."""
    lines = []
    for field, words in WORDS.items():
        if not any(is_said(field, each.terms) for each in versions):
            continue
        says = []
        before: Terms | None = None
        for each in versions:
            value = getattr(each.terms, field)
            says.append((term_words(field, value), before is not None and getattr(before, field) != value))
            before = each.terms
        lines.append(Line(words, says))
    return lines


def ask_once(visit: Visit, code: str, version: int) -> int:
    """Put a draft before a second person unless it is there already; gives the number of the request."""
    for each in pending(visit.tx, PUT_IN_FORCE, code):
        if each.request["version"] == version:
            return each.approval_id
    return ask_terms(visit.tx, visit.at.by, code, version, visit.now)


@sends("/console/products/{code}/discard", allow=MAKES, again=show_one_product)
def discard_by_form(visit: Visit, code: str, form: VersionForm) -> GoTo:
    """Discard a draft."""
    what = {"code": code, "version": form.version}
    once(
        visit,
        "discard_terms",
        what,
        lambda: discard_version(visit.tx, visit.at.by, code, form.version, visit.now),
    )
    said = visit.say("Version %(number)s is discarded. It stays on record.", number=form.version)
    return GoTo(f"/console/products/{code}", said)


@sends("/console/products/{code}/close", allow=MAKES, again=show_one_product)
def close_by_form(visit: Visit, code: str) -> GoTo:
    """Stop new subscriptions for good."""
    once(
        visit,
        "close_product",
        {"code": code},
        lambda: close_product(visit.tx, visit.at.by, code, visit.now),
    )
    said = visit.say("%(code)s is closed. What is staked goes on as agreed.", code=code)
    return GoTo(f"/console/products/{code}", said)


@sends("/console/products/{code}/retire", allow=MAKES, again=show_one_product)
def retire_by_form(visit: Visit, code: str) -> GoTo:
    """Put a closed product away."""
    once(
        visit,
        "retire_product",
        {"code": code},
        lambda: retire_product(visit.tx, visit.at.by, code, visit.now),
    )
    return GoTo(
        f"/console/products/{code}",
        visit.say("%(code)s is retired: customers see it no more.", code=code),
    )
