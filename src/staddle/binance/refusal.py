"""What Binance's clients are told where something is wrong: a number, a sentence and a status that they know.

The numbers and their sentences are the protocol's. Behind those of Earn our own sentence follows, which says more.
"""

from collections.abc import Mapping

from staddle import errors
from staddle.errors import StaddleError
from staddle.server.problem import known_error

WORDS: Mapping[int, str] = {
    -1000: "An unknown error occurred while processing the request.",
    -1001: "Internal error; unable to process your request. Please try again.",
    -1003: "Too many requests; current limit of weight per minute is exceeded.",
    -1020: "This operation is not supported.",
    -1022: "Signature for this request is not valid.",
    -1023: "Start time is greater than end time.",
    -1101: "Duplicate values for a parameter detected.",
    -1111: "Precision is over the maximum defined for this asset.",
    -1131: "recvWindow must be less than 60000",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -6001: "Daily product not exists.",
    -6003: "Product not exist or you don't have permission",
    -6004: "Product not in purchase status",
    -6005: "Smaller than min purchase limit",
    -6006: "Redeem amount error",
    -6007: "Not in redeem time",
    -6008: "Product not in redeem status",
    -6009: "Request frequency too high",
    -6011: "Exceeding the maximum num allowed to purchase per user",
    -6012: "Balance not enough",
    -6013: "Purchasing failed",
    -6014: "Exceed up-limit allowed to purchased",
    -6016: "Parameter err",
    -6017: "Not in whitelist",
    -6019: "Need confirm",
    -6020: "Project not exists",
    -6021: "Query time range too large",
}

OF_ERRORS: Mapping[type[StaddleError], int] = {
    errors.SignatureNotAccepted: -1022,
    errors.Unauthenticated: -2015,
    errors.Forbidden: -2015,
    errors.TooManyDecimals: -1111,
    errors.NotAMultipleOfStep: -1111,
    errors.InvalidConfig: -1001,
    errors.Invalid: -6016,
    errors.ProductNotFound: -6001,
    errors.NotFound: -6003,
    errors.NotAFixedPosition: -6003,
    errors.ProductNotOpen: -6004,
    errors.NoRate: -6004,
    errors.BelowMinimum: -6005,
    errors.NothingToRedeem: -6006,
    errors.MoreThanHeld: -6006,
    errors.RemainderBelowMinimum: -6006,
    errors.RedeemingHalted: -6007,
    errors.EarlyRedemptionNotAllowed: -6007,
    errors.PositionEnded: -6008,
    errors.PositionParked: -6008,
    errors.PersonalCapReached: -6011,
    errors.InsufficientFunds: -6012,
    errors.AboveMaximum: -6014,
    errors.QuotaFull: -6014,
    errors.NotInAudience: -6017,
    errors.AgreementNotAccepted: -6019,
    errors.NotAFlexibleProduct: -6001,
    errors.QuoteRequired: -6001,
    errors.Refused: -6013,
    errors.Conflict: -6013,
    errors.TooManyRequests: -1003,
    errors.Unavailable: -1001,
}
"""The number for each error of ours, or for the nearest of its classes."""

STATUSES: Mapping[int, int] = {
    -1000: 500, -1001: 503, -1003: 429, -1020: 404, -2014: 401, -2015: 401,
}  # fmt: skip
"""The statuses other than 400; Binance's clients lose the number of any other one."""


class Refusal(Exception):
    """What a client is told. It is no error of the engine: those become one here, by `refusal_of`."""

    def __init__(self, code: int, text: str, *, status: int | None = None, retry_after: int | None = None):
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = STATUSES.get(code, 400) if status is None else status
        self.retry_after = retry_after


def refuse(code: int, more: str = "") -> Refusal:
    """Make a refusal in the protocol's words, with what we have to add behind them."""
    words = WORDS[code]
    return Refusal(code, f"{words.rstrip('.')}. {more}" if more else words)


def missing(name: str) -> Refusal:
    """A parameter that must be there is not."""
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def empty(name: str) -> Refusal:
    """A parameter was sent with nothing in it."""
    return Refusal(-1105, f"Parameter '{name}' was empty.")


def illegal(name: str, legal: str) -> Refusal:
    """A parameter is not written as it must be."""
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid(name: str) -> Refusal:
    """A parameter is none of what it may be."""
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def refusal_of(error: Exception, product: int = -6001) -> Refusal:
    """Tell any error in the protocol's words; `product` is the number for a product that is not there."""
    if isinstance(error, Refusal):
        return error
    known = known_error(error)
    if known is None:
        return refuse(-1000)
    code = next(OF_ERRORS[each] for each in type(known).__mro__ if each in OF_ERRORS)
    if code == -6001:
        code = product
    if code > -6000:
        return refuse(code)
    return refuse(code, known.message)
