"""Sending one webhook: sign it, look where its address leads, and knock there and nowhere else."""

import asyncio
import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from staddle.errors import InvalidWebhookUrl
from staddle.notices.addresses import Allowed, Target, check_address, check_url
from staddle.notices.lanes import PER_ENDPOINT, Due, Result
from staddle.server.event import event_id, shown_event

CONNECT_SECONDS = 10
TOTAL_SECONDS = 15
ANSWER_BYTES_MAX = 64 * 1024
ANSWER_CHARACTERS_KEPT = 500
RESOLVING_AT_ONCE = 32
CONNECTIONS_KEPT = 256
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), CONNECT_SECONDS)

Clock = Callable[[], datetime]
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Rules:
    """Where this desk's webhooks may go. Only a sandbox may do without HTTPS and reach what is `allowed`."""

    is_sandbox: bool
    allowed: Allowed


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses that a name stands for, as the system has it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


def payload_of(due: Due) -> bytes:
    """Write what is sent: the same bytes at every attempt."""
    return msgspec.json.encode(shown_event(due.told, due.reference))


def signed_headers(due: Due, payload: bytes, now: datetime) -> dict[str, str]:
    """Sign a payload by the Standard Webhooks scheme, with each secret that signs now. `now` is the machine's clock."""
    message_id, timestamp = event_id(due.told.notice_id), str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + payload
    signatures = [hmac.new(secret, signed, hashlib.sha256).digest() for secret in due.secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }


class Sender:
    """Sends webhooks from one event loop. It keeps connections, but never one endpoint's for another."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        resolver: Resolve = resolve,
        trust: str | None = None,
        patience_seconds: int = TOTAL_SECONDS,
    ) -> None:
        """`trust` is a file of certificates to trust, beside the system's; an attempt has `patience_seconds`."""
        self._rules = rules
        self._clock = clock
        self._resolver = resolver
        self._patience_seconds = patience_seconds
        self._threads = ThreadPoolExecutor(RESOLVING_AT_ONCE, "resolve")
        self._ssl = ssl.create_default_context(cafile=trust)
        self._transports: dict[tuple[int, str], httpx.AsyncHTTPTransport] = {}

    async def send(self, due: Due) -> Result | None:
        """Make one attempt; whatever goes wrong is its failure. None when the claim has ended before it began."""
        started_at, loop = self._clock(), asyncio.get_running_loop()
        if started_at >= due.claimed_until:
            return None
        began = loop.time()
        status, failure, answer = None, None, ""
        try:
            async with asyncio.timeout(self._patience_seconds):
                status, answer = await self._attempt(due, started_at)
        except TimeoutError:
            failure = f"No answer within {self._patience_seconds} seconds."
        except InvalidWebhookUrl as error:
            failure = error.message
        except OSError as error:  # the name cannot be resolved
            failure = f"{type(error).__name__}: {error.strerror or error}"
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            failure = f"{type(error).__name__}: {error}"
        if status is not None and 300 <= status < 400:
            failure = "Redirects are not followed."
        milliseconds = int((loop.time() - began) * 1000)
        failure = None if failure is None else printable(failure)
        return Result(due, started_at, milliseconds, status, failure, answer)

    async def close(self) -> None:
        """Close the connections."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self, due: Due, now: datetime) -> tuple[int, str]:
        if not due.secrets:
            raise InvalidWebhookUrl(
                "STADDLE_SECRET_KEY does not hold the key that sealed this endpoint's secret."
            )
        target = check_url(due.url, self._rules.is_sandbox, self._rules.allowed)
        address = await self._checked_address(target)
        payload = payload_of(due)
        request = httpx.Request(
            "POST",
            url_at(target, address),
            headers={
                "host": target.named,
                "content-type": "application/json",
                "user-agent": "Staddle webhooks",
                "accept-encoding": "identity",
                **signed_headers(due, payload, now),
            },
            content=payload,
            # The connection goes to the address that was checked; the certificate must be that of the name.
            extensions={"timeout": _TIMEOUTS, "sni_hostname": target.host},
        )
        response = await self._transport(due.endpoint_id, address).handle_async_request(request)
        try:
            return response.status_code, await read_answer(response)
        finally:
            await response.aclose()

    async def _checked_address(self, target: Target) -> str:
        """Resolve the name now, and give an address of it once every one has been found to be permitted."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._resolver, target.host, target.port)
        for address in found:
            check_address(target, address, self._rules.is_sandbox, self._rules.allowed)
        if not found:
            raise InvalidWebhookUrl(f"{target.host} has no address.")
        return found[0]

    def _transport(self, endpoint_id: int, address: str) -> httpx.AsyncHTTPTransport:
        """Give the connections of one endpoint to one address; the oldest are closed when there are too many."""
        wanted = (endpoint_id, address)
        if wanted not in self._transports:
            self._transports[wanted] = httpx.AsyncHTTPTransport(
                verify=self._ssl,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=PER_ENDPOINT, keepalive_expiry=30),
            )
        return self._transports[wanted]

    async def forget_idle(self, busy: set[int]) -> None:
        """Close the connections of endpoints to which nothing is being sent, when many have gathered."""
        if len(self._transports) <= CONNECTIONS_KEPT:
            return
        for wanted in [each for each in self._transports if each[0] not in busy]:
            await self._transports.pop(wanted).aclose()


async def read_answer(response: httpx.Response) -> str:
    """Read the beginning of an answer as it is sent, never more than 64 kB of it, and keep its first 500 characters."""
    read = b""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for part in response.stream:
        read += part[: ANSWER_BYTES_MAX - len(read)]
        if len(read) >= ANSWER_BYTES_MAX:
            break
    return printable(read.decode("utf-8", "replace"))


def url_at(target: Target, address: str) -> str:
    """Write the URL with the address in the place of the name."""
    host = f"[{address}]" if ":" in address else address
    return f"http{'s' if target.is_https else ''}://{host}:{target.port}{target.path}"


def printable(text: str) -> str:
    """Cut a text for the log, and replace what a database or a terminal would choke on."""
    return "".join(
        each if each.isprintable() or each == "\n" else "\ufffd" for each in text[:ANSWER_CHARACTERS_KEPT]
    )
