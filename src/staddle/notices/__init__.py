"""The outbox: what happened, written in the transaction in which it happened, for all who must be told."""

from staddle.notices.publish import publish_to_holders
from staddle.notices.read import Told, announcements_to, notices_of
from staddle.notices.write import Notice, write_notices

__all__ = ["Notice", "Told", "announcements_to", "notices_of", "publish_to_holders", "write_notices"]
