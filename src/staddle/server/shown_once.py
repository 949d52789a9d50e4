"""A write whose answer holds a secret: it is shown once, and what is kept under the key is the answer without it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from staddle.db import Tx
from staddle.document import document
from staddle.identity.caller import Caller
from staddle.ledger.once import Written, write_once

Made = tuple[object, Mapping[str, str | None]]
"""What is kept and shown, and the secrets that are only shown, by their names in the answer."""


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """The answer; on a repeat every secret of it is None."""

    answer: dict[str, Any] = field(repr=False)
    is_replay: bool


def shown_once(
    tx: Tx,
    caller: Caller,
    act: str,
    what: Mapping[str, object],
    key: str,
    now: datetime,
    scales: Mapping[str, int],
    do: Callable[[], Made],
) -> ShownOnce:
    """Do a write unless its key was used; on a repeat every secret of the answer is None."""
    shown: dict[str, Any] = {}

    def written() -> Written:
        kept, secrets = do()
        shown.update(secrets)
        answer = document(kept, scales)
        assert isinstance(answer, dict)
        return answer | dict.fromkeys(secrets)

    outcome = write_once(tx, name_of(caller), act, what, key_of(caller, key), now, written)
    return ShownOnce({**outcome.unwrap(), **shown}, outcome.is_replay)


def name_of(caller: Caller) -> str:
    """Name who acts: an operator, an integrator's client, or a customer."""
    if caller.operator is not None:
        return caller.operator
    return f"customer:{caller.customer_id}" if caller.client_id is None else f"client:{caller.client_id}"


def key_of(caller: Caller, key: str) -> str:
    """Keep a customer's keys apart from those of the desk, beside which they lie here."""
    return key if caller.customer_id is None else f"auto:access:{caller.customer_id}:{key}"
