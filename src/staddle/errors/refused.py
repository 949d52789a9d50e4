"""Refused and Conflict: a rule of the product says no, or somebody or something else was first."""

from staddle.errors.tree import Conflict, Refused


class ProductNotOpen(Refused):
    """This product is not open for subscription."""


class ProductNotYetOpen(ProductNotOpen):
    """This product is not open for subscription yet."""


class ProductClosed(ProductNotOpen):
    """This product is closed for new subscriptions."""


class SubscribingHalted(ProductNotOpen):
    """Subscribing to this product is paused."""


class NotInAudience(Refused):
    """This product is not offered to you."""


class CountryNotServed(NotInAudience):
    """This product is not offered in your country."""


class NewCustomersOnly(NotInAudience):
    """This product is for new customers only."""


class VipLevelTooLow(NotInAudience):
    """This product is for customers of a higher VIP level."""


class AgreementNotAccepted(Refused):
    """Please read and accept the staking service agreement first."""

    field = "agreement_version"


class AgreementOutdated(AgreementNotAccepted):
    """The staking service agreement has a newer version; please read and accept that one."""


class BelowMinimum(Refused):
    """The amount is below the product's minimum."""

    field = "amount"


class AboveMaximum(Refused):
    """The amount is above the product's maximum for one subscription."""

    field = "amount"


class NotAMultipleOfStep(Refused):
    """The amount is not a multiple of the product's step."""

    field = "amount"


class PersonalCapReached(Refused):
    """The amount is more than one customer may hold in this product."""

    field = "amount"


class QuotaFull(Refused):
    """The amount is more than what is left of this product."""

    field = "amount"


class InsufficientFunds(Refused):
    """The account does not hold this much."""

    field = "amount"


class RateChanged(Refused):
    """The rate has changed since it was shown to you; please look at it and confirm again."""

    field = "revision_seen"


class NoRate(Refused):
    """This product has no rate yet."""


class RedeemingHalted(Refused):
    """Redeeming from this product is paused."""


class NothingToRedeem(Refused):
    """You hold nothing in this product."""


class MoreThanHeld(Refused):
    """You hold less than this in the product."""

    field = "amount"


class RemainderBelowMinimum(Refused):
    """What would be left is less than the product's minimum; please redeem all of it."""

    field = "amount"


class PositionEnded(Refused):
    """This position has already ended."""


class PositionMatured(PositionEnded):
    """This position has reached its maturity; the principal is being paid back without any loss."""


class EarlyRedemptionNotAllowed(Refused):
    """This product does not allow redemption before maturity."""


class NotAFixedPosition(Refused):
    """This can only be done with a fixed-term position."""


class NotAFlexibleProduct(Refused):
    """This can only be done with a flexible product."""


class QuoteRequired(Refused):
    """Leaving a fixed-term position early needs a quote that you have seen and confirmed."""


class QuoteExpired(Refused):
    """The quote is older than five minutes; please ask for a new one."""


class PositionParked(Refused):
    """Rewards of this position could not be paid and are being looked into; please try again later."""


class WrongState(Refused):
    """This cannot be done in the present state."""


class SecondPersonNeeded(Refused):
    """Another operator must approve this: nobody approves their own request."""


class NeverBackdated(Refused):
    """A rate takes effect from a later instant on, never from an earlier one."""


class RunOutsideLimits(Refused):
    """The reward run is outside its limits and waits for a second person."""


class RunPaused(Refused):
    """The reward run is paused; somebody has to resume it first."""


class RunOutOfOrder(Refused):
    """Reward runs are done in order of their dates."""


class RunNotDue(Refused):
    """The distribution time of this reward run has not come yet."""


class RewardPoolTooSmall(Refused):
    """The reward pool does not hold this much."""

    field = "amount"


class TooManyEndpoints(Refused):
    """You have as many webhook endpoints as there can be; revoke one that you no longer need."""


class NotASandbox(Refused):
    """This database is in production: its clock is the real one and cannot be moved."""


class RequestKeyReused(Conflict):
    """This idempotency key was already used for a different request."""

    field = "Idempotency-Key"


class AlreadyExists(Conflict):
    """This already exists with other content."""


class ApprovalStale(Conflict):
    """Something changed since this approval was asked for; please ask again."""


class QuoteChanged(Conflict):
    """The figures have changed since the quote was made; here is the new quote."""


class AuditInProgress(Conflict):
    """The books are being audited already; please wait for that verdict."""


class TaskInProgress(Conflict):
    """The same work was asked for already and is not done yet; please wait for it."""


class RunInProgress(Conflict):
    """This reward run is being executed by another process."""
