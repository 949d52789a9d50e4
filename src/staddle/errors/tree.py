"""The branches of the tree of errors: what the caller can do about them."""

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

    @property
    def may_have_moved(self) -> bool:
        """Whether only a repeat with the same key can tell if anything was moved."""
        return False

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
