"""Failed attempts are counted by account and by address, in the database, so that many processes count together.

An attempt is counted as failed before it is looked at, and given back when it was good: however many come at once,
no more than the free ones are looked at before the waiting begins.
"""

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_network
from math import ceil

from staddle.db import Tx, queries
from staddle.errors import TooManyAttempts
from staddle.identity.caller import Seen
from staddle.identity.who_is import address_of

sql = queries(__package__)

FREE = {"account": 5, "address": 30}
"""So many failures cost nothing; each one after them doubles the wait, which begins with two seconds."""
WAIT_MAX_SECONDS = 900
FORGOTTEN_AFTER = timedelta(hours=24)


def subjects_of(account: str, seen: Seen) -> list[str]:
    """Give what an attempt is counted by: its account, whether it is there or not, and the peer's address.

    Of IPv6 the network of 64 bits counts, for that is what one household has.
    """
    subjects = [f"account:{hashlib.sha256(account.encode(errors='replace')).hexdigest()}"]
    address = address_of(seen)
    if address is not None:
        network = ip_network((address, 64 if address.version == 6 else 32), strict=False)
        subjects.insert(0, f"address:{network.network_address}")
    return subjects


def count_attempt(tx: Tx, subjects: list[str], now: datetime) -> TooManyAttempts | None:
    """Count an attempt as failed; gives the refusal, with `retry_after` in seconds, while one must wait.

    The caller commits before it looks at the password, and raises the refusal after the commit.
    """
    for subject in subjects:
        kind = subject.partition(":")[0]
        counted = {
            "subject": subject,
            "now": now,
            "free": FREE[kind],
            "wait_max": WAIT_MAX_SECONDS,
            "forgotten_before": now - FORGOTTEN_AFTER,
        }
        if tx.execute(sql.count_attempt, counted).fetchone() is None:
            row = tx.execute(sql.blocked_until, {"subject": subject}).fetchone()
            wait = 1 if row is None else max(1, ceil((row.blocked_until - now).total_seconds()))
            return TooManyAttempts(
                f"There were too many attempts; please wait {wait} seconds.", retry_after=wait
            )
    return None


def give_back(tx: Tx, subjects: list[str]) -> None:
    """Take an attempt back that was neither good nor bad, such as a password without its code."""
    tx.execute(sql.give_attempt_back, {"subjects": subjects})


def forget(tx: Tx, subjects: list[str]) -> None:
    """Forget an account's failures after a good attempt; the address only gets this attempt back.

    Otherwise whoever has one login of their own could try others from the same address for ever.
    """
    tx.execute(
        sql.give_attempt_back, {"subjects": [each for each in subjects if each.startswith("address:")]}
    )
    tx.execute(sql.forget_attempts, {"subjects": [each for each in subjects if each.startswith("account:")]})
