"""Subscribe, redeem, and move coins between one's own accounts: the acts that are committed in batches."""

from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Account, AmountText, Body, Code
from staddle.api.operation import Given, answered, batched, writes
from staddle.customers import Moved, TransferBetween
from staddle.errors import InvalidChoice
from staddle.identity.caller import Caller, Seen
from staddle.money import parse_decimal
from staddle.positions import Redeem, Redeemed, Subscribe, Subscribed
from staddle.positions import preview as preview_subscriptions
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Staking"


class SubscriptionBody(Body, frozen=True, kw_only=True):
    """What is staked, in which product, from which account, under which agreement."""

    product: Code
    amount: AmountText
    agreement_version: Annotated[
        int | None, msgspec.Meta(description="The version that the customer has accepted for this request.")
    ] = None
    source: Account = "spot"
    at_maturity: Literal["redeem", "renew", "to_flexible"] | None = None
    redeem_to: Account = "funding"
    revision_seen: Annotated[
        int | None, msgspec.Meta(description="The rate revision that was shown; another one is refused.")
    ] = None


class RedemptionBody(Body, frozen=True, kw_only=True):
    """How much is taken back from a flexible product; all of it where `is_all` is true."""

    product: Code
    amount: AmountText | None = None
    is_all: bool = False
    destination: Account = "funding"


class TransferBody(Body, frozen=True, kw_only=True):
    """What is moved between the customer's own accounts."""

    asset: Code
    amount: AmountText
    source: Account
    destination: Account


@writes("POST", "/v1/subscriptions/preview", allow=customer("read"), gives=Subscribed, tag=TAG, keyed="no")
def preview_subscription(at: At, body: SubscriptionBody) -> Given:
    """Show what subscribing would bring; nothing is written.

    The answer is that of a subscription with `position_id` "0": start, end of the first accrual day, next payout, end
    date, blended APR, estimated daily reward (not guaranteed), and what is left of the quotas.
    """
    command = subscription_of(at.customer_id, at.key, body, at.seen)
    return answered(preview_subscriptions(at.tx, [command], at.now)[0])


@batched("/v1/subscriptions", "subscribe", allow=customer("subscribe"), gives=Subscribed, tag=TAG)
def subscribe(caller: Caller, key: str, seen: Seen, body: SubscriptionBody) -> Subscribe:
    """Stake an amount. It accrues from this instant on and is paid every day after its first full 24 hours."""
    assert caller.customer_id is not None
    return subscription_of(caller.customer_id, key, body, seen)


def subscription_of(customer_id: int, key: str, body: SubscriptionBody, seen: Seen) -> Subscribe:
    """Put a subscription together."""
    return Subscribe(
        customer_id=customer_id,
        key=key,
        product=body.product,
        amount=parse_decimal(body.amount),
        source=body.source,
        agreement_version=body.agreement_version,
        at_maturity=body.at_maturity,
        redeem_to=body.redeem_to,
        revision_seen=body.revision_seen,
        accepted_from=seen.address or "unknown",
    )


@batched("/v1/redemptions", "redeem", allow=customer("redeem"), gives=Redeemed, tag=TAG)
def redeem(caller: Caller, key: str, seen: Seen, body: RedemptionBody) -> Redeem:  # noqa: ARG001
    """Take principal back from a flexible product: any amount, at any time, with the rewards of completed days."""
    assert caller.customer_id is not None
    if (body.amount is None) == (not body.is_all):
        raise InvalidChoice("Give an amount, or `is_all`: true; nothing was moved.")
    return Redeem(
        customer_id=caller.customer_id,
        key=key,
        product=body.product,
        amount=None if body.amount is None else parse_decimal(body.amount),
        destination=body.destination,
    )


@batched("/v1/transfers", "transfer", allow=customer("transfer"), gives=Moved, tag="Accounts")
def transfer(caller: Caller, key: str, seen: Seen, body: TransferBody) -> TransferBetween:  # noqa: ARG001
    """Move coins between your Spot and Funding accounts."""
    assert caller.customer_id is not None
    return TransferBetween(
        customer_id=caller.customer_id,
        key=key,
        asset=body.asset,
        source=body.source,
        destination=body.destination,
        amount=parse_decimal(body.amount),
    )
