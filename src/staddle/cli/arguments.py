"""The arguments that many commands share, and how their texts are read."""

from datetime import date, time
from typing import Annotated

import typer

from staddle.errors import InvalidTime

CustomerRef = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's reference.")]
AssetCode = Annotated[str, typer.Argument(metavar="ASSET", help="A coin's code, such as BTC.")]
ProductCode = Annotated[str, typer.Argument(metavar="PRODUCT", help="A product's code, such as BTC-FLEX.")]
AmountText = Annotated[str, typer.Argument(metavar="AMOUNT", help="A plain decimal such as 12.5.")]
ID_MAX = 2**63 - 1
"""No id is larger; what is typed beyond it is no id, and not found."""
PositionId = Annotated[
    int, typer.Argument(metavar="POSITION", help="A position's number.", min=0, max=ID_MAX, clamp=True)
]
ApprovalId = Annotated[int, typer.Argument(metavar="APPROVAL", help="The number of a request for approval.")]
AccountName = Annotated[str, typer.Option("--account", help="spot or funding.")]
SourceName = Annotated[str, typer.Option("--from", help="The account that pays: spot or funding.")]
DestinationName = Annotated[str, typer.Option("--to", help="Where principal goes: spot or funding.")]
Accept = Annotated[
    int | None,
    typer.Option("--accept", metavar="VERSION", help="The version of the agreement that is accepted."),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; customers see it.")]
RunOn = Annotated[str, typer.Argument(metavar="DATE", help="The date of the run, such as 2026-01-31.")]


def parse_date(text: str) -> date:
    """Read a date such as 2026-01-31; raises InvalidTime."""
    try:
        if len(text) == len("2026-01-31") and text.isascii():
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidTime(f"{text[:40]!r} is not a date such as 2026-01-31.")


def parse_time(text: str) -> time:
    """Read a time of day such as 00:00; raises InvalidTime."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise InvalidTime(f"{text[:40]!r} is not a time of day such as 00:00.") from None
