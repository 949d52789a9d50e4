"""A request and a reply as plain values: the same for what the framework brings and for what goes under it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import IO, Any
from urllib.parse import parse_qsl

from staddle.errors import MalformedRequest

QUERY_MAX = 8_192
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request: `headers` by lower-case name, the last one where a name comes twice; `address` of the peer."""

    method: str
    scheme: str
    headers: Mapping[str, str]
    query_string: str
    path_parameters: Mapping[str, str]
    body: bytes
    address: str

    def query(self) -> list[tuple[str, str]]:
        """Give the parameters of the query in order; raises MalformedRequest."""
        if not self.query_string:
            return []
        try:
            return parse_qsl(
                self.query_string[: QUERY_MAX + 1],
                keep_blank_values=True,
                errors="strict",
                max_num_fields=100,
            )
        except ValueError:
            raise MalformedRequest("The query cannot be read; nothing was moved.") from None

    def cookie(self, name: str) -> str | None:
        """Give a cookie's value."""
        text = self.headers.get("cookie")
        if text is None or name not in text:
            return None
        try:
            found = SimpleCookie(text).get(name)
        except CookieError:
            return None
        return None if found is None else found.value


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back. A `file` is sent in pieces in the place of a body, and closed; no memory holds all of it."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    file: IO[bytes] | None = None

    def pieces(self) -> Iterator[bytes]:
        """Give the file piece by piece, and close it, also when nobody reads on."""
        assert self.file is not None
        with self.file as file:
            while piece := file.read(PIECE):
                yield piece


def incoming(scope: Mapping[str, Any], body: bytes) -> Incoming:
    """Read an ASGI scope with the body that came with it."""
    client = scope.get("client")
    return Incoming(
        method=scope["method"],
        scheme=scope["scheme"],
        headers=headers_of(scope["headers"]),
        query_string=scope["query_string"].decode("latin-1"),
        path_parameters=scope.get("path_params") or {},
        body=body,
        address=client[0] if client else "",
    )


def headers_of(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Name the headers; HTTP knows no letters beyond Latin-1 in them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
