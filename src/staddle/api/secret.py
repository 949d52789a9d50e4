"""A write whose answer holds a secret, as the API gives it: shown once, null on a repeat."""

from collections.abc import Callable, Mapping

from staddle.api.operation import Given
from staddle.db import Tx
from staddle.desk import now_of
from staddle.server.at import At, OnDatabase
from staddle.server.shown_once import Made, key_of, name_of, shown_once

__all__ = ["Made", "key_of", "name_of", "once_showing", "within"]


def once_showing(
    at: At, act: str, what: Mapping[str, object], do: Callable[[], Made], status: int = 200
) -> Given:
    """Do a write unless its key was used; on a repeat every secret of the answer is null."""
    done = shown_once(at.tx, at.caller, act, what, at.key, at.now, at.scales, do)
    return Given(done.answer, status, is_replay=done.is_replay)


def within(at: OnDatabase, tx: Tx) -> At:
    """Give the surroundings of a transaction to what works on the database."""
    now = now_of(tx, at.machine_now)
    return At(tx, at.caller, at.seen, now, at.machine_now, at.key, {}, at.config)
