"""The types of parameters and bodies: how amounts, ids, codes and instants are written in requests."""

from typing import Annotated, Literal

import msgspec

from staddle.errors import MalformedRequest, StaddleError

AmountText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,30}(\.[0-9]{1,36})?$",
        max_length=67,
        description="A plain positive decimal, as text: no sign, no exponent.",
        examples=["12.5"],
    ),
]
Id = Annotated[
    str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,17}$", description="A number, as text.", examples=["512"])
]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["USDT-FLEX"])]
Reference = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=100, description="The integrator's own name for the customer."),
]
Account = Literal["spot", "funding"]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body of a request: what it does not know is refused, for a misspelt field would otherwise be lost."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A body that is sent as a form, as OAuth wants it; it may hold more than is known."""


def id_of(text: str, error: type[StaddleError] = MalformedRequest) -> int:
    """Read an id; what cannot be one raises `error`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise error
    return int(text)
