"""The editor of a product's terms: marked as one types, with what customers would see; it drafts, and never edits."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from staddle.console.product import ask_once, table_of
from staddle.console.products import MAKES
from staddle.console.term_fields import (
    EditorForm,
    fields_of,
    read_percent,
    written,
)
from staddle.errors import StaddleError, WrongState
from staddle.ledger import Asset, all_assets
from staddle.money import SCALE_MAX, ZERO, parse_decimal, unit_of
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, GoTo, Typed, View, Visit, sends, shows
from staddle.pages.read import ungrouped
from staddle.positions import Estimate, estimate, refusal_of
from staddle.products import (
    DraftCheck,
    Problem,
    ProductOffer,
    Terms,
    Tier,
    Version,
    check_draft,
    check_version,
    cloned_terms,
    differences,
    draft_product,
    draft_version,
    find_product,
    list_products,
    newest_of,
    offer_of_terms,
    show_product,
    terms_in_force,
    versions_of,
)
from staddle.products.check_terms import refused
from staddle.products.differences import WORDS
from staddle.products.terms import USUAL_DAYS

TRIED_DAYS = 365
NO_COIN = Asset(0, "", "", SCALE_MAX, unit_of(SCALE_MAX))
DRAWN = {"asset", "kind", "amount_min", "term_days", "kept_fraction", "reduced_apr"}
"""The fields that the customers' card cannot be drawn without."""
LOOK = "look"
"""What a script asks for as somebody types: the piece of the page that changes."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What the editor is open for: a new product, or the next version of one, which is `offer`."""

    offer: ProductOffer | None
    newest: Version | None = None

    @property
    def address(self) -> str:
        """Where its form goes."""
        return "/console/products/new" if self.offer is None else f"/console/products/{self.offer.code}/edit"


@dataclass(frozen=True, slots=True)
class Tried:
    """What an amount would bring at a rate to try; or why there is nothing to say."""

    brings: Estimate | None = None
    refused: StaddleError | None = None
    wrong: StaddleError | None = None
    tiers: tuple[Tier, ...] = ()


@shows("/console/products/new", allow=MAKES)
def show_new_product(visit: Visit, copy: str = "", typed: Typed = NOTHING_TYPED) -> View:
    """Show the editor for a new product, blank or filled in with what another one has; nothing is written yet."""
    start = {"kind": "flexible", "try_days": str(TRIED_DAYS)}
    if copy:
        source = show_product(visit.tx, copy, visit.now)
        terms = cloned_terms(visit.tx, copy, source.asset, source.kind, visit.now)
        start |= fields_of(terms) | {"asset": source.asset, "kind": source.kind, "name": source.name}
    return editor(visit, Edited(None), filled(start, typed), typed)


@sends("/console/products/new", allow=MAKES, again=show_new_product)
def draft_new_by_form(visit: Visit, form: EditorForm) -> GoTo | View:
    """Draft a product; or only say what is wrong with it, and what customers would see."""
    if form.do not in ("draft", "ask"):
        return looked(visit, Edited(None), form)

    def draft() -> dict[str, int | None]:
        terms = sound(checked_of(visit, Edited(None), form))
        content = (form.code, form.asset, form.kind, form.name)
        made = draft_product(visit.tx, visit.at.by, *content, terms, visit.now)
        return asked_too(visit, form, form.code, made)

    return drafted(visit, form.code, once(visit, "draft_product", {"form": sent(form)}, draft))


@shows("/console/products/{code}/edit", allow=MAKES)
def show_edit_product(visit: Visit, code: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show the editor for new terms of a product: the newest ones, to be changed into the next version."""
    edited = edited_of(visit, code)
    assert edited.newest is not None
    start = fields_of(edited.newest.terms) | {"try_days": str(TRIED_DAYS)}
    return editor(visit, edited, filled(start, typed), typed)


@sends("/console/products/{code}/edit", allow=MAKES, again=show_edit_product)
def draft_version_by_form(visit: Visit, code: str, form: EditorForm) -> GoTo | View:
    """Draft the next version of a product's terms; or only say what is wrong with it, and what would change."""
    edited = edited_of(visit, code)
    if form.do not in ("draft", "ask"):
        return looked(visit, edited, form)

    def draft() -> dict[str, int | None]:
        terms = sound(checked_of(visit, edited, form))
        check_based_on(edited, form)
        made = draft_version(visit.tx, visit.at.by, code, terms, visit.now)
        return asked_too(visit, form, code, made)

    return drafted(visit, code, once(visit, "draft_version", {"code": code, "form": sent(form)}, draft))


def asked_too(visit: Visit, form: EditorForm, code: str, made: Version) -> dict[str, int | None]:
    """Say what was drafted, and put it before a second person where that is asked for."""
    is_asked = form.do == "ask" and made.is_waiting
    return {
        "version": made.version,
        "approval_id": ask_once(visit, code, made.version) if is_asked else None,
    }


def sound(checked: DraftCheck) -> Terms:
    """Give terms without a problem; else the first is raised, and the form that is shown again marks them all."""
    if checked.problems:
        raise refused(checked.problems[0])
    return checked.terms


def sent(form: EditorForm) -> dict[str, str]:
    """Give what was sent but for what is only tried out: it tells a repeat from another request."""
    return {name: getattr(form, name) for name in form.__struct_fields__ if not name.startswith("try_")}


def drafted(visit: Visit, code: str, made: Mapping[str, Any]) -> GoTo:
    """Go to the product, and say what waits there."""
    if made["approval_id"] is None:
        said = visit.say(
            "Version %(number)s is drafted. Put it before a second person when it is ready.",
            number=made["version"],
        )
    else:
        said = visit.say(
            "Version %(number)s is drafted, and waits for a second person.", number=made["version"]
        )
    return GoTo(f"/console/products/{code}", said)


def edited_of(visit: Visit, code: str) -> Edited:
    """Read what there is of a product to change; raises ProductNotFound."""
    offer = show_product(visit.tx, code, visit.now)
    return Edited(offer, newest_of(versions_of(visit.tx, find_product(visit.tx, code).product_id)))


def check_based_on(edited: Edited, form: EditorForm) -> None:
    """Refuse what was written upon another version than the newest one: WrongState. Sent again, it goes ahead."""
    assert edited.newest is not None
    newest = edited.newest
    if form.based_on not in ("", str(newest.version)):
        raise WrongState(
            f"{newest.drafted_by} has drafted version {newest.version} since you opened this; nothing was saved."
            " What would change is shown beside your fields: save once more to go ahead."
        )


def filled(start: Mapping[str, str], typed: Typed) -> dict[str, str]:
    """Give the texts of the fields: what was typed, where anything was, else what they begin with."""
    names = EditorForm.__struct_fields__
    if any(name in typed.values for name in names if name not in ("do", "based_on")):
        return {name: str(typed.get(name)) for name in names}
    return {name: start.get(name, "") for name in names}


def looked(visit: Visit, edited: Edited, form: EditorForm) -> View:
    """Show the editor as it was sent, with all that is wrong marked; to a script only what changes as one types."""
    fields = {name: getattr(form, name) for name in EditorForm.__struct_fields__}
    if form.do == LOOK:
        return View("product_editor.html", values_of(visit, edited, fields, is_look=True), part="live")
    shown = values_of(visit, edited, fields, is_checked=True)
    return View("product_editor.html", shown, status=422 if shown["problems"] else 200)


def editor(visit: Visit, edited: Edited, fields: dict[str, str], typed: Typed) -> View:
    """Show the editor with these texts in its fields."""
    is_checked = typed.error is not None
    return View("product_editor.html", values_of(visit, edited, fields, typed=typed, is_checked=is_checked))


def values_of(
    visit: Visit,
    edited: Edited,
    fields: dict[str, str],
    *,
    typed: Typed = NOTHING_TYPED,
    is_checked: bool = False,
    is_look: bool = False,
) -> dict[str, Any]:
    """Work out what the editor shows: problems by field, the customers' card, what an amount would bring, changes."""
    form = EditorForm(**fields)
    checked = checked_of(visit, edited, form)
    coin, kind = coin_of(visit, edited, form), kind_of(edited, form)
    tried = try_out(edited, form)
    name = edited.offer.name if edited.offer else form.name
    offer = offer_of_terms(
        form.code or "NEW", name or visit.say("The product's name"), kind, coin, checked.terms, tried.tiers, visit.now
    )  # fmt: skip
    in_force = None if edited.offer is None else terms_in_force(visit.tx, edited.offer.code)
    if tried.brings is None and tried.wrong is None:
        tried = with_estimate(tried, offer, form, coin)
    problems: dict[str, str] = {}
    for each in checked.problems:
        problems.setdefault(each.field, reason_of(visit, each))
    return {
        "edited": edited,
        "fields": fields,
        "kind": kind,
        "typed": typed,
        "coin": coin.code or visit.say("coins"),
        "words": WORDS,
        "labels": WORDS
        | {
            "kind": visit.say("Kind"),
            "asset": visit.say("Coin"),
            "code": visit.say("Code"),
            "name": visit.say("Name"),
        },
        "usual_days": USUAL_DAYS,
        "coins": sorted(all_assets(visit.tx).values(), key=lambda each: each.code),
        "targets": targets(visit, coin),
        "problems": problems,
        "lacking": [name for name in problems if name in DRAWN],
        "can_be_drawn": not problems.keys() & DRAWN,
        "is_checked": is_checked,
        "is_look": is_look,
        "offer": offer,
        "tried": tried,
        "changes": [] if edited.offer is None else table_of(differences(in_force, checked.terms)),
        "is_in_force": in_force is not None,
    }


def checked_of(visit: Visit, edited: Edited, form: EditorForm) -> DraftCheck:
    """Look the form over."""
    if edited.offer is None:
        fields = written(form, form.kind)
        return check_draft(visit.tx, form.code, form.asset, form.kind, form.name, fields, visit.now)
    assert edited.newest is not None
    fields = written(form, edited.offer.kind, edited.newest.terms)
    return check_version(visit.tx, edited.offer.code, {"opens_at": visit.now.isoformat()} | fields, visit.now)


def coin_of(visit: Visit, edited: Edited, form: EditorForm) -> Asset:
    """Give the coin that amounts are in; one without a name while none was chosen."""
    code = edited.offer.asset if edited.offer else form.asset
    return next((each for each in all_assets(visit.tx).values() if each.code == code), NO_COIN)


def kind_of(edited: Edited, form: EditorForm) -> str:
    """Give the kind of product; flexible while none was chosen."""
    if edited.offer is not None:
        return edited.offer.kind
    return form.kind if form.kind in ("flexible", "fixed") else "flexible"


def targets(visit: Visit, coin: Asset) -> list[ProductOffer]:
    """List the flexible products of a coin that principal can go on in."""
    offers = list_products(visit.tx, visit.now, ("draft", "live", "closed"))
    return [each for each in offers if each.kind == "flexible" and each.asset == coin.code]


def try_out(edited: Edited, form: EditorForm) -> Tried:
    """Find the rate to try: the one that is typed, else the one in force."""
    if form.try_apr.strip():
        try:
            apr = parse_decimal(read_percent(form.try_apr.strip()))
        except StaddleError as error:
            return Tried(wrong=error)
        return Tried(tiers=(Tier(ZERO, None, apr),))
    if edited.offer is not None and edited.offer.rate is not None:
        return Tried(tiers=edited.offer.rate.tiers)
    return Tried()


def with_estimate(tried: Tried, offer: ProductOffer, form: EditorForm, coin: Asset) -> Tried:
    """Say what the amount that is typed would bring, and whether it could be subscribed at all."""
    if not form.try_amount.strip():
        return tried
    days = int(form.try_days) if form.try_days.isdigit() and len(form.try_days) <= 4 else TRIED_DAYS
    try:
        amount: Decimal = parse_decimal(ungrouped(form.try_amount))
        brings = estimate(offer, amount, max(days, 1))
    except StaddleError as error:
        return Tried(wrong=error, tiers=tried.tiers)
    return Tried(brings, refusal_of(offer, coin, amount) if coin.code else None, None, tried.tiers)


def reason_of(visit: Visit, problem: Problem) -> str:
    """Say what is wrong with a field as a sentence of its own; a percentage as it is typed here."""
    if problem.field in ("kept_fraction", "reduced_apr") and problem.reason.startswith("it is not a decimal"):
        return visit.say(
            "Type a percentage from 0 to %(most)s.", most=100 if problem.field == "kept_fraction" else 10_000
        )
    return problem.reason[:1].upper() + problem.reason[1:] + "."
