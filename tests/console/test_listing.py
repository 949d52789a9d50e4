"""Tables of the console: where their links lead, and the files that they become."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, cast

from staddle.console.csv_file import Cell, csv_file
from staddle.console.listing import Column, Filter, Listing, listing_of

STARTED = Column("started_at", "Started", is_sortable=True)


def listing(**given: object) -> Listing:
    said = {"columns": [STARTED], "rows": [1], "filters": [Filter("state", "State")]} | given
    return listing_of("/console/positions", **said)  # type: ignore[arg-type]


def test_a_head_sorts_by_its_column_and_then_the_other_way_round() -> None:
    usual = listing(chosen={"state": "open", "sort": None})
    assert usual.order_of(STARTED) == "none"
    assert usual.sorted_by(STARTED) == "/console/positions?state=open&sort=started_at"
    upwards = listing(chosen={"sort": "started_at"})
    assert upwards.order_of(STARTED) == "ascending"
    assert upwards.sorted_by(STARTED) == "/console/positions?sort=-started_at"
    downwards = listing(chosen={"sort": "-started_at"})
    assert downwards.order_of(STARTED) == "descending"
    assert downwards.sorted_by(STARTED) == "/console/positions?sort=started_at"


def test_the_next_page_and_the_file_keep_filters_and_order() -> None:
    chosen = {"state": "a b&c", "sort": "-started_at"}
    it = listing(chosen=chosen, cursor="abc", next_cursor="def", export="/console/positions.csv")
    assert it.next_address == "/console/positions?state=a+b%26c&sort=-started_at&cursor=def"
    assert it.first_address == "/console/positions?state=a+b%26c&sort=-started_at"
    assert it.export_address == "/console/positions.csv?state=a+b%26c&sort=-started_at"
    assert (it.is_first, it.is_filtered) == (False, True)
    assert not listing(chosen={"sort": "started_at"}).is_filtered


def test_a_file_has_plain_decimals_and_instants_and_no_formulas() -> None:
    rows: list[list[Cell]] = [
        ["=HYPERLINK(1)", Decimal("-1234567.10"), datetime(2026, 1, 31, 15, 30, tzinfo=UTC), None, True],
        ['a "quoted", one\nof two lines', Decimal("1E+3"), None, 7, False],
    ]
    body = csv_file(["text", "amount", "at", "none", "is"], rows, "rows.csv").body
    with cast("IO[bytes]", body) as file:
        read = list(csv.reader(io.StringIO(file.read().decode(), newline="")))
    assert read == [
        ["text", "amount", "at", "none", "is"],
        ["'=HYPERLINK(1)", "-1234567.10", "2026-01-31T15:30:00Z", "", "true"],
        ['a "quoted", one\nof two lines', "1000", "", "7", "false"],
    ]
