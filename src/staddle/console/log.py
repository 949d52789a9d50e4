"""The audit log: who did what, about what, when. It is filtered, exported, and never edited."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
from msgspec import to_builtins

from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.desk import LogFilter, list_operators, logged_acts, read_log
from staddle.desk.log_file import log_file
from staddle.pages.page import Chosen, Download, View, Visit, shows
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor

HERE = "/console/log"
SEES = operator("viewer")
SUBJECT_MAX = 200


class LogChosen(Chosen, frozen=True, kw_only=True):
    """What the log is narrowed down by; both days are included."""

    by: str = ""
    act: str = ""
    subject: str = ""
    from_on: date | None = None
    to_on: date | None = None


@shows(HERE, allow=SEES)
def show_log(visit: Visit, chosen: LogChosen, cursor: str | None = None) -> View:
    """Show who did what, newest first."""
    found = read_log(visit.tx, PAGE_LENGTH + 1, read_cursor(cursor, int), wanted_entries(chosen))
    people = [each.name for each in list_operators(visit.tx)]
    listing = listing_of(
        HERE,
        columns=[
            Column("at", visit.say("When")),
            Column("by", visit.say("Who")),
            Column("act", visit.say("What")),
            Column("subject", visit.say("About")),
            Column("details", visit.say("Details")),
        ],
        filters=[
            Filter(
                "by",
                visit.say("Who"),
                choices=[("", visit.say("Everybody")), *((each, each) for each in people)],
            ),
            Filter(
                "act",
                visit.say("What"),
                choices=[
                    ("", visit.say("Everything")),
                    *((each, plainly(each)) for each in logged_acts(visit.tx)),
                ],
            ),
            Filter("subject", visit.say("About"), hint=visit.say("A product, an operator …")),
            Filter("from_on", visit.say("From"), kind="date"),
            Filter("to_on", visit.say("To"), kind="date"),
        ],
        chosen=to_builtins(chosen),
        rows=[
            {"entry": each, "act": plainly(each.act), "details": msgspec.json.encode(each.details).decode()}
            for each in found[:PAGE_LENGTH]
        ],
        cursor=cursor,
        next_cursor=write_cursor(found[PAGE_LENGTH - 1].log_id) if len(found) > PAGE_LENGTH else None,
        export=f"{HERE}.csv",
    )
    return View("log.html", {"listing": listing}, part="list")


@shows(f"{HERE}.csv", allow=SEES)
def download_log(visit: Visit, chosen: LogChosen) -> Download:
    """Download what the filters leave, as CSV."""
    return Download(log_file(visit.tx, wanted_entries(chosen)), "text/csv; charset=utf-8", "log.csv")


def wanted_entries(chosen: LogChosen) -> LogFilter:
    """Put the filters together; both days are whole days in UTC."""
    from_at = None if chosen.from_on is None else datetime.combine(chosen.from_on, time(0), UTC)
    before_at = None
    if chosen.to_on is not None and chosen.to_on < date.max:
        before_at = datetime.combine(chosen.to_on + timedelta(days=1), time(0), UTC)
    about = chosen.subject[:SUBJECT_MAX].replace("\x00", "")
    return LogFilter(chosen.by or None, chosen.act or None, about or None, from_at, before_at)


def plainly(act: str) -> str:
    """Write the name of an act as people read it."""
    return act.replace("_", " ")
