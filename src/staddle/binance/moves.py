"""What moves money: subscribing and redeeming. The same signed request, sent again, moves nothing again."""

from collections.abc import Callable

from staddle.binance.asked import Asked
from staddle.binance.choices import TO_FLEXIBLE, names_flexible, switch_auto
from staddle.binance.endpoint import KEY_PREFIX, Document, Make, acts, batched
from staddle.binance.products import offer_of, too_small
from staddle.binance.refusal import invalid, missing, refuse
from staddle.identity.caller import Caller, Seen
from staddle.positions import (
    AskToLeave,
    ConfirmLeave,
    Redeem,
    Redeemed,
    Subscribe,
    Subscribed,
    ask_to_leave,
    confirm_leave,
)
from staddle.positions.passed import redemption_of
from staddle.server.at import At

SOURCES = {"SPOT": "spot", "FUND": "funding", "ALL": "both"}
DESTINATIONS = {"SPOT": "spot", "FUND": "funding"}
REDEEM_TO = {"SPOT": "redeem", "FLEXIBLE": "to_flexible"}


def flexible_subscribed(at: At, asked: Asked, done: Subscribed) -> Document:
    """Answer a subscription, and switch auto-subscribe as it asked: on, unless it says otherwise."""
    is_asked = asked.maybe("autoSubscribe") is not None
    switch_auto(at, done.product, asked.flag("autoSubscribe", default=True), is_asked=is_asked)
    return {"purchaseId": done.position_id, "success": True}


@batched("/flexible/subscribe", weight=1, act="subscribe", then=flexible_subscribed)
def flexible_subscribe(at: At, asked: Asked) -> Make:
    """Stake an amount in a flexible product, from Spot, from Funding, or from Spot first and then Funding."""
    code, staked = asked.text("productId"), asked.amount("amount")
    source = asked.choice("sourceAccount", SOURCES, "SPOT")
    asked.flag("autoSubscribe", default=True)
    offer = offer_of(at, code, "flexible")
    if not staked:
        raise too_small(offer)

    def make(caller: Caller, key: str, seen: Seen) -> Subscribe:
        assert caller.customer_id is not None
        return Subscribe(
            customer_id=caller.customer_id,
            key=key,
            product=code,
            amount=staked,
            source=source,
            agreement_version=caller.agreement_version,
            redeem_to="spot",
            accepted_from=accepted_from(caller, seen),
        )

    return make


def locked_subscribed(at: At, asked: Asked, done: Subscribed) -> Document:  # noqa: ARG001
    """Answer a subscription to a fixed term."""
    position = done.position_id if at.config.binance_types == "observed" else str(done.position_id)
    return {"purchaseId": done.position_id, "positionId": position, "success": True}


@batched("/locked/subscribe", weight=1, act="subscribe", then=locked_subscribed, product=-6020)
def locked_subscribe(at: At, asked: Asked) -> Make:
    """Stake an amount for a fixed term. It is renewed unless autoSubscribe says otherwise; then redeemTo says what."""
    code, staked = asked.text("projectId"), asked.amount("amount")
    source = asked.choice("sourceAccount", SOURCES, "SPOT")
    is_renewed = asked.flag("autoSubscribe", default=True)
    is_flexible = asked.choice("redeemTo", REDEEM_TO, "FLEXIBLE") == "to_flexible"
    offer = offer_of(at, code, "fixed")
    if not staked:
        raise too_small(offer)
    if is_flexible and not names_flexible(at, code):
        if asked.maybe("redeemTo") is not None:
            raise invalid("redeemTo")
        is_flexible = False

    def make(caller: Caller, key: str, seen: Seen) -> Subscribe:
        assert caller.customer_id is not None
        return Subscribe(
            customer_id=caller.customer_id,
            key=key.replace(KEY_PREFIX, TO_FLEXIBLE, 1) if is_flexible else key,
            product=code,
            amount=staked,
            source=source,
            agreement_version=caller.agreement_version,
            at_maturity="renew" if is_renewed else "to_flexible" if is_flexible else "redeem",
            redeem_to="spot",
            accepted_from=accepted_from(caller, seen),
        )

    return make


def flexible_redeemed(at: At, asked: Asked, done: Redeemed) -> Document:  # noqa: ARG001
    """Answer a redemption."""
    return {"redeemId": redemption_of(at.tx, at.customer_id, at.key), "success": True}


@batched("/flexible/redeem", weight=1, act="redeem", then=flexible_redeemed)
def flexible_redeem(at: At, asked: Asked) -> Make:
    """Give back an amount, or all of it, to Spot or to Funding, at once."""
    code, is_all = asked.text("productId"), asked.flag("redeemAll", default=False)
    destination = asked.choice("destAccount", DESTINATIONS, "SPOT")
    given_back = None if is_all else asked.amount("amount")
    offer_of(at, code, "flexible")
    if given_back is not None and not given_back:
        raise refuse(-6006, "The amount must be above zero.")

    def make(caller: Caller, key: str, seen: Seen) -> Redeem:  # noqa: ARG001
        assert caller.customer_id is not None
        return Redeem(
            customer_id=caller.customer_id, key=key, product=code, amount=given_back, destination=destination
        )

    return make


@acts("/locked/redeem", weight=1, scope="redeem", product=-6020)
def locked_redeem(at: At, asked: Asked) -> Callable[[At], Document]:  # noqa: ARG001
    """Leave a fixed term early, for what `redeemAmountEarly` says at this moment: quoted and confirmed in one."""
    position_id = asked.number("positionId")
    if position_id is None:
        raise missing("positionId")

    def do(at: At) -> Document:
        ask = AskToLeave(customer_id=at.customer_id, key=f"{at.key}:quote", position_id=position_id)
        quote = ask_to_leave(at.tx, [ask], at.now)[0].unwrap()
        confirm = ConfirmLeave(customer_id=at.customer_id, key=at.key, quote_id=quote.quote_id)
        confirm_leave(at.tx, [confirm], at.now)[0].unwrap()
        return {"redeemId": position_id, "success": True}

    return do


def accepted_from(caller: Caller, seen: Seen) -> str:
    """Say from where the agreement was accepted: by which key, which was given it beforehand."""
    return f"API key {caller.api_key_id} at {seen.address or 'unknown'}"
