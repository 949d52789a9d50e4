"""Redeeming from a flexible product: any amount, at any time, with the rewards of completed days (rule 22)."""

from decimal import Decimal

from staddle.errors import InvalidAmount, StaddleError
from staddle.identity.caller import Caller, Seen
from staddle.money import EXACT, ZERO
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, batched, shows
from staddle.positions import Redeem, Redeemed, ShownPosition, positions_of
from staddle.server.allow import customer
from staddle.web.amounts import read_amount
from staddle.web.product import offer_of, with_part

POSITIONS_MAX = 1000


class RedeemForm(Form, frozen=True, kw_only=True):
    """How much is taken back, all of it or an amount, and where it goes."""

    how: str = "amount"
    amount: str = ""
    destination: str = "funding"
    language: str = "en"


@shows("/products/{product}/redeem", allow=customer("redeem"))
def show_redeem(visit: Visit, product: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show the form to redeem, and what would arrive for the amount that is typed."""
    offer = offer_of(visit, product)
    held = positions_of(visit.tx, visit.customer_id, visit.now, "open", offer.code, None, POSITIONS_MAX)
    principal = added(held, "principal")
    typed = with_part(typed, principal, offer)
    amount, refused = wanted(visit, typed, principal)
    return View(
        "redeem.html",
        {
            "offer": offer,
            "typed": typed,
            "held": principal,
            "due": added(held, "rewards_due"),
            "amount": amount,
            "refused": refused,
        },
        part="arrives",
    )


def wanted(visit: Visit, typed: Typed, held: Decimal) -> tuple[Decimal | None, StaddleError | None]:
    """Read how much is asked for, or why it cannot be read."""
    if typed.get("how") == "all":
        return held, None
    if not typed.get("amount"):
        return None, None
    try:
        return read_amount(str(typed.get("amount")), visit.look.language), None
    except InvalidAmount as error:
        return None, error


def added(positions: list[ShownPosition], name: str) -> Decimal:
    """Add a figure of positions up."""
    total = ZERO
    for position in positions:
        total = EXACT.add(total, getattr(position, name))
    return total


def redeemed(visit: Visit, answer: Redeemed, product: str) -> GoTo:  # noqa: ARG001
    """Go on to the assets, where the money is now."""
    number = visit.formats.number
    said = visit.say(
        "%(amount)s %(asset)s are back in your %(account)s account.",
        amount=number(answer.amount, 2),
        asset=answer.asset,
        account={"spot": visit.say("Spot"), "funding": visit.say("Funding")}[answer.destination],
    )
    if answer.rewards_paid:
        said += " " + visit.say(
            "Rewards of completed days, %(amount)s %(asset)s, were paid to Funding.",
            amount=number(answer.rewards_paid, 2),
            asset=answer.asset,
        )
    return GoTo("/assets", said)


@batched("/products/{product}/redeem", "redeem", allow=customer("redeem"), again=show_redeem, then=redeemed)
def confirm_redemption(caller: Caller, key: str, seen: Seen, product: str, form: RedeemForm) -> Redeem:  # noqa: ARG001
    """Take principal back."""
    assert caller.customer_id is not None
    amount = None if form.how == "all" else read_amount(form.amount, form.language)
    return Redeem(
        customer_id=caller.customer_id,
        key=key,
        product=product,
        amount=amount,
        destination=form.destination,
    )
