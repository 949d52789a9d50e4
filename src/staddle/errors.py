"""The one tree of errors, by what the caller can do about them (design.md section 7).

    StaddleError
    ├── Invalid          the request itself is wrong              400/422, exit 2
    ├── Unauthenticated  who are you?                             401,     exit 2
    ├── Forbidden        you may not                              403,     exit 4
    ├── NotFound         there is no such thing                   404,     exit 3
    ├── Refused          a rule of the product says no            409,     exit 4
    ├── Conflict         somebody or something else was first     409,     exit 4
    ├── TooManyRequests  slow down                                429,     exit 75
    └── Unavailable      try again later                          503,     exit 75
    InvariantBroken      our own bug: nobody catches it; everything stops and the operator is told

The class name in snake case is the stable code; the docstring is the default sentence; `details` are figures that a
page or a client may show. An error raised by an act means that nothing was moved.
"""

import re
from typing import ClassVar


class StaddleError(Exception):
    """Something went wrong; nothing was moved."""

    exit_code: ClassVar[int] = 1
    field: str | None = None
    """The field of the request that is at fault, where there is one."""

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.details = details
        super().__init__(self.message)

    @classmethod
    def code(cls) -> str:
        """Give the stable code: the class name in snake case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()


class Invalid(StaddleError):
    """The request is not valid; nothing was moved."""

    exit_code = 2


class Unauthenticated(StaddleError):
    """Please sign in first."""

    exit_code = 2


class Forbidden(StaddleError):
    """You are not allowed to do this."""

    exit_code = 4


class NotFound(StaddleError):
    """There is no such thing here."""

    exit_code = 3


class Refused(StaddleError):
    """A rule of the product does not allow this; nothing was moved."""

    exit_code = 4


class Conflict(StaddleError):
    """Something changed in the meantime; nothing was moved."""

    exit_code = 4


class TooManyRequests(StaddleError):
    """There were too many requests; nothing was moved. Please wait a little."""

    exit_code = 75


class Unavailable(StaddleError):
    """This is not available at the moment; nothing was moved. Please try again later."""

    exit_code = 75


class InvariantBroken(Exception):
    """A promise of the books does not hold. This is a bug: everything stops and the operator is told."""


# Invalid: the request itself


class InvalidAmount(Invalid):
    """The amount is not a plain positive decimal number such as 12.5."""

    field = "amount"


class TooManyDecimals(Invalid):
    """The amount has more decimals than the asset has."""

    field = "amount"


class InvalidTime(Invalid):
    """The time is not written as 2026-01-31T15:30:00Z."""


class InvalidTerms(Invalid):
    """The product's terms do not fit together."""


class InvalidRate(Invalid):
    """The rate or its tiers are not valid."""


class InvalidChoice(Invalid):
    """This is not one of the choices on offer."""


class InvalidName(Invalid):
    """The name or code is empty, too long, or has characters that are not allowed."""


class InvalidKey(Invalid):
    """The idempotency key must have 1 to 200 printable characters."""

    field = "Idempotency-Key"


class InvalidFile(Invalid):
    """The file cannot be read as what it should be; nothing was imported."""


class InvalidConfig(Invalid):
    """A setting of the environment is not valid."""


class MalformedRequest(Invalid):
    """The request cannot be read; nothing was moved."""


class RequestTooLarge(Invalid):
    """The request is larger than is accepted here; nothing was moved."""


class RequestTooSlow(Invalid):
    """The request did not come to its end in time; nothing was moved."""


class WrongMediaType(Invalid):
    """The body must be sent as application/json; nothing was moved."""


class MethodNotAllowed(Invalid):
    """This address does not know this method; nothing was moved."""


class IdempotencyKeyMissing(Invalid):
    """This request moves money: send an Idempotency-Key of your own, so that a repeat never moves it twice."""

    field = "Idempotency-Key"


class InvalidCursor(Invalid):
    """The cursor is not one that an earlier answer gave; begin again without one."""

    field = "cursor"


class InvalidEmail(Invalid):
    """This is not an e-mail address such as ann@example.com."""


class WeakPassword(Invalid):
    """The password is too easy to guess: please take 12 characters or more that nobody else would think of."""


class InvalidPublicKey(Invalid):
    """This is not an Ed25519 public key in PEM or base64."""


class InvalidSource(Invalid):
    """The terms of the rate source do not fit together; nothing was changed."""


class InvalidWebhookUrl(Invalid):
    """A webhook goes to a public address by https://, without a user name, a password or a fragment."""

    field = "url"


class ServerTooOld(Invalid):
    """The PostgreSQL server is too old: Staddle needs version 15 or newer."""


# Unauthenticated and Forbidden


class SignInNeeded(Unauthenticated):
    """Please sign in, or send an API key or access token; nothing was moved."""


class WrongKindOfCaller(Forbidden):
    """This is not for your kind of login; nothing was moved."""


class CrossSiteRequest(Forbidden):
    """This request comes from another site than the one that you signed in to; nothing was moved."""


# Unauthenticated: who is asking


class SignInFailed(Unauthenticated):
    """The e-mail address, the password or the code is not right."""


class SecondFactorNeeded(Unauthenticated):
    """Please enter the code of your authenticator app, or one of your recovery codes."""


class InvalidToken(Unauthenticated):
    """This token or key is not valid, or is not valid any more."""


class SessionExpired(InvalidToken):
    """You have been signed out; please sign in again."""


class PasskeyNotAccepted(Unauthenticated):
    """The passkey was not accepted; please try again."""


class SignatureNotAccepted(Unauthenticated):
    """The signature does not fit this request and this key."""


class ClientNotAccepted(Unauthenticated):
    """The client's id or its secret is not right."""


class ExternalSignInFailed(Unauthenticated):
    """Signing in with your other account did not work; please try again."""


# Forbidden: what you may


class AddressNotAllowed(Forbidden):
    """This key may not be used from this address."""


class ScopeMissing(Forbidden):
    """This key is not allowed to do this."""


class RoleMissing(Forbidden):
    """Your roles do not allow this."""


class StepUpNeeded(Forbidden):
    """Please confirm once more that it is you: by password, code or passkey."""


# NotFound


class AddressNotFound(NotFound):
    """There is nothing at this address."""


class AssetNotFound(NotFound):
    """There is no such asset."""

    field = "asset"


class ProductNotFound(NotFound):
    """There is no such product."""

    field = "product"


class CustomerNotFound(NotFound):
    """There is no such customer."""


class PositionNotFound(NotFound):
    """You have no such position."""


class AgreementNotFound(NotFound):
    """There is no such version of the staking service agreement."""


class OperatorNotFound(NotFound):
    """There is no such operator."""


class ApprovalNotFound(NotFound):
    """There is no such request for approval."""


class QuoteNotFound(NotFound):
    """There is no such quote."""


class RewardNotFound(NotFound):
    """No reward has been paid for this day."""


class RunNotFound(NotFound):
    """There is no reward run of this date."""


class AlarmNotFound(NotFound):
    """There is no such open alarm."""


class SourceNotFound(NotFound):
    """This product follows no rate source."""


class ReadingNotFound(NotFound):
    """No reading of this product waits for people to decide."""


class EndpointNotFound(NotFound):
    """You have no such webhook endpoint."""


class DeliveryNotFound(NotFound):
    """There is no such delivery to this endpoint."""


class DeskNotFound(NotFound):
    """This database holds no desk yet; set one up with `staddle desk create`."""


class LoginNotFound(NotFound):
    """There is no such login."""


class SessionNotFound(NotFound):
    """You have no such session."""


class PasskeyNotFound(NotFound):
    """You have no such passkey."""


class ApiKeyNotFound(NotFound):
    """You have no such API key."""


class ClientNotFound(NotFound):
    """There is no such client."""


# Refused: subscribing (rule 13)


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


# Refused: redeeming and choosing


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


# Refused: the desk


class WrongState(Refused):
    """This cannot be done in the present state."""


class SecondPersonNeeded(Refused):
    """Another operator must approve this: nobody approves their own request."""


class NeverBackdated(Refused):
    """A rate takes effect from a later instant on, never from an earlier one."""


class RunOutsideLimits(Refused):
    """The reward run is outside its limits and waits for a second person."""


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


# Conflict


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


class RunInProgress(Conflict):
    """This reward run is being executed by another process."""


# TooManyRequests


class TooManyStreams(TooManyRequests):
    """There are too many open streams of events here; please read the feed, or come again a little later."""


class TooManyAttempts(TooManyRequests):
    """There were too many attempts; please wait a little before the next one."""


# Unavailable


class NoSuchProgram(Unavailable):
    """A program of PostgreSQL is needed that is not installed here; nothing was changed."""


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached; please try again later."""


class SourceUnreadable(Unavailable):
    """The rate source could not be read; no rate was changed."""


class SourceStale(Unavailable):
    """The figures of the rate source are too old; no rate was changed."""


class Stopping(Unavailable):
    """The server is stopping or has more to do than it can; nothing was moved. Please repeat it in a moment."""


class SignInProviderUnavailable(Unavailable):
    """The other account's provider cannot be reached; please try again later."""
