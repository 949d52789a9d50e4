"""What an operation of the API is, and the list of all: each is one function of an act, declared with its address.

    @reads("/v1/positions", allow=CUSTOMER_READS, gives=Page[ShownPosition], tag="Positions")
    def list_positions(at: At, state: State = "open", cursor: str | None = None, limit: Limit = 50) -> ...:
        '''List your positions, newest first.'''

Parameters whose names stand in the address come from it, one named `body` from the JSON body, all others from the
query.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec

from staddle.api.fields import Form
from staddle.errors import StaddleError
from staddle.ledger import Outcome
from staddle.server.allow import Allow

Function = TypeVar("Function", bound=Callable[..., Any])
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Keyed = Literal["no", "may", "must"]
_IN_PATH = re.compile(r"\{(\w+)\}")
FORM = "application/x-www-form-urlencoded"
OPERATIONS: dict[str, "Operation"] = {}
"""Every operation by its name, which is the operationId of the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation gives where a bare value does not say enough: status, headers, a body that is not JSON."""

    value: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    is_replay: bool = False
    error: StaddleError | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `act` names the batch that answers it; then `run` only makes the command out of the request."""

    name: str
    method: Method
    path: str
    tag: str
    allow: Allow
    run: Callable[..., Any]
    gives: Any
    keyed: Keyed
    status: int
    media_type: str
    act: str | None
    is_one_transaction: bool
    path_type: type[msgspec.Struct]
    query_type: type[msgspec.Struct]
    body_type: Any

    @property
    def summary(self) -> str:
        """The first sentence of what the function says of itself."""
        return (self.run.__doc__ or "").strip().splitlines()[0]

    @property
    def description(self) -> str:
        """All that the function says of itself."""
        return inspect.cleandoc(self.run.__doc__ or "")


def reads(
    path: str, *, allow: Allow, gives: Any, tag: str, media_type: str = "application/json"
) -> Callable[[Function], Function]:
    """Declare an operation that only reads, in one transaction."""
    return _declare("GET", path, allow=allow, gives=gives, tag=tag, media_type=media_type)


def writes(
    method: Method, path: str, *, allow: Allow, gives: Any, tag: str, keyed: Keyed = "may", status: int = 200
) -> Callable[[Function], Function]:
    """Declare an operation that calls one act in one transaction; `keyed` says if it must have an Idempotency-Key."""
    return _declare(method, path, allow=allow, gives=gives, tag=tag, keyed=keyed, status=status)


def batched(path: str, act: str, *, allow: Allow, gives: Any, tag: str) -> Callable[[Function], Function]:
    """Declare an operation whose function makes one command, which is answered together with others of its moment."""
    return _declare("POST", path, allow=allow, gives=gives, tag=tag, keyed="must", act=act)


def works(
    method: Method, path: str, *, allow: Allow, gives: Any, tag: str, keyed: Keyed = "no", status: int = 200
) -> Callable[[Function], Function]:
    """Declare an operation that opens its transactions itself: its function takes OnDatabase."""
    return _declare(
        method, path, allow=allow, gives=gives, tag=tag, keyed=keyed, status=status, is_one_transaction=False
    )


def _declare(
    method: Method,
    path: str,
    *,
    allow: Allow,
    gives: Any,
    tag: str,
    keyed: Keyed = "no",
    status: int = 200,
    media_type: str = "application/json",
    act: str | None = None,
    is_one_transaction: bool = True,
) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        # A batched operation makes a command from the caller, the key and where they were seen; others get `at`.
        before = 1 if act is None else 3
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())[before:]
        in_path = set(_IN_PATH.findall(path))
        name = function.__name__
        assert name not in OPERATIONS, f"two operations are named {name}"
        assert in_path <= {each.name for each in parameters}, (
            f"{name} does not take all that its address names"
        )
        OPERATIONS[name] = Operation(
            name=name,
            method=method,
            path=path,
            tag=tag,
            allow=allow,
            run=function,
            gives=gives,
            keyed=keyed,
            status=status,
            media_type=media_type,
            act=act,
            is_one_transaction=is_one_transaction,
            path_type=_struct(name, "Path", [each for each in parameters if each.name in in_path]),
            query_type=_struct(
                name, "Query", [each for each in parameters if each.name not in {*in_path, "body"}]
            ),
            body_type=next((each.annotation for each in parameters if each.name == "body"), None),
        )
        return function

    return add


def _struct(name: str, part: str, parameters: list[inspect.Parameter]) -> type[msgspec.Struct]:
    """A type that reads one part of the request: it knows each parameter and refuses any other."""
    fields: list[Any] = [
        (each.name, each.annotation)
        if each.default is each.empty
        else (each.name, each.annotation, each.default)
        for each in parameters
    ]
    return msgspec.defstruct(f"{name}_{part}", fields, forbid_unknown_fields=True, kw_only=True)


def is_form(operation: Operation) -> bool:
    """Say whether the body is sent as a form."""
    return isinstance(operation.body_type, type) and issubclass(operation.body_type, Form)


def answered(outcome: Outcome[Any], status: int = 200) -> Given:
    """Give what became of one command. A refusal is told once the transaction is committed: it is kept by its key."""
    return Given(outcome.answer, status, is_replay=outcome.is_replay, error=outcome.error)
