"""What a page is, and the list of all: each is one function, declared with its address.

    @shows("/positions", allow=customer("read"))
    def show_positions(visit: Visit, state: State = "open") -> View:
        '''List the customer's positions.'''

    @sends("/positions/{position_id}/choice", allow=customer("redeem"), again=show_position)
    def choose(visit: Visit, position_id: Id, form: ChoiceForm) -> GoTo:
        '''Say what happens at maturity.'''

Parameters whose names stand in the address come from it, `form` from the form that was sent, `typed` is what a page
that is shown again has to put back into its fields, `kept` a cookie; all others come from the query, and `chosen` is
several of them together. A page reads in
one transaction; what a form asks for is done in one transaction, too, or in the batch of its act. A refusal rolls
everything back and shows the page that `again` names with the sentence and what was typed.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from staddle.db import Tx
from staddle.errors import StaddleError
from staddle.server.allow import ANYBODY, Allow
from staddle.server.at import At
from staddle.ui.formats import Formats
from staddle.ui.look import Look

Function = TypeVar("Function", bound=Callable[..., Any])
Values = Mapping[str, Any]
_IN_PATH = re.compile(r"\{(\w+)\}")
PAGES: dict[Callable[..., Any], "Page"] = {}
"""Every page of every room by its function."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a form holds; every field is text, a list of texts, or a box that was ticked or not."""


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen of a table, a field for each filter and for its order: its page and its file take the same."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form that is shown again, and why it is."""

    values: Mapping[str, Any] = field(default_factory=dict)
    error: StaddleError | None = None

    def get(self, name: str, otherwise: Any = "") -> Any:
        """Give what was typed into a field, or what the field begins with."""
        return self.values.get(name, otherwise)

    def several(self, name: str, otherwise: Sequence[str] = ()) -> Sequence[str]:
        """Give what was chosen where several may be; nothing chosen is no choice where the form was sent."""
        value = self.values.get(name, () if self.values else otherwise)
        return [value] if isinstance(value, str) else value

    def wrong(self, name: str) -> bool:
        """Say whether it is this field that was refused."""
        return self.error is not None and self.error.field == name


NOTHING_TYPED = Typed()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, as its frame shows them: a customer, an operator, or somebody who is not signed in.

    `unread` are a customer's messages; `roles` are an operator's, for whom `waiting` requests for approval and `alarms`
    stand in the frame.
    """

    customer_id: int | None = None
    operator: str | None = None
    name: str = ""
    unread: int = 0
    is_sandbox: bool = False
    roles: frozenset[str] = frozenset()
    waiting: int = 0
    alarms: int = 0

    def may(self, *roles: str) -> bool:
        """Say whether this operator has one of the roles; what a page shows by it, the edge refuses by it."""
        return not self.roles.isdisjoint(roles)


@dataclass(slots=True)
class Visit:
    """A page at work in its one transaction: what every edge has, and how this viewer sees it."""

    at: At
    look: Look
    viewer: Viewer
    path: str
    query: str

    @property
    def tx(self) -> Tx:
        """The one transaction."""
        return self.at.tx

    @property
    def now(self) -> datetime:
        """The desk's clock."""
        return self.at.now

    @property
    def key(self) -> str:
        """The idempotency key that the form carried."""
        return self.at.key

    @property
    def customer_id(self) -> int:
        """The customer who is signed in."""
        return self.at.customer_id

    @property
    def formats(self) -> Formats:
        """How figures and instants are written."""
        return Formats(self.look, self.now)

    def say(self, text: str, **values: object) -> str:
        """Give a text in the viewer's language."""
        return self.look.say(text, **values)


@dataclass(frozen=True, slots=True)
class View:
    """A template and what it shows. `part` is the block that is enough where a script asks for a piece of the page."""

    template: str
    values: Values = field(default_factory=dict)
    status: int = 200
    part: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoTo:
    """Where the browser goes next; `said` is shown once on the page there."""

    address: str
    said: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """A file that the browser keeps."""

    body: Any
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page, or what becomes of one form. `act` names the batch that answers it: then `run` makes the command."""

    name: str
    room: str
    method: Literal["GET", "POST"]
    path: str
    allow: Allow
    run: Callable[..., Any]
    path_type: type[msgspec.Struct]
    query_type: type[msgspec.Struct]
    form_type: type[msgspec.Struct] | None
    takes_typed: bool
    chosen_type: type[Chosen] | None
    again: Callable[..., Any] | None = None
    act: str | None = None
    then: Callable[..., Any] | None = None
    is_one_transaction: bool = True
    cookie: str | None = None
    """A cookie of the browser that the function takes as `kept`."""


def shows(path: str, *, allow: Allow = ANYBODY) -> Callable[[Function], Function]:
    """Declare a page that only reads, in one transaction: its function takes a Visit."""
    return _declare("GET", path, allow, {})


def sends(
    path: str, *, allow: Allow, again: Callable[..., Any] | None = None
) -> Callable[[Function], Function]:
    """Declare what a form does in one transaction: its function takes a Visit and the form."""
    return _declare("POST", path, allow, {"again": again})


def works(
    path: str, *, allow: Allow, again: Callable[..., Any] | None = None
) -> Callable[[Function], Function]:
    """Declare what a form does that needs several transactions, such as a hash: its function takes OnDatabase.

    It gives where to go, or a function of a Visit that gives what is shown afterwards, in the viewer's language.
    """
    return _declare("POST", path, allow, {"again": again, "is_one_transaction": False})


def goes(
    path: str,
    *,
    allow: Allow = ANYBODY,
    cookie: str | None = None,
    again: Callable[..., Any] | None = None,
) -> Callable[[Function], Function]:
    """Declare an address that only sends the browser on, out of what it came with: its function takes OnDatabase.

    It is for signing in elsewhere, which comes and goes by addresses; `cookie` is what the browser kept meanwhile.
    """
    return _declare("GET", path, allow, {"again": again, "is_one_transaction": False, "cookie": cookie})


def batched(
    path: str, act: str, *, allow: Allow, again: Callable[..., Any], then: Callable[..., Any]
) -> Callable[[Function], Function]:
    """Declare a form whose function makes one command of `caller, key, seen`, answered with others of its moment.

    `then` takes a Visit, the act's answer and what was in the address, and gives where to go.
    """
    return _declare("POST", path, allow, {"again": again, "act": act, "then": then})


def pages_of(room: str) -> list[Page]:
    """Give the pages that a room has declared; `room` is its package's name."""
    return [page for page in PAGES.values() if page.room == room]


def _declare(method: Any, path: str, allow: Allow, more: dict[str, Any]) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        before = 3 if more.get("act") else 1
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())[before:]
        in_path = set(_IN_PATH.findall(path))
        name = function.__name__
        room = function.__module__.split(".")[1]
        assert all(each.name != name for each in pages_of(room)), f"two pages are named {name}"
        assert in_path <= {each.name for each in parameters}, (
            f"{name} does not take all that its address names"
        )
        special = {*in_path, "form", "typed", "kept", "chosen"}
        types = {each.name: each.annotation for each in parameters}
        chosen_type = types.get("chosen")
        PAGES[function] = Page(
            name=name,
            room=room,
            method=method,
            path=path,
            allow=allow,
            run=function,
            path_type=_struct(name, "path", [each for each in parameters if each.name in in_path]),
            query_type=_struct(
                name, "query", [each for each in parameters if each.name not in special], chosen_type
            ),
            form_type=types.get("form"),
            takes_typed="typed" in types,
            chosen_type=chosen_type,
            **more,
        )
        return function

    return add


def _struct(
    name: str, part: str, parameters: list[inspect.Parameter], beside: type[Chosen] | None = None
) -> type[msgspec.Struct]:
    """A type that reads one part of a request; what it does not know in a page's address does no harm."""
    fields: list[Any] = [
        (each.name, each.annotation)
        if each.default is each.empty
        else (each.name, each.annotation, each.default)
        for each in parameters
    ]
    bases = () if beside is None else (beside,)
    return msgspec.defstruct(f"{name}_{part}", fields, bases=bases, kw_only=True)
