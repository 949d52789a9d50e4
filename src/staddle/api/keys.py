"""API keys, of one's own and, for those who serve customers, of a customer; and integrators' clients."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from staddle.api.fields import Body, Form, Reference
from staddle.api.operation import Given, reads, writes
from staddle.api.secret import Made, once_showing
from staddle.api.sign_in import HexId
from staddle.customers import find_customer
from staddle.errors import InvalidChoice
from staddle.identity import (
    ApiKey,
    Client,
    NewApiKey,
    accept_for_api_key,
    add_api_key,
    add_client,
    grant_access,
    list_api_keys,
    list_clients,
    require_session,
    revoke_api_key,
    revoke_client,
    rotate_client,
)
from staddle.keyring import Keyring
from staddle.server.allow import ANYBODY, customer, operator
from staddle.server.at import At

TAG = "API keys"
CLIENTS = "Clients"
Scope = Literal["read", "subscribe", "redeem", "transfer"]
ClientScope = Literal["customers", "deposits", "withdrawals", "webhooks", "events", "act_for_customers"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, examples=["bot"])]
ClientId = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["exchange"])]


class ApiKeyBody(Body, frozen=True, kw_only=True):
    """What the key is to be. Without `addresses` it is good from everywhere, without `expires_at` until revoked.

    `bearer` has a secret that goes as `Authorization: Bearer`. The other kinds sign requests to the Binance Simple Earn
    API: `hmac` by a secret, `rsa` and `ed25519` by a key of yours whose public half is given here.
    """

    name: Name
    scopes: list[Scope]
    addresses: list[Annotated[str, msgspec.Meta(max_length=50, examples=["203.0.113.0/24"])]] = msgspec.field(
        default_factory=list
    )
    expires_at: datetime | None = None
    kind: Literal["bearer", "hmac", "rsa", "ed25519"] = "bearer"
    public_key: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    agreement_version: Annotated[
        int | None,
        msgspec.Meta(description="Accepted for every subscription by this key that cannot name it itself."),
    ] = None


class KeyAgreementBody(Body, frozen=True, kw_only=True):
    """The version of the staking service agreement that is accepted."""

    agreement_version: int


class ClientBody(Body, frozen=True, kw_only=True):
    """An integrator's back end and what it may do."""

    client_id: ClientId
    name: Name
    scopes: list[ClientScope]


class TokenForm(Form, frozen=True, kw_only=True):
    """OAuth 2.0, client credentials. Id and secret stand here, or in `Authorization: Basic`."""

    grant_type: str
    client_id: Annotated[str, msgspec.Meta(max_length=100)] = ""
    client_secret: Annotated[str, msgspec.Meta(max_length=200)] = ""
    scope: (
        Annotated[str, msgspec.Meta(max_length=400, description="With blanks between; left out: all.")] | None
    ) = None


class ApiKeyAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The new key. `secret` is shown this once; it is null for rsa and ed25519, and where the request was repeated."""

    api_key: ApiKey
    secret: str | None


class ClientAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The client. `secret` is shown this once; it is null where the request was repeated."""

    client: Client
    secret: str | None


class TokenGranted(msgspec.Struct, frozen=True, kw_only=True):
    """A token for `Authorization: Bearer`, good for `expires_in` seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


@reads("/v1/api-keys", allow=customer("read"), gives=list[ApiKey], tag=TAG)
def list_own_api_keys(at: At) -> list[ApiKey]:
    """List your API keys, newest first, revoked ones too."""
    require_session(at.caller)
    return list_api_keys(at.tx, at.customer_id)


@writes("POST", "/v1/api-keys", allow=customer("read"), gives=ApiKeyAdded, tag=TAG, status=201)
def add_own_api_key(at: At, body: ApiKeyBody) -> Given:
    """Make an API key. It needs a step-up of the last five minutes; a key makes no keys."""
    return _add(at, at.customer_id, body)


@writes("DELETE", "/v1/api-keys/{api_key_id}", allow=customer("read"), gives=ApiKey, tag=TAG, keyed="no")
def revoke_own_api_key(at: At, api_key_id: HexId) -> ApiKey:
    """Revoke an API key, from this moment on."""
    return revoke_api_key(at.tx, at.caller, at.customer_id, api_key_id, at.seen, at.machine_now)


@writes(
    "PUT", "/v1/api-keys/{api_key_id}/agreement", allow=customer("read"), gives=ApiKey, tag=TAG, keyed="no"
)
def accept_for_own_api_key(at: At, api_key_id: HexId, body: KeyAgreementBody) -> ApiKey:
    """Accept the agreement for subscriptions by an API key that cannot name it, as those by the Binance API cannot."""
    require_session(at.caller)
    version = body.agreement_version
    return accept_for_api_key(at.tx, at.caller, at.customer_id, api_key_id, version, at.seen, at.machine_now)


@reads("/v1/customers/{reference}/api-keys", allow=operator("support", "admin"), gives=list[ApiKey], tag=TAG)
def list_api_keys_of_customer(at: At, reference: Reference) -> list[ApiKey]:
    """List a customer's API keys, newest first, revoked ones too."""
    return list_api_keys(at.tx, find_customer(at.tx, reference).customer_id)


@writes(
    "POST",
    "/v1/customers/{reference}/api-keys",
    allow=operator("support", "admin"),
    gives=ApiKeyAdded,
    tag=TAG,
    status=201,
)
def add_api_key_of_customer(at: At, reference: Reference, body: ApiKeyBody) -> Given:
    """Make an API key for a customer, who reads about it in their security log."""
    return _add(at, find_customer(at.tx, reference).customer_id, body)


@writes(
    "DELETE",
    "/v1/customers/{reference}/api-keys/{api_key_id}",
    allow=operator("support", "admin"),
    gives=ApiKey,
    tag=TAG,
    keyed="no",
)
def revoke_api_key_of_customer(at: At, reference: Reference, api_key_id: HexId) -> ApiKey:
    """Revoke a customer's API key, from this moment on."""
    customer_id = find_customer(at.tx, reference).customer_id
    return revoke_api_key(at.tx, at.caller, customer_id, api_key_id, at.seen, at.machine_now)


def _add(at: At, customer_id: int, body: ApiKeyBody) -> Given:
    new = NewApiKey(
        name=body.name,
        scopes=body.scopes,
        addresses=body.addresses,
        expires_at=body.expires_at,
        kind=body.kind,
        public_key=body.public_key,
        agreement_version=body.agreement_version,
    )

    def do() -> Made:
        added = add_api_key(at.tx, Keyring(at.config), at.caller, customer_id, new, at.seen, at.machine_now)
        return {"api_key": added.api_key}, {"secret": added.secret}

    return once_showing(at, "add_api_key", {"customer_id": customer_id, "key": body}, do, 201)


@writes("POST", "/v1/oauth/token", allow=ANYBODY, gives=TokenGranted, tag=CLIENTS, keyed="no")
def grant_token(at: At, body: TokenForm) -> TokenGranted:
    """Trade a client's id and secret for an access token of an hour (OAuth 2.0, client credentials)."""
    if body.grant_type != "client_credentials":
        raise InvalidChoice("The grant type is client_credentials.", field="grant_type")
    scopes = None if body.scope is None else body.scope.split()
    granted = grant_access(at.tx, body.client_id, body.client_secret, scopes, at.machine_now)
    return TokenGranted(
        access_token=granted.token,
        token_type="Bearer",  # noqa: S106  not a password
        expires_in=int((granted.expires_at - at.machine_now).total_seconds()),
        scope=" ".join(granted.scopes),
    )


@reads("/v1/clients", allow=operator("admin"), gives=list[Client], tag=CLIENTS)
def list_integrators(at: At) -> list[Client]:
    """List the integrators' clients, revoked ones too."""
    return list_clients(at.tx)


@writes("POST", "/v1/clients", allow=operator("admin"), gives=ClientAdded, tag=CLIENTS, status=201)
def add_integrator(at: At, body: ClientBody) -> Given:
    """Let an integrator's back end in."""

    def do() -> Made:
        made = add_client(at.tx, at.by, body.client_id, body.name, body.scopes, at.machine_now)
        return {"client": made.client}, {"secret": made.secret}

    return once_showing(at, "add_client", {"client": body}, do, 201)


@writes("POST", "/v1/clients/{client_id}/secret", allow=operator("admin"), gives=ClientAdded, tag=CLIENTS)
def rotate_integrator(at: At, client_id: ClientId) -> Given:
    """Give a client a new secret; the old one is void at once."""

    def do() -> Made:
        made = rotate_client(at.tx, at.by, client_id, at.machine_now)
        return {"client": made.client}, {"secret": made.secret}

    return once_showing(at, "rotate_client", {"client_id": client_id}, do)


@writes("DELETE", "/v1/clients/{client_id}", allow=operator("admin"), gives=Client, tag=CLIENTS, keyed="no")
def revoke_integrator(at: At, client_id: ClientId) -> Client:
    """Let a client in no more, for good; its tokens are refused from this moment on."""
    return revoke_client(at.tx, at.by, client_id, at.machine_now)
