"""Tokens: 256 random bits behind a prefix that says what they are; the database keeps only their SHA-256.

A secret of 256 random bits cannot be guessed, so a plain fast hash is enough, and the index finds it without a
comparison that could leak by its time.
"""

import hashlib
import re
import secrets

SESSION, API_KEY, ACCESS, CLIENT_SECRET = "stds_", "stdk_", "stdc_", "stdp_"
_TOKEN = re.compile(r"std[skcp]_[A-Za-z0-9_-]{43}")


def new_token(prefix: str) -> str:
    """Make a token; it is shown once and never stored."""
    return prefix + secrets.token_urlsafe(32)


def new_id() -> str:
    """Make the id of something that is no secret: 96 random bits."""
    return secrets.token_hex(12)


def is_token(text: str) -> bool:
    """Say whether this can be a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def hash_of(token: str) -> bytes:
    """Give what is stored of a token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
