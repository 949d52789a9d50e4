"""Showing documents to people: cards, tables, amounts with grouped digits, rates in percent."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from staddle.cli.answer import Document, trimmed
from staddle.money import EXACT

NOTHING = "-"
DECIMALS_SHOWN = 2


def console_of(stream: TextIO) -> Console:
    """Give a console for a stream; where it is no terminal, lines are wide enough not to be broken."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else 160
    return Console(file=stream, width=width, highlight=False, emoji=False)


def amount(text: str | None, asset: str = "") -> str:
    """Write an amount with grouped digits, its asset behind: `1,250.50 USDT`. It has all its decimals, or two where
    there is nothing behind them.
    """
    if text is None:
        return NOTHING
    whole, _, decimals = text.partition(".")
    if not decimals[DECIMALS_SHOWN:].strip("0"):
        decimals = decimals[:DECIMALS_SHOWN]
    return f"{int(whole):,}{'.' if decimals else ''}{decimals} {asset}".rstrip()


def percent(text: str | None) -> str:
    """Write a fraction as percent: `0.0425` is `4.25 %`."""
    return NOTHING if text is None else f"{trimmed(EXACT.scaleb(Decimal(text), 2))} %"


def instant(text: str | None) -> str:
    """Write an instant without its seconds' fractions: `2026-01-31 15:30:00 UTC`."""
    return NOTHING if text is None else f"{text[:10]} {text[11:19]} UTC"


def label(name: str) -> str:
    """Write a member's name as a person would: `matures_at` is `Matures`."""
    name = name.removeprefix("is_")
    for ending in ("_at", "_on", "_id"):
        name = name.removesuffix(ending)
    words = [{"apr": "APR", "vip": "VIP", "id": "ID"}.get(word, word) for word in name.split("_") if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def count_of(count: int, thing: str) -> str:
    """Write a count with its thing: `1 seal`, `2 seals`, `3 maturities`."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"


def value(name: str, given: Any, asset: str = "") -> str:
    """Write a member's value as a person would read it, going by its name."""
    if given is None:
        return NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list):
        return ", ".join(str(each) for each in given) or NOTHING
    return text_of(name, given, asset) if isinstance(given, str) else str(given)


def text_of(name: str, given: str, asset: str) -> str:
    """Write an instant, a rate, an amount, or any other text."""
    if name.endswith("_at"):
        return instant(given) if given[:4].isdecimal() else given
    if name.endswith("apr") or name in ("apr_min", "kept_fraction"):
        return percent(given)
    is_figure = given.isascii() and given.replace(".", "", 1).isdecimal()
    return amount(given, asset) if asset and is_figure and not name.endswith(("_id", "key")) else given


def card(data: Document, title: str = "", leave_out: Iterable[str] = ()) -> RenderableType:
    """Show a record as a list of its members."""
    table = Table(
        box=None,
        show_header=False,
        pad_edge=False,
        title=title or None,
        title_justify="left",
        title_style="bold",
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    asset = data.get("asset") if isinstance(data.get("asset"), str) else ""
    for name, given in data.items():
        if (
            name in leave_out
            or isinstance(given, dict)
            or (isinstance(given, list) and any(isinstance(e, dict) for e in given))
        ):
            continue
        table.add_row(label(name), escape(value(name, given, asset or "")))
    return table


def listing(
    title: str, rows: Sequence[Document], columns: Sequence[str], empty: str = "There is nothing yet."
) -> RenderableType:
    """Show records as a table of some of their members; figures stand on the right."""
    if not rows:
        return f"[dim]{escape(empty)}[/]"
    cells = [[value(name, row.get(name), str(row.get("asset", ""))) for name in columns] for row in rows]
    return grid(title, [label(name) for name in columns], cells)


def grid(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str | None = None
) -> Table:
    """Show a table; a column whose cells all begin with a digit stands on the right."""
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        header_style="dim", caption=caption, caption_justify="left", padding=(0, 1, 0, 0),
    )  # fmt: skip
    for number, head in enumerate(heads):
        is_figure = all(row[number][:1].isdigit() or row[number] == NOTHING for row in rows) and any(
            row[number] != NOTHING and ":" not in row[number] and row[number].count("-") < 2 for row in rows
        )
        # What has no space in it, such as a figure or a code, is never broken; sentences give way instead.
        is_whole = not any(" " in row[number] for row in rows)
        table.add_column(
            head, justify="right" if is_figure else "left", overflow="fold", no_wrap=is_whole and bool(rows)
        )
    for row in rows:
        table.add_row(*[escape(cell) for cell in row])
    return table


def said(sentence: str, *rest: RenderableType) -> RenderableType:
    """Begin with one sentence that says what happened."""
    return Group(f"[bold]{escape(sentence)}[/]", *rest)


def print_json(data: object) -> None:
    """Print a document to standard output."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
