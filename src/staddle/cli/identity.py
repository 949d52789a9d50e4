"""`staddle logins`, `keys` and `clients`: who may come in, and by what.

Sign-in goes by the machine's clock, in a sandbox too. A secret is printed once, when it is made: what is kept under the
idempotency key is the answer without it.
"""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import RenderableType

from staddle import identity as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import AssetCode, CustomerRef
from staddle.cli.edge import At, Edge, machine_now, reads, scales_of, works, writes
from staddle.cli.show import card, listing, said
from staddle.config import Config
from staddle.customers import find_customer
from staddle.days import parse_instant
from staddle.db import Tx
from staddle.desk import now_of
from staddle.errors import InvalidChoice, InvalidFile
from staddle.keyring import Keyring
from staddle.money import parse_decimal

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="A customer's reference; an operator's name with --operator.")
]
IsOperator = Annotated[bool, typer.Option("--operator", help="It is an operator's login.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help="Its first line is the password; - is standard input. Default: one is made."
    ),
]
Made = tuple[object, str | None]
"""What is kept and shown, and the secret that is only shown."""


@works(app.logins, "add", "by", "key")
def add_login(
    edge: Edge,
    who: Who,
    email: Annotated[str, typer.Argument(help="What they sign in with.")],
    is_operator: IsOperator = False,
    password_file: PasswordFile = None,
) -> Shown:
    """Give a customer, or an operator, a login; without a password of your choice one is made and printed once."""
    password, password_hash = _password(password_file, email)

    def do(at: At) -> Made:
        now, by = machine_now(), room.operator_caller(at.tx, at.by)
        if is_operator:
            login = room.add_operator_login(at.tx, at.by, who, email, password_hash, now)
        else:
            login = room.add_customer_login(at.tx, by, who, email, password_hash, room.UNSEEN, now)
        return login, password

    return _with_secret(
        edge, "add_login", {"who": who, "email": email, "is_operator": is_operator}, do, "password"
    )


@works(app.logins, "reset", "by", "key")
def reset(edge: Edge, who: Who, is_operator: IsOperator = False, password_file: PasswordFile = None) -> Shown:
    """Give a login a new password in place of a lost one; wherever it is signed in, it is out."""
    with edge.transaction() as tx:
        login = _login(tx, who, is_operator)
    password, password_hash = _password(password_file, login.email or "")

    def do(at: At) -> Made:
        by = room.operator_caller(at.tx, at.by)
        return room.reset_password(
            at.tx, by, login.login_id, password_hash, room.UNSEEN, machine_now()
        ), password

    return _with_secret(edge, "reset_password", {"who": who, "is_operator": is_operator}, do, "password")


@writes(app.logins, "deactivate")
def deactivate(at: At, who: Who, is_operator: IsOperator = False) -> Shown:
    """Let a login in no more: its sessions, and a customer's API keys, are refused at once."""
    return _set_active(at, who, is_operator, False)


@writes(app.logins, "activate")
def activate(at: At, who: Who, is_operator: IsOperator = False) -> Shown:
    """Let a login in again."""
    return _set_active(at, who, is_operator, True)


def _set_active(at: At, who: str, is_operator: bool, is_active: bool) -> Shown:
    what: dict[str, object] = {"who": who, "is_operator": is_operator, "is_active": is_active}

    def do() -> object:
        login, by = _login(at.tx, who, is_operator), room.operator_caller(at.tx, at.by)
        return room.set_login_active(at.tx, by, login.login_id, is_active, room.UNSEEN, machine_now())

    return at.once("set_login_active", what, do)


@reads(app.logins, "list")
def logins(
    at: At,
    is_operator: Annotated[bool, typer.Option("--operators", help="Those of operators.")] = False,
    after: Annotated[str, typer.Option(help="Go on behind this address.")] = "",
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
) -> Shown:
    """List the logins in the order of their addresses."""
    found = room.list_logins(at.tx, "operator" if is_operator else "customer", count, after)
    columns = [
        "email",
        "operator" if is_operator else "customer_id",
        "is_active",
        "has_code",
        "passkey_count",
    ]
    return Shown({"logins": found}, lambda data: listing("", data["logins"], columns))


@reads(app.logins, "log")
def log(
    at: At,
    reference: CustomerRef,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries.")] = 30,
) -> Shown:
    """Show what happened to a customer's access, newest first, as the customer can read it too."""
    found = room.read_security_log(at.tx, at.customer_id(reference), count)
    columns = ["effective_at", "act", "address", "agent"]
    return Shown({"entries": found}, lambda data: listing("", data["entries"], columns))


@writes(app.logins, "step-up")
def step_up(
    at: At,
    asset: AssetCode,
    amount: Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="Left out: never.")] = None,
) -> Shown:
    """Set from which amount on a customer must prove again who they are before redeeming; an admin's."""
    limit = None if amount is None else parse_decimal(amount)

    def do() -> object:
        room.set_step_up_amount(at.tx, at.by, asset, limit, machine_now())
        return {"asset": asset, "step_up_amount": limit}

    return at.once("set_step_up_amount", {"asset": asset, "amount": limit}, do)


@writes(app.logins, "trust")
def trust(
    at: At,
    issuer: Annotated[str, typer.Argument(help="Such as https://login.example.com.")],
    client_id: Annotated[str, typer.Argument(help="What the provider calls us.")],
    secret_file: Annotated[
        Path,
        typer.Option(help="Its first line is the secret that the provider gave us; - is standard input."),
    ],
    claim: Annotated[
        str | None,
        typer.Option(help="The claim that holds our reference; default: a verified e-mail address."),
    ] = None,
) -> Shown:
    """Let customers sign in by another provider, such as the exchange's own login (OpenID Connect); an admin's."""
    secret = _first_line(secret_file)

    def do() -> object:
        return room.set_sign_in_provider(
            at.tx, _keyring(), at.by, issuer, client_id, secret, claim, machine_now()
        )

    return at.once("trust", {"issuer": issuer, "client_id": client_id, "claim": claim}, do)


@writes(app.logins, "distrust")
def distrust(at: At) -> Shown:
    """Let nobody sign in by another provider any more; an admin's."""

    def do() -> object:
        room.drop_sign_in_provider(at.tx, at.by, machine_now())
        return {"issuer": None}

    return at.once("distrust", {}, do)


@works(app.keys, "add", "by", "key")
def add_key(
    edge: Edge,
    reference: CustomerRef,
    name: Annotated[str, typer.Argument(help="What the customer will know it by.")],
    scope: Annotated[list[str], typer.Option(help="read, subscribe, redeem or transfer; once for each.")],
    address: Annotated[
        list[str] | None, typer.Option(help="Only from here, such as 203.0.113.0/24; once for each.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, such as 2027-01-31T00:00:00Z.")] = None,
    kind: Annotated[str, typer.Option(help="bearer, ed25519 or hmac.")] = "bearer",
    public_key: Annotated[Path | None, typer.Option(help="Of ed25519: a file with the public key.")] = None,
) -> Shown:
    """Make an API key for a customer; its secret is printed once."""
    new = room.NewApiKey(
        name=name,
        scopes=scope,
        addresses=address or (),
        expires_at=None if expires is None else parse_instant(expires),
        kind=_kind(kind),
        public_key=None if public_key is None else _text_of(public_key),
    )

    def do(at: At) -> Made:
        by, customer_id = room.operator_caller(at.tx, at.by), find_customer(at.tx, reference).customer_id
        added = room.add_api_key(at.tx, _keyring(), by, customer_id, new, room.UNSEEN, machine_now())
        return added.api_key, added.secret

    what = {"reference": reference, "name": name, "scopes": sorted(scope), "addresses": address, "kind": kind}
    return _with_secret(edge, "add_api_key", what, do, "secret")


@reads(app.keys, "list")
def keys(at: At, reference: CustomerRef) -> Shown:
    """List a customer's API keys, newest first."""
    found = room.list_api_keys(at.tx, at.customer_id(reference))
    columns = ["api_key_id", "name", "kind", "scopes", "expires_at", "last_used_at", "revoked_at"]
    return Shown({"api_keys": found}, lambda data: listing("", data["api_keys"], columns))


@writes(app.keys, "revoke")
def revoke_key(
    at: At, reference: CustomerRef, api_key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id.")]
) -> Shown:
    """Revoke an API key, from this moment on."""

    def do() -> object:
        by, customer_id = room.operator_caller(at.tx, at.by), at.customer_id(reference)
        return room.revoke_api_key(at.tx, by, customer_id, api_key_id, room.UNSEEN, machine_now())

    return at.once("revoke_api_key", {"reference": reference, "api_key_id": api_key_id}, do)


ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="Its id, such as exchange.")]


@works(app.clients, "add", "by", "key")
def add_client(
    edge: Edge,
    client_id: ClientId,
    name: Annotated[str, typer.Argument(help="Such as: The exchange's back end.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="customers, deposits, withdrawals, webhooks, events or act_for_customers; once for each."
        ),
    ],
) -> Shown:
    """Let an integrator's back end in; its secret is printed once. An admin's."""

    def do(at: At) -> Made:
        made = room.add_client(at.tx, at.by, client_id, name, scope, machine_now())
        return made.client, made.secret

    what = {"client_id": client_id, "name": name, "scopes": sorted(scope)}
    return _with_secret(edge, "add_client", what, do, "secret")


@works(app.clients, "rotate", "by", "key")
def rotate_client(edge: Edge, client_id: ClientId) -> Shown:
    """Give a client a new secret, printed once; the old one is void. An admin's."""

    def do(at: At) -> Made:
        made = room.rotate_client(at.tx, at.by, client_id, machine_now())
        return made.client, made.secret

    return _with_secret(edge, "rotate_client", {"client_id": client_id}, do, "secret")


@writes(app.clients, "revoke")
def revoke_client(at: At, client_id: ClientId) -> Shown:
    """Let a client in no more, for good; its tokens are refused at once. An admin's."""
    what: dict[str, object] = {"client_id": client_id}
    return at.once("revoke_client", what, lambda: room.revoke_client(at.tx, at.by, client_id, machine_now()))


@reads(app.clients, "list")
def clients(at: At) -> Shown:
    """List the clients."""
    columns = ["client_id", "name", "scopes", "added_by", "added_at", "revoked_at"]
    return Shown({"clients": room.list_clients(at.tx)}, lambda data: listing("", data["clients"], columns))


def _with_secret(
    edge: Edge, act: str, what: Mapping[str, object], do: Callable[[At], Made], secret_name: str
) -> Shown:
    """Do a write once for its key, and show the secret that came of it this once; on a repeat it is null."""
    made: list[str | None] = []

    def kept() -> object:
        shown, secret = do(at)
        made.append(secret)
        return shown

    with edge.transaction() as tx:
        at = At(edge, tx, now_of(tx, machine_now()), scales_of(tx))
        answer = at.once(act, dict(what), kept)
    assert isinstance(answer.data, dict)
    data = {**answer.data, secret_name: made[0] if made else None}
    return Shown(data, lambda shown: _secret_view(shown, secret_name), is_replay=answer.is_replay)


def _secret_view(data: Document, secret_name: str) -> RenderableType:
    if data[secret_name] is None:
        return card(data, leave_out=[secret_name])
    return said(f"The {secret_name} is shown this once: keep it safe.", card(data))


def _password(file: Path | None, email: str) -> tuple[str | None, str]:
    """Give the password that is to be shown, if it was made here, and its hash."""
    if file is not None:
        return None, room.new_password(_first_line(file), email)
    password = secrets.token_urlsafe(15)
    return password, room.new_password(password, email)


def _login(tx: Tx, who: str, is_operator: bool) -> room.Login:
    """Find a customer's login by reference, or an operator's by name."""
    if is_operator:
        return room.login_of(tx, room.Caller("operator", operator=who))
    return room.login_of_customer(tx, find_customer(tx, who).customer_id)


def _kind(text: str) -> Literal["bearer", "ed25519", "hmac"]:
    kinds: tuple[Literal["bearer", "ed25519", "hmac"], ...] = ("bearer", "ed25519", "hmac")
    for kind in kinds:
        if kind == text:
            return kind
    raise InvalidChoice(f"A key is of the kind bearer, ed25519 or hmac, not {text[:40]!r}.")


def _first_line(file: Path) -> str:
    """Read the first line of a file, or of standard input: a secret in the arguments could be seen by others."""
    return (sys.stdin.readline() if str(file) == "-" else _text_of(file).partition("\n")[0]).rstrip("\r\n")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"{file} cannot be read: {error}") from None


def _keyring() -> Keyring:
    return Keyring(Config.from_environ(os.environ))
