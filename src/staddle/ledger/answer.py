"""How every act answers a list of commands: replays first, each key once, then the fresh ones (rule 15)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from staddle.db import Tx
from staddle.errors import Invalid, NotFound
from staddle.failpoint import failpoint
from staddle.ledger.requests import Command, Outcome, Stored, encode, find_stored, fingerprint, replay, store

Asked = TypeVar("Asked", bound=Command)
Answer = TypeVar("Answer")


def answer_commands(
    tx: Tx,
    act: str,
    commands: Sequence[Asked],
    answer_type: type[Answer],
    now: datetime,
    decide: Callable[[Sequence[Asked]], list[Outcome[Answer]]],
) -> list[Outcome[Answer]]:
    """Answer each command, in order; their cells must be locked. `decide` gets those whose key is new, and writes.

    A key that was answered before gets the stored answer again; the same key twice in one list is decided once.
    Refusals of a rule are stored too, so that a late copy of a refused request moves nothing. What is not a valid
    request, or names what is not there, is not kept under its key.
    """
    stored = find_stored(tx, commands)
    fresh: dict[tuple[int, str], Asked] = {}
    for command in commands:
        key = (command.customer_id, command.key)
        if key not in stored:
            fresh.setdefault(key, command)
    failpoint(f"{act}.locked")
    outcomes = decide(list(fresh.values())) if fresh else []
    failpoint(f"{act}.written")
    decided = dict(zip(fresh, outcomes, strict=True))
    keeping = [
        (command, decided[key])
        for key, command in fresh.items()
        if not isinstance(decided[key].error, Invalid | NotFound)
    ]
    store(tx, act, keeping, now)
    failpoint(f"{act}.stored")
    return [_answer(act, command, stored, fresh, decided, answer_type) for command in commands]


def _answer(
    act: str,
    command: Asked,
    stored: dict[tuple[int, str], Stored],
    fresh: dict[tuple[int, str], Asked],
    decided: dict[tuple[int, str], Outcome[Answer]],
    answer_type: type[Answer],
) -> Outcome[Answer]:
    """Give the outcome of a command: just decided, stored long ago, or stored by an equal key before it in the list."""
    key = (command.customer_id, command.key)
    if key in stored:
        return replay(stored[key], act, command, answer_type)
    if fresh[key] is command:
        return decided[key]
    twin = Stored(act, fingerprint(fresh[key]), msgspec.json.decode(encode(decided[key])))
    return replay(twin, act, command, answer_type)
