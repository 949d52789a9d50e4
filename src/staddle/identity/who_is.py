"""From a bearer token to whoever holds it: one statement on an index, on the path of every request."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from staddle.db import Tx, queries
from staddle.errors import AddressNotAllowed, InvalidToken, SessionExpired
from staddle.identity.caller import CUSTOMER_SCOPES, Caller, Seen
from staddle.identity.tokens import ACCESS, API_KEY, SESSION, hash_of, is_token

sql = queries(__package__)

IDLE_MAX = {"customer": timedelta(days=7), "operator": timedelta(hours=1)}
"""A session that was not used for this long is over, whatever its expiry says."""

TOUCH_EVERY = timedelta(minutes=1)


def who_is(tx: Tx, token: str, seen: Seen, now: datetime) -> Caller:
    """Say who holds a bearer token: a session, an API key, or a client's access token.

    `now` is the machine's clock. Nothing is cached: what was revoked a moment ago is refused now. Raises
    InvalidToken, SessionExpired, AddressNotAllowed.
    """
    if is_token(token):
        if token.startswith(SESSION):
            return _of_session(tx, token, now)
        if token.startswith(API_KEY):
            return _of_api_key(tx, token, seen, now)
        if token.startswith(ACCESS):
            return _of_client(tx, token, now)
    raise InvalidToken


def _of_session(tx: Tx, token: str, now: datetime) -> Caller:
    row = tx.execute(sql.session_by_token, {"token_hash": hash_of(token)}).fetchone()
    if row is None:
        raise InvalidToken
    is_over = now >= row.expires_at or now - row.last_used_at > IDLE_MAX[row.kind]
    if row.ended_at is not None or not row.is_active or is_over:
        raise SessionExpired
    if now - row.last_used_at >= TOUCH_EVERY:
        tx.execute(sql.touch_session, {"session_id": row.session_id, "now": now})
    return Caller(
        kind=row.kind,
        customer_id=row.customer_id,
        operator=row.operator,
        scopes=CUSTOMER_SCOPES if row.kind == "customer" else frozenset(),
        roles=frozenset(row.roles or ()),
        session_id=row.session_id,
        stepped_up_at=row.stepped_up_at,
    )


def _of_api_key(tx: Tx, token: str, seen: Seen, now: datetime) -> Caller:
    row = tx.execute(sql.api_key_by_secret, {"token_hash": hash_of(token)}).fetchone()
    if row is None:
        raise InvalidToken
    return caller_of_api_key(tx, row, seen, now)


def caller_of_api_key(tx: Tx, row: Any, seen: Seen, now: datetime) -> Caller:
    """Give the caller whose API key this row is, and note its use; raises InvalidToken or AddressNotAllowed."""
    caller = check_api_key(row, seen, now)
    note_uses(tx, [(row, seen)], now)
    return caller


def check_api_key(row: Any, seen: Seen, now: datetime) -> Caller:
    """Give the caller whose API key this row is; raises InvalidToken or AddressNotAllowed."""
    if row.revoked_at is not None or not row.is_active:
        raise InvalidToken
    if row.expires_at is not None and now >= row.expires_at:
        raise InvalidToken("This API key has expired.")
    if row.addresses:
        check_address(address_of(seen), row.addresses)
    return Caller(
        kind="customer",
        customer_id=row.customer_id,
        scopes=frozenset(row.scopes),
        api_key_id=row.api_key_id,
        agreement_version=getattr(row, "agreement_version", None),
    )


def note_uses(tx: Tx, used: Sequence[tuple[Any, Seen]], now: datetime) -> None:
    """Remember when and from where API keys were used; at most once a minute each, for it is a write on a read's path.

    A key that somebody else is just noting is passed by: they note the same.
    """
    stale = {
        row.api_key_id: address_of(seen)
        for row, seen in used
        if row.last_used_at is None or now - row.last_used_at >= TOUCH_EVERY
    }
    if stale:
        addresses = [None if address is None else str(address) for address in stale.values()]
        tx.execute(sql.touch_api_keys, {"api_key_ids": list(stale), "addresses": addresses, "now": now})


def _of_client(tx: Tx, token: str, now: datetime) -> Caller:
    row = tx.execute(sql.access_token, {"token_hash": hash_of(token)}).fetchone()
    if row is None or row.revoked_at is not None:
        raise InvalidToken
    if now >= row.expires_at:
        raise InvalidToken("This access token has expired; please ask for a new one.")
    return Caller(kind="client", client_id=row.client_id, scopes=frozenset(row.scopes))


def address_of(seen: Seen) -> IPv4Address | IPv6Address | None:
    """Give the peer's address; an IPv4 address within IPv6 is that IPv4 address; None where there is none."""
    return _address_in(seen.address)


@lru_cache(maxsize=4096)
def _address_in(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, once for the many requests that come through one proxy."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def agent_of(seen: Seen) -> str:
    """Give what the peer calls itself, as far as it can be shown."""
    return "".join(sign for sign in seen.agent[:200] if sign.isprintable())


def check_address(
    address: IPv4Address | IPv6Address | None, allowed: Sequence[IPv4Network | IPv6Network]
) -> None:
    """Refuse an address that is not on a list, unless the list is empty: AddressNotAllowed."""
    if allowed and not any(address is not None and address in network for network in allowed):
        raise AddressNotAllowed
