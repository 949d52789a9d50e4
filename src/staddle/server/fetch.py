"""Asking a rate source: over TLS, without redirects, for so many bytes and seconds and no more (product.md rule 33).

Proxies and certificates are those of the process's environment (HTTPS_PROXY, SSL_CERT_FILE).
"""

import hashlib
import json
import time
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from types import TracebackType
from typing import Any, Self

import httpx

from staddle.errors import SourceUnreadable
from staddle.products import check_url

SECONDS_IN_ALL = 20.0
SECONDS_OF_SILENCE = 5.0
BYTES_IN_ALL = 16 << 20
"""The list of Solana's validators, the largest answer that is asked for, has about a megabyte."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "staddle"}


class Fetch:
    """The questions to one source, one after the other, and the hash of all its answers; a context manager."""

    def __init__(self, is_sandbox: bool, http_hosts: Collection[str]) -> None:
        self._is_sandbox = is_sandbox
        self._http_hosts = http_hosts
        self._hash = hashlib.sha256()
        self._bytes_left = BYTES_IN_ALL
        self._ends_at = time.monotonic() + SECONDS_IN_ALL
        self._client = httpx.Client(follow_redirects=False, timeout=SECONDS_OF_SILENCE, headers=HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def document_hash(self) -> bytes:
        """SHA-256 of all answers so far, one after the other."""
        return self._hash.digest()

    def get(self, url: str, body: object) -> Any:
        """Ask, with a body to post or None; gives the JSON document, its numbers exact. Raises SourceUnreadable."""
        check_url(url, self._is_sandbox, self._http_hosts)
        try:
            answered = self._ask(url, body)
        except httpx.InvalidURL as error:
            raise unreadable("its address is no URL") from error
        except httpx.HTTPError as error:
            # The text of such an error may repeat the address, which may hold a provider's key.
            raise unreadable(f"it does not answer ({type(error).__name__})") from error
        self._hash.update(answered)
        try:
            return json.loads(answered, parse_float=Decimal, parse_constant=no_number)
        except (ValueError, RecursionError, InvalidOperation) as error:
            raise unreadable("it does not answer in JSON") from error

    def _ask(self, url: str, body: object) -> bytes:
        method = "GET" if body is None else "POST"
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        with self._client.stream(method, url, content=content, headers=headers) as response:
            if response.is_redirect:
                raise unreadable("it points elsewhere; name the address itself")
            if response.status_code != httpx.codes.OK:
                raise unreadable(f"it answers with status {response.status_code}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise unreadable("it compresses what was asked for plainly")
            return self._read(response)

    def _read(self, response: httpx.Response) -> bytes:
        parts = []
        for part in response.iter_raw():
            parts.append(part)
            self._bytes_left -= len(part)
            if self._bytes_left < 0:
                raise unreadable(f"it answers with more than {BYTES_IN_ALL >> 20} MB")
            if time.monotonic() > self._ends_at:
                raise unreadable(f"it takes longer than {SECONDS_IN_ALL:.0f} seconds")
        return b"".join(parts)


def no_number(name: str) -> Any:
    """NaN and Infinity are no JSON, though Python would read them."""
    raise ValueError(name)


def unreadable(reason: str) -> SourceUnreadable:
    """Make the error that says what is wrong; no rate changes."""
    return SourceUnreadable(f"The rate source cannot be read: {reason}; no rate was changed.", reason=reason)
