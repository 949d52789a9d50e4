"""What a customer decides in advance: the end of a term, auto-subscribe, and rate guards (rules 8 and 16)."""

from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Account, AmountText, Body, Code, Id, id_of
from staddle.api.operation import Given, answered, reads, writes
from staddle.api.pages import Page
from staddle.errors import PositionNotFound
from staddle.money import ZERO, parse_decimal
from staddle.positions import (
    ChooseAtMaturity,
    Chosen,
    SetAutoSubscribe,
    SetRateGuard,
    choose_at_maturity,
    set_auto_subscribe,
    set_rate_guard,
    standing_choices,
)
from staddle.positions.standing import StandingAuto, StandingGuard
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Choices"


class MaturityChoiceBody(Body, frozen=True, kw_only=True):
    """What happens at maturity, and where redeemed principal goes."""

    at_maturity: Literal["redeem", "renew", "to_flexible"]
    redeem_to: Account = "funding"


class AutoSubscriptionBody(Body, frozen=True, kw_only=True):
    """What always stays in the source account is the `floor`; what is above it goes into the product every day."""

    source: Account = "spot"
    floor: AmountText = "0"
    agreement_version: Annotated[
        int | None, msgspec.Meta(description="The version that is accepted for every subscription to come.")
    ] = None
    is_on: bool = True


class RateGuardBody(Body, frozen=True, kw_only=True):
    """Once a rate is revised below `apr_min` (a fraction: 0.03 is 3 %): redeem, or only stop auto-subscribe."""

    apr_min: AmountText
    action: Literal["redeem", "stop"] = "stop"
    is_on: bool = True


@writes(
    "PUT", "/v1/positions/{position_id}/maturity-choice", allow=customer("subscribe"), gives=Chosen, tag=TAG
)
def choose_maturity(at: At, position_id: Id, body: MaturityChoiceBody) -> Given:
    """Choose what happens when a fixed-term position matures."""
    command = ChooseAtMaturity(
        customer_id=at.customer_id,
        key=at.key,
        position_id=id_of(position_id, PositionNotFound),
        at_maturity=body.at_maturity,
        redeem_to=body.redeem_to,
    )
    return answered(choose_at_maturity(at.tx, [command], at.now)[0])


@reads("/v1/auto-subscriptions", allow=customer("read"), gives=Page[StandingAuto], tag=TAG)
def list_auto_subscriptions(at: At) -> Page[StandingAuto]:
    """List your auto-subscriptions, those switched off included."""
    return Page(items=standing_choices(at.tx, at.customer_id).auto_subscriptions)


@writes("PUT", "/v1/auto-subscriptions/{product}", allow=customer("subscribe"), gives=Chosen, tag=TAG)
def choose_auto_subscription(at: At, product: Code, body: AutoSubscriptionBody) -> Given:
    """Put what is idle above a floor into a flexible product every day, after the run; there is one for each coin."""
    command = SetAutoSubscribe(
        customer_id=at.customer_id,
        key=at.key,
        product=product,
        source=body.source,
        floor=ZERO if parse_decimal(body.floor) == 0 else parse_decimal(body.floor),
        agreement_version=body.agreement_version,
        is_on=body.is_on,
    )
    return answered(set_auto_subscribe(at.tx, [command], at.now)[0])


@reads("/v1/rate-guards", allow=customer("read"), gives=Page[StandingGuard], tag=TAG)
def list_rate_guards(at: At) -> Page[StandingGuard]:
    """List your rate guards, those switched off included."""
    return Page(items=standing_choices(at.tx, at.customer_id).rate_guards)


@writes("PUT", "/v1/rate-guards/{product}", allow=customer("redeem"), gives=Chosen, tag=TAG)
def choose_rate_guard(at: At, product: Code, body: RateGuardBody) -> Given:
    """Guard a product: when its rate falls below yours, redeem, or only stop auto-subscribe and renewal."""
    command = SetRateGuard(
        customer_id=at.customer_id,
        key=at.key,
        product=product,
        apr_min=parse_decimal(body.apr_min),
        action=body.action,
        is_on=body.is_on,
    )
    return answered(set_rate_guard(at.tx, [command], at.now)[0])
