"""Watching for what somebody should look at: an outbox that is behind, redemptions that are not usual."""

from datetime import datetime, timedelta

from staddle.days import format_instant
from staddle.desk import raise_all
from staddle.money import plain
from staddle.notices import Backlog, backlogs
from staddle.server.schedule import Work
from staddle.treasury import redemptions

BEHIND_AFTER = timedelta(minutes=10)
"""What has been due, or not even taken from the outbox, for so long is behind."""
FAILING_AFTER = timedelta(hours=1)
"""An endpoint that answers with errors for so long gets nothing any more: what is for it is behind, too."""


class Outbox:
    """Endpoints for which events wait too long.

    Notices carry the desk's clock, deliveries the machine's, so that how long notices have not been taken is seen by
    looking: those that were there at an earlier look and are still not taken have waited since then.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, datetime]] = {}
        """Of each endpoint: how many notices there were at a look, and when that was."""

    def __call__(self, work: Work) -> None:
        """Look, and raise or clear the alarm of each endpoint."""
        now = work.machine_now
        with work.database.transaction() as tx:
            behind = {}
            for each in backlogs(tx, now):
                why = self._why(each, now)
                if why is not None:
                    behind[f"endpoint {each.endpoint_id}"] = details(each, why, now)
            raise_all(tx, "outbox_behind", behind, work.now)

    def _why(self, backlog: Backlog, now: datetime) -> str | None:
        there, seen_at = self._seen.setdefault(backlog.endpoint_id, (backlog.notices, now))
        is_untaken = backlog.notices_taken < there and now - seen_at >= BEHIND_AFTER
        if backlog.notices_taken >= there:
            self._seen[backlog.endpoint_id] = (backlog.notices, now)
        if is_untaken:
            return "events are not taken from the outbox"
        if backlog.due_since is not None and now - backlog.due_since >= BEHIND_AFTER:
            return "deliveries are due and not made"
        if backlog.failing_since is not None and now - backlog.failing_since >= FAILING_AFTER:
            return "the receiver answers with errors, or not at all"
        return None


def details(backlog: Backlog, why: str, now: datetime) -> dict[str, object]:
    """Give the figures of an endpoint that is behind."""
    due, failing = backlog.due_since, backlog.failing_since
    return {
        "client_id": backlog.client_id,
        "why": why,
        "due_for_seconds": None if due is None else int((now - due).total_seconds()),
        "notices_not_taken": backlog.notices - backlog.notices_taken,
        "failing_since": None if failing is None else format_instant(failing),
    }


def watch_redemptions(work: Work) -> None:
    """Say of which coins customers have redeemed far more than is usual."""
    with work.database.transaction() as tx:
        unusual = {
            each.asset: {
                "redeemed": plain(each.redeemed),
                "count": each.count,
                "usual": plain(each.usual),
                "usual_days": each.usual_days,
                "staked": plain(each.staked),
                "beyond": "the share of what is staked" if each.because == "share" else "the usual",
            }
            for each in redemptions(tx, work.now)
            if each.is_alarm
        }
        raise_all(tx, "unusual_redemptions", unusual, work.now)
