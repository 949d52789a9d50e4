"""From a request to its one transaction, the same for every edge: what it carries, who is asking, whether they may."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from staddle.db import Tx
from staddle.desk import now_of
from staddle.errors import CrossSiteRequest, InvalidKey, Unauthenticated
from staddle.identity.caller import NOBODY, Caller, Seen
from staddle.ledger import Command, scales_of
from staddle.ledger.once import again_if_just_used
from staddle.ledger.requests import check_key
from staddle.server.allow import Allow
from staddle.server.at import At, OnDatabase
from staddle.server.authenticate import Credentials, caller_of
from staddle.server.exchange import Incoming
from staddle.server.peer import peer_of
from staddle.server.service import Answered, Ask, Service, machine_now

Result = TypeVar("Result")
KEY_MAX = 120
"""Shorter than what the books can hold, for we put a name before the keys of clients."""
RESERVED = ("auto:", "guard:", "client:", "desk:", "import:", "imported deposit ", "binance:")
"""What the keys of our own acts begin with: no caller may take one of them, before or after."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for besides its content: who says they are asking, who may, and its idempotency key."""

    service: Service
    credentials: Credentials
    allow: Allow
    key: str


def credentials_of(service: Service, request: Incoming, own: str = "") -> Credentials:
    """Find the token: a bearer's, or the session's cookie, which only counts on requests from our own pages.

    `own` is what the cookie's name ends with: operators have another one than customers.
    """
    headers, seen = request.headers, seen_of(service, request)
    for_customer = headers.get("staddle-customer")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token.strip(), seen, for_customer)
    cookie = request.cookie(service.config.cookie_name + own)
    if cookie is not None and request.method not in ("GET", "HEAD"):
        check_same_site(service, request)
    return Credentials(cookie, seen, for_customer)


def seen_of(service: Service, request: Incoming) -> Seen:
    """Say from where a request came."""
    headers = request.headers
    address = peer_of(request.address, headers.get("x-forwarded-for", ""), service.config.trusted_proxies)
    return Seen(address, headers.get("user-agent", "")[:200])


def check_same_site(service: Service, request: Incoming) -> None:
    """Refuse a write by cookie that another site's page has sent: CrossSiteRequest.

    Browsers say where a request comes from; one that says nothing is refused too.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin")
    own = service.config.public_url or f"{request.scheme}://{request.headers.get('host', '')}"
    if origin is None or origin.rstrip("/") != own.rstrip("/"):
        raise CrossSiteRequest


def check_given(key: str) -> str:
    """Give back an idempotency key of a caller; raises InvalidKey."""
    check_key(key)
    if len(key) > KEY_MAX or key.startswith(RESERVED):
        raise InvalidKey(
            f"The idempotency key must have 1 to {KEY_MAX} printable characters and not begin with "
            f"{', '.join(RESERVED)}."
        )
    return key


def in_transaction(call: Call, do: Callable[[At], Result]) -> Result:
    """Open the one transaction of a request, know the caller, check that they may, and do it.

    It is done once more where somebody else used the same key at this very moment.
    """

    def once() -> Result:
        at = machine_now()
        with call.service.database.transaction() as tx:
            caller = known(call.allow, tx, call.credentials, at)
            now, own_key = now_of(tx, at), key_by(caller, call.key)
            scales = scales_of(tx)
            return do(At(tx, caller, call.credentials.seen, now, at, own_key, scales, call.service.config))

    return again_if_just_used(once)


def on_database(call: Call, do: Callable[[OnDatabase], Result]) -> Result:
    """Know the caller in a transaction of its own, then do what opens others."""
    service, at = call.service, machine_now()
    with service.database.transaction() as tx:
        caller, scales = known(call.allow, tx, call.credentials, at), scales_of(tx)
    own_key = key_by(caller, call.key)
    return do(
        OnDatabase(service.database, service.config, caller, call.credentials.seen, at, own_key, scales)
    )


async def ask_batch(call: Call, act: str, make: Callable[[Caller, str, Seen], Command]) -> Answered:
    """Put the request's command into the next batch of its act and wait for what becomes of it."""

    def made(caller: Caller) -> Command:
        call.allow.check(caller)
        return make(caller, key_by(caller, call.key), call.credentials.seen)

    return await call.service.batches[act].ask(Ask(call.credentials, made))


def known(allow: Allow, tx: Tx, credentials: Credentials, at: datetime) -> Caller:
    """Know the caller, who must be one that may call.

    What anybody may call is not refused to whoever comes with an old cookie: how else would they sign in again?
    """
    try:
        caller = caller_of(tx, credentials, at)
    except Unauthenticated:
        if "nobody" not in allow.kinds:
            raise
        return NOBODY
    allow.check(caller)
    return caller


def key_by(caller: Caller, key: str) -> str:
    """Keep the keys of a client apart from those of the customers whom it concerns."""
    return key if caller.client_id is None else f"client:{caller.client_id}:{key}"
