"""Around every request: its id, the time that its body may take, its line in the log, and its place in the metrics."""

import asyncio
import os
import re
import time
from typing import Any

from staddle.errors import MalformedRequest, RequestTooSlow
from staddle.server.direct import Application, Receive, Send
from staddle.server.logs import begin_line, tell_request
from staddle.server.metrics import observe_request

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
LOOKED_EVERY_SECONDS = 0.5
LET_GO_SECONDS = 0.1
"""The server lets go of a body that nobody waits for a moment later; answered sooner, the connection may stay open."""
QUIET = frozenset({"livez", "readyz", "metrics"})
"""Asked every few seconds by machines: told only where something is wrong."""


class Bodies:
    """The requests of one process whose bodies are still coming.

    One look at all of them every now and then costs less than a timer for each.
    """

    def __init__(self, seconds: int) -> None:
        """Within `seconds` of its beginning a request must have come to its end, however steadily it trickles."""
        self.coming: set[Watched] = set()
        self._seconds = seconds

    async def keep_looking(self) -> None:
        """Give up on those that take too long."""
        while True:
            await asyncio.sleep(LOOKED_EVERY_SECONDS)
            before = time.perf_counter() - self._seconds
            for each in [each for each in self.coming if each.began_at < before]:
                each.give_up()


def watched(app: Application, bodies: Bodies) -> Application:
    """Put the watch around an application."""

    async def watch(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = Watched(scope, receive, send, bodies)
        try:
            await app(scope, request.receive, request.send)
        finally:
            request.tell()

    return watch


class Watched:
    """One request and its answer."""

    def __init__(self, scope: Any, receive: Receive, send: Send, bodies: Bodies) -> None:
        self.began_at = time.perf_counter()
        self._scope = scope
        self._receive = receive
        self._send = send
        self._bodies = bodies
        self._task: asyncio.Task[Any] | None = None
        self._is_overdue = False
        given = dict(scope["headers"])
        self._has_body = given.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in given
        self._request_id = request_id_of(given.get(b"x-request-id"))
        self._line = begin_line(self._request_id.decode())
        self._status = 0

    async def receive(self) -> dict[str, Any]:
        """Give the next piece of the body. Raises RequestTooSlow, or MalformedRequest where the connection ends."""
        if not self._has_body:
            return await self._receive()
        self._task = asyncio.current_task()
        self._bodies.coming.add(self)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self._is_overdue or self._task is None:
                raise
            self._task.uncancel()
            await asyncio.sleep(LET_GO_SECONDS)
            raise RequestTooSlow from None
        finally:
            self._bodies.coming.discard(self)
        if message["type"] == "http.disconnect":
            raise MalformedRequest(
                "The connection was closed before the whole body had come; nothing was moved."
            )
        self._has_body = bool(message.get("more_body"))
        return message

    def give_up(self) -> None:
        """Wait no longer for the body."""
        if self._task is not None and not self._is_overdue:
            self._is_overdue = True
            self._task.cancel()

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
        seconds = time.perf_counter() - self.began_at
        handler = self._scope.get("route_handler")
        operation: str = self._line.operation or getattr(handler, "handler_name", None) or "other"
        observe_request(operation, self._status, seconds)
        if operation not in QUIET or self._status != 200:
            tell_request(self._line, operation, self._status, seconds)


def request_id_of(given: bytes | None) -> bytes:
    """Take the caller's own id of the request where it is sane, else make one."""
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(16).hex().encode()
