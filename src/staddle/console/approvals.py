"""Approvals: what waits for a second person, with what it changes and what comes of it; deciding it."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from staddle import approvals
from staddle.approvals import KINDS, Deciding, Request, RequestInFull
from staddle.console.csv_file import Cell, csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.desk import Difference, find_approval
from staddle.errors import ApprovalNotFound
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Download, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

HERE = "/console/approvals"
SEES, DECIDES = operator("viewer"), operator("admin", "product", "support", "treasury")
COLUMNS = (
    *("approval_id", "what", "about", "state", "asked_by", "asked_at", "decided_by", "decided_at"),
    *("changes", "effect"),
)
ROWS_AT_ONCE = 1_000
NUMBER_LENGTH = 11
_SUM = re.compile(r"(-?\d{4,}(?:\.\d+)?)( \S.*)?")


@shows(HERE, allow=SEES)
def show_approvals(visit: Visit, kind: str | None = None, cursor: str | None = None) -> View:
    """Show what waits, oldest first, and below it what was decided, newest first."""
    act = kind if kind in KINDS else None
    found = approvals.decided(visit.tx, visit.now, PAGE_LENGTH + 1, read_cursor(cursor, int), act)
    more = len(found) > PAGE_LENGTH
    decided = listing_of(
        HERE,
        columns=[
            Column("request", visit.say("Request")),
            Column("what", visit.say("What")),
            Column("about", visit.say("About")),
            Column("asked", visit.say("Asked by")),
            Column("decided", visit.say("Decided")),
        ],
        filters=[
            Filter(
                "kind",
                visit.say("Kind"),
                choices=[("", visit.say("All")), *((each.act, each.title) for each in KINDS.values())],
            )
        ],
        chosen={"kind": act},
        rows=found[:PAGE_LENGTH],
        cursor=cursor,
        next_cursor=write_cursor(found[PAGE_LENGTH - 1].approval_id) if more else None,
        export=f"{HERE}.csv",
    )
    waiting = [
        {"request": each, "changes": changes_of(each), "why_not": said_why_not(visit, each)}
        for each in approvals.waiting(visit.tx, visit.now)
    ]
    return View(
        "approvals.html", {"waiting": waiting, "listing": decided, "age": partial(age, visit)}, part="list"
    )


@shows(f"{HERE}.csv", allow=SEES)
def download_approvals(visit: Visit, kind: str | None = None) -> Download:
    """Download the requests, those that wait first, as CSV."""
    return csv_file(COLUMNS, rows_of(visit, kind if kind in KINDS else None), "approvals.csv")


def rows_of(visit: Visit, act: str | None) -> Iterator[Sequence[Cell]]:
    """Give the requests as rows of a file."""
    waiting = [each for each in approvals.waiting(visit.tx, visit.now) if act in (None, each.act)]
    yield from (row_of(each) for each in waiting)
    before: int | None = None
    while found := approvals.decided(visit.tx, visit.now, ROWS_AT_ONCE, before, act):
        yield from (row_of(each) for each in found)
        before = found[-1].approval_id


def row_of(request: Request) -> Sequence[Cell]:
    """Write one request as a row of a file."""
    told = ("; ".join(in_words(each) for each in lines) for lines in (request.difference, request.effect))
    return (
        *(request.approval_id, request.title, request.subject, request.state),
        *(request.asked_by, request.asked_at, request.decided_by, request.decided_at),
        *told,
    )


def in_words(line: Difference) -> str:
    """Write one line of a difference."""
    before = "" if line.before is None else f"{line.before} -> "
    return f"{line.words}: {before}{line.after or '-'}"


@shows(f"{HERE}/{{approval_id}}", allow=SEES)
def show_approval(visit: Visit, approval_id: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show one request: what it changes, what comes of it, as the first person saw it and where it is other now."""
    request = approvals.show_request(visit.tx, checked(approval_id), visit.now)
    asked = find_approval(visit.tx, request.approval_id)
    refusal = approvals.why_not(visit.tx, asked, visit.at.by, visit.viewer.roles, visit.now)
    now = {each.field: each.after for each in request.effect_now or []}
    shown = {
        "request": request,
        "changes": changes_of(request),
        "effect": [(*line_of(each), grouped(now.get(each.field))) for each in request.effect],
        "has_moved": bool(now),
        "more": more_of(request),
        "why_not": None if refusal is None else refusal.message,
        "may_decline": request.is_open
        and (request.asked_by == visit.at.by or visit.viewer.may(*request.roles)),
        "is_own": request.asked_by == visit.at.by,
        "typed": typed,
        "age": partial(age, visit),
    }
    return View("approval.html", shown)


@sends(f"{HERE}/{{approval_id}}/approve", allow=DECIDES, again=show_approval)
def approve_by_form(visit: Visit, approval_id: str) -> GoTo:
    """Approve a request; it is done at once."""
    at, number = visit.at, checked(approval_id)

    def do() -> Request:
        approvals.approve(visit.tx, Deciding(at.caller, number, visit.now, at.machine_now, at.seen))
        return approvals.show_request(visit.tx, number, visit.now)

    once(visit, "approve_request", {"approval_id": number}, do)
    return GoTo(f"{HERE}/{number}", visit.say("Approved, and done."))


@sends(f"{HERE}/{{approval_id}}/decline", allow=DECIDES, again=show_approval)
def decline_by_form(visit: Visit, approval_id: str) -> GoTo:
    """Decline a request, or withdraw one's own; nothing is done."""
    number = checked(approval_id)

    def do() -> Request:
        approvals.decline(visit.tx, visit.at.caller, number, visit.now)
        return approvals.show_request(visit.tx, number, visit.now)

    once(visit, "decline", {"approval_id": number}, do)
    return GoTo(HERE, visit.say("Request %(number)s is closed; nothing was done.", number=number))


def age(visit: Visit, asked_at: datetime) -> str:
    """Say how long a request has been there, in whole days, hours or minutes."""
    minutes = int((visit.now - asked_at).total_seconds()) // 60
    for length, one, many in (
        (1440, "%(n)s day ago", "%(n)s days ago"),
        (60, "%(n)s hour ago", "%(n)s hours ago"),
        (1, "%(n)s minute ago", "%(n)s minutes ago"),
    ):
        if minutes >= length:
            count = minutes // length
            return visit.say(one if count == 1 else many, n=count)
    return visit.say("just now")


def checked(approval_id: str) -> int:
    """Read the number of a request; raises ApprovalNotFound for what can be none."""
    if not (approval_id.isascii() and approval_id.isdigit() and len(approval_id) < NUMBER_LENGTH):
        raise ApprovalNotFound
    return int(approval_id)


def said_why_not(visit: Visit, request: Request) -> str | None:
    """Say in a list why the viewer cannot approve a request, as far as the list knows."""
    if request.state == "stale":
        return visit.say("Something has changed since it was asked for: it must be made again.")
    if request.asked_by == visit.at.by:
        return visit.say("You have asked for this yourself.")
    if not visit.viewer.may(*request.roles):
        return visit.say(
            "This is decided by somebody with the role %(roles)s.", roles=" or ".join(request.roles)
        )
    return None


def changes_of(request: Request) -> list[tuple[str, str | None, str | None]]:
    """Give what a request changes, for the table of differences."""
    return [line_of(each) for each in request.difference]


def line_of(line: Difference) -> tuple[str, str | None, str | None]:
    """Give one line with its figures grouped."""
    return line.words, grouped(line.before), grouped(line.after)


def grouped(text: str | None) -> str | None:
    """Group the digits of a text that is a figure, such as `1000.5 USDT`."""
    found = None if text is None else _SUM.fullmatch(text)
    if found is None:
        return text
    number = Decimal(found[1])
    whole, point, decimals = found[1].partition(".")
    return f"{int(whole):,}{point}{decimals}{found[2] or ''}" if number.is_finite() else text


def more_of(request: RequestInFull) -> list[tuple[str, str]]:
    """Give what else was said when it was asked for, such as a reason or a reference."""
    names = {"reason": "Reason", "reference": "Reference", "drafted_by": "Drafted by"}
    return [(names[key], str(value)) for key, value in request.request.items() if key in names and value]
