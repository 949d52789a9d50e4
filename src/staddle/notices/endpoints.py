"""Webhook endpoints: where an integrator wants to be told what happens, and the secret that signs it.

These are no acts of money, so `now` is the machine's clock. Whoever calls is named by `client_id`; None is the desk's
own people, who may look after everybody's.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.errors import EndpointNotFound, InvalidChoice, InvalidName, TooManyEndpoints, WrongState
from staddle.notices.addresses import Allowed, check_url
from staddle.notices.feed import notice_counts
from staddle.notices.kinds import KINDS

if TYPE_CHECKING:  # what it imports takes time, and most who need this room need no secrets
    from staddle.keyring import Keyring

sql = queries(__package__)
ENDPOINTS_MAX = 20
SECRET_BYTES = 32
BOTH_SIGN = timedelta(hours=24)
"""How long the secret before still signs, beside the new one, after a rotation."""
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as its owner sees it; `kinds` None wants all. `disabled_because` is by_owner, gone or failing.

    What is pending and what is dead is counted up to 10,000.
    """

    endpoint_id: int
    client_id: str
    url: str
    kinds: list[str] | None
    description: str
    state: str
    disabled_because: str | None
    failing_since: datetime | None
    secret_before_until: datetime | None
    created_at: datetime
    pending_count: int
    dead_count: int


def create_endpoint(
    tx: Tx,
    client_id: str,
    url: str,
    kinds: Sequence[str] | None,
    description: str,
    allowed: Allowed,
    keyring: "Keyring",
    now: datetime,
) -> Endpoint:
    """Add an endpoint that is told all that happens from now on; read its secret with `reveal_secret`.

    Raises InvalidWebhookUrl, InvalidChoice for a kind that there is not, InvalidName, TooManyEndpoints.
    """
    wanted = _check(tx, url, kinds, description, allowed)
    if len(list_endpoints(tx, client_id)) >= ENDPOINTS_MAX:
        raise TooManyEndpoints
    new = {
        "client_id": client_id,
        "url": url,
        "kinds": wanted,
        "description": description,
        "secret": keyring.seal(secrets.token_bytes(SECRET_BYTES), purpose_of_endpoint(client_id)),
        "now": now,
    }
    row = tx.execute(sql.add_endpoint, new).fetchone()
    assert row is not None
    counts = notice_counts(tx)
    begin = {"endpoint_id": row.endpoint_id, "cells": list(range(len(counts))), "counts": counts}
    tx.execute(sql.open_cursors, begin)
    return find_endpoint(tx, client_id, row.endpoint_id)


def change_endpoint(
    tx: Tx,
    client_id: str | None,
    endpoint_id: int,
    url: str,
    kinds: Sequence[str] | None,
    description: str,
    allowed: Allowed,
) -> Endpoint:
    """Change where an endpoint is and what it wants; deliveries that are under way go to the new address.

    Raises EndpointNotFound, and the errors of `create_endpoint`.
    """
    wanted = _check(tx, url, kinds, description, allowed)
    lock_endpoint(tx, client_id, endpoint_id)
    changed = {"endpoint_id": endpoint_id, "url": url, "kinds": wanted, "description": description}
    tx.execute(sql.change_endpoint, changed)
    return find_endpoint(tx, client_id, endpoint_id)


def list_endpoints(tx: Tx, client_id: str | None) -> list[Endpoint]:
    """List the endpoints that are not revoked, oldest first."""
    wanted = {"client_id": client_id, "endpoint_id": None}
    return [Endpoint(*row) for row in tx.execute(sql.endpoints, wanted).fetchall()]


def find_endpoint(tx: Tx, client_id: str | None, endpoint_id: int) -> Endpoint:
    """Read one endpoint; raises EndpointNotFound, also for another client's."""
    row = tx.execute(sql.endpoints, {"client_id": client_id, "endpoint_id": endpoint_id}).fetchone()
    if row is None:
        raise EndpointNotFound
    return Endpoint(*row)


def reveal_secret(tx: Tx, client_id: str, endpoint_id: int, keyring: "Keyring") -> str:
    """Give the secret with which an endpoint checks signatures, as `whsec_` and base64 (Standard Webhooks)."""
    row = lock_endpoint(tx, client_id, endpoint_id)
    return _PREFIX + base64.b64encode(keyring.open(row.secret, purpose_of_endpoint(client_id))).decode()


def rotate_secret(tx: Tx, client_id: str, endpoint_id: int, keyring: "Keyring", now: datetime) -> Endpoint:
    """Make a new secret; for 24 hours the one before signs too, so that the receiver can change over."""
    lock_endpoint(tx, client_id, endpoint_id)
    new = {
        "endpoint_id": endpoint_id,
        "secret": keyring.seal(secrets.token_bytes(SECRET_BYTES), purpose_of_endpoint(client_id)),
        "until": now + BOTH_SIGN,
    }
    tx.execute(sql.rotate_secret, new)
    return find_endpoint(tx, client_id, endpoint_id)


def disable_endpoint(tx: Tx, client_id: str | None, endpoint_id: int) -> Endpoint:
    """Send nothing more for now; nothing is lost, what happens meanwhile is sent when it is enabled again."""
    if lock_endpoint(tx, client_id, endpoint_id).state == "enabled":
        tx.execute(sql.disable_endpoint, {"endpoint_id": endpoint_id, "because": "by_owner"})
    return find_endpoint(tx, client_id, endpoint_id)


def enable_endpoint(tx: Tx, client_id: str | None, endpoint_id: int, now: datetime) -> Endpoint:
    """Go on where an endpoint was disabled, with what waits for it due at once."""
    if lock_endpoint(tx, client_id, endpoint_id).state == "disabled":
        tx.execute(sql.enable_endpoint, {"endpoint_id": endpoint_id})
        tx.execute(sql.hurry_lanes, {"endpoint_id": endpoint_id, "now": now})
    return find_endpoint(tx, client_id, endpoint_id)


def revoke_endpoint(tx: Tx, client_id: str | None, endpoint_id: int, now: datetime) -> None:
    """Take an endpoint away for good: what waits for it is cancelled, its log stays. Raises EndpointNotFound."""
    lock_endpoint(tx, client_id, endpoint_id)
    named = {"endpoint_id": endpoint_id, "now": now}
    tx.execute(sql.revoke_endpoint, named)
    # Whoever is making deliveries of new notices holds the cursors: after them there are no new ones.
    tx.execute(sql.close_cursors, named)
    tx.execute(sql.close_lanes, named)
    tx.execute(sql.cancel_deliveries, named)


def opened_secrets(row: Any, keyring: "Keyring", now: datetime) -> list[bytes]:
    """Open the secrets that sign for an endpoint now, the newest first."""
    sealed = [row.secret]
    if row.secret_before is not None and now < row.secret_before_until:
        sealed.append(row.secret_before)
    return [keyring.open(each, purpose_of_endpoint(row.client_id)) for each in sealed]


def lock_endpoint(tx: Tx, client_id: str | None, endpoint_id: int) -> Any:
    """Hold an endpoint: nobody changes it, and nothing that came of its deliveries is written down meanwhile.

    Raises EndpointNotFound; WrongState when it is revoked.
    """
    row = tx.execute(sql.lock_endpoint, {"client_id": client_id, "endpoint_id": endpoint_id}).fetchone()
    if row is None:
        raise EndpointNotFound
    if row.state == "revoked":
        raise WrongState("This endpoint has been revoked.")
    return row


def _check(
    tx: Tx, url: str, kinds: Sequence[str] | None, description: str, allowed: Allowed
) -> list[str] | None:
    check_url(url, find_desk(tx).is_sandbox, allowed)
    unknown = sorted(set(kinds or ()) - set(KINDS))
    if unknown or (kinds is not None and not kinds):
        what = f"There is no kind of event {unknown[0][:40]!r}" if unknown else "No kind of event is named"
        raise InvalidChoice(f"{what}; there are {', '.join(KINDS)}.")
    if len(description) > 200 or not description.isprintable():
        raise InvalidName("The description has at most 200 printable characters.")
    return None if kinds is None else sorted(set(kinds))


def purpose_of_endpoint(client_id: str) -> str:
    """Say what the secrets of a client's endpoints are sealed for."""
    return f"webhooks of {client_id}"
