"""Idempotency: the answer to every write is kept by its key, and given again for ever (product.md rule 15)."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from staddle import errors
from staddle.db import Tx, columns, queries
from staddle.errors import InvalidKey, RequestKeyReused, StaddleError
from staddle.ledger.accounts import HOUSE

sql = queries(__package__)
Answer = TypeVar("Answer")
CUSTOMER_ID_END = 1 << 44
_KEY = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_ERRORS = {
    error.code(): error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, StaddleError)
}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for: every command of a customer has one, with the idempotency key."""

    customer_id: int
    key: str

    def content(self) -> "Command":
        """Give the command without what may differ when the same request is sent again."""
        return self


class Outcome(msgspec.Struct, Generic[Answer], frozen=True):
    """What became of one command of a list: an answer, or the refusal that its caller is shown."""

    answer: Answer | None = None
    error: StaddleError | None = None
    is_replay: bool = False

    def unwrap(self) -> Answer:
        """Give the answer, or raise the refusal."""
        if self.error is not None:
            raise self.error
        assert self.answer is not None
        return self.answer


@dataclass(frozen=True, slots=True)
class Stored:
    """A key's stored request: which act, its fingerprint, its answer as JSON."""

    act: str
    fingerprint: bytes
    answer: Any


def fingerprint(command: Command) -> bytes:
    """Give the hash by which a repeated request is told from a different one under the same key."""
    return hashlib.sha256(msgspec.json.encode(command.content())).digest()


def check_key(key: str) -> None:
    """Refuse a key that cannot be stored for ever."""
    if not _KEY.fullmatch(key):
        raise InvalidKey


def fault_of(command: Command) -> StaddleError | None:
    """Say what keeps a command from even being looked up: a key or a customer's number that cannot be stored."""
    if not _KEY.fullmatch(command.key):
        return InvalidKey()
    return None if is_customer_id(command.customer_id) else errors.CustomerNotFound()


def is_customer_id(number: int) -> bool:
    """Say whether a number can be a customer's, or the house's."""
    return 0 <= number < CUSTOMER_ID_END


def ask_stored(tx: Tx, commands: Sequence[Command]) -> Callable[[], dict[tuple[int, str], Stored]]:
    """Ask what was already answered under the keys of these commands, and give what fetches it; the cells must be
    locked.
    """
    sound = [command for command in commands if fault_of(command) is None]
    cursor = tx.execute(
        sql.stored_requests,
        {
            "customer_ids": [command.customer_id for command in sound],
            "request_keys": [command.key for command in sound],
        },
    )
    return lambda: {
        (row.customer_id, row.request_key): Stored(row.act, row.fingerprint, row.answer)
        for row in cursor.fetchall()
    }


def find_stored(tx: Tx, commands: Sequence[Command]) -> dict[tuple[int, str], Stored]:
    """Find what was already answered under the keys of these commands; the cells must be locked."""
    return ask_stored(tx, commands)()


def replay(stored: Stored, act: str, command: Command, answer_type: type[Answer]) -> Outcome[Answer]:
    """Give the stored answer again, or RequestKeyReused if the key was used for something else."""
    if stored.act != act or stored.fingerprint != fingerprint(command):
        return Outcome(error=RequestKeyReused())
    if "error" in stored.answer:
        refused = stored.answer["error"]
        error = _ERRORS[refused["code"]](refused["message"], **refused["details"])
        return Outcome(error=error, is_replay=True)
    return Outcome(msgspec.convert(stored.answer["answer"], answer_type), is_replay=True)


class Kept(msgspec.Struct, frozen=True):
    """What is kept of an answered request, besides the answer."""

    customer_id: int
    request_key: str
    fingerprint: bytes


def store(tx: Tx, act: str, answered: Sequence[tuple[Command, Outcome[Any]]], now: datetime) -> None:
    """Keep what these commands were answered, refusals of a rule included: a late copy changes nothing either."""
    if not answered:
        return
    kept = [Kept(command.customer_id, command.key, fingerprint(command)) for command, _ in answered]
    answers = msgspec.json.encode([as_kept(outcome) for _, outcome in answered]).decode()
    tx.execute(sql.store_requests, {**columns(kept), "act": act, "answers": answers, "now": now})


def as_kept(outcome: Outcome[Any]) -> dict[str, Any]:
    """Give an outcome as it is stored in JSON and later given again."""
    if outcome.error is None:
        return {"answer": outcome.answer}
    error = {"code": outcome.error.code(), "message": outcome.error.message, "details": outcome.error.details}
    return {"error": error}


class HouseCommand(Command, frozen=True, kw_only=True):
    """What the desk itself asks for; its keys live in cell 0 under customer 0."""

    customer_id: int = HOUSE
