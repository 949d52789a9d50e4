"""API keys of customers: a bearer's secret, or a key that signs each request; with scopes, addresses, an expiry.

Of a bearer's secret only the hash is kept, of an Ed25519 or RSA key only the public half: a stolen database yields
neither. HMAC needs the secret itself on both sides, so it is kept sealed.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, get_args

from staddle.customers import current_agreement, find_customers_by_id
from staddle.db import Tx, queries
from staddle.errors import (
    AgreementOutdated,
    ApiKeyNotFound,
    CustomerNotFound,
    InvalidChoice,
    InvalidName,
    InvalidPublicKey,
    RoleMissing,
    WrongState,
)
from staddle.identity.caller import CUSTOMER_SCOPES, Caller, Seen, require_step_up
from staddle.identity.logins import check_may_serve
from staddle.identity.security_log import note_by
from staddle.identity.signed import BY_PUBLIC_KEY, parse_public_key, purpose_of_key
from staddle.identity.tokens import API_KEY, hash_of, new_id, new_token
from staddle.keyring import Keyring

sql = queries(__package__)
KeyKind = Literal["bearer", "hmac", "rsa", "ed25519"]
KEYS_MAX = 50
ADDRESSES_MAX = 50


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What an API key is to be. `addresses` are networks such as 203.0.113.0/24; none means from everywhere.

    `public_key` belongs to the kinds ed25519 (PEM, or the 32 bytes in base64) and rsa (PEM). `agreement_version` is
    accepted for every subscription that comes by this key and has no words for it, as one by the Binance API has none.
    """

    name: str
    scopes: Collection[str]
    addresses: Collection[str] = ()
    expires_at: datetime | None = None
    kind: KeyKind = "bearer"
    public_key: str | None = None
    agreement_version: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as its owner may see it, at any time."""

    api_key_id: str
    name: str
    kind: KeyKind
    scopes: list[str]
    addresses: list[str]
    expires_at: datetime | None
    added_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None
    agreement_version: int | None


@dataclass(frozen=True, slots=True)
class AddedApiKey:
    """A new API key with its secret, which is shown here once; keys of the kinds ed25519 and rsa have none."""

    api_key: ApiKey
    secret: str | None = field(repr=False)


def add_api_key(
    tx: Tx, keyring: Keyring, by: Caller, customer_id: int, new: NewApiKey, seen: Seen, now: datetime
) -> AddedApiKey:
    """Make an API key for a customer: by the customer in a session that has stepped up, or by support or an admin.

    `now` is the machine's clock. Raises StepUpNeeded, RoleMissing, InvalidName, InvalidChoice (a scope, an address, the
    expiry), InvalidPublicKey, CustomerNotFound, AgreementOutdated, or WrongState where the customer has too many.
    """
    check_may_change_keys(by, customer_id, now)
    check(new, now)
    if new.agreement_version is not None:
        check_agreement(tx, by, customer_id, new.agreement_version)
    if customer_id not in find_customers_by_id(tx, [customer_id]):
        raise CustomerNotFound
    if sum(key.revoked_at is None for key in list_api_keys(tx, customer_id)) >= KEYS_MAX:
        raise WrongState(f"There are {KEYS_MAX} API keys already; please revoke one first.")
    api_key_id = new_id()
    secret = {"bearer": new_token(API_KEY), "hmac": secrets.token_hex(32)}.get(new.kind)
    kept = {
        "api_key_id": api_key_id,
        "customer_id": customer_id,
        "name": new.name,
        "kind": new.kind,
        "secret_hash": hash_of(secret) if secret is not None and new.kind == "bearer" else None,
        "public_key": None if new.public_key is None else parse_public_key(new.kind, new.public_key),
        "sealed_secret": keyring.seal(secret.encode(), purpose_of_key(api_key_id))
        if secret is not None and new.kind == "hmac"
        else None,
        "scopes": sorted(new.scopes),
        "addresses": [str(network) for network in networks(new.addresses)],
        "expires_at": new.expires_at,
        "agreement_version": new.agreement_version,
        "now": now,
    }
    tx.execute(sql.add_api_key, kept)
    details = {"api_key_id": api_key_id, "name": new.name, "kind": new.kind, "scopes": sorted(new.scopes)}
    note_by(tx, by, customer_id, "add_api_key", details, seen, now)
    return AddedApiKey(find_api_key(tx, customer_id, api_key_id), secret)


def revoke_api_key(
    tx: Tx, by: Caller, customer_id: int, api_key_id: str, seen: Seen, now: datetime
) -> ApiKey:
    """Revoke an API key, from this moment on; it needs no step-up, for closing a door must be easy.

    Revoking it again changes nothing. Raises ApiKeyNotFound or RoleMissing.
    """
    if by.customer_id is None or by.customer_id != customer_id or by.session_id is None:
        check_may_serve(by)
    key = find_api_key(tx, customer_id, api_key_id)
    if key.revoked_at is None:
        tx.execute(sql.revoke_api_key, {"api_key_id": api_key_id, "now": now})
        note_by(
            tx, by, customer_id, "revoke_api_key", {"api_key_id": api_key_id, "name": key.name}, seen, now
        )
    return find_api_key(tx, customer_id, api_key_id)


def list_api_keys(tx: Tx, customer_id: int) -> list[ApiKey]:
    """Read a customer's API keys, newest first, revoked ones too."""
    rows = tx.execute(sql.api_keys_of, {"customer_id": customer_id}).fetchall()
    return [ApiKey(*row) for row in rows]


def find_api_key(tx: Tx, customer_id: int, api_key_id: str) -> ApiKey:
    """Read one of a customer's API keys; raises ApiKeyNotFound."""
    for key in list_api_keys(tx, customer_id):
        if key.api_key_id == api_key_id:
            return key
    raise ApiKeyNotFound


def accept_for_api_key(
    tx: Tx, by: Caller, customer_id: int, api_key_id: str, version: int, seen: Seen, now: datetime
) -> ApiKey:
    """Accept the agreement in force for every subscription that comes by this key and has no words for it.

    Only the customer does, in a session. Raises ApiKeyNotFound, AgreementNotFound, AgreementOutdated or RoleMissing.
    """
    key = find_api_key(tx, customer_id, api_key_id)
    check_agreement(tx, by, customer_id, version)
    tx.execute(sql.accept_for_api_key, {"api_key_id": api_key_id, "version": version})
    details = {"api_key_id": api_key_id, "name": key.name, "agreement_version": version}
    note_by(tx, by, customer_id, "accept_for_api_key", details, seen, now)
    return find_api_key(tx, customer_id, api_key_id)


def check_agreement(tx: Tx, by: Caller, customer_id: int, version: int) -> None:
    """Refuse whoever accepts for somebody else, and a version that is not the one in force."""
    if by.session_id is None or by.customer_id != customer_id:
        raise RoleMissing("Only the customer, signed in, accepts the agreement.")
    in_force = current_agreement(tx).version
    if in_force != version:
        raise AgreementOutdated(version=in_force)


def check_may_change_keys(by: Caller, customer_id: int, now: datetime) -> None:
    """Refuse whoever may not make keys: a key makes no keys, and nobody makes them for another customer."""
    if by.kind != "customer":
        check_may_serve(by)
        return
    if by.session_id is None or by.customer_id != customer_id:
        raise RoleMissing("API keys are made by the customer, signed in; a key makes no keys.")
    require_step_up(by, now)


def check(new: NewApiKey, now: datetime) -> None:
    """Refuse what cannot be an API key."""
    if not 1 <= len(new.name) <= 80 or not new.name.isprintable() or new.name != new.name.strip():
        raise InvalidName("The name of a key has 1 to 80 printable characters.", field="name")
    unknown = sorted(set(new.scopes) - CUSTOMER_SCOPES)
    if unknown or not new.scopes:
        wrong = f"{unknown[0][:40]!r} is not a scope" if unknown else "A key needs a scope"
        raise InvalidChoice(f"{wrong}; there are {', '.join(sorted(CUSTOMER_SCOPES))}.", field="scopes")
    if new.kind not in get_args(KeyKind):
        raise InvalidChoice("A key is of the kind bearer, hmac, rsa or ed25519.", field="kind")
    if (new.kind in BY_PUBLIC_KEY) != (new.public_key is not None):
        raise InvalidPublicKey("A public key goes with the kinds rsa and ed25519, and with no other.")
    if new.expires_at is not None and new.expires_at <= now:
        raise InvalidChoice("The key's expiry has passed already.", field="expires_at")


def networks(texts: Collection[str]) -> list[IPv4Network | IPv6Network]:
    """Read addresses and networks; raises InvalidChoice, also for a network with bits set beyond its mask."""
    if len(texts) > ADDRESSES_MAX:
        raise InvalidChoice(f"A key has at most {ADDRESSES_MAX} addresses.", field="addresses")
    try:
        return [ip_network(text) for text in texts]
    except ValueError as error:
        raise InvalidChoice(
            f"This is not an address or a network: {str(error)[:100]}.", field="addresses"
        ) from None
