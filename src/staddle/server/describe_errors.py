"""Every error with its stable code, its status and its sentence, for those who handle them."""

import msgspec

from staddle.errors import StaddleError
from staddle.server.problem import status_of


class ErrorDescribed(msgspec.Struct, frozen=True, kw_only=True):
    """An error that can be answered; `branch` says what its caller can do about it."""

    code: str
    branch: str
    status: int
    exit_code: int
    message: str


def describe_errors(branch: type[StaddleError] = StaddleError) -> list[ErrorDescribed]:
    """Describe all errors below a branch of the tree."""
    found = []
    for error in branch.__subclasses__():
        told = ErrorDescribed(
            code=error.code(),
            branch=branch.code(),
            status=status_of(error),
            exit_code=error.exit_code,
            message=error().message,
        )
        found += [told, *describe_errors(error)]
    return found
