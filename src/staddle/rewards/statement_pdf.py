"""The statement of a period as PDF: every row typed, balances and totals, the same bytes for the same rows (rule 29).

It is in English, as the columns of the CSV are, and written with the letters that every PDF reader has: a letter of
a name that those do not know stands as its base letter, or as its code.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import Literal

from fpdf import FPDF

from staddle.days import format_instant
from staddle.db import Tx
from staddle.errors import InvalidTime
from staddle.ledger import Asset
from staddle.money import EXACT, ZERO, plain_at
from staddle.rewards.statement import StatementRow, statement

ROWS_MAX = 20_000
"""A longer statement is no paper any more; there is the CSV for it."""
FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
MARGIN, LINE, SIZE = 28, 10, 7
"""In points: around the page, from one line of a table to the next, and the size of its letters."""
GAP = 8
BASE_LETTERS = {
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "ẞ": "SS", "–": "-", "—": "-", "’": "'",
    "‘": "'", "“": '"', "”": '"',
}  # fmt: skip
"""Letters and signs that Unicode does not take apart."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, its width in points, and whether it holds figures."""

    head: str
    width: int
    side: Literal["left", "right"] = "left"


ROW_COLUMNS = (
    Column("Time (UTC)", 80),
    Column("Type", 62),
    Column("Coin", 34),
    Column("Amount", 104, "right"),
    Column("From", 66),
    Column("To", 72),
    Column("Change", 104, "right"),
    Column("Product, position", 96),
    Column("Reference", 80),
    Column("Note", 84),
)
BALANCE_COLUMNS = (
    Column("Coin", 80),
    Column("Opening balance", 180, "right"),
    Column("Change", 180, "right"),
    Column("Closing balance", 180, "right"),
)
TOTAL_COLUMNS = (
    Column("Type", 120),
    Column("Coin", 80),
    Column("Rows", 60, "right"),
    Column("Amount", 200, "right"),
)


@dataclass(slots=True)
class Figures:
    """What a statement adds up to: by coin what there was before it and what it changed, by type and coin its rows."""

    assets: dict[str, Asset] = field(default_factory=dict)
    opening: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    change: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def statement_pdf(
    tx: Tx, customer_id: int, customer: str, from_at: datetime, until_at: datetime, now: datetime
) -> bytes:
    """Write the statement of a period as PDF; `customer` names whose it is, `now` says when it was drawn.

    All of it comes from one reading of the rows, so that balances, rows and totals are of one instant. Raises
    InvalidTime for a period that ends before it begins or has too many rows.
    """
    if until_at < from_at:
        raise InvalidTime("The period ends before it begins.")
    rows, figures = list[StatementRow](), Figures()
    for row in statement(tx, customer_id, min(FIRST_INSTANT, from_at), until_at):
        is_inside = row.at >= from_at
        count(figures, row, is_inside)
        if is_inside:
            rows.append(row)
        if len(rows) > ROWS_MAX:
            raise InvalidTime(
                f"A PDF holds {ROWS_MAX:,} rows at the most; please choose a shorter period, or the CSV.",
                rows_max=ROWS_MAX,
            )
    return written(rows, figures, customer, (from_at, until_at), now)


def count(figures: Figures, row: StatementRow, is_inside: bool) -> None:
    """Add a row to the figures: before the period it only moves the opening balance."""
    code = row.asset.code
    figures.assets[code] = row.asset
    if not is_inside:
        figures.opening[code] = EXACT.add(figures.opening[code], row.change)
        return
    figures.change[code] = EXACT.add(figures.change[code], row.change)
    figures.amounts[row.type, code] = EXACT.add(figures.amounts[row.type, code], row.amount)
    figures.counts[row.type, code] += 1


def written(
    rows: Sequence[StatementRow],
    figures: Figures,
    customer: str,
    period: tuple[datetime, datetime],
    now: datetime,
) -> bytes:
    """Write the pages."""
    paper = Paper(f"Statement of {latin(customer)}")
    paper.set_creation_date(now)
    paper.add_page()
    paper.title_of("Statement")
    paper.said(f"Customer: {customer}")
    ends = "until it was drawn" if period[1] > now else f"before {format_instant(period[1])}"
    paper.said(f"Period: from {format_instant(period[0])} on, {ends}")
    paper.said(f"Drawn at {format_instant(now)}. All times are UTC, all amounts exact. Rows: {len(rows):,}")
    paper.title_of("Balances")
    paper.said("All that the customer has of each coin: Spot, Funding, Earn and accrued rewards.")
    paper.grid(BALANCE_COLUMNS, balance_cells(figures))
    paper.title_of("Totals by type and coin")
    paper.grid(TOTAL_COLUMNS, total_cells(figures))
    paper.title_of("Rows")
    paper.grid(ROW_COLUMNS, (row_cells(row) for row in rows))
    return bytes(paper.output())


def balance_cells(figures: Figures) -> Iterable[tuple[str, ...]]:
    """Give the balances of each coin before the period, the change in it, and those at its end."""
    for code, asset in sorted(figures.assets.items()):
        opening, change = figures.opening[code], figures.change[code]
        amounts = (opening, change, EXACT.add(opening, change))
        yield code, *(plain_at(amount, asset.scale) for amount in amounts)


def total_cells(figures: Figures) -> Iterable[tuple[str, ...]]:
    """Give how many rows of a type and coin there are, and what they moved."""
    for (kind, code), amount in sorted(figures.amounts.items()):
        yield kind, code, f"{figures.counts[kind, code]:,}", plain_at(amount, figures.assets[code].scale)


def row_cells(row: StatementRow) -> tuple[str, ...]:
    """Write the columns of a row."""
    of = " ".join(part for part in (row.product, row.position_id and str(row.position_id)) if part)
    return (
        f"{row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        row.type,
        row.asset.code,
        plain_at(row.amount, row.asset.scale),
        row.debit,
        row.credit,
        plain_at(row.change, row.asset.scale),
        of,
        row.reference,
        row.note,
    )


def latin(text: str) -> str:
    """Write a text with the letters of the core fonts: é stays, ő becomes o, a letter of another script its code."""
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", shown))


def _letter(letter: str) -> str:
    if ord(letter) < 256:
        return letter
    if letter in BASE_LETTERS:
        return BASE_LETTERS[letter]
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if ord(part) < 256)
    return base or letter.encode("ascii", "backslashreplace").decode()


class Paper(FPDF):
    """Pages with the statement's name above and their number below, and tables that go on from page to page."""

    def __init__(self, name: str) -> None:
        super().__init__("landscape", "pt", "A4")
        self.name = name
        self.set_title(name)
        self.set_creator("Staddle")
        self.set_margin(MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(False)
        self.alias_nb_pages()
        self.widths: dict[tuple[str, str], int] = {}

    def header(self) -> None:
        """Write the statement's name above a page."""
        self.set_font("Helvetica", "", SIZE)
        self.set_text_color(90)
        self.set_y(MARGIN)
        self.cell(0, LINE, self.name)
        self.set_y(MARGIN + 2 * LINE)
        self.set_text_color(0)

    def footer(self) -> None:
        """Write the page's number below it."""
        self.set_font("Helvetica", "", SIZE)
        self.set_text_color(90)
        self.set_y(-MARGIN)
        self.cell(0, LINE, f"Page {self.page_no()} of {{nb}}", align="R")
        self.set_text_color(0)

    def title_of(self, text: str) -> None:
        """Write a heading."""
        self.room(4 * LINE)
        self.set_font("Helvetica", "B", SIZE + 4)
        self.set_y(self.get_y() + LINE)
        self.cell(0, 2 * LINE, text, new_x="LMARGIN", new_y="NEXT")

    def said(self, text: str) -> None:
        """Write a line, or more where it is long."""
        self.set_font("Helvetica", "", SIZE + 1)
        self.multi_cell(0, LINE + 2, latin(text), new_x="LMARGIN", new_y="NEXT")

    def grid(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """Write a table; its head stands on every page that it reaches."""
        self.head(columns)
        for row in rows:
            cells = [self.pieces(text, column) for text, column in zip(row, columns, strict=True)]
            if self.room(LINE * max(len(pieces) for pieces in cells)):
                self.head(columns)
            self.line_of(columns, cells)

    def head(self, columns: Sequence[Column]) -> None:
        """Write the heads of the columns, with a line below them."""
        self.set_font("Helvetica", "B", SIZE)
        self.line_of(columns, [[column.head] for column in columns])
        self.set_draw_color(150)
        end = MARGIN + sum(column.width for column in columns)
        self.line(MARGIN, self.get_y(), end, self.get_y())
        self.set_font("Helvetica", "", SIZE)

    def line_of(self, columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
        """Write one row, each cell in as many pieces as it needs."""
        left, top = MARGIN, self.get_y()
        for column, pieces in zip(columns, cells, strict=True):
            for number, piece in enumerate(pieces):
                indent = column.width - GAP - self.width_of(piece) if column.side == "right" else 0
                self.text(left + indent, top + SIZE + LINE * number, piece)
            left += column.width
        self.set_y(top + LINE * max(len(pieces) for pieces in cells))

    def pieces(self, text: str, column: Column) -> list[str]:
        """Cut a text where its column ends: nothing is left out, however long it is."""
        text, fits = latin(text), column.width - GAP
        pieces = list[str]()
        while self.width_of(text) > fits:
            cut = next(size for size in range(len(text) - 1, 0, -1) if self.width_of(text[:size]) <= fits)
            space = text.rfind(" ", 1, cut + 1)
            cut = space if space > 0 else cut
            pieces.append(text[:cut])
            text = text[cut:].lstrip(" ")
        return [*pieces, text]

    def width_of(self, text: str) -> int:
        """Give the width of a text in points, rounded up; most texts of a statement come again and again."""
        known = self.widths.get((self.font_style, text))
        if known is None:
            known = self.widths[self.font_style, text] = ceil(self.get_string_width(text))
        return known

    def room(self, height: int) -> bool:
        """Begin a new page where so much does not fit any more; says whether it did."""
        if self.get_y() + height <= self.h - MARGIN - LINE:
            return False
        self.add_page()
        return True
