"""A passkey's authenticator in software: it answers what a browser would, with real CBOR and real signatures."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url as text_of

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


@dataclass
class Authenticator:
    """One passkey on one device, at one origin."""

    origin: str = "https://earn.example.com"
    host: str = "earn.example.com"
    is_verifying: bool = True
    sign_count: int = 0
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer navigator.credentials.create()."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = (
            bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        )
        said = self._client_data("webauthn.create", options)
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._credential(clientDataJSON=said, attestationObject=cbor2.dumps(made))

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer navigator.credentials.get()."""
        self.sign_count += 1
        data, said = self._data(0), self._client_data("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ECDSA(SHA256()))
        return self._credential(clientDataJSON=said, authenticatorData=data, signature=signature)

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.is_verifying else 0)
        return (
            hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")
        )

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _credential(self, **response: bytes) -> dict[str, Any]:
        number = text_of(self.credential_id)
        texts = {name: text_of(value) for name, value in response.items()}
        return {"id": number, "rawId": number, "type": "public-key", "response": texts}
