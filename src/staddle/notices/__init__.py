"""The outbox: what happened, written in the transaction in which it happened, for all who must be told."""

from staddle.notices.addresses import Allowed
from staddle.notices.announce import announce_changes
from staddle.notices.deliveries import (
    Attempt,
    Backlog,
    Delivery,
    backlogs,
    dead_counts,
    dead_letters,
    forget_deliveries,
    list_deliveries,
    replay_delivery,
    replay_since,
    show_delivery,
)
from staddle.notices.endpoints import (
    Endpoint,
    change_endpoint,
    create_endpoint,
    disable_endpoint,
    enable_endpoint,
    find_endpoint,
    list_endpoints,
    reveal_secret,
    revoke_endpoint,
    rotate_secret,
)
from staddle.notices.fan_out import fan_out
from staddle.notices.feed import Event, Feed, customer_cursor_now, customer_feed, desk_cursor_now, desk_feed
from staddle.notices.kinds import KINDS, Kind
from staddle.notices.lanes import claim_lanes, record_results
from staddle.notices.publish import publish, publish_to_holders
from staddle.notices.read import (
    Told,
    announcements_to,
    latest_announcements_to,
    latest_notices_of,
    notices_of,
)
from staddle.notices.write import Notice, write_notices

__all__ = [
    "KINDS",
    "Allowed",
    "Attempt",
    "Backlog",
    "Delivery",
    "Endpoint",
    "Event",
    "Feed",
    "Kind",
    "Notice",
    "Told",
    "announce_changes",
    "announcements_to",
    "backlogs",
    "change_endpoint",
    "claim_lanes",
    "create_endpoint",
    "customer_cursor_now",
    "customer_feed",
    "dead_counts",
    "dead_letters",
    "desk_cursor_now",
    "desk_feed",
    "disable_endpoint",
    "enable_endpoint",
    "fan_out",
    "find_endpoint",
    "forget_deliveries",
    "latest_announcements_to",
    "latest_notices_of",
    "list_deliveries",
    "list_endpoints",
    "notices_of",
    "publish",
    "publish_to_holders",
    "record_results",
    "replay_delivery",
    "replay_since",
    "reveal_secret",
    "revoke_endpoint",
    "rotate_secret",
    "show_delivery",
    "write_notices",
]
