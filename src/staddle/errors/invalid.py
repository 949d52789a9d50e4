"""Invalid: the request itself is wrong."""

from staddle.errors.tree import Invalid


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
