"""Alarms: what somebody must look at, what to do about each, and clearing one by hand."""

from collections.abc import Mapping
from typing import Literal

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.desk import Alarm, dismiss_alarm, list_alarms
from staddle.desk.alarms import KINDS
from staddle.errors import AlarmNotFound
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor
from staddle.server.once import once
from staddle.server.schedule import job_statuses
from staddle.server.tasks import leader_seen

SEE = operator("viewer")
CLEARS = ("support", "product", "treasury", "admin")
FILE_MAX = 100_000
State = Literal["open", "all"]


class ClearForm(Form, frozen=True, kw_only=True):
    """Which alarm."""

    alarm_id: str = ""


def what_to_do(visit: Visit) -> Mapping[str, tuple[str, str]]:
    """Say of each kind of alarm what to do, and on which page; docs/operate/alarms.md says more."""
    say = visit.say
    return {
        "run_late": (
            say("See whether a worker is there, and whether the run is held or paused."),
            "/console/runs",
        ),
        "run_held": (
            say("See which limit it is outside of. Fund the pool, or ask for its release."),
            "/console/runs",
        ),
        "position_parked": (say("See why, mend it, and pay the position again."), "/console/parked"),
        "runway_short": (say("Fund the pool; a second person approves."), "/console/treasury"),
        "unusual_redemptions": (
            say("Find out why, and see that custody can pay out. Redemption is never blocked by this."),
            "/console/treasury",
        ),
        "rate_source_failed": (say("Look at the node or feed. The rate stays as it is."), "/console/rates"),
        "rate_source_stale": (
            say("The node or feed has fallen behind. The rate stays as it is."),
            "/console/rates",
        ),
        "rate_source_out_of_bounds": (
            say("Look at the reading; if it is right, two people publish it."),
            "/console/rates",
        ),
        "webhook_dead": (
            say("Talk to the endpoint's owner, then send again what it missed."),
            "/console/alarms",
        ),
        "outbox_behind": (
            say("See whether a worker delivers; if the receiver fails, talk to its owner. Nothing is lost."),
            "/console/alarms",
        ),
        "roles_granted_alone": (
            say("See who was given what, and whether that is right; have a second admin from now on."),
            "/console/people",
        ),
        "audit_failed": (
            say("Treat it as an incident: release no run, keep the verdict, get an engineer."),
            "/console/audit",
        ),
        "job_failing": (
            say("The details hold the error. It is tried again every few minutes."),
            "/console/alarms",
        ),
        "invariant_broken": (
            say("A bug: the job has stopped. Run the audit, keep its verdict, get an engineer."),
            "/console/audit",
        ),
    }


@shows("/console/alarms", allow=SEE)
def show_alarms(
    visit: Visit,
    state: State = "open",
    kind: str | None = None,
    cursor: str | None = None,
    typed: Typed = NOTHING_TYPED,
) -> View:
    """List the open alarms, or those that are over, too, newest first, and how the jobs of the schedule stand."""
    before = read_cursor(cursor, int)
    found = list_alarms(visit.tx, state == "all", PAGE_LENGTH + 1, before, kind)
    rows, say = found[:PAGE_LENGTH], visit.say
    kinds = [(each, each.replace("_", " ")) for each in KINDS]
    listing = listing_of(
        "/console/alarms",
        columns=[
            Column("kind", say("What")),
            Column("subject", say("About")),
            Column("do", say("What to do")),
            Column("raised", say("Raised")),
            Column("state", say("State")),
        ],
        filters=[
            Filter("state", say("Show"), choices=[("open", say("Open")), ("all", say("Over, too"))]),
            Filter("kind", say("What"), choices=[("", say("Any")), *kinds]),
        ],
        chosen={"state": "all" if state == "all" else None, "kind": kind},
        rows=rows,
        cursor=cursor,
        next_cursor=write_cursor(rows[-1].alarm_id) if len(found) > PAGE_LENGTH else None,
        export="/console/alarms.csv",
    )
    values = {
        "listing": listing,
        "typed": typed,
        "sentences": KINDS,
        "to_do": what_to_do(visit),
        "address_of": address_of,
        "details_of": details_of,
        "clears": CLEARS,
        "jobs": job_statuses(visit.tx),
        "worker": leader_seen(visit.tx, visit.at.machine_now),
    }
    return View("alarms.html", values, part="list")


def address_of(alarm: Alarm, otherwise: str) -> str:
    """Give the page of what an alarm is about."""
    if alarm.kind in ("run_late", "run_held"):
        return f"/console/runs/{alarm.subject}"
    if alarm.kind in ("runway_short", "unusual_redemptions"):
        return f"/console/treasury/{alarm.subject}"
    return otherwise


def details_of(alarm: Alarm) -> list[tuple[str, str]]:
    """Give the figures of an alarm by name, those that there are."""
    return [
        (name.replace("_", " "), str(value)) for name, value in alarm.details.items() if value is not None
    ]


@shows("/console/alarms.csv", allow=SEE)
def save_alarms(visit: Visit, state: State = "open", kind: str | None = None) -> Download:
    """Give the alarms as a file."""
    rows = list_alarms(visit.tx, state == "all", FILE_MAX, None, kind)
    columns = ["alarm_id", "kind", "subject", "details", "raised_at", "cleared_at", "cleared_by"]
    written = (
        [
            each.alarm_id,
            each.kind,
            each.subject,
            "; ".join(f"{name}: {value}" for name, value in details_of(each)),
            each.raised_at,
            each.cleared_at,
            each.cleared_by,
        ]
        for each in rows
    )
    return csv_file(columns, written, "alarms.csv")


@sends("/console/alarms/clear", allow=operator(*CLEARS), again=show_alarms)
def clear_by_form(visit: Visit, form: ClearForm) -> GoTo:
    """Clear an alarm by hand; it comes back where its cause is found again."""
    number = form.alarm_id
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise AlarmNotFound

    def do() -> object:
        return dismiss_alarm(visit.tx, visit.at.by, int(number), visit.now)

    once(visit.at, "dismiss_alarm", {"alarm_id": int(number)}, do).unwrap()
    return GoTo(
        "/console/alarms", visit.say("The alarm is cleared. It comes back where its cause is found again.")
    )
