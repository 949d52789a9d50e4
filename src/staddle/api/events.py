"""The feed of what happens: a customer's own, and everybody's for integrators; docs/events.md describes each kind."""

from typing import Annotated, TypeAlias

import msgspec

from staddle.api.operation import Given, reads
from staddle.customers import find_customers_by_id
from staddle.notices import Feed, customer_cursor_now, customer_feed, desk_cursor_now, desk_feed
from staddle.server.allow import client, customer, either, operator
from staddle.server.at import At
from staddle.server.event import ShownEvent, shown_event

TAG = "Events"
EVENT_STREAM = "text/event-stream"
Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="How many at most.")]
After: TypeAlias = (
    Annotated[
        str,
        msgspec.Meta(
            max_length=2500,
            description="`cursor` of the page before; leave it out to begin with the first event.",
        ),
    ]
    | None
)
Behind: TypeAlias = (
    Annotated[
        str,
        msgspec.Meta(
            max_length=2500,
            description="A cursor; the header Last-Event-ID says the same. Leave it out to begin now.",
        ),
    ]
    | None
)
ALL = either(client("events"), operator("viewer"))


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the feed. Ask with `cursor` again, now or in a year: you get what came behind it."""

    items: list[ShownEvent]
    cursor: str
    has_more: bool


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Whose stream may be opened, and behind which cursor; no customer is the desk's."""

    customer_id: int | None
    cursor: str


@reads("/v1/events", allow=customer("read"), gives=EventPage, tag=TAG)
def list_events(at: At, after: After = None, limit: Limit = 100) -> EventPage:
    """List what happened to you, and what was announced to you, oldest first."""
    return page_of(at, customer_feed(at.tx, at.customer_id, after, limit))


@reads("/v1/events/all", allow=ALL, gives=EventPage, tag=TAG)
def list_all_events(at: At, after: After = None, limit: Limit = 100) -> EventPage:
    """List what happened to all customers and to the desk; each customer's events come in order, oldest first."""
    return page_of(at, desk_feed(at.tx, after, limit))


@reads("/v1/events/stream", allow=customer("read"), gives=bytes, tag=TAG, media_type=EVENT_STREAM)
def stream_events(at: At, after: Behind = None) -> Given:
    """Stream what happens to you as it happens, as Server-Sent Events, each with a cursor as its id.

    A stream ends after a quarter of an hour at the latest; browsers come again by themselves, and miss nothing.
    """
    if after is not None:
        customer_feed(at.tx, at.customer_id, after, 1)
    cursor = customer_cursor_now(at.tx, at.customer_id) if after is None else after
    return ticket(Ticket(customer_id=at.customer_id, cursor=cursor))


@reads("/v1/events/all/stream", allow=ALL, gives=bytes, tag=TAG, media_type=EVENT_STREAM)
def stream_all_events(at: At, after: Behind = None) -> Given:
    """Stream what happens to all customers and to the desk, as Server-Sent Events."""
    if after is not None:
        desk_feed(at.tx, after, 1)
    return ticket(Ticket(customer_id=None, cursor=desk_cursor_now(at.tx) if after is None else after))


def ticket(may: Ticket) -> Given:
    """Let a stream begin; `api/stream.py` takes it from here, outside of any transaction."""
    return Given(msgspec.json.encode(may), media_type=EVENT_STREAM)


def page_of(at: At, feed: Feed) -> EventPage:
    """Write a page of the feed."""
    ids = {event.told.customer_id for event in feed.events if event.told.customer_id}
    names = {number: found.reference for number, found in find_customers_by_id(at.tx, ids).items()}
    items = [shown_event(event.told, names.get(event.told.customer_id)) for event in feed.events]
    return EventPage(items=items, cursor=feed.cursor, has_more=not feed.is_last)
