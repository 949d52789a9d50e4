"""Requests that an API key has signed: by HMAC-SHA256 with a shared secret, or with an RSA or Ed25519 key of theirs."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from staddle.db import Tx, queries
from staddle.errors import InvalidPublicKey, InvalidToken, SignatureNotAccepted, StaddleError
from staddle.identity.caller import Caller, Seen
from staddle.identity.who_is import check_api_key, note_uses
from staddle.keyring import Keyring

sql = queries(__package__)
BY_PUBLIC_KEY = ("rsa", "ed25519")
"""The kinds of key of which only the public half is known here."""
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 4096


@dataclass(frozen=True, slots=True)
class Signed:
    """A message that says it was signed by an API key, named by its id.

    The message must itself hold what keeps it from being sent again, such as a timestamp: that is the edge's to check.
    """

    api_key_id: str
    message: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    keyring: Keyring = field(repr=False, compare=False)


def who_signed(
    tx: Tx, keyring: Keyring, api_key_id: str, message: bytes, signature: bytes, seen: Seen, now: datetime
) -> Caller:
    """Say who signed a message with an API key. Raises InvalidToken, AddressNotAllowed, SignatureNotAccepted."""
    signed = Signed(api_key_id, message, signature, keyring)
    found = who_have_signed(tx, [(signed, seen)], now)[0]
    if isinstance(found, StaddleError):
        raise found
    return found


def who_have_signed(
    tx: Tx, asking: Sequence[tuple[Signed, Seen]], now: datetime
) -> list[Caller | StaddleError]:
    """Say who signed each message, or why it is not believed; in order, with one statement for all of them."""
    wanted = sorted({signed.api_key_id for signed, _ in asking})
    rows = tx.execute(sql.signing_keys, {"api_key_ids": wanted}).fetchall() if wanted else []
    known = {row.api_key_id: row for row in rows}
    callers = [_believed(known.get(signed.api_key_id), signed, seen, now) for signed, seen in asking]
    used = [
        (known[signed.api_key_id], seen)
        for (signed, seen), caller in zip(asking, callers, strict=True)
        if isinstance(caller, Caller)
    ]
    note_uses(tx, used, now)
    return callers


def _believed(row: Any, signed: Signed, seen: Seen, now: datetime) -> Caller | StaddleError:
    try:
        if row is None:
            raise InvalidToken
        caller = check_api_key(row, seen, now)
        if not is_signed_by(row, signed):
            raise SignatureNotAccepted
    except StaddleError as error:
        return error
    return caller


def is_signed_by(row: Any, signed: Signed) -> bool:
    """Say whether a signature was made with this key over exactly these bytes."""
    if row.kind == "hmac":
        secret = signed.keyring.open(bytes(row.sealed_secret), purpose_of_key(row.api_key_id))
        made = hmac.new(secret, signed.message, hashlib.sha256).digest()
        return hmac.compare_digest(made, signed.signature)
    try:
        if row.kind == "ed25519":
            Ed25519PublicKey.from_public_bytes(bytes(row.public_key)).verify(signed.signature, signed.message)
        else:
            key = load_der_public_key(bytes(row.public_key))
            assert isinstance(key, RSAPublicKey)
            key.verify(signed.signature, signed.message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def parse_public_key(kind: str, text: str) -> bytes:
    """Read a public key as it is kept: Ed25519, PEM or 32 bytes in base64; RSA of 2048 to 4096 bits, PEM.

    Raises InvalidPublicKey.
    """
    try:
        return _ed25519(text.strip()) if kind == "ed25519" else _rsa(text.strip())
    except (ValueError, binascii.Error, UnicodeError, TypeError):
        raise InvalidPublicKey from None


def _ed25519(text: str) -> bytes:
    if "BEGIN" not in text:
        raw = base64.b64decode(text, validate=True)
        return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidPublicKey
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _rsa(text: str) -> bytes:
    key = load_pem_public_key(text.encode())
    if not isinstance(key, RSAPublicKey) or not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        raise InvalidPublicKey(f"An RSA key here has {RSA_BITS_MIN} to {RSA_BITS_MAX} bits.")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def purpose_of_key(api_key_id: str) -> str:
    """Name what the secret of an API key is sealed for, so that it opens nothing in another row."""
    return f"api key {api_key_id}"
