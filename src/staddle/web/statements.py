"""Statements to keep: CSV, the same as the API's, and PDF (product.md rule 29)."""

from datetime import UTC

from staddle.customers import find_customers_by_id
from staddle.errors import AddressNotFound, InvalidTime
from staddle.pages.page import Download, Typed, View, Visit, shows
from staddle.pages.periods import instants_of
from staddle.rewards import statement_file, statement_pdf
from staddle.server.allow import customer
from staddle.web.history import show_history


@shows("/statements/{file}", allow=customer("read"))
def download_statement(visit: Visit, file: str, from_on: str = "", to_on: str = "") -> Download | View:
    """Give the statement of a period: statement.csv or statement.pdf; its days are those of UTC."""
    if file not in ("statement.csv", "statement.pdf"):
        raise AddressNotFound
    try:
        begins, ends = instants_of(visit, from_on, to_on, UTC)
        if file == "statement.csv":
            found = statement_file(visit.tx, visit.customer_id, begins, ends)
            return Download(found, "text/csv", file)
        [whose] = find_customers_by_id(visit.tx, [visit.customer_id]).values()
        name = f"{whose.name} ({whose.reference})" if whose.name else whose.reference
        body = statement_pdf(visit.tx, visit.customer_id, name, begins, ends, visit.now)
    except InvalidTime as refused:
        error = refused if "rows_max" not in refused.details else too_long(visit, refused)
        return show_history(visit, typed=Typed({"from_on": from_on, "to_on": to_on}, error))
    return Download(body, "application/pdf", file)


def too_long(visit: Visit, refused: InvalidTime) -> InvalidTime:
    """Say in the viewer's language that a PDF of this period would have too many rows."""
    count = visit.formats.number(int(str(refused.details["rows_max"])))
    return InvalidTime(
        visit.say(
            "A PDF holds %(count)s rows at the most; please choose a shorter period, or the CSV.", count=count
        )
    )
