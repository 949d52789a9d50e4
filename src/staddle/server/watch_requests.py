"""Around every request: its id, the time that its body may take, its line in the log, and its place in the metrics."""

import asyncio
import re
import time
import uuid
from typing import Any

from staddle.errors import MalformedRequest, RequestTooSlow
from staddle.server.direct import Application, Receive, Send
from staddle.server.logs import begin_line, requests
from staddle.server.metrics import REQUEST_SECONDS

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
QUIET = frozenset({"livez", "readyz", "metrics"})
"""Asked every few seconds by machines: told only where something is wrong."""


def watched(app: Application, body_seconds: int) -> Application:
    """Put the watch around an application. Within `body_seconds` a whole body must have come, however it trickles."""

    async def watch(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = Watched(scope, receive, send, body_seconds)
        try:
            await app(scope, request.receive, request.send)
        finally:
            request.tell()

    return watch


class Watched:
    """One request and its answer."""

    def __init__(self, scope: Any, receive: Receive, send: Send, body_seconds: int) -> None:
        self._body_seconds = body_seconds
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began_at = time.perf_counter()
        given = dict(scope["headers"])
        self._has_body = given.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in given
        self._request_id = request_id_of(given.get(b"x-request-id"))
        self._line = begin_line(self._request_id.decode())
        self._status = 0

    async def receive(self) -> dict[str, Any]:
        """Give the next piece of the body. Raises RequestTooSlow, or MalformedRequest where the connection ends."""
        if not self._has_body:
            return await self._receive()
        left = self._began_at + self._body_seconds - time.perf_counter()
        try:
            async with asyncio.timeout(max(left, 0)):
                message = await self._receive()
        except TimeoutError:
            raise RequestTooSlow from None
        if message["type"] == "http.disconnect":
            raise MalformedRequest(
                "The connection was closed before the whole body had come; nothing was moved."
            )
        self._has_body = bool(message.get("more_body"))
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """Send a piece of the answer, with the request's id; an unread rest of the body closes the connection."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
            if self._has_body:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        await self._send(message)

    def tell(self) -> None:
        """Write the request's line and count it; status 0 is that of an answer that was never begun."""
        seconds = time.perf_counter() - self._began_at
        handler = self._scope.get("route_handler")
        operation = self._line.operation or getattr(handler, "handler_name", "other")
        REQUEST_SECONDS.labels(operation, str(self._status)).observe(seconds)
        if operation in QUIET and self._status == 200:
            return
        requests.info(
            "request",
            operation=operation,
            status=self._status,
            milliseconds=round(seconds * 1000, 1),
            caller=self._line.caller,
        )


def request_id_of(given: bytes | None) -> bytes:
    """Take the caller's own id of the request where it is sane, else make one."""
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex.encode()
