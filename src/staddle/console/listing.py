"""A table of the console: what it can be filtered and sorted by, its rows, and where its next page begins.

    listing = listing_of(
        "/console/positions",
        columns=[Column("position", "Position"), Column("started_at", "Started", is_sortable=True)],
        filters=[Filter("product", "Product"), Filter("state", "State", choices=[("open", "Open"), ("all", "All")])],
        chosen=asdict(chosen),
        rows=found[:PAGE_LENGTH],
        next_cursor=write_cursor(found[PAGE_LENGTH - 1].position_id) if len(found) > PAGE_LENGTH else None,
        export="/console/positions.csv",
    )

What is `chosen` is a `Chosen` of `pages/page.py`, which the page and its file take alike. A page puts the table into
a block named `list` and names that as its part, so that a script replaces the table alone:

    {% block list %}{% import "console/parts.html" as c with context %}
    {% call(row) c.table(listing, "Positions") %}<td>..</td><td class="num">..</td>{% endcall %}
    {% endblock %}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

PAGE_LENGTH = 50
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Of one that is sortable, `name` is what the address says (`sort=name`, `sort=-name` downwards)."""

    name: str
    label: str
    is_sortable: bool = False
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Something to filter by; with `choices` (value, label) one of them, the first of which is what is not named."""

    name: str
    label: str
    kind: Literal["text", "date", "number"] = "text"
    choices: Choices = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A table as a page shows it. `chosen` is what the address says of filters and order."""

    address: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    filters: Sequence[Filter] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    next_cursor: str | None = None
    is_first: bool = True
    export: str | None = None

    @property
    def sort(self) -> str:
        """What it is sorted by, with `-` before it downwards; empty is the usual order."""
        return self.chosen.get("sort", "")

    def order_of(self, column: Column) -> str:
        """Give a column's order as readers of screens name it."""
        return {column.name: "ascending", f"-{column.name}": "descending"}.get(self.sort, "none")

    def sorted_by(self, column: Column) -> str:
        """Give the address of the same rows in the order of a column, or in the opposite one where they are in it."""
        turned = f"-{column.name}" if self.sort == column.name else column.name
        return self._address(self.address, sort=turned)

    @property
    def next_address(self) -> str:
        """The address of the next page."""
        return self._address(self.address, cursor=self.next_cursor or "")

    @property
    def first_address(self) -> str:
        """The address of the first page."""
        return self._address(self.address)

    @property
    def export_address(self) -> str:
        """The address of the file with all rows that the filters leave, in this order."""
        return self._address(self.export or "")

    @property
    def is_filtered(self) -> bool:
        """Whether anything is filtered out, so that an empty table says so."""
        return any(self.chosen.get(each.name) for each in self.filters)

    def _address(self, path: str, **more: str) -> str:
        named = {name: value for name, value in {**self.chosen, **more}.items() if value}
        return f"{path}?{urlencode(named)}" if named else path


def listing_of(
    address: str,
    *,
    columns: Sequence[Column],
    rows: Sequence[Any],
    filters: Sequence[Filter] = (),
    chosen: Mapping[str, str | None] | None = None,
    cursor: str | None = None,
    next_cursor: str | None = None,
    export: str | None = None,
) -> Listing:
    """Make a table; `cursor` is where this page began, None for the first."""
    said = {name: value for name, value in (chosen or {}).items() if value}
    return Listing(address, columns, rows, filters, said, next_cursor, cursor is None, export)
