"""Subscribing: the form's one Confirm."""

from staddle.identity.caller import Caller, Seen
from staddle.pages.page import Form, GoTo, Visit, batched
from staddle.positions import Subscribe, Subscribed
from staddle.server.allow import customer
from staddle.ui.formats import Formats
from staddle.web.amounts import read_amount
from staddle.web.product import show_subscribe


class SubscribeForm(Form, frozen=True, kw_only=True):
    """What is staked, from where, and what was seen when it was confirmed: the rate and the agreement."""

    amount: str
    source: str = "spot"
    at_maturity: str | None = None
    redeem_to: str = "funding"
    is_agreed: bool = False
    agreement_version: int | None = None
    revision_seen: int | None = None
    language: str = "en"


def subscribed(visit: Visit, answer: Subscribed, product: str) -> GoTo:  # noqa: ARG001
    """Go on to the new position, which says when it is paid first."""
    formats: Formats = visit.formats
    said = visit.say(
        "You have staked %(amount)s %(asset)s. Interest accrues from now on.",
        amount=formats.number(answer.amount, 2),
        asset=answer.asset,
    )
    return GoTo(f"/positions/{answer.position_id}", said)


@batched(
    "/products/{product}/subscribe",
    "subscribe",
    allow=customer("subscribe"),
    again=show_subscribe,
    then=subscribed,
)
def confirm_subscription(
    caller: Caller, key: str, seen: Seen, product: str, form: SubscribeForm
) -> Subscribe:
    """Stake an amount; the rate and the agreement must be those that the form showed (rule 13)."""
    assert caller.customer_id is not None
    return Subscribe(
        customer_id=caller.customer_id,
        key=key,
        product=product,
        amount=read_amount(form.amount, form.language),
        source=form.source,
        agreement_version=form.agreement_version if form.is_agreed else None,
        at_maturity=form.at_maturity or None,
        redeem_to=form.redeem_to,
        revision_seen=form.revision_seen,
        accepted_from=seen.address or "unknown",
    )
