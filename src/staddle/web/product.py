"""The page of one product: its terms in plain words, its rates and what it really paid, and the form to subscribe."""

from decimal import Decimal
from typing import Any

from staddle.customers import Agreement, current_agreement
from staddle.desk import find_desk
from staddle.document import trimmed
from staddle.errors import AgreementNotFound, ProductNotFound, StaddleError
from staddle.money import EXACT, ZERO
from staddle.pages.chart import rate_series
from staddle.pages.page import NOTHING_TYPED, Typed, View, Visit, shows
from staddle.positions import Subscribe, Subscribed, assets_of, held_by_product, preview
from staddle.products import ProductOffer, show_product, shown_rates
from staddle.products.state import NEVER_ON_SALE
from staddle.server.realised import realised_of
from staddle.web.amounts import read_amount

PARTS = ("25", "50", "75", "100")
"""Of the balance, in percent: the chips beside an amount."""


def offer_of(visit: Visit, code: str) -> ProductOffer:
    """Read a product that is, or was, on sale; a draft is nobody's business yet. Raises ProductNotFound."""
    offer = show_product(visit.tx, code, visit.now)
    if offer.status in NEVER_ON_SALE:
        raise ProductNotFound(f"There is no product {code[:40]!r}.", product=code[:40])
    return offer


@shows("/products/{product}")
def show_product_page(visit: Visit, product: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show a product with all that rule 11 asks for, and the form to subscribe beside it."""
    offer = offer_of(visit, product)
    rates = shown_rates(visit.tx, offer.code)
    values = {
        "rates": rates,
        "series": rate_series(visit, rates),
        "realised": realised_of(visit.tx, offer),
        "distribution": f"{find_desk(visit.tx).distribution_time:%H:%M}",
    }
    return View("product.html", values | form_values(visit, offer, typed))


@shows("/products/{product}/subscribe")
def show_subscribe(visit: Visit, product: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show the form to subscribe on a page of its own, as a phone opens it."""
    return View("subscribe.html", form_values(visit, offer_of(visit, product), typed))


@shows("/products/{product}/preview")
def show_preview(visit: Visit, product: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show what subscribing would bring, while somebody types (rule 12): the piece of the form that changes.

    The rate that the form was opened with stays the one that was seen: another one is shown, and must be confirmed
    on a form that says so.
    """
    values = form_values(visit, offer_of(visit, product), typed)
    return View(
        "preview.html", values | {"revision_seen": typed.get("revision_seen", values["revision_seen"])}
    )


def form_values(visit: Visit, offer: ProductOffer, typed: Typed) -> dict[str, Any]:
    """Give what the form to subscribe shows: balances, the holding, the agreement, the preview of what is typed."""
    customer_id = visit.viewer.customer_id
    balances = balances_in(visit, offer.asset)
    source = typed.get("source", "")
    if source not in balances:
        source = "spot" if balances["spot"] >= balances["funding"] else "funding"
    typed = with_part(typed, balances[source], offer)
    agreement = agreement_of(visit)
    brings, refused = previewed(visit, offer, typed, source, agreement)
    return {
        "offer": offer,
        "typed": typed,
        "balances": balances,
        "source": source,
        "held": ZERO if customer_id is None else held_by_product(visit.tx, customer_id).get(offer.code, ZERO),
        "brings": brings,
        "refused": refused,
        "revision_seen": "" if offer.rate is None else str(offer.rate.revision),
        "agreement": agreement,
        "at_maturity": typed.get("at_maturity", offer.terms.at_maturity),
        "redeem_to": typed.get("redeem_to", "funding"),
    }


def balances_in(visit: Visit, asset: str) -> dict[str, Decimal]:
    """Give what the customer has of a coin in Spot and Funding; zeros for whoever is not signed in."""
    customer_id = visit.viewer.customer_id
    has = [] if customer_id is None else assets_of(visit.tx, customer_id)
    found = next((each for each in has if each.asset == asset), None)
    return {"spot": found.spot if found else ZERO, "funding": found.funding if found else ZERO}


def with_part(typed: Typed, balance: Decimal, offer: ProductOffer) -> Typed:
    """Fill in the part of the balance that was asked for: cut to the product's step, up to its maximum."""
    part = str(typed.get("part"))
    if part not in PARTS:
        return typed
    wanted = EXACT.divide_int(EXACT.multiply(balance, Decimal(part)), Decimal(100) * offer.terms.step)
    amount = EXACT.multiply(wanted, offer.terms.step)
    if offer.terms.amount_max is not None:
        amount = min(amount, offer.terms.amount_max)
    return Typed({**typed.values, "amount": trimmed(amount)}, typed.error)


def previewed(
    visit: Visit, offer: ProductOffer, typed: Typed, source: str, agreement: Agreement | None
) -> tuple[Subscribed | None, StaddleError | None]:
    """Give what subscribing to what is typed would bring, or why it would be refused; nothing before an amount is."""
    if visit.viewer.customer_id is None or not typed.get("amount"):
        return None, None
    try:
        command = Subscribe(
            customer_id=visit.viewer.customer_id,
            key=visit.key,
            product=offer.code,
            amount=read_amount(str(typed.get("amount")), visit.look.language),
            source=source,
            agreement_version=None if agreement is None else agreement.version,
        )
        return preview(visit.tx, [command], visit.now)[0].unwrap(), None
    except StaddleError as error:
        return None, error


def agreement_of(visit: Visit) -> Agreement | None:
    """Read the agreement in force; None before the first one."""
    try:
        return current_agreement(visit.tx)
    except AgreementNotFound:
        return None
