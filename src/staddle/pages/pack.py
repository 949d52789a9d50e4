"""Pages are packed on their way. A page's length must tell nothing of what is on it, so each gets a random end."""

import secrets
from gzip import GzipFile
from io import BytesIO

PACKED_FROM = 1_400
"""Bytes: less than that goes in one packet anyway."""
LEVEL = 3
PADDING_MAX = 100


def packed(body: bytes) -> bytes:
    """Pack a body. Its name in the gzip header is random and of random length.

    Whoever makes a victim's browser ask for a page again and again, with guesses in the address, learns from how well
    each guess packs beside what is secret; a length that varies by itself makes that hopeless (the BREACH attack).
    """
    out = BytesIO()
    name = secrets.token_hex(PADDING_MAX)[: 1 + secrets.randbelow(PADDING_MAX)]
    with GzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=out, mtime=0) as file:
        file.write(body)
    return out.getvalue()
