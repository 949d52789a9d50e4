"""What every endpoint does around its one act: weigh, read, verify, call, write the answer down."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from staddle.binance.asked import Asked, parameters_of
from staddle.binance.endpoint import KEY_PREFIX, Endpoint
from staddle.binance.refusal import Refusal, refusal_of, refuse
from staddle.binance.signature import signed_by
from staddle.identity import Signed
from staddle.keyring import Keyring
from staddle.server.at import At
from staddle.server.authenticate import Credentials
from staddle.server.call import Call, ask_batch, in_transaction, seen_of
from staddle.server.exchange import Incoming, Reply
from staddle.server.logs import name_operation
from staddle.server.service import Service, machine_now
from staddle.server.weigh import Weighed, take_turn, weigh

SAPI_MAX, API_MAX = 12_000, 6_000
"""What one address may spend in a minute: on each endpoint under /sapi, and on all under /api together."""
BANNED_FROM = 2
"""Whoever spends so many times as much, though told to wait, is told so by another status."""
write = msgspec.json.Encoder(decimal_format="number").encode
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """What all endpoints of a process share."""

    service: Service
    keyring: Keyring

    async def answer(self, endpoint: Endpoint, request: Incoming) -> Reply:
        """Answer one request; whatever goes wrong is told in the protocol's words."""
        name_operation(endpoint.name)
        headers: dict[str, str] = {}
        try:
            headers |= await self.service.in_thread(lambda: self.weigh(endpoint, request))
            value = await self.value_of(endpoint, request)
            return Reply(200, write(value), headers={"Cache-Control": "no-store", **headers})
        except Exception as error:  # told in the protocol's words, each with its number
            return told(error, endpoint, headers)

    def weigh(self, endpoint: Endpoint, request: Incoming) -> dict[str, str]:
        """Count what a request costs its address; refuse it where too much was spent in this minute."""
        now = machine_now()
        minute = now.replace(second=0, microsecond=0)
        is_sapi = endpoint.path.startswith("/sapi/")
        most, on = (SAPI_MAX, endpoint.path) if is_sapi else (API_MAX, "/api")
        address = seen_of(self.service, request).address
        with self.service.database.transaction() as tx:
            used = weigh(tx, Weighed(address, on, endpoint.weight, minute))
        if used > most:
            wait = (minute + timedelta(minutes=1) - now).seconds + 1
            status = 418 if used > BANNED_FROM * most else 429
            raise Refusal(-1003, refuse(-1003).text, status=status, retry_after=wait)
        return {"X-SAPI-USED-IP-WEIGHT-1M" if is_sapi else "X-MBX-USED-WEIGHT-1M": str(used)}

    async def value_of(self, endpoint: Endpoint, request: Incoming) -> Any:
        """Read and verify a request, and give its answer."""
        if endpoint.allow is None:
            return endpoint.run(machine_now())
        asked = Asked(parameters_of(request.query_string.encode("latin-1"), request.body))
        signed = signed_by(request, asked, self.keyring, machine_now())
        credentials = Credentials(None, seen_of(self.service, request), signed=signed)
        call = Call(self.service, credentials, endpoint.allow, key_of(signed))
        if not endpoint.is_paced:
            return await self.in_transaction(call, lambda at: endpoint.run(at, asked))
        return await self.move(endpoint, call, asked)

    async def move(self, endpoint: Endpoint, call: Call, asked: Asked) -> Any:
        """Read what is to be moved, take the account's turn, move it, and write down what became of it.

        A turn is taken for good, also where what follows is refused.
        """

        def read(at: At) -> Any:
            does = endpoint.run(at, asked)
            take_turn_of(endpoint, at)
            return does

        does = await self.in_transaction(call, read)
        if endpoint.act is None:
            return await self.in_transaction(call, does)
        assert endpoint.then is not None
        then = endpoint.then
        answer = (await ask_batch(call, endpoint.act, does)).outcome.unwrap()
        return await self.in_transaction(call, lambda at: then(at, asked, answer))

    async def in_transaction(self, call: Call, do: Callable[[At], Any]) -> Any:
        """Do something in one transaction, on a thread, for whoever signed."""
        return await self.service.in_thread(lambda: in_transaction(call, do))


def take_turn_of(endpoint: Endpoint, at: At) -> None:
    """Refuse an account that asks for the same again too soon; the very same request may come again."""
    every = timedelta(seconds=at.config.binance_pace_seconds)
    if every and not take_turn(at.tx, at.customer_id, endpoint.path, at.key, at.machine_now, every):
        raise refuse(-6009)


def key_of(signed: Signed) -> str:
    """Make the idempotency key of a request: the same signed bytes, sent again, are the same request."""
    content = signed.api_key_id.encode() + b"\n" + signed.message
    return KEY_PREFIX + hashlib.sha256(content).hexdigest()


def told(error: Exception, endpoint: Endpoint | None, headers: Mapping[str, str]) -> Reply:
    """Write down what went wrong; our own mistakes are logged with their trace."""
    refusal = refusal_of(error) if endpoint is None else refusal_of(error, endpoint.product)
    if refusal.status >= 500:
        log.error("a request failed", exc_info=error)
    more = {"Cache-Control": "no-store", **headers}
    if refusal.status in (418, 429, 503):
        more["Retry-After"] = str(refusal.retry_after or 1)
    body = {"code": refusal.code, "msg": refusal.text}
    return Reply(refusal.status, msgspec.json.encode(body), headers=more)
