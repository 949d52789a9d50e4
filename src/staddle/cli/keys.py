"""`staddle keys` and `clients`: API keys of customers, and integrators' back ends."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from staddle import identity as room
from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.arguments import CustomerRef
from staddle.cli.edge import At, Edge, machine_now, reads, works, writes
from staddle.cli.secret import Made, keyring, text_of, with_secret
from staddle.cli.show import listing
from staddle.customers import find_customer
from staddle.days import parse_instant
from staddle.errors import InvalidChoice
from staddle.identity.api_keys import KeyKind


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
    kind: Annotated[str, typer.Option(help="bearer, hmac, rsa or ed25519.")] = "bearer",
    public_key: Annotated[
        Path | None, typer.Option(help="Of rsa and ed25519: a file with the public key.")
    ] = None,
) -> Shown:
    """Make an API key for a customer; its secret is printed once."""
    new = room.NewApiKey(
        name=name,
        scopes=scope,
        addresses=address or (),
        expires_at=None if expires is None else parse_instant(expires),
        kind=_kind(kind),
        public_key=None if public_key is None else text_of(public_key),
    )

    def do(at: At) -> Made:
        by, customer_id = room.operator_caller(at.tx, at.by), find_customer(at.tx, reference).customer_id
        added = room.add_api_key(at.tx, keyring(), by, customer_id, new, room.UNSEEN, machine_now())
        return added.api_key, added.secret

    what = {"reference": reference, "name": name, "scopes": sorted(scope), "addresses": address, "kind": kind}
    return with_secret(edge, "add_api_key", what, do, "secret")


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
    return with_secret(edge, "add_client", what, do, "secret")


@works(app.clients, "rotate", "by", "key")
def rotate_client(edge: Edge, client_id: ClientId) -> Shown:
    """Give a client a new secret, printed once; the old one is void. An admin's."""

    def do(at: At) -> Made:
        made = room.rotate_client(at.tx, at.by, client_id, machine_now())
        return made.client, made.secret

    return with_secret(edge, "rotate_client", {"client_id": client_id}, do, "secret")


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


def _kind(text: str) -> KeyKind:
    kinds: tuple[KeyKind, ...] = get_args(KeyKind)
    for kind in kinds:
        if kind == text:
            return kind
    raise InvalidChoice(f"A key is of the kind bearer, hmac, rsa or ed25519, not {text[:40]!r}.")
