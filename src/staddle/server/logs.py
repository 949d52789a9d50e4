"""Logs: a line for each request and for whatever goes wrong; JSON, or easy on the eye at a terminal.

No line ever holds a token, a password, an amount or an e-mail address: requests are told by operation and caller only,
never by their address, query or body.
"""

import logging
import sys
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor

QUIET = ("httpx", "httpcore", "asyncio")
"""Libraries that would log the addresses of their own requests."""
QUOTES_ROWS = ("DETAIL:", "CONTEXT:", "LINE ", "HINT:")


@dataclass(slots=True)
class Line:
    """What is known of the request at work; whoever learns more about it says so here."""

    request_id: str
    operation: str | None = None
    caller: str = "nobody"


_LINE: ContextVar[Line | None] = ContextVar("line", default=None)
_requests: Any = structlog.get_logger()
_direct: list[BinaryIO] = []
"""Where requests are told as JSON without a detour; empty where lines are made for eyes, or are not wanted."""


def begin_line(request_id: str) -> Line:
    """Begin to tell of a request, in this task and in what it starts."""
    line = Line(request_id)
    _LINE.set(line)
    return line


def current_line() -> Line | None:
    """Give what is told of the request at work; None outside of requests."""
    return _LINE.get()


def name_operation(name: str) -> None:
    """Say which operation the request at work is for."""
    line = _LINE.get()
    if line is not None:
        line.operation = name


def tell_request(line: Line, operation: str, status: int, seconds: float) -> None:
    """Write the line of a request. It is written for every one, so its shortest way is as short as can be."""
    told = {
        "event": "request",
        "operation": operation,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "caller": line.caller,
    }
    if not _direct:
        _requests.info(**told)
        return
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    said = msgspec.json.encode({**told, "level": "info", "at": at, "request_id": line.request_id})
    _direct[0].write(said + b"\n")
    _direct[0].flush()


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log of this process to standard error; called once by each process, also after a fork."""
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_request,
    ]
    write: Processor = (
        structlog.dev.ConsoleRenderer(colors=True, timestamp_key="at") if is_terminal else render_json
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if is_terminal else [show_trace]),
                write,
            ],
        )
    )
    root = logging.getLogger()
    for before in list(root.handlers):
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    is_direct = not is_terminal and root.isEnabledFor(logging.INFO) and hasattr(stream, "buffer")
    _direct[:] = [stream.buffer] if is_direct else []
    structlog.configure(
        processors=[*shared, write],
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


def add_request(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Name the request to which a line belongs."""
    line = _LINE.get()
    if line is not None:
        event.setdefault("request_id", line.request_id)
    return event


def show_trace(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Write an exception's trace down, but not the rows that PostgreSQL's errors quote: amounts may stand in them."""
    found = event.pop("exc_info", None)
    if found:
        error = found[1] if isinstance(found, tuple) else found
        lines = "".join(traceback.format_exception(error)).splitlines()
        event["trace"] = "\n".join(line for line in lines if not line.startswith(QUOTES_ROWS))
    return event


def render_json(_logger: Any, _name: str, event: EventDict) -> str:
    """Write a line as JSON; what JSON has no form for is written as Python shows it."""
    return msgspec.json.encode(event, enc_hook=repr).decode()
