"""The busiest addresses go under the framework: the request's bytes to a function of ours, and its reply back.

Everything else goes on to the framework's application. Both kinds of routes end in the same functions, so there is one
way to read, know the caller and answer; what is left out here is only what the framework would do in between.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from staddle.errors import RequestTooLarge, StaddleError
from staddle.server.exchange import Incoming, Reply, incoming
from staddle.server.problem import MEDIA_TYPE, problem_of

BODY_MAX = 1 << 20
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""What protects browsers, on every answer; a page may set its own."""
RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
Answer = Callable[[Incoming], Awaitable[Reply]]
Refuse = Callable[[StaddleError], Reply]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Gone(Exception):
    """The client went away before its request was complete."""


def refuse(error: StaddleError) -> Reply:
    """Tell what is wrong with a body, as problem details."""
    problem = problem_of(error)
    return Reply(problem.status, msgspec.json.encode(problem), MEDIA_TYPE)


def under(
    application: Application,
    direct: Mapping[tuple[str, str], Answer],
    refusing: Mapping[tuple[str, str], Refuse],
) -> Application:
    """Give an application that answers some addresses, by method and path, directly.

    A body that is too large or too slow is refused in the words of its edge, where `refusing` has them.
    """

    async def call(scope: Any, receive: Receive, send: Send) -> None:
        answer = direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if answer is None:
            await application(scope, receive, send)
            return
        try:
            reply = await answer(incoming(scope, await body_of(receive)))
        except StaddleError as error:  # the body is too large or too slow
            reply = refusing.get((scope["method"], scope["path"]), refuse)(error)
        except Gone:
            return
        await send_reply(send, reply)

    return call


async def body_of(receive: Receive) -> bytes:
    """Read a body to its end. Raises RequestTooLarge, or Gone."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MAX:
            raise RequestTooLarge
    if message["type"] == "http.disconnect":
        raise Gone
    if len(body) > BODY_MAX:
        raise RequestTooLarge
    return body


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a reply."""
    headers = [
        *RAW_HEADERS,
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *(
            (name.lower().encode(), value.encode("latin-1", "replace"))
            for name, value in reply.headers.items()
        ),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
