"""The staking service agreement: its versions, and publishing a new one."""

from staddle.console.csv_file import csv_file
from staddle.console.listing import Column, listing_of
from staddle.customers import (
    current_agreement,
    find_agreement,
    list_agreements,
    publish_agreement,
)
from staddle.errors import AgreementNotFound
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import operator

HERE = "/console/agreements"
NUMBER_LENGTH = 11
SEES, MAKES = operator("viewer"), operator("product")


class AgreementForm(Form, frozen=True, kw_only=True):
    """The text of a new version."""

    title: str
    body: str


@shows(HERE, allow=SEES)
def show_agreements(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Show the versions, newest first; a new one begins with the text in force."""
    listing = listing_of(
        HERE,
        columns=[
            Column("version", visit.say("Version")),
            Column("title", visit.say("Title")),
            Column("by", visit.say("Published by")),
            Column("at", visit.say("At")),
        ],
        rows=list_agreements(visit.tx)[::-1],
        export=f"{HERE}.csv",
    )
    try:
        current = current_agreement(visit.tx)
    except AgreementNotFound:
        current = None
    return View("agreements.html", {"listing": listing, "current": current, "typed": typed}, part="list")


@shows(f"{HERE}.csv", allow=SEES)
def download_agreements(visit: Visit) -> Download:
    """Download the list of versions as CSV."""
    rows = (
        (each.version, each.title, each.published_by, each.published_at) for each in list_agreements(visit.tx)
    )
    return csv_file(("version", "title", "published_by", "published_at"), rows, "agreements.csv")


@shows(f"{HERE}/{{version}}", allow=SEES)
def show_version(visit: Visit, version: str) -> View:
    """Show the text of one version."""
    if not (version.isascii() and version.isdigit() and len(version) < NUMBER_LENGTH):
        raise AgreementNotFound
    return View("agreement.html", {"agreement": find_agreement(visit.tx, int(version))})


@sends(HERE, allow=MAKES, again=show_agreements)
def publish_by_form(visit: Visit, form: AgreementForm) -> GoTo:
    """Publish a new version, which every subscription from now on must accept."""
    body = form.body.replace("\r\n", "\n")

    def do() -> dict[str, int]:
        return {"version": publish_agreement(visit.tx, visit.at.by, form.title, body, visit.now)}

    done = once(visit, "publish_agreement", {"title": form.title, "body": body}, do)
    said = visit.say("Version %(version)s is in force.", version=done["version"])
    return GoTo(HERE, said)
