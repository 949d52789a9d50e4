"""Passwords: argon2id with the parameters that OWASP names; hashed outside any transaction, a few at a time."""

import threading
import unicodedata
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from staddle.errors import WeakPassword

LENGTH_MIN, LENGTH_MAX = 12, 256
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(8)
"""Each hash takes 19 MiB while it is made: a crowd at the door must not take the machine's memory."""


def check_password(password: str, *about: str) -> None:
    """Refuse a password that is short, common, monotonous, or made of what is known about its owner: WeakPassword."""
    text = _normal(password)
    folded = text.casefold()
    words = [word.casefold() for word in about]
    known = [part for word in words for part in (word, word.partition("@")[0]) if len(part) >= 4]
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise WeakPassword(
            f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters; a sentence is a good one."
        )
    if len(set(folded)) < 5 or _stem(folded) in _common() or folded in _common():
        raise WeakPassword
    if any(len(folded.replace(part, "")) < LENGTH_MIN // 2 for part in known):
        raise WeakPassword("The password must not be made of the e-mail address.")


def hash_password(password: str) -> str:
    """Hash a password; takes tens of milliseconds, so never within a transaction."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def is_password(password_hash: str | None, password: str) -> bool:
    """Say whether a password is the one that was hashed. Without a hash it takes as long, and is False."""
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or _of_nobody(), _normal(password[: LENGTH_MAX + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than those of today."""
    return _HASHER.check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    """Write a password in one way, whatever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password.encode(errors="replace").decode())


def _stem(folded: str) -> str:
    """Take off the digits and signs that people append to a common password."""
    return folded.rstrip("0123456789!?.,-_*#@$")


@cache
def _of_nobody() -> str:
    """A hash for those who are not there, so that asking for them takes as long."""
    return _HASHER.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    text = files(__package__).joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip())
