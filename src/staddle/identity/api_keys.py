"""API keys of customers: a bearer's secret, or a key that signs each request; with scopes, addresses, an expiry.

Of a bearer's secret only the hash is kept, of an Ed25519 key only the public half: a stolen database yields neither.
HMAC needs the secret itself on both sides, so it is kept sealed.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from staddle.customers import find_customers_by_id
from staddle.db import Tx, queries
from staddle.errors import (
    ApiKeyNotFound,
    CustomerNotFound,
    InvalidChoice,
    InvalidName,
    InvalidPublicKey,
    InvalidToken,
    RoleMissing,
    SignatureNotAccepted,
    WrongState,
)
from staddle.identity.caller import CUSTOMER_SCOPES, Caller, Seen, require_step_up
from staddle.identity.logins import check_may_serve
from staddle.identity.security_log import note_by
from staddle.identity.tokens import API_KEY, hash_of, new_id, new_token
from staddle.identity.who_is import caller_of_api_key
from staddle.keyring import Keyring

sql = queries(__package__)
KeyKind = Literal["bearer", "ed25519", "hmac"]
KEYS_MAX = 50
ADDRESSES_MAX = 50


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What an API key is to be. `addresses` are networks such as 203.0.113.0/24; none means from everywhere.

    `public_key` belongs to the kind ed25519: PEM, or the 32 bytes in base64.
    """

    name: str
    scopes: Collection[str]
    addresses: Collection[str] = ()
    expires_at: datetime | None = None
    kind: KeyKind = "bearer"
    public_key: str | None = None


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


@dataclass(frozen=True, slots=True)
class AddedApiKey:
    """A new API key with its secret, which is shown here once; a key of the kind ed25519 has none."""

    api_key: ApiKey
    secret: str | None = field(repr=False)


def add_api_key(
    tx: Tx, keyring: Keyring, by: Caller, customer_id: int, new: NewApiKey, seen: Seen, now: datetime
) -> AddedApiKey:
    """Make an API key for a customer: by the customer in a session that has stepped up, or by support or an admin.

    Raises StepUpNeeded, RoleMissing, InvalidName, InvalidChoice (a scope, an address, the expiry), InvalidPublicKey,
    CustomerNotFound, or WrongState where the customer has too many.
    """
    check_may_change_keys(by, customer_id, now)
    check(new, now)
    if customer_id not in find_customers_by_id(tx, [customer_id]):
        raise CustomerNotFound
    if sum(key.revoked_at is None for key in list_api_keys(tx, customer_id)) >= KEYS_MAX:
        raise WrongState(f"There are {KEYS_MAX} API keys already; please revoke one first.")
    api_key_id = new_id()
    secret = {"bearer": new_token(API_KEY), "hmac": secrets.token_hex(32), "ed25519": None}[new.kind]
    kept = {
        "api_key_id": api_key_id,
        "customer_id": customer_id,
        "name": new.name,
        "kind": new.kind,
        "secret_hash": hash_of(secret) if secret is not None and new.kind == "bearer" else None,
        "public_key": parse_public_key(new.public_key or "") if new.kind == "ed25519" else None,
        "sealed_secret": keyring.seal(secret.encode(), purpose_of_key(api_key_id))
        if secret is not None and new.kind == "hmac"
        else None,
        "scopes": sorted(new.scopes),
        "addresses": [str(network) for network in networks(new.addresses)],
        "expires_at": new.expires_at,
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


def who_signed(
    tx: Tx, keyring: Keyring, api_key_id: str, message: bytes, signature: bytes, seen: Seen, now: datetime
) -> Caller:
    """Say who signed a message with an API key of the kinds ed25519 or hmac.

    The message must itself hold what keeps it from being sent again, such as a timestamp: that is the edge's to
    check. Raises InvalidToken, AddressNotAllowed, SignatureNotAccepted.
    """
    row = tx.execute(sql.api_key_by_id, {"api_key_id": api_key_id}).fetchone()
    if row is None or row.kind == "bearer":
        raise InvalidToken
    caller = caller_of_api_key(tx, row, seen, now)
    if row.kind == "ed25519":
        try:
            Ed25519PublicKey.from_public_bytes(bytes(row.public_key)).verify(signature, message)
        except InvalidSignature:
            raise SignatureNotAccepted from None
        return caller
    secret = keyring.open(bytes(row.sealed_secret), purpose_of_key(api_key_id))
    if not hmac.compare_digest(hmac.new(secret, message, hashlib.sha256).digest(), signature):
        raise SignatureNotAccepted
    return caller


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
    if new.kind not in ("bearer", "ed25519", "hmac"):
        raise InvalidChoice("A key is of the kind bearer, ed25519 or hmac.", field="kind")
    if (new.kind == "ed25519") != (new.public_key is not None):
        raise InvalidPublicKey("A public key goes with the kind ed25519, and with no other.")
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


def parse_public_key(text: str) -> bytes:
    """Read an Ed25519 public key, PEM or 32 bytes in base64; raises InvalidPublicKey."""
    try:
        if "BEGIN" in text:
            key = load_pem_public_key(text.strip().encode())
            if not isinstance(key, Ed25519PublicKey):
                raise InvalidPublicKey
            return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        raw = base64.b64decode(text.strip(), validate=True)
        return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.Raw, PublicFormat.Raw)
    except (ValueError, binascii.Error, UnicodeError):
        raise InvalidPublicKey from None


def purpose_of_key(api_key_id: str) -> str:
    """Say what a key's secret is sealed for."""
    return f"api key {api_key_id}"
