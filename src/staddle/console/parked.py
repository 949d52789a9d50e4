"""Positions whose rewards could not be paid: why, of which run, and paying them once the cause is mended."""

from datetime import date
from typing import Literal

from msgspec import to_builtins

from staddle.console.csv_file import csv_file
from staddle.console.listing import PAGE_LENGTH, Column, Filter, listing_of
from staddle.errors import PositionNotFound
from staddle.pages.page import NOTHING_TYPED, Chosen, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.rewards import ParkedPosition, parked_page, retry_parked
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor
from staddle.server.once import once

SEE = operator("viewer")
FILE_MAX = 100_000


class RetryForm(Form, frozen=True, kw_only=True):
    """Which position is to be paid."""

    position_id: str = ""
    back: str = "/console/parked"


class ParkedChosen(Chosen, frozen=True, kw_only=True):
    """What the list of positions put aside is narrowed down by."""

    state: Literal["", "all"] = ""
    product: str = ""
    run_on: date | None = None


@shows("/console/parked", allow=SEE)
def show_parked(
    visit: Visit, chosen: ParkedChosen, cursor: str | None = None, typed: Typed = NOTHING_TYPED
) -> View:
    """List what is put aside, newest run first."""
    found = parked_ones(visit, chosen, PAGE_LENGTH + 1, read_cursor(cursor, tuple[date, int]))
    rows, say = found[:PAGE_LENGTH], visit.say
    listing = listing_of(
        "/console/parked",
        columns=[
            Column("position", say("Position")),
            Column("product", say("Product")),
            Column("run", say("Run of")),
            Column("amount", say("Owed by it"), is_figure=True),
            Column("reason", say("Why")),
            Column("state", say("State")),
        ],
        filters=[
            Filter(
                "state", say("Show"), choices=[("", say("Not paid yet")), ("all", say("Paid since, too"))]
            ),
            Filter("product", say("Product"), hint="USDT-FLEX"),
            Filter("run_on", say("Run of"), kind="date"),
        ],
        chosen=to_builtins(chosen),
        rows=rows,
        cursor=cursor,
        next_cursor=write_cursor((rows[-1].run_on, rows[-1].position_id))
        if len(found) > PAGE_LENGTH
        else None,
        export="/console/parked.csv",
    )
    return View("parked.html", {"listing": listing, "typed": typed}, part="list")


@shows("/console/parked.csv", allow=SEE)
def save_parked(visit: Visit, chosen: ParkedChosen) -> Download:
    """Give what is put aside as a file."""
    rows = parked_ones(visit, chosen, FILE_MAX, None)
    columns = [
        "run_on",
        "position_id",
        "customer_id",
        "asset",
        "product",
        "amount",
        "reason",
        "parked_at",
        "paid_at",
    ]
    written = (
        [
            each.run_on,
            each.position_id,
            each.customer_id,
            each.asset,
            each.product,
            each.amount,
            each.reason,
            each.parked_at,
            each.retried_at,
        ]
        for each in rows
    )
    return csv_file(columns, written, "parked.csv")


def parked_ones(
    visit: Visit, chosen: ParkedChosen, count: int, before: tuple[date, int] | None
) -> list[ParkedPosition]:
    """Read what the filters leave, newest run first."""
    product, with_retried = chosen.product or None, chosen.state == "all"
    return parked_page(visit.tx, count, before, chosen.run_on, product, with_retried=with_retried)


@sends("/console/parked/retry", allow=operator("support", "treasury"), again=show_parked)
def retry_by_form(visit: Visit, form: RetryForm) -> GoTo:
    """Pay a position all that it is owed, and let runs pay it again."""
    number = form.position_id
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise PositionNotFound

    def do() -> dict[str, object]:
        settled = retry_parked(visit.tx, visit.at.by, int(number), visit.now)
        return {"position_id": int(number), "days": settled.days, "paid": settled.paid}

    paid = once(visit.at, "retry_parked", {"position_id": int(number)}, do).unwrap()
    said = visit.say(
        "Position %(id)s is paid for %(days)s days: %(paid)s.",
        id=number,
        days=paid["days"],
        paid=paid["paid"],
    )
    back = form.back if form.back.startswith("/console/runs/") else "/console/parked"
    return GoTo(back, said)
