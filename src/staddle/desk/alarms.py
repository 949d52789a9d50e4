"""Alarms: what somebody who runs the desk must look at. No customer ever reads one.

An alarm is open once for its kind and subject, however often its cause is found; it is cleared when the cause is found
to be gone, or by hand. docs/operate/alarms.md says of each kind what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk.approvals import ID_MAX
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.errors import AlarmNotFound

sql = queries(__package__)
PAGE = 100
SUBJECT_MAX = 200

KINDS: Mapping[str, str] = {
    "run_late": "A reward run is not finished though its distribution time is long past.",
    "run_held": "A reward run is outside its limits and waits for a second person.",
    "position_parked": "The rewards of a position could not be paid; it was put aside.",
    "runway_short": "A reward pool will be empty sooner than the desk wants it to last.",
    "unusual_redemptions": "Customers have redeemed far more of a coin than is usual.",
    "rate_source_failed": "A rate source could not be read, or what it says makes no sense.",
    "rate_source_stale": "The figures of a rate source are older than its terms allow.",
    "rate_source_out_of_bounds": "What a rate source says is outside its bounds; two people must decide.",
    "webhook_dead": "Events could not be delivered to a webhook for so long that it was given up.",
    "outbox_behind": "Events wait far too long to be delivered to a webhook.",
    "roles_granted_alone": "The only admin of the desk has given somebody roles, with nobody to agree.",
    "audit_failed": "The audit found something wrong in the books.",
    "job_failing": "A job of the schedule fails again and again.",
    "invariant_broken": "A promise of the books does not hold; the job that found it has stopped.",
}
"""Every kind of alarm, with a sentence of what has happened."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to look at. `subject` is what it is about: a date, a product, a position; open while not cleared."""

    alarm_id: int
    kind: str
    subject: str
    details: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    cleared_by: str | None
    """Who cleared it by hand; None where the cause itself was found to be gone."""


def raise_alarm(tx: Tx, kind: str, subject: str, details: Mapping[str, object], now: datetime) -> bool:
    """Raise an alarm; says whether it is new. One that is open already only gets the newer details."""
    assert kind in KINDS, kind
    told = {
        "kind": kind,
        "subject": subject[:SUBJECT_MAX],
        "details": msgspec.json.encode(details).decode(),
        "now": now,
    }
    if tx.execute(sql.update_alarm, told).fetchone() is not None:
        return False
    return tx.execute(sql.raise_alarm, told).fetchone() is not None


def clear_alarm(tx: Tx, kind: str, subject: str, now: datetime) -> bool:
    """Clear an alarm because its cause is gone; says whether it was open."""
    assert kind in KINDS, kind
    cleared = {"kind": kind, "subject": subject[:SUBJECT_MAX], "now": now}
    return tx.execute(sql.clear_alarm, cleared).rowcount > 0


def raise_all(tx: Tx, kind: str, found: Mapping[str, Mapping[str, object]], now: datetime) -> int:
    """Raise an alarm for each subject found, and clear those of the kind that were not; gives how many are new."""
    still = {"kind": kind, "subjects": [subject[:SUBJECT_MAX] for subject in found], "now": now}
    tx.execute(sql.clear_alarms_but, still)
    return sum(raise_alarm(tx, kind, subject, details, now) for subject, details in found.items())


def dismiss_alarm(tx: Tx, by: str, alarm_id: int, now: datetime) -> Alarm:
    """Clear an alarm by hand; it comes back where its cause is found again. Raises AlarmNotFound."""
    find_operator(tx, by)
    if not 0 < alarm_id <= ID_MAX:
        raise AlarmNotFound
    row = tx.execute(sql.dismiss_alarm, {"alarm_id": alarm_id, "by": by, "now": now}).fetchone()
    if row is None:
        raise AlarmNotFound
    alarm = Alarm(*row)
    log(tx, by, "dismiss_alarm", alarm.subject, {"alarm_id": alarm_id, "kind": alarm.kind}, now)
    return alarm


def list_alarms(
    tx: Tx,
    with_cleared: bool = False,
    count: int = PAGE,
    before: int | None = None,
    kind: str | None = None,
) -> list[Alarm]:
    """Read the open alarms, newest first; with `with_cleared` those too that were cleared.

    `before` is the alarm_id to go on from.
    """
    wanted = {"with_cleared": with_cleared, "count": count, "before": before, "kind": kind}
    rows = tx.execute(sql.alarms, wanted).fetchall()
    return [Alarm(*row) for row in rows]
