"""What happens by itself: idle coins that go into a flexible product every day, and guards against low rates."""

from decimal import Decimal
from typing import Literal

from staddle.customers import current_agreement
from staddle.errors import AgreementNotFound, InvalidAmount, InvalidRate
from staddle.money import EXACT, ZERO, parse_decimal, plain
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.positions import (
    SetAutoSubscribe,
    SetRateGuard,
    set_auto_subscribe,
    set_rate_guard,
    standing_choices,
)
from staddle.products import ProductOffer, list_products
from staddle.server.allow import customer

HERE = "/settings/auto-subscribe"
PERCENT = Decimal(100)


class AutoForm(Form, frozen=True, kw_only=True):
    """What is always to stay in the source account is the `floor`; `turn` says whether it is to be on."""

    product: str
    source: Literal["spot", "funding"] = "spot"
    floor: str = "0"
    agreement_version: int | None = None
    is_agreed: bool = False
    turn: Literal["on", "off"] = "on"


class GuardForm(Form, frozen=True, kw_only=True):
    """The lowest APR in percent, what happens below it, and whether the guard is to be on."""

    product: str
    percent: str
    action: Literal["redeem", "stop"] = "stop"
    turn: Literal["on", "off"] = "on"


@shows(HERE, allow=customer("read"))
def show_auto_subscribe(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Show what stands, and what can be chosen for each coin."""
    standing = standing_choices(visit.tx, visit.customer_id)
    offers = list_products(visit.tx, visit.now)
    flexible = [offer for offer in offers if offer.kind == "flexible"]
    shown = {
        "typed": typed,
        "typed_asset": _asset_of(offers, str(typed.get("product"))),
        "is_guard_typed": "percent" in typed.values,
        "assets": _by_asset([offer for offer in flexible if offer.status != "closed"]),
        "autos": {auto.asset: auto for auto in standing.auto_subscriptions},
        "guards": standing.rate_guards,
        "offers": [offer for offer in offers if offer.status != "closed"],
        "flexible_codes": [offer.code for offer in flexible],
        "names": {offer.code: offer.name for offer in offers},
        "agreement_version": _version(visit),
        "plain": plain,
        "percent": lambda apr: plain(EXACT.multiply(apr, PERCENT)),
    }
    return View("auto_subscribe.html", shown)


@sends(HERE, allow=customer("subscribe"), again=show_auto_subscribe)
def set_auto_subscribe_by_form(visit: Visit, form: AutoForm) -> GoTo:
    """Turn auto-subscribe of a coin on, as it was chosen, or off."""
    is_on = form.turn == "on"
    floor = parse_decimal(form.floor or "0")
    command = SetAutoSubscribe(
        customer_id=visit.customer_id,
        key=visit.key,
        product=form.product,
        source=form.source,
        floor=ZERO if floor == 0 else floor,
        agreement_version=form.agreement_version if form.is_agreed else None,
        is_on=is_on,
    )
    set_auto_subscribe(visit.tx, [command], visit.now)[0].unwrap()
    if is_on:
        said = visit.say(
            "Auto-subscribe is on: from the next reward run on, what is above the floor goes in."
        )
    else:
        said = visit.say("Auto-subscribe is off. What is in the product stays there.")
    return GoTo(HERE, said)


@sends("/settings/rate-guards", allow=customer("redeem"), again=show_auto_subscribe)
def set_rate_guard_by_form(visit: Visit, form: GuardForm) -> GoTo:
    """Guard a product against a low rate, or no more."""
    is_on = form.turn == "on"
    try:
        apr_min = EXACT.divide(parse_decimal(form.percent), PERCENT)
    except InvalidAmount:
        raise InvalidRate("The lowest rate is a percentage such as 3.5.", field="percent") from None
    command = SetRateGuard(
        customer_id=visit.customer_id,
        key=visit.key,
        product=form.product,
        apr_min=apr_min,
        action=form.action,
        is_on=is_on,
    )
    set_rate_guard(visit.tx, [command], visit.now)[0].unwrap()
    return GoTo(HERE, visit.say("The guard is set.") if is_on else visit.say("The guard is off."))


def _by_asset(offers: list[ProductOffer]) -> dict[str, list[ProductOffer]]:
    found: dict[str, list[ProductOffer]] = {}
    for offer in offers:
        found.setdefault(offer.asset, []).append(offer)
    return found


def _asset_of(offers: list[ProductOffer], code: str) -> str | None:
    return next((offer.asset for offer in offers if offer.code == code), None)


def _version(visit: Visit) -> int | None:
    """Give the version of the agreement that is in force; None where there is none yet."""
    try:
        return current_agreement(visit.tx).version
    except AgreementNotFound:
        return None
