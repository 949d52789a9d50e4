"""What every command does around its one act: settings, database, transaction, clock, answer."""

import inspect
import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Concatenate, ParamSpec, cast

import typer
from rich.console import Console
from rich.markup import escape

from staddle.cli.answer import Document, Shown, document
from staddle.cli.show import card, console_of, print_json
from staddle.config import Config
from staddle.customers import find_customer
from staddle.db import Database, Tx, open_database
from staddle.desk import find_operator, now_of
from staddle.errors import OperatorNotFound
from staddle.ledger import scales_of
from staddle.ledger.once import Written, again_if_just_used, write_once

P = ParamSpec("P")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.", rich_help_panel="Common")]
DatabaseName = Annotated[
    str | None,
    typer.Option("--database", metavar="NAME", help="Instead of STADDLE_DATABASE.", rich_help_panel="Common"),
]
OperatorName = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="OPERATOR",
        help="Who is acting; instead of STADDLE_OPERATOR.",
        rich_help_panel="Common",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Idempotency key: the same key never does the same thing twice. Made and printed when not given.",
        rich_help_panel="Common",
    ),
]
COMMON = {"is_json": AsJson, "database": DatabaseName}
OF_WRITES = {"by": OperatorName, "key": Key}


@dataclass(slots=True)
class Edge:
    """A command at work: its database, who acts, the idempotency key, and the console of its progress."""

    database: Database
    operator: str | None
    key: str
    is_json: bool
    console: Console

    @property
    def by(self) -> str:
        """The operator who is acting; raises OperatorNotFound where nobody was named."""
        if self.operator is None:
            raise OperatorNotFound("Say who is acting: --as NAME, or set STADDLE_OPERATOR.")
        return self.operator

    def transaction(self) -> AbstractContextManager[Tx]:
        """Open a transaction, for commands that need several."""
        return self.database.transaction()

    def now(self) -> datetime:
        """Read the desk's clock in a transaction of its own."""
        with self.transaction() as tx:
            return now_of(tx, machine_now())


@dataclass(slots=True)
class At:
    """A command within its one transaction."""

    edge: Edge
    tx: Tx
    now: datetime
    scales: dict[str, int] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """The operator who is acting; raises OperatorNotFound where nobody was named."""
        return self.edge.by

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.edge.key

    def customer_id(self, reference: str) -> int:
        """Give the id of a customer by reference; raises CustomerNotFound."""
        return find_customer(self.tx, reference).customer_id

    def once(self, act: str, what: dict[str, object], do: Callable[[], object]) -> Shown:
        """Do an operator's write once for its key, and show it."""

        def written() -> Written:
            answer = document(do(), self.scales)
            assert isinstance(answer, dict)
            return answer

        find_operator(self.tx, self.by)
        outcome = write_once(self.tx, self.by, act, what, self.key, self.now, written)
        return Shown(outcome.unwrap(), is_replay=outcome.is_replay)


InTransaction = Callable[Concatenate[At, P], Shown]
OnDatabase = Callable[Concatenate[Edge, P], Shown]


def machine_now() -> datetime:
    """Read the machine's clock: the only place that does, for commands."""
    return datetime.now(UTC)


def reads(
    app: typer.Typer, name: str, options: Mapping[str, Any] | None = None
) -> Callable[[InTransaction[P]], InTransaction[P]]:
    """Make a function a command that reads in one transaction; `options` are further ones, as those of writes."""
    return lambda function: _add(app, name, function, options, (), is_one_transaction=True)


def writes(
    app: typer.Typer, name: str, options: Mapping[str, Any] | None = None
) -> Callable[[InTransaction[P]], InTransaction[P]]:
    """Make a function a command that calls one act in one transaction: it has --key and --as.

    `options` are further ones, by name, that the function takes as its `**given`.
    """
    return lambda function: _add(app, name, function, options, ("by", "key"), is_one_transaction=True)


def works(app: typer.Typer, name: str, *options: str) -> Callable[[OnDatabase[P]], OnDatabase[P]]:
    """Make a function a command that needs many transactions, such as a run.

    `options` are those of writes that it takes: "by", and "key" where a repeat would do something again.
    """
    return lambda function: _add(app, name, function, None, options, is_one_transaction=False)


def plain(app: typer.Typer, name: str) -> Callable[[Callable[P, Shown]], Callable[P, Shown]]:
    """Make a function a command that needs no database: it only has --json."""

    def add(function: Callable[P, Shown]) -> Callable[P, Shown]:
        def command(**given: Any) -> int:
            is_json = given.pop("is_json")
            answer = cast(Any, function)(**given)
            if answer.data is None:
                return int(answer.exit_code)
            return show(is_json, answer, document(answer.data, answer.scales))

        own = list(inspect.signature(function, eval_str=True).parameters.values())
        _register(app, name, function, command, own, {"is_json": AsJson})
        return function

    return add


def _add(
    app: typer.Typer,
    name: str,
    function: Any,
    options: Mapping[str, Any] | None,
    of_writes: Sequence[str],
    *,
    is_one_transaction: bool,
) -> Any:
    added = {**COMMON, **{option: OF_WRITES[option] for option in of_writes}}

    def command(**given: Any) -> int:
        common = {option: given.pop(option) for option in added}
        return run_command(function, given, common, is_one_transaction=is_one_transaction)

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    _register(app, name, function, command, own, {**(options or {}), **added})
    return function


def _register(
    app: typer.Typer,
    name: str,
    function: Any,
    command: Any,
    own: list[inspect.Parameter],
    added: Mapping[str, Any],
) -> None:
    """Give the command the function's own parameters and the added ones, for Typer to read."""
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for option, annotation in added.items():
        default = False if option == "is_json" else None
        parameters.append(
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(name)(command)


def run_command(
    function: Any, given: dict[str, Any], common: dict[str, Any], *, is_one_transaction: bool
) -> int:
    """Run one command and print its answer; gives the exit code. Errors are told by `main`."""
    config = Config.from_environ(os.environ)
    if common["database"] is not None:
        config = config.named(common["database"])
    with open_database(config) as database:
        edge = edge_of(database, config, common)
        answer, scales = call(function, edge, given, is_one_transaction)
    code = present(edge, answer, scales, common)
    if answer.error is not None:
        raise answer.error
    return code


def present(edge: Edge, answer: Shown, scales: Mapping[str, int], common: Mapping[str, Any]) -> int:
    """Print what a command has to show, with the key of a write; gives the exit code."""
    if answer.data is None:
        return answer.exit_code
    data = document(answer.data, scales)
    if "key" not in common:
        return show(edge.is_json, answer, data)
    if edge.is_json:
        return show(True, answer, {"key": edge.key, "is_replay": answer.is_replay, **data})
    code = show(False, answer, data)
    again = " This key was used before: nothing was done again." if answer.is_replay else ""
    console_of(sys.stdout).print(f"[dim]key {escape(edge.key)}{again}[/]", soft_wrap=True)
    return code


def edge_of(database: Database, config: Config, common: dict[str, Any]) -> Edge:
    """Put a command's surroundings together."""
    operator = common.get("by") or config.operator
    key = common["key"] if common.get("key") is not None else str(uuid.uuid4())
    return Edge(database, operator, key, common["is_json"], console_of(sys.stderr))


def call(
    function: Any, edge: Edge, given: dict[str, Any], is_one_transaction: bool
) -> tuple[Shown, dict[str, int]]:
    """Call the command's function, in one transaction or on the database."""
    if is_one_transaction:
        return again_if_just_used(lambda: in_transaction(function, edge, given))
    answer = function(edge, **given)
    with edge.transaction() as tx:
        return answer, scales_of(tx)


def in_transaction(function: Any, edge: Edge, given: dict[str, Any]) -> tuple[Shown, dict[str, int]]:
    """Open the one transaction of a command, and take the desk's clock as its `now`."""
    with edge.transaction() as tx:
        scales = scales_of(tx)
        return function(At(edge, tx, now_of(tx, machine_now()), scales), **given), scales


def show(is_json: bool, answer: Shown, data: Document) -> int:
    """Print an answer: a document for machines, what the command makes of it for people; gives the exit code."""
    if is_json:
        print_json(data)
    else:
        console_of(sys.stdout).print((answer.view or card)(data))
    return answer.exit_code
