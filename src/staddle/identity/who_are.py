"""From the bearer tokens of many requests to whoever holds them: what `who_is` says of each, in one statement."""

from collections.abc import Sequence
from datetime import datetime

from staddle.db import Tx, queries
from staddle.errors import InvalidToken, StaddleError
from staddle.identity.caller import Caller, Seen
from staddle.identity.tokens import API_KEY, hash_of, is_token
from staddle.identity.who_is import check_api_key, note_uses, who_is

sql = queries(__package__)


def who_are(tx: Tx, asking: Sequence[tuple[str, Seen]], now: datetime) -> list[Caller | StaddleError]:
    """Say who holds each token, or why it is not believed; in order. API keys, the most by far, are read at once."""
    hashes = {
        number: hash_of(token)
        for number, (token, _) in enumerate(asking)
        if token.startswith(API_KEY) and is_token(token)
    }
    rows = tx.execute(sql.api_keys_by_secrets, {"token_hashes": list(hashes.values())}) if hashes else ()
    found = {bytes(row.secret_hash): row for row in rows}
    known = {number: found.get(each) for number, each in hashes.items()}
    callers = [
        _check(known[number], seen, now) if number in known else _one(tx, token, seen, now)
        for number, (token, seen) in enumerate(asking)
    ]
    used = [(known[number], asking[number][1]) for number in known if isinstance(callers[number], Caller)]
    note_uses(tx, used, now)
    return callers


def _check(row: object, seen: Seen, now: datetime) -> Caller | StaddleError:
    try:
        return InvalidToken() if row is None else check_api_key(row, seen, now)
    except StaddleError as error:
        return error


def _one(tx: Tx, token: str, seen: Seen, now: datetime) -> Caller | StaddleError:
    try:
        return who_is(tx, token, seen, now)
    except StaddleError as error:
        return error
