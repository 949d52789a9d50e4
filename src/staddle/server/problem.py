"""What went wrong, as problem details (RFC 9457) with the engine's stable code; the one table of statuses."""

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg

from staddle.document import document
from staddle.errors import (
    Conflict,
    DatabaseUnavailable,
    Forbidden,
    Invalid,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Refused,
    RequestTooLarge,
    RequestTooSlow,
    StaddleError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    WrongMediaType,
)
from staddle.ledger.constraints import error_of_database

MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[type[StaddleError], int] = {
    MalformedRequest: 400,
    RequestTooLarge: 413,
    RequestTooSlow: 408,
    WrongMediaType: 415,
    MethodNotAllowed: 405,
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Refused: 409,
    Conflict: 409,
    TooManyRequests: 429,
    Unavailable: 503,
}
"""The status of each branch of the tree; an error has that of the nearest of its classes."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it is sent. `moved` is false where nothing was moved for certain, null where a retry must tell."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    moved: bool | None
    details: dict[str, Any]


def status_of(error: type[StaddleError]) -> int:
    """Give the HTTP status of an error's class."""
    return next(STATUSES[each] for each in error.__mro__ if each in STATUSES)


def problem_of(error: Exception) -> Problem:
    """Describe what went wrong; what is our own mistake says so and nothing about our insides."""
    known = known_error(error)
    if known is None:
        return Problem(
            type="/docs/errors#internal_error",
            title="Internal error",
            status=500,
            detail="This is a mistake of ours and has been logged. Repeat the request with the same idempotency key.",
            code="internal_error",
            field=None,
            moved=None,
            details={},
        )
    return Problem(
        type=f"/docs/errors#{known.code()}",
        title=known.code().replace("_", " ").capitalize(),
        status=status_of(type(known)),
        detail=known.message,
        code=known.code(),
        field=known.field,
        moved=None if known.may_have_moved else False,
        details=document(known.details, {}),
    )


def known_error(error: Exception) -> StaddleError | None:
    """Give the error of the tree that this is, None for a mistake of ours."""
    told = error_of_database(error) or error
    if isinstance(told, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnavailable(
            "The connection to the database was lost, maybe after the act was done: "
            "please repeat it with the same idempotency key."
        )
    return told if isinstance(told, StaddleError) else None
