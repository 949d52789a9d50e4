"""A write whose answer holds a secret: it is shown once, and what is kept under the key is the answer without it."""

from collections.abc import Callable, Mapping
from typing import Any

from staddle.api.operation import Given
from staddle.db import Tx
from staddle.desk import now_of
from staddle.document import document
from staddle.identity.caller import Caller
from staddle.ledger.once import Written, write_once
from staddle.server.at import At, OnDatabase

Made = tuple[object, Mapping[str, str | None]]
"""What is kept and shown, and the secrets that are only shown, by their names in the answer."""


def once_showing(
    at: At, act: str, what: Mapping[str, object], do: Callable[[], Made], status: int = 200
) -> Given:
    """Do a write unless its key was used; on a repeat every secret of the answer is null."""
    shown: dict[str, Any] = {}

    def written() -> Written:
        kept, secrets = do()
        shown.update(secrets)
        answer = document(kept, at.scales)
        assert isinstance(answer, dict)
        return answer | dict.fromkeys(secrets)

    outcome = write_once(at.tx, name_of(at.caller), act, what, key_of(at), at.now, written)
    return Given({**outcome.unwrap(), **shown}, status, is_replay=outcome.is_replay)


def name_of(caller: Caller) -> str:
    """Name who acts: an operator, an integrator's client, or a customer."""
    if caller.operator is not None:
        return caller.operator
    return f"customer:{caller.customer_id}" if caller.client_id is None else f"client:{caller.client_id}"


def key_of(at: At) -> str:
    """Keep a customer's keys apart from those of the desk, beside which they lie here."""
    return at.key if at.caller.customer_id is None else f"auto:access:{at.caller.customer_id}:{at.key}"


def within(at: OnDatabase, tx: Tx) -> At:
    """Give the surroundings of a transaction to what works on the database."""
    now = now_of(tx, at.machine_now)
    return At(tx, at.caller, at.seen, now, at.machine_now, at.key, {}, at.config)
