"""Webhook endpoints of integrators: where they are told what happens, what became of it, and sending it again.

An integrator sees and changes their own; the desk's operators look after everybody's.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from staddle import notices
from staddle.api.fields import Body, Id, id_of
from staddle.api.once import actor, once
from staddle.api.operation import Given, reads, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.api.statements import Instant
from staddle.desk import log
from staddle.errors import DeliveryNotFound, EndpointNotFound, InvalidChoice
from staddle.keyring import Keyring
from staddle.notices import Allowed, Attempt, Endpoint
from staddle.server.allow import client, either, operator
from staddle.server.at import At
from staddle.server.event import event_id

TAG = "Webhooks"
READS = either(client("webhooks"), operator("viewer"))
WRITES = either(client("webhooks"), operator("admin"))
State = Literal["pending", "delivered", "dead", "cancelled"]
EventId = Annotated[
    str, msgspec.Meta(pattern="^evt_[0-9]{1,18}$", description="An event's id.", examples=["evt_131329"])
]
Url = Annotated[
    str, msgspec.Meta(min_length=1, max_length=2000, examples=["https://hooks.example.com/staddle"])
]
Kinds = Annotated[
    list[str], msgspec.Meta(max_length=100, description="The kinds of events that are wanted; null: all.")
]
Words = Annotated[str, msgspec.Meta(max_length=200)]


class EndpointBody(Body, frozen=True, kw_only=True):
    """Where an endpoint is and what it wants."""

    url: Url
    kinds: Kinds | None = None
    description: Words = ""


class NewEndpointBody(EndpointBody, frozen=True, kw_only=True):
    """A new endpoint. An operator says whose it is; an integrator's is their own."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class ReplayBody(Body, frozen=True, kw_only=True):
    """From when on everything is to be sent once more: an instant of the desk's clock."""

    since: Instant


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint checks signatures with, as libraries for Standard Webhooks take it."""

    endpoint_id: int
    secret: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many events are sent once more."""

    endpoint_id: int
    replayed: int


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is no more."""

    endpoint_id: int
    is_revoked: bool


class ShownDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to an endpoint."""

    event: str
    type: str
    customer_id: str | None
    state: State
    due_at: Instant
    attempt_count: int
    failing_since: Instant | None
    ended_at: Instant | None


class DeliveryInFull(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery with its log, oldest attempt first."""

    delivery: ShownDelivery
    attempts: list[Attempt]


@writes("POST", "/v1/webhooks", allow=WRITES, gives=Endpoint, tag=TAG)
def add_webhook(at: At, body: NewEndpointBody) -> Given:
    """Add an endpoint that is told what happens from now on; read its secret afterwards."""
    owner = at.caller.client_id or body.client_id
    if owner is None or (at.caller.client_id is not None and body.client_id not in (None, owner)):
        raise InvalidChoice("An operator says whose endpoint it is; an integrator's is their own.")
    keyring, allowed = Keyring(at.config), Allowed.parse(at.config.webhook_allow)
    return logged(
        at,
        "add_webhook",
        {"client_id": owner, "url": body.url, "kinds": body.kinds, "description": body.description},
        lambda: notices.create_endpoint(
            at.tx, owner, body.url, body.kinds, body.description, allowed, keyring, at.machine_now
        ),
    )


@reads("/v1/webhooks", allow=READS, gives=Page[Endpoint], tag=TAG)
def list_webhooks(at: At) -> Page[Endpoint]:
    """List the endpoints, with how much waits for each and how much could not be delivered."""
    return Page(items=notices.list_endpoints(at.tx, at.caller.client_id))


@reads("/v1/webhooks/{endpoint_id}", allow=READS, gives=Endpoint, tag=TAG)
def show_webhook(at: At, endpoint_id: Id) -> Endpoint:
    """Show one endpoint."""
    return notices.find_endpoint(at.tx, at.caller.client_id, number_of(endpoint_id))


@writes("PUT", "/v1/webhooks/{endpoint_id}", allow=WRITES, gives=Endpoint, tag=TAG)
def change_webhook(at: At, endpoint_id: Id, body: EndpointBody) -> Given:
    """Change where an endpoint is and what it wants; what waits for it goes to the new address."""
    number, allowed = number_of(endpoint_id), Allowed.parse(at.config.webhook_allow)
    return logged(
        at,
        "change_webhook",
        {"endpoint_id": number, "url": body.url, "kinds": body.kinds, "description": body.description},
        lambda: notices.change_endpoint(
            at.tx, at.caller.client_id, number, body.url, body.kinds, body.description, allowed
        ),
    )


@writes("DELETE", "/v1/webhooks/{endpoint_id}", allow=WRITES, gives=Revoked, tag=TAG)
def revoke_webhook(at: At, endpoint_id: Id) -> Given:
    """Take an endpoint away for good; what waits for it is cancelled."""
    number = number_of(endpoint_id)

    def do() -> Revoked:
        notices.revoke_endpoint(at.tx, at.caller.client_id, number, at.machine_now)
        return Revoked(endpoint_id=number, is_revoked=True)

    return logged(at, "revoke_webhook", {"endpoint_id": number}, do)


@reads("/v1/webhooks/{endpoint_id}/secret", allow=client("webhooks"), gives=Secret, tag=TAG)
def show_webhook_secret(at: At, endpoint_id: Id) -> Secret:
    """Show the secret with which an endpoint checks signatures."""
    number, owner = number_of(endpoint_id), at.caller.client_id
    assert owner is not None
    secret = notices.reveal_secret(at.tx, owner, number, Keyring(at.config))
    log(at.tx, actor(at.caller), "show_webhook_secret", str(number), {}, at.now)
    return Secret(endpoint_id=number, secret=secret)


@writes("POST", "/v1/webhooks/{endpoint_id}/secret", allow=client("webhooks"), gives=Endpoint, tag=TAG)
def rotate_webhook_secret(at: At, endpoint_id: Id) -> Given:
    """Make a new secret; for 24 hours the one before signs, too."""
    number, owner = number_of(endpoint_id), at.caller.client_id
    assert owner is not None
    return logged(
        at,
        "rotate_webhook_secret",
        {"endpoint_id": number},
        lambda: notices.rotate_secret(at.tx, owner, number, Keyring(at.config), at.machine_now),
    )


@writes("POST", "/v1/webhooks/{endpoint_id}/disable", allow=WRITES, gives=Endpoint, tag=TAG)
def disable_webhook(at: At, endpoint_id: Id) -> Given:
    """Let an endpoint rest; nothing is lost, what happens meanwhile waits."""
    number = number_of(endpoint_id)
    return logged(
        at,
        "disable_webhook",
        {"endpoint_id": number},
        lambda: notices.disable_endpoint(at.tx, at.caller.client_id, number),
    )


@writes("POST", "/v1/webhooks/{endpoint_id}/enable", allow=WRITES, gives=Endpoint, tag=TAG)
def enable_webhook(at: At, endpoint_id: Id) -> Given:
    """Let an endpoint go on where it stopped, with what waits for it sent at once."""
    number = number_of(endpoint_id)
    return logged(
        at,
        "enable_webhook",
        {"endpoint_id": number},
        lambda: notices.enable_endpoint(at.tx, at.caller.client_id, number, at.machine_now),
    )


@reads("/v1/webhooks/{endpoint_id}/deliveries", allow=READS, gives=Page[ShownDelivery], tag=TAG)
def list_deliveries(
    at: At, endpoint_id: Id, state: State | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[ShownDelivery]:
    """List what was sent to an endpoint, or will be; `dead` are those that could not be delivered for three days."""
    before = read_cursor(cursor, int)
    found = notices.list_deliveries(
        at.tx, at.caller.client_id, number_of(endpoint_id), state, before, limit + 1
    )
    some = page(found, limit, lambda each: each.notice_id)
    return Page(items=[shown(each) for each in some.items], next_cursor=some.next_cursor)


@reads("/v1/webhooks/{endpoint_id}/deliveries/{event}", allow=READS, gives=DeliveryInFull, tag=TAG)
def show_delivery(at: At, endpoint_id: Id, event: EventId) -> DeliveryInFull:
    """Show one delivery with its log: when it was tried, what was answered, how long that took."""
    found, attempts = notices.show_delivery(
        at.tx, at.caller.client_id, number_of(endpoint_id), notice_of(event)
    )
    return DeliveryInFull(delivery=shown(found), attempts=attempts)


@writes("POST", "/v1/webhooks/{endpoint_id}/deliveries/{event}/replay", allow=WRITES, gives=Replayed, tag=TAG)
def replay_delivery(at: At, endpoint_id: Id, event: EventId) -> Given:
    """Send one event once more, under the same id."""
    number, notice_id = number_of(endpoint_id), notice_of(event)

    def do() -> Replayed:
        notices.replay_delivery(at.tx, at.caller.client_id, number, notice_id, at.machine_now)
        return Replayed(endpoint_id=number, replayed=1)

    return logged(at, "replay_webhook", {"endpoint_id": number, "event": event}, do)


@writes("POST", "/v1/webhooks/{endpoint_id}/replay", allow=WRITES, gives=Replayed, tag=TAG)
def replay_webhook(at: At, endpoint_id: Id, body: ReplayBody) -> Given:
    """Send everything once more that happened since an instant, each under the same id; 100,000 events at most."""
    number = number_of(endpoint_id)

    def do() -> Replayed:
        replayed = notices.replay_since(at.tx, at.caller.client_id, number, body.since, at.machine_now)
        return Replayed(endpoint_id=number, replayed=replayed)

    return logged(at, "replay_webhook", {"endpoint_id": number, "since": body.since}, do)


@reads("/v1/dead-deliveries", allow=operator("viewer"), gives=Page[ShownDelivery], tag=TAG)
def list_dead_deliveries(at: At, limit: Limit = 100) -> Page[ShownDelivery]:
    """List what could not be delivered to any endpoint, oldest first."""
    return Page(items=[shown(each) for each in notices.dead_letters(at.tx, limit)])


def logged(at: At, act: str, what: dict[str, object], do: Callable[[], object]) -> Given:
    """Do something with an endpoint once for its key, and write into the desk's log who did it."""

    def done() -> object:
        answer = do()
        told = {name: each for name, each in what.items() if each is not None}
        log(at.tx, actor(at.caller), act, str(what.get("endpoint_id", what.get("client_id"))), told, at.now)
        return answer

    return once(at, act, what, done)


def number_of(endpoint_id: str) -> int:
    """Read an endpoint's id; raises EndpointNotFound for what can be none."""
    number = id_of(endpoint_id, EndpointNotFound)
    if number >= 1 << 31:
        raise EndpointNotFound
    return number


def notice_of(event: str) -> int:
    """Read an event's id; raises DeliveryNotFound for what can be none."""
    return id_of(event.removeprefix("evt_"), DeliveryNotFound)


def shown(each: notices.Delivery) -> ShownDelivery:
    """Write a delivery as the outside knows it."""
    return ShownDelivery(
        event=event_id(each.notice_id),
        type=each.kind,
        customer_id=str(each.customer_id) if each.customer_id else None,
        state=each.state,  # type: ignore[arg-type]
        due_at=each.due_at,
        attempt_count=each.attempt_count,
        failing_since=each.failing_since,
        ended_at=each.ended_at,
    )
