"""What a command answers: one document, printed as JSON for machines or shown as tables to people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType

from staddle.document import Document, document, trimmed
from staddle.errors import StaddleError
from staddle.ledger import Outcome

__all__ = ["Document", "Shown", "View", "document", "shown", "trimmed"]

View = Callable[[Document], RenderableType]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a command gives back: `data` becomes the document, `view` shows that document to a person.

    No data means that the command has written its answer itself, such as CSV.
    A refusal in `error` is raised once the transaction is committed, for refusals are kept by their keys too, and
    once the data, if there are any, have been shown.
    """

    data: object
    view: View | None = None
    error: StaddleError | None = None
    is_replay: bool = False
    exit_code: int = 0
    scales: Mapping[str, int] = field(default_factory=dict)
    """Of a command without the one database: the decimals of the coins that it speaks of."""


def shown(outcome: Outcome[Any], view: View | None = None) -> Shown:
    """Show the outcome of an act that was given a list of one."""
    return Shown(outcome.answer, view, outcome.error, outcome.is_replay)
