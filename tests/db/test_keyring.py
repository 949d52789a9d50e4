"""What must stay readable to us is sealed by keys that are not in the database."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from staddle.config import Config
from staddle.errors import InvalidConfig
from staddle.keyring import KEY_FILE, Keyring

OLD, NEW = b"o" * 32, b"n" * 32


def config(home: Path, *keys: bytes, url: str | None = None) -> Config:
    return Config(home=home, database_url=url, database=None, operator=None, secret_keys=keys)


def test_only_the_key_opens_what_it_sealed(tmp_path: Path) -> None:
    sealed = Keyring(config(tmp_path, OLD)).seal(b"JBSWY3DP", "totp of ann")
    assert b"JBSWY3DP" not in sealed
    assert Keyring(config(tmp_path, OLD)).open(sealed, "totp of ann") == b"JBSWY3DP"
    for keyring in (Keyring(config(tmp_path, NEW)), Keyring(config(tmp_path))):
        with pytest.raises(InvalidConfig):
            keyring.open(sealed, "totp of ann")
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (broken, b"", sealed[:10]):
        with pytest.raises(InvalidConfig):
            Keyring(config(tmp_path, OLD)).open(wrong, "totp of ann")


def test_a_sealed_secret_opens_nothing_in_another_place(tmp_path: Path) -> None:
    keyring = Keyring(config(tmp_path, OLD))
    sealed = keyring.seal(b"JBSWY3DP", "totp of ann")
    with pytest.raises(InvalidConfig):
        keyring.open(sealed, "totp of eve")


def test_a_new_key_seals_and_the_old_ones_still_open(tmp_path: Path) -> None:
    sealed = Keyring(config(tmp_path, OLD)).seal(b"secret", "webhook")
    both = Keyring(config(tmp_path, NEW, OLD))
    assert both.open(sealed, "webhook") == b"secret"
    assert Keyring(config(tmp_path, NEW)).open(both.seal(b"secret", "webhook"), "webhook") == b"secret"


def test_a_desk_of_its_own_server_makes_one_key_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda _: Keyring(config(home)).seal(b"secret", "one"), range(16)))
    assert {Keyring(config(home)).open(each, "one") for each in sealed} == {b"secret"}
    assert [path.name for path in home.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600


def test_with_a_server_of_ones_own_the_key_must_be_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="STADDLE_SECRET_KEY is needed"):
        Keyring(config(tmp_path, url="postgresql://host/books")).seal(b"secret", "one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"short").decode(), "\xff"])
def test_a_damaged_key_file_is_told_and_never_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / KEY_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidConfig, match=r"secret\.key"):
        Keyring(config(tmp_path)).seal(b"secret", "one")
    assert (tmp_path / KEY_FILE).read_bytes() == text.encode("latin-1")


def test_no_key_is_shown_by_a_keyring(tmp_path: Path) -> None:
    given = config(tmp_path, OLD)
    assert "ooo" not in repr(Keyring(given)) + repr(given) + repr(replace(given, operator="ada"))
