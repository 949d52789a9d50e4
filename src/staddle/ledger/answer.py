"""How every act answers a list of commands: replays first, each key once, then the fresh ones (rule 15)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from staddle.db import Tx
from staddle.errors import Invalid, NotFound
from staddle.failpoint import failpoint
from staddle.ledger.requests import (
    Command,
    Outcome,
    Stored,
    as_kept,
    ask_stored,
    fault_of,
    fingerprint,
    replay,
    store,
)

Asked = TypeVar("Asked", bound=Command)
Answer = TypeVar("Answer")


def answer_commands(
    tx: Tx,
    act: str,
    commands: Sequence[Asked],
    answer_type: type[Answer],
    now: datetime,
    decide: Callable[[Sequence[Asked]], list[Outcome[Answer]]],
    fetch_stored: Callable[[], dict[tuple[int, str], Stored]] | None = None,
) -> list[Outcome[Answer]]:
    """Answer each command, in order; their cells must be locked. `decide` gets those whose key is new, and writes.
    `fetch_stored` comes of `ask_stored`, where it was called before.

    A key that was answered before gets the stored answer again; the same key twice in one list is decided once.
    Refusals of a rule are stored too, so that a late copy of a refused request moves nothing. What is not a valid
    request, or names what is not there, is not kept under its key.
    """
    faults = {number: fault for number, command in enumerate(commands) if (fault := fault_of(command))}
    stored = (fetch_stored or ask_stored(tx, commands))()
    fresh: dict[tuple[int, str], Asked] = {}
    firsts = set()
    for number, command in enumerate(commands):
        key = (command.customer_id, command.key)
        if number not in faults and key not in stored and key not in fresh:
            fresh[key] = command
            firsts.add(number)
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
    return [
        Outcome(error=faults[number])
        if number in faults
        else decided[command.customer_id, command.key]
        if number in firsts
        else _answer(act, command, stored, fresh, decided, answer_type)
        for number, command in enumerate(commands)
    ]


def _answer(
    act: str,
    command: Asked,
    stored: dict[tuple[int, str], Stored],
    fresh: dict[tuple[int, str], Asked],
    decided: dict[tuple[int, str], Outcome[Answer]],
    answer_type: type[Answer],
) -> Outcome[Answer]:
    """Give the answer that was stored long ago, or just now under an equal key before it in the list."""
    key = (command.customer_id, command.key)
    if key in stored:
        return replay(stored[key], act, command, answer_type)
    twin = Stored(
        act, fingerprint(fresh[key]), msgspec.json.decode(msgspec.json.encode(as_kept(decided[key])))
    )
    return replay(twin, act, command, answer_type)
