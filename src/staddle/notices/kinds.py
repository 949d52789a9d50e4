"""Every kind of notice there is, and who may read it; docs/events.md describes the body of each."""

from dataclasses import dataclass
from typing import Literal

Audience = Literal["customer", "holders", "everybody", "desk"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice. Its readers: the one customer, all who hold the product, everybody, or the desk alone.

    Integrators are part of the desk: they read all of them.
    """

    audience: Audience
    sentence: str


KINDS = {
    "subscription": Kind("customer", "A subscription opened a position."),
    "redemption": Kind("customer", "Principal was taken back from a flexible product."),
    "early_redemption": Kind("customer", "A fixed-term position was left before its maturity."),
    "maturity": Kind(
        "customer", "A fixed-term position reached its maturity: redeemed, renewed or made flexible."
    ),
    "deposit": Kind("customer", "Coins were credited from outside."),
    "withdrawal": Kind("customer", "Coins left."),
    "correction": Kind("customer", "A deposit or withdrawal that was a mistake was reversed."),
    "transfer": Kind("customer", "Coins were moved between Spot and Funding."),
    "rate_revised": Kind("holders", "A product's rate will change, or has its first one."),
    "product_opened": Kind("everybody", "A product can be subscribed to, for the first time or again."),
    "product_sold_out": Kind("everybody", "Nothing is left of a product."),
    "product_halted": Kind("everybody", "Subscribing to a product is paused."),
    "product_closed": Kind("everybody", "A product is closed for new subscriptions."),
    "redeeming_halted": Kind("holders", "Redeeming from a product is paused."),
    "redeeming_resumed": Kind("holders", "Redeeming from a product goes on."),
    "rewards_distributed": Kind("everybody", "The rewards of a day have been paid."),
    "reward_run_finished": Kind("desk", "A reward run is finished; its totals."),
    "webhook_disabled": Kind(
        "desk", "A webhook endpoint was disabled, as it was gone or had failed for days."
    ),
    "alarm": Kind(
        "desk", "Something needs somebody's attention, such as a parked position or a run that is held."
    ),
    "alarm_cleared": Kind("desk", "What an alarm was about is over, or somebody has cleared it."),
}


def kinds_for(audience: Audience) -> list[str]:
    """Name the kinds of notices that have these readers."""
    return [name for name, kind in KINDS.items() if kind.audience == audience]
