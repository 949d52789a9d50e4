"""An operator's write, once for each idempotency key (product.md rule 15)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import psycopg

from staddle.db import Tx
from staddle.ledger.requests import HouseCommand, Outcome, check_key, find_stored, replay, store

Written = dict[str, Any]
Result = TypeVar("Result")


class Ask(HouseCommand, frozen=True, kw_only=True):
    """What an operator asks for; its hash tells a repeat from another request under the same key."""

    by: str
    what: dict[str, Any]


def again_if_just_used(do: Callable[[], Result]) -> Result:
    """Do something in a transaction of its own; once more where somebody used the same key at this very moment.

    What they were answered is found then.
    """
    try:
        return do()
    except psycopg.errors.UniqueViolation as violation:
        if violation.diag.constraint_name != "a_request_key_is_used_once":
            raise
    return do()


def write_once(
    tx: Tx, by: str, act: str, what: Mapping[str, object], key: str, now: datetime, do: Callable[[], Written]
) -> Outcome[Written]:
    """Do something unless its key was used, and keep what was answered; the answer is of JSON's own types.

    An error rolls the transaction back, so nothing is kept under the key then. Of two at once the second breaks
    `a_request_key_is_used_once` as it commits nothing: `again_if_just_used` repeats it. Raises InvalidKey.
    """
    check_key(key)
    ask = Ask(key=key, by=by, what=msgspec.to_builtins(dict(what), str_keys=True))
    stored = find_stored(tx, [ask]).get((ask.customer_id, key))
    if stored is not None:
        replayed: Outcome[Written] = replay(stored, act, ask, dict)
        return replayed
    outcome = Outcome(do())
    store(tx, act, [(ask, outcome)], now)
    return outcome
