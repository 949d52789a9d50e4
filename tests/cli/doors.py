"""At a desk's doors by commands: roles, logins, API keys, clients. Each secret is shown once and kept nowhere."""

import base64
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell

from staddle import identity
from staddle.config import Config
from staddle.db import open_database
from staddle.identity import Caller, Seen
from staddle.keyring import Keyring

HERE = Seen("203.0.113.7", "Test")


def who_is(token: str) -> Caller:
    """Ask who holds a token, at the database of the environment."""
    with open_database(Config.from_environ(os.environ)) as database, database.transaction() as tx:
        return identity.who_is(tx, token, HERE, datetime.now(UTC))


def sign_in(email: str, password: str) -> Caller:
    """Sign a customer in by password."""
    config = Config.from_environ(os.environ)
    with open_database(config) as database:
        now = datetime.now(UTC)
        token = identity.sign_in(
            database, Keyring(config), "customer", email, password, None, HERE, now
        ).token
    return who_is(token)


def keep_the_doors(desk: Shell, tmp_path: Path) -> None:
    """Use every command of operators' roles, logins, keys and clients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STADDLE_SECRET_KEY", base64.b64encode(b"k" * 32).decode())
        give_roles(desk)
        give_logins(desk, tmp_path)
        make_keys(desk, tmp_path)
        let_clients_in(desk)


def give_roles(desk: Shell) -> None:
    assert desk.done("operators", "add", "cyd", "--role", "support", "--as", "ada")["roles"] == [
        "viewer",
        "support",
    ]
    desk.refused("role_missing", 4, "operators", "roles", "cyd", "--role", "admin", "--as", "cyd")
    changed = desk.done("operators", "roles", "cyd", "--role", "support", "--role", "product", "--as", "ada")
    assert changed["roles"] == ["viewer", "support", "product"]
    assert desk.done("operators", "deactivate", "cyd", "--as", "ada")["is_active"] is False
    desk.refused("operator_not_found", 3, "logins", "add", "ann", "ann@example.com", "--as", "cyd")
    assert desk.done("operators", "activate", "cyd", "--as", "ada")["is_active"] is True


def give_logins(desk: Shell, tmp_path: Path) -> None:
    arguments = ["logins", "add", "ann", "Ann@example.com", "--as", "cyd", "--key", "login-ann"]
    added = desk.done(*arguments)
    assert sign_in("ann@example.com", added["password"]).kind == "customer"
    again = desk.done(*arguments)
    assert (again["is_replay"], again["password"], again["email"]) == (True, None, "ann@example.com")
    assert "is shown this once" in desk("logins", "reset", "ann", "--as", "ada").out
    chosen = tmp_path / "password"
    chosen.write_text("the barn has nine stones\n")
    reset = desk.done("logins", "reset", "ann", "--password-file", str(chosen), "--as", "ada")
    assert reset["password"] is None
    assert sign_in("ann@example.com", "the barn has nine stones").kind == "customer"
    chosen.write_text("password1234")
    desk.refused("weak_password", 2, "logins", "reset", "ann", "--password-file", str(chosen), "--as", "ada")
    desk.refused(
        "invalid_file", 2, "logins", "reset", "ann", "--password-file", str(tmp_path / "no"), "--as", "ada"
    )
    desk.refused("login_not_found", 3, "logins", "deactivate", "bob", "--operator", "--as", "ada")
    desk.done("logins", "add", "bob", "bob@example.com", "--operator", "--as", "ada")
    assert [each["operator"] for each in desk.done("logins", "list", "--operators")["logins"]] == ["bob"]
    assert desk.done("logins", "deactivate", "ann", "--as", "ada")["is_active"] is False
    assert desk.done("logins", "activate", "ann", "--as", "ada")["is_active"] is True
    number = desk.done("logins", "lost-factors", "ann", "--as", "cyd")["approval_id"]
    desk.refused("second_person_needed", 4, "logins", "approve", number, "--as", "cyd")
    assert desk.done("logins", "approve", number, "--as", "ada")["has_code"] is False
    assert desk.done("logins", "log", "ann", "--count", "1")["entries"][0]["act"] == "remove_lost_factors"
    assert desk.done("logins", "log", "ann")["entries"][1]["act"] == "activate_login"
    assert desk.done("logins", "step-up", "USDT", "500", "--as", "ada")["step_up_amount"] == "500.000000"
    desk.done("logins", "step-up", "USDT", "--as", "ada")
    secret = tmp_path / "secret"
    secret.write_text("what they gave us")
    issuer = ["https://login.example.com", "staddle", "--secret-file", str(secret)]
    trusted = desk.done("logins", "trust", *issuer, "--claim", "reference", "--as", "ada")
    assert (trusted["issuer"], trusted["reference_claim"]) == ("https://login.example.com", "reference")
    desk.done("logins", "distrust", "--as", "ada")


def make_keys(desk: Shell, tmp_path: Path) -> None:
    arguments = ["keys", "add", "ann", "bot", "--scope", "read", "--as", "ada", "--key", "key-bot"]
    added = desk.done(*arguments, "--address", "203.0.113.0/24", "--expires", "2099-01-01T00:00:00Z")
    assert who_is(added["secret"]).scopes == {"read"}
    public_key = tmp_path / "public.txt"
    public_key.write_text("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    signing = ["--kind", "ed25519", "--public-key", str(public_key), "--scope", "redeem", "--as", "ada"]
    assert desk.done("keys", "add", "ann", "signer", *signing)["secret"] is None
    desk.refused(
        "invalid_choice", 2, "keys", "add", "ann", "x", "--scope", "read", "--kind", "dsa", "--as", "ada"
    )
    listed: list[Any] = desk.done("keys", "list", "ann")["api_keys"]
    assert {each["name"]: each["kind"] for each in listed} == {"bot": "bearer", "signer": "ed25519"}
    assert desk.done("keys", "revoke", "ann", added["api_key_id"], "--as", "ada")["revoked_at"] is not None
    desk.refused("api_key_not_found", 3, "keys", "revoke", "ann", "none", "--as", "ada")


def let_clients_in(desk: Shell) -> None:
    added = desk.done("clients", "add", "exchange", "The exchange", "--scope", "deposits", "--as", "ada")
    rotated = desk.done("clients", "rotate", "exchange", "--as", "ada")
    assert rotated["secret"] not in (None, added["secret"])
    desk.refused("role_missing", 4, "clients", "rotate", "exchange", "--as", "cyd")
    assert desk.done("clients", "revoke", "exchange", "--as", "ada")["revoked_at"] is not None
    assert [each["client_id"] for each in desk.done("clients", "list")["clients"]] == ["exchange"]
