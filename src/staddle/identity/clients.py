"""Clients: the back ends of integrators. They trade their secret for an access token of an hour (OAuth 2.0, client
credentials), and a token for what its scopes allow.
"""

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import AlreadyExists, ClientNotAccepted, ClientNotFound, InvalidChoice, InvalidName
from staddle.identity.caller import CLIENT_SCOPES
from staddle.identity.tokens import ACCESS, CLIENT_SECRET, hash_of, new_token

sql = queries(__package__)
TOKEN_LASTS = timedelta(hours=1)
_ID = re.compile(r"[a-z][a-z0-9._-]{0,39}", re.ASCII)
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Client:
    """An integrator's back end, without its secret."""

    client_id: str
    name: str
    scopes: list[str]
    added_by: str
    added_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client with its new secret, which is shown here once."""

    client: Client
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a client shows with each request."""

    token: str = field(repr=False)
    scopes: list[str]
    expires_at: datetime


def add_client(
    tx: Tx, by: str, client_id: str, name: str, scopes: Collection[str], now: datetime
) -> ClientSecret:
    """Let an integrator's back end in; an admin's act.

    Raises RoleMissing, InvalidName, InvalidChoice or AlreadyExists.
    """
    desk.require_admin(tx, by)
    if not _ID.fullmatch(client_id):
        raise InvalidName(
            "A client's id has 1 to 40 small letters, digits, '.', '_' or '-', and begins with a letter."
        )
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise InvalidName("The name of a client has 1 to 80 printable characters.", field="name")
    given = check_scopes(scopes)
    secret = new_token(CLIENT_SECRET)
    new = {
        "client_id": client_id,
        "name": name,
        "secret_hash": hash_of(secret),
        "scopes": given,
        "by": by,
        "now": now,
    }
    if tx.execute(sql.add_client, new).fetchone() is None:
        raise AlreadyExists(f"There is a client {client_id!r} already.")
    desk.log(tx, by, "add_client", client_id, {"scopes": given}, now)
    return ClientSecret(find_client(tx, client_id), secret)


def rotate_client(tx: Tx, by: str, client_id: str, now: datetime) -> ClientSecret:
    """Give a client a new secret; an admin's act. The old one is void, access tokens live on for their hour.

    Raises RoleMissing or ClientNotFound (also for one that was revoked).
    """
    desk.require_admin(tx, by)
    find_client(tx, client_id)
    secret = new_token(CLIENT_SECRET)
    changed = {"client_id": client_id, "secret_hash": hash_of(secret)}
    if tx.execute(sql.rotate_client, changed).fetchone() is None:
        raise ClientNotFound
    desk.log(tx, by, "rotate_client", client_id, {}, now)
    return ClientSecret(find_client(tx, client_id), secret)


def revoke_client(tx: Tx, by: str, client_id: str, now: datetime) -> Client:
    """Let a client in no more, for good; an admin's act. Its access tokens are refused from this moment on."""
    desk.require_admin(tx, by)
    find_client(tx, client_id)
    if tx.execute(sql.revoke_client, {"client_id": client_id, "now": now}).fetchone() is not None:
        tx.execute(sql.drop_access_tokens, {"client_id": client_id})
        desk.log(tx, by, "revoke_client", client_id, {}, now)
    return find_client(tx, client_id)


def find_client(tx: Tx, client_id: str) -> Client:
    """Read a client; raises ClientNotFound."""
    for client in list_clients(tx):
        if client.client_id == client_id:
            return client
    raise ClientNotFound


def list_clients(tx: Tx) -> list[Client]:
    """Read the clients by their ids, revoked ones too; there are few."""
    return [Client(*row) for row in tx.execute(sql.list_clients).fetchall()]


def grant_access(
    tx: Tx, client_id: str, secret: str, scopes: Collection[str] | None, now: datetime
) -> AccessToken:
    """Trade a client's secret for an access token of an hour, with all of its scopes or those asked for.

    Raises ClientNotAccepted, or InvalidChoice for a scope that the client has not. A secret has 256 random bits:
    nobody tries them through, so attempts are not counted.
    """
    known = _ID.fullmatch(client_id) is not None
    row = tx.execute(sql.client_secret, {"client_id": client_id if known else ""}).fetchone()
    kept = _NO_HASH if row is None else bytes(row.secret_hash)
    if not hmac.compare_digest(hash_of(secret[:200]), kept) or row is None or row.revoked_at is not None:
        raise ClientNotAccepted
    given = sorted(row.scopes) if scopes is None else check_scopes(scopes)
    if not set(given) <= set(row.scopes):
        raise InvalidChoice("This client does not have all of these scopes.", field="scope")
    token, expires_at = new_token(ACCESS), now + TOKEN_LASTS
    granted = {
        "token_hash": hash_of(token),
        "client_id": client_id,
        "scopes": given,
        "expires_at": expires_at,
        "now": now,
    }
    tx.execute(sql.drop_expired_tokens, {"client_id": client_id, "now": now})
    tx.execute(sql.grant_access, granted)
    return AccessToken(token, given, expires_at)


def check_scopes(scopes: Collection[str]) -> list[str]:
    """Give scopes back in order; raises InvalidChoice for one that there is not, or for none."""
    unknown = sorted(set(scopes) - CLIENT_SCOPES)
    if unknown or not scopes:
        wrong = f"{unknown[0][:40]!r} is not a scope" if unknown else "A client needs a scope"
        raise InvalidChoice(f"{wrong}; there are {', '.join(sorted(CLIENT_SCOPES))}.", field="scope")
    return sorted(set(scopes))
