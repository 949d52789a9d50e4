"""An event as the outside knows it: the same in webhooks, in the feed and in the stream (docs/events.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from staddle.document import document
from staddle.notices import Told

IDS = frozenset({"renewed_as"})
"""Members of bodies that are ids and are not called so."""


class ShownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `customer_id` and `customer_reference` are null for what concerns many, or the desk.

    `timestamp` is an instant of the desk's clock; ids are strings, amounts plain decimals in strings.
    """

    id: str
    type: str
    timestamp: datetime
    customer_id: str | None
    customer_reference: str | None
    data: dict[str, Any]


def event_id(notice_id: int) -> str:
    """Give the id of an event: receivers that remember it do nothing twice."""
    return f"evt_{notice_id}"


def shown_event(told: Told, reference: str | None) -> ShownEvent:
    """Write a notice as an event."""
    return ShownEvent(
        id=event_id(told.notice_id),
        type=told.kind,
        timestamp=told.effective_at,
        customer_id=str(told.customer_id) if told.customer_id else None,
        customer_reference=reference,
        data=shown_body(told.body),
    )


def shown_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of a notice with its ids as strings."""
    shown: dict[str, Any] = document(body, {})
    return {name: str(each) if name in IDS and each is not None else each for name, each in shown.items()}
