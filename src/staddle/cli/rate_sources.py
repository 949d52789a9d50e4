"""`staddle rates sources`: where the rates of floating products are read, and what was read."""

import os
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from staddle import approvals
from staddle import products as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.arguments import ApprovalId, ProductCode
from staddle.cli.edge import At, Edge, machine_now, reads, works, writes
from staddle.cli.show import card, instant, listing, percent, said
from staddle.config import Config
from staddle.money import parse_decimal
from staddle.products.readings import Reading
from staddle.server.read_rates import read_source


@writes(app.rate_sources, "set")
def set_source(
    at: At,
    product: ProductCode,
    kind: Annotated[str, typer.Option(help="json, solana, ethereum_beacon or cosmos.")],
    url: Annotated[
        str, typer.Option(help="Of json the document, of a node its API; https, see STADDLE_HTTP_HOSTS.")
    ],
    desk_share: Annotated[
        str, typer.Option(help="The part of the network's rate that the desk keeps, 0 to 1.")
    ],
    apr_min: Annotated[str, typer.Option(help="A rate below it is left to people; a fraction, 0.05 is 5 %.")],
    apr_max: Annotated[str, typer.Option(help="A rate above it is left to people.")],
    step_max: Annotated[str, typer.Option(help="The most that the APR changes by itself in a day.")],
    figure_path: Annotated[
        str | None, typer.Option("--figure", help="Of json: JSON Pointer to the APR, such as /data/0/apr.")
    ] = None,
    time_path: Annotated[
        str | None, typer.Option("--time", help="Of json: JSON Pointer to the instant of the figure.")
    ] = None,
    is_percent: Annotated[bool, typer.Option("--percent", help="Of json: the figure 5 means 5 %.")] = False,
    stale_hours: Annotated[int, typer.Option(help="Older figures change nothing.")] = 24,
) -> Shown:
    """Let a floating product follow a source, once a second person approves."""
    what = {
        "kind": kind,
        "url": url,
        "figure_path": figure_path,
        "time_path": time_path,
        "is_percent": is_percent,
    }
    figures = {"desk_share": desk_share, "apr_min": apr_min, "apr_max": apr_max, "step_max": step_max}

    def ask() -> dict[str, object]:
        decimals = {name: parse_decimal(text) for name, text in figures.items()}
        terms = room.SourceTerms(**what, **decimals, stale_hours=stale_hours)  # type: ignore[arg-type]
        hosts = Config.from_environ(os.environ).http_hosts
        number = approvals.ask_source(at.tx, at.by, product, terms, at.now, hosts)
        return {"approval_id": number, "product": product}

    all_of_it: dict[str, object] = {"product": product, **what, **figures, "stale_hours": stale_hours}
    answer = at.once("set_rate_source", all_of_it, ask)
    return Shown(answer.data, _set_view, is_replay=answer.is_replay)


def _set_view(data: Document) -> RenderableType:
    number = data["approval_id"]
    return said(
        f"The source of {data['product']} waits for a second person as request {number}.",
        f"Next: staddle rates sources approve {number} --as SOMEBODY-ELSE",
    )


@writes(app.rate_sources, "approve")
def approve(at: At, approval_id: ApprovalId) -> Shown:
    """Let the product follow the source, as a second person: this approves every rate within its bounds."""

    def do() -> room.Source:
        return room.approve_source(at.tx, at.by, approval_id, at.now)

    answer = at.once("approve_rate_source", {"approval_id": approval_id}, do)
    view = lambda data: said(f"{data['product']} follows its source now.", card(data["terms"]))  # noqa: E731
    return Shown(answer.data, view, is_replay=answer.is_replay)


@writes(app.rate_sources, "end")
def end(at: At, product: ProductCode) -> Shown:
    """Let a product follow its source no longer; its rate stays as it is."""
    answer = at.once(
        "end_rate_source", {"product": product}, lambda: room.end_source(at.tx, at.by, product, at.now)
    )
    return Shown(
        answer.data,
        lambda data: said(f"{data['product']} follows no source now."),
        is_replay=answer.is_replay,
    )


@reads(app.rate_sources, "list")
def sources(at: At) -> Shown:
    """List the sources that products follow."""
    rows = [
        {
            "product": each.product,
            "kind": each.terms.kind,
            "url": each.terms.url,
            "approved_by": each.approved_by,
        }
        for each in room.list_sources(at.tx)
    ]
    columns = ["product", "kind", "url", "approved_by"]
    return Shown(
        {"sources": rows}, lambda data: listing("", data["sources"], columns, "No product follows one.")
    )


@reads(app.rate_sources, "show")
def show(
    at: At,
    product: ProductCode,
    count: Annotated[int, typer.Option(min=1, max=1_000, help="How many readings.")] = 10,
) -> Shown:
    """Show a product's source with its latest readings."""
    found = {"source": room.find_source(at.tx, product), "readings": room.readings_of(at.tx, product, count)}
    return Shown(found, _source_view)


def _source_view(data: Document) -> RenderableType:
    columns = ["reading_id", "read_at", "distributed_at", "network_apr", "apr", "outcome", "held_because"]
    empty = "Nothing was read yet."
    return Group(
        card(data["source"]), card(data["source"]["terms"]), listing("", data["readings"], columns, empty)
    )


@works(app.rate_sources, "read")
def read(edge: Edge, product: ProductCode) -> Shown:
    """Read a product's source now; within its bounds the rate is published for the next distribution."""
    hosts = Config.from_environ(os.environ).http_hosts
    reading: Reading = read_source(edge.database, product, edge.now(), machine_now(), hosts)
    return Shown(reading, _reading_view)


def _reading_view(data: Document) -> RenderableType:
    told = {
        "published": f"{percent(data['apr'])} is published, in force from {instant(data['distributed_at'])} on.",
        "unchanged": f"{percent(data['apr'])} is the rate already.",
        "held": f"{percent(data['apr'])} is left to people: {data['held_because']}.",
    }
    rest = [f"Next: staddle rates sources propose {data['product']}"] if data["outcome"] == "held" else []
    return said(told[data["outcome"]], data["figures"], *rest)


@writes(app.rate_sources, "propose")
def propose(at: At, product: ProductCode) -> Shown:
    """Propose the rate of a reading that was left to people; another one approves it with `staddle rates approve`."""

    def ask() -> dict[str, object]:
        number, reading = approvals.ask_reading(at.tx, at.by, product, at.now)
        return {
            "approval_id": number,
            "product": product,
            "apr": reading.apr,
            "reading_id": reading.reading_id,
        }

    answer = at.once("propose_reading", {"product": product}, ask)
    return Shown(answer.data, _proposed_view, is_replay=answer.is_replay)


def _proposed_view(data: Document) -> RenderableType:
    number = data["approval_id"]
    return said(
        f"{percent(data['apr'])} for {data['product']} waits for a second person as request {number}.",
        f"Next: staddle rates approve {number} --as SOMEBODY-ELSE",
    )
