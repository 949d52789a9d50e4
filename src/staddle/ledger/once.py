"""An operator's write, once for each idempotency key (product.md rule 15)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx
from staddle.ledger.requests import HouseCommand, Outcome, check_key, find_stored, replay, store

Written = dict[str, Any]


class Ask(HouseCommand, frozen=True, kw_only=True):
    """What an operator asks for; its hash tells a repeat from another request under the same key."""

    by: str
    what: dict[str, Any]


def write_once(
    tx: Tx, by: str, act: str, what: Mapping[str, object], key: str, now: datetime, do: Callable[[], Written]
) -> Outcome[Written]:
    """Do something unless its key was used, and keep what was answered; the answer is of JSON's own types.

    An error rolls the transaction back, so nothing is kept under the key then. Of two at once the second breaks
    `a_request_key_is_used_once` as it commits nothing; it may simply be repeated. Raises InvalidKey.
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
