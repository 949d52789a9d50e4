"""`staddle products check`, `clone`, `differences`, `discard`, `schedule`: drafts, and what comes."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from staddle import products as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import ProductCode
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import grid, instant, listing, percent, said
from staddle.cli.terms import TERMS, TermsFile, drafted_view, given_terms, read_terms, written_terms
from staddle.products.read_terms import AMOUNTS

NewCode = Annotated[str, typer.Argument(help="Capital letters, digits, '.', '_', '~' or '-'.")]
VersionNumber = Annotated[int, typer.Argument(help="Of the terms.")]
HAPPENS = {
    "opens": "opens",
    "closes": "closes",
    "rate": "another rate",
    "would_open": "would open, if approved",
}


@reads(app.products, "check", options=TERMS)
def check(
    at: At,
    /,
    code: NewCode,
    asset: Annotated[str | None, typer.Option("--asset", help="Of a new product: the coin's code.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of a new product: flexible or fixed.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of a new product: what customers read.")] = None,
    file: TermsFile = None,
    **given: Any,
) -> Shown:
    """Look a draft over without writing it: every problem at once; without coin, kind and name, a next version."""
    of_file = {
        name: str(each) if name in AMOUNTS and type(each) is int else each
        for name, each in written_terms(file).items()
    }
    fields = {**of_file, **given_terms(given)}
    if (asset, kind, name) == (None, None, None):
        in_force = room.terms_in_force(at.tx, code)
        checked = room.check_version(at.tx, code, fields, at.now)
    else:
        in_force = None
        checked = room.check_draft(at.tx, code, asset or "", kind or "", name or "", fields, at.now)
    answer = {
        "is_sound": checked.is_sound,
        "problems": [{"field": each.field, "message": each.message} for each in checked.problems],
        "differences": room.differences(in_force, checked.terms),
    }
    return Shown(answer, _checked_view)


def _checked_view(data: Document) -> RenderableType:
    if data["is_sound"]:
        return said("This can be drafted as it is. It would change:", differences_table(data["differences"]))
    return said("This cannot be drafted yet.", listing("", data["problems"], ["field", "message"]))


@writes(app.products, "clone", options=TERMS)
def clone(
    at: At,
    /,
    code: ProductCode,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The code of the new product.")],
    name: Annotated[str, typer.Option("--name", help="What customers read.")],
    asset: Annotated[str | None, typer.Option("--asset", help="Another coin.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="The other kind: flexible or fixed.")] = None,
    file: TermsFile = None,
    **given: Any,
) -> Shown:
    """Draft another product out of the newest terms of this one, as far as they fit."""
    source = room.show_product(at.tx, code, at.now)
    coin, of_kind = asset or source.asset, kind or source.kind
    changes = {**read_terms(file), **given_terms(given)}
    what: dict[str, object] = {
        "source": code, "code": new, "asset": coin, "kind": of_kind, "name": name, "changes": changes,
    }  # fmt: skip
    answer = at.once(
        "clone_product",
        what,
        lambda: room.clone_product(at.tx, at.by, code, new, coin, of_kind, name, changes, at.now),
    )
    return Shown({"product": new, "draft": answer.data}, drafted_view, is_replay=answer.is_replay)


@reads(app.products, "differences")
def differences(
    at: At,
    code: ProductCode,
    version: VersionNumber,
    before: Annotated[
        int | None, typer.Option("--before", help="Another version; default what was in force before it.")
    ] = None,
) -> Shown:
    """Show how a version of the terms differs from another."""
    than, found = room.version_differences(at.tx, code, version, before)
    answer = {"product": code, "before": than, "version": version, "differences": found}
    return Shown(answer, lambda data: differences_table(data["differences"]))


def differences_table(found: list[Document]) -> RenderableType:
    """Show what changes, one line each."""
    if not found:
        return "[dim]Nothing changes.[/]"
    rows = [[each["words"], each["before"] or "-", each["after"] or "-"] for each in found]
    return grid("", ["Term", "Before", "After"], rows)


@writes(app.products, "discard")
def discard(at: At, code: ProductCode, version: VersionNumber) -> Shown:
    """Discard a draft that nobody approved; it stays on record."""
    what: dict[str, object] = {"code": code, "version": version}
    answer = at.once("discard_terms", what, lambda: room.discard_version(at.tx, at.by, code, version, at.now))
    return Shown(
        answer.data, lambda _: said(f"Version {version} of {code} is discarded; it stays on record.")
    )


@reads(app.products, "schedule")
def schedule(
    at: At, days: Annotated[int, typer.Option("--days", help="How far to look ahead.")] = 30
) -> Shown:
    """Show what will happen to products by itself: openings, closings, rates."""
    return Shown({"coming": room.schedule(at.tx, at.now, days)}, _schedule_view)


def _schedule_view(data: Document) -> RenderableType:
    if not data["coming"]:
        return "[dim]Nothing is due to happen.[/]"
    rows = [
        [
            instant(each["at"]),
            each["product"],
            HAPPENS[each["what"]],
            percent(each["headline_apr"]) if each["what"] == "rate" else f"version {each['version']}",
        ]
        for each in data["coming"]
    ]
    return grid("", ["When", "Product", "What", "Of what"], rows)
