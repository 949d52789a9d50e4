"""Many commands in one request: each is answered by itself, and one that is wrong never fails its neighbours."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from staddle.errors import MalformedRequest, StaddleError
from staddle.ledger import Outcome
from staddle.server.problem import Problem, problem_of

Item = TypeVar("Item")
Answer = TypeVar("Answer")
UpTo1000 = msgspec.Meta(min_length=1, max_length=1_000)
ItemKey = Annotated[
    str,
    msgspec.Meta(description="The idempotency key of this item: a repeat gets the first answer again."),
]


class Answered(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """What became of one item. `status` is what it would have been answered with alone, such as 200 or 409."""

    number: int
    """Its place in the request, from 0 on."""
    key: str | None
    status: int
    is_replay: bool
    answer: Answer | None
    problem: Problem | None
    """Why nothing was done; null where it was."""


class AllAnswered(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """What became of each item, in the order of the request."""

    done_count: int
    refused_count: int
    items: list[Answered[Answer]]


def described_as(kind: type[msgspec.Struct]) -> msgspec.Meta:
    """Describe an item that is read by itself as what it must be."""
    _, made = msgspec.json.schema_components([kind])
    return msgspec.Meta(extra_json_schema=made[kind.__name__])


def read_items(items: Iterable[msgspec.Raw], kind: type[Item]) -> list[Item | StaddleError]:
    """Read each item, or say what is wrong with it."""
    return [_read(item, kind) for item in items]


def answer_items(
    items: Sequence[Item | StaddleError],
    key_of: Callable[[Item], str],
    command_of: Callable[[Item], Any],
    act: Callable[[Sequence[Any]], Sequence[Outcome[Any]]],
) -> AllAnswered[Any]:
    """Make a command of every item, answer those that could be made with one call of an act, and put all in order."""
    made = [_made(item, command_of) for item in items]
    outcomes = iter(act([each for each in made if not isinstance(each, StaddleError)]))
    answered = []
    for number, (item, each) in enumerate(zip(items, made, strict=True)):
        outcome = Outcome[Any](error=each) if isinstance(each, StaddleError) else next(outcomes)
        key = None if isinstance(item, StaddleError) else key_of(item)
        answered.append(_answered(number, key, outcome))
    refused = sum(each.problem is not None for each in answered)
    return AllAnswered(done_count=len(answered) - refused, refused_count=refused, items=answered)


def _read(item: msgspec.Raw, kind: type[Item]) -> Item | StaddleError:
    try:
        return msgspec.json.decode(item, type=kind)
    except msgspec.MsgspecError as error:
        return MalformedRequest(f"The item cannot be read: {str(error).replace('`', '')}.")


def _made(item: Any, command_of: Callable[[Any], Any]) -> Any:
    if isinstance(item, StaddleError):
        return item
    try:
        return command_of(item)
    except StaddleError as error:
        return error


def _answered(number: int, key: str | None, outcome: Outcome[Any]) -> Answered[Any]:
    problem = None if outcome.error is None else problem_of(outcome.error)
    return Answered(
        number=number,
        key=key,
        status=200 if problem is None else problem.status,
        is_replay=outcome.is_replay,
        answer=outcome.answer,
        problem=problem,
    )
