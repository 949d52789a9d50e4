"""The keys that seal what must stay readable to us and to nobody who only has the database.

Authenticator secrets, signing secrets of webhooks and the like are sealed by AES-256-GCM under the first key of
STADDLE_SECRET_KEY; whatever an older key of it has sealed can still be opened, so keys can be changed one by one.
Where the setting is missing, a desk on the embedded server makes itself a key file beside the database.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from staddle.config import Config
from staddle.errors import InvalidConfig

KEY_FILE = "secret.key"
KEY_BYTES = 32
NONCE_BYTES = 12
MARK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that holds sealed secrets: its table, what a row is known by, and the purpose by a name in the row."""

    table: str
    column: str
    row_key: str
    named_by: str
    purpose: Callable[[str], str]


class Keyring:
    """Seals and opens secrets; keys are looked for when the first one is needed.

    `purpose` says what a secret is and whose: what was sealed for one purpose cannot be opened for another, so a
    sealed secret that is copied to another row opens nothing there.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._keys: Sequence[bytes] | None = None

    def __repr__(self) -> str:
        return "Keyring(...)"

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Seal a secret under the newest key: a mark of the key, a nonce, and what only the key opens."""
        key = self._found()[0]
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _mark(key) + nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Open what was sealed for this purpose, by whichever key did it; raises InvalidConfig without that key."""
        nonce, rest = sealed[MARK_BYTES : MARK_BYTES + NONCE_BYTES], sealed[MARK_BYTES + NONCE_BYTES :]
        for key in self._found():
            if sealed.startswith(_mark(key)):
                with suppress(InvalidTag, ValueError):
                    return AESGCM(key).decrypt(nonce, rest, purpose.encode())
        raise InvalidConfig(
            "STADDLE_SECRET_KEY does not hold the key that sealed this secret: add the older key behind a comma."
        )

    def is_by_newest(self, sealed: bytes) -> bool:
        """Say whether it was the newest key that sealed this."""
        return sealed.startswith(_mark(self._found()[0]))

    def _found(self) -> Sequence[bytes]:
        if self._keys is None:
            self._keys = self._config.secret_keys or [_key_of_home(self._config)]
        return self._keys


def _mark(key: bytes) -> bytes:
    """Name a key without telling it."""
    return hashlib.sha256(b"staddle key " + key).digest()[:MARK_BYTES]


def _key_of_home(config: Config) -> bytes:
    """Read the key file of the embedded server's folder, made at the first need; of two at once, one makes it."""
    if config.database_url is not None:
        raise InvalidConfig(
            "STADDLE_SECRET_KEY is needed here: 32 random bytes in base64, for example of `openssl rand -base64 32`."
        )
    path = config.home / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        key = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except (OSError, UnicodeError, binascii.Error) as error:
        raise InvalidConfig(f"The key file {path} cannot be read or made.") from error
    if len(key) != KEY_BYTES:
        raise InvalidConfig(f"The key file {path} does not hold 32 bytes in base64.")
    return key


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there whole: nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{KEY_FILE}.{secrets.token_hex(8)}")
    opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()
