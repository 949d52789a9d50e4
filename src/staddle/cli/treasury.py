"""`staddle treasury`: the desk's own money."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from staddle import approvals
from staddle import treasury as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, shown
from staddle.cli.approvals import asked, asked_view
from staddle.cli.arguments import AmountText, ApprovalId, AssetCode, Reason, parse_date
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import amount, grid, said
from staddle.days import parse_instant
from staddle.money import parse_decimal

Reference = Annotated[
    str | None,
    typer.Option("--reference", help="What the move is known by elsewhere, such as custody's own reference."),
]


def _ask(at: At, move: str, asset: str, quantity: str | None, reference: str | None) -> Shown:
    wanted = None if quantity is None else parse_decimal(quantity)
    command = room.AskPoolMove(
        key=at.key, by=at.by, move=move, asset=asset, amount=wanted, reference=reference
    )
    return shown(approvals.ask_pool_move(at.tx, [command], at.now)[0], _asked_view)


def _asked_view(data: Document) -> RenderableType:
    number, sum_ = data["approval_id"], amount(data["amount"], data["asset"])
    return said(
        f"{data['move'].capitalize()} of {sum_} waits for a second person as request {number}; nothing has moved.",
        f"Next: staddle treasury approve {number} --as SOMEBODY-ELSE",
    )


@writes(app.treasury, "fund")
def fund(at: At, asset: AssetCode, quantity: AmountText, reference: Reference = None) -> Shown:
    """Ask to put coins from custody into the reward pool."""
    return _ask(at, "funding", asset, quantity, reference)


@writes(app.treasury, "withdraw")
def withdraw(at: At, asset: AssetCode, quantity: AmountText, reference: Reference = None) -> Shown:
    """Ask to take coins out of the reward pool, no more than rewards have left of it."""
    return _ask(at, "withdrawal", asset, quantity, reference)


@writes(app.treasury, "income")
def income(
    at: At,
    asset: AssetCode,
    quantity: Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="Default: all of it.")] = None,
    reference: Reference = None,
) -> Shown:
    """Ask to use the income from forfeitures for rewards."""
    return _ask(at, "income", asset, quantity, reference)


@writes(app.treasury, "approve")
def approve(at: At, approval_id: ApprovalId) -> Shown:
    """Do a move that somebody else has asked for."""
    command = room.ApprovePoolMove(key=at.key, by=at.by, approval_id=approval_id)
    return shown(room.approve_pool_move(at.tx, [command], at.now)[0], _approved_view)


def _approved_view(data: Document) -> RenderableType:
    moved, left = amount(data["amount"], data["asset"]), amount(data["pool_left"], data["asset"])
    return said(f"{data['move'].capitalize()} of {moved} is done; the pool holds {left}.")


@reads(app.treasury, "moves")
def moves(
    at: At,
    asset: Annotated[str | None, typer.Option("--asset", help="Only this coin's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the newest first.")] = 50,
) -> Shown:
    """Show the moves of the reward pools: who asked, who approved, under which reference."""
    return Shown({"moves": room.pool_moves(at.tx, asset, limit)}, _moves_view)


def _moves_view(data: Document) -> RenderableType:
    rows = [
        [
            each["approval_id"],
            each["move"],
            amount(each["amount"], each["asset"]),
            each["reference"] or "-",
            f"{each['asked_by']}, {each['asked_at']}",
            "waits" if each["decision"] is None else f"{each['decision']} by {each['decided_by']}",
        ]
        for each in data["moves"]
    ]
    heads = ["Request", "Move", "Amount", "Reference", "Asked", "Decided"]
    return grid("", heads, rows) if rows else "[dim]Nobody has asked to move a pool yet.[/]"


@writes(app.treasury, "correct")
def correct(
    at: At,
    transfer_id: Annotated[int, typer.Argument(metavar="TRANSFER", help="Which entry of the books.")],
    reason: Reason,
) -> Shown:
    """Ask for a deposit, a withdrawal or a move of a reward pool to be reversed, all of it."""
    answer = at.once(
        "ask_correction",
        {"transfer_id": transfer_id, "reason": reason},
        lambda: asked(at, approvals.ask_correction(at.tx, at.by, transfer_id, reason, at.now)),
    )
    return Shown(answer.data, asked_view, is_replay=answer.is_replay)


@reads(app.treasury, "runway")
def runway(at: At) -> Shown:
    """Show each reward pool, what a day costs, and how long it lasts."""
    return Shown(
        {"now_at": at.now, "assets": room.runway(at.tx, at.now)},
        lambda data: runway_table("", data["assets"]),
    )


def runway_table(title: str, assets: list[Document]) -> RenderableType:
    """Show the reward pools."""
    rows = [
        [
            each["asset"],
            amount(each["funded"]),
            amount(each["cost"]),
            amount(each["left"]),
            amount(each["cost_per_day"]),
            "-"
            if each["days_left"] is None
            else f"{each['days_left']:,}" + (" (too few)" if each["is_alarm"] else ""),
            amount(each["forfeited_income"]),
        ]
        for each in assets
    ]
    heads = [
        "Asset",
        "Funded",
        "Rewards so far",
        "Left",
        "Cost a day",
        "Lasts days",
        "Income from forfeitures",
    ]
    return (
        grid(title, heads, rows) if rows else "[dim]No pool is funded. Next: staddle treasury fund --help[/]"
    )


@reads(app.treasury, "maturities")
def maturities(at: At, days: Annotated[int, typer.Option(help="How far ahead.")] = 30) -> Shown:
    """Show what falls due on each of the next days."""
    found = room.maturities(at.tx, at.now, days)
    return Shown({"days": days, "maturities": found}, _maturities_view)


def _maturities_view(data: Document) -> RenderableType:
    rows = [
        [
            each["due_on"],
            f"{each['position_count']:,}",
            amount(each["principal"], each["asset"]),
            amount(each["principal_redeemed"], each["asset"]),
            amount(each["rewards"], each["asset"]),
        ]
        for each in data["maturities"]
    ]
    heads = ["Due", "Positions", "Principal", "Of it leaving", "Accrued rewards"]
    return grid("", heads, rows) if rows else f"[dim]Nothing falls due in the next {data['days']} days.[/]"


@reads(app.treasury, "history")
def history(
    at: At,
    asset: AssetCode,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days back, the newest first.")] = 30,
) -> Shown:
    """Show what rewards cost, what forfeitures brought, and how the pool was moved, day by day."""
    found = room.pool_history(at.tx, asset, at.now, days)
    return Shown({"asset": asset, "days": found}, _history_view)


def _history_view(data: Document) -> RenderableType:
    names = ("rewards", "forfeited", "funded", "withdrawn", "income_used", "left")
    rows = [[each["on"], *(amount(each[name]) for name in names)] for each in data["days"]]
    heads = ["Day", "Rewards", "Forfeited", "Funded", "Withdrawn", "Income used", "Left"]
    return grid(f"The {data['asset']} pool", heads, rows)


@reads(app.treasury, "ladder")
def ladder(
    at: At,
    asset: Annotated[str | None, typer.Option("--asset", help="Only this coin's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=120, help="How far ahead.")] = 120,
) -> Shown:
    """Show what falls due on each of the next days, beside what customers could take at any time."""
    return Shown({"assets": room.ladder(at.tx, at.now, asset, days)}, _ladder_view)


def _ladder_view(data: Document) -> RenderableType:
    parts: list[RenderableType] = []
    names = ("principal", "principal_leaving", "rewards_daily", "rewards_at_maturity", "leaving_in_all")
    heads = ["Day", "Principal", "Of it leaving", "Rewards paid", "Accrued rewards", "Leaving in all"]
    for each in data["assets"]:
        code = each["asset"]
        parts.append(
            said(
                f"{code}: custody holds {amount(each['custody'], code)};"
                f" {amount(each['on_demand'], code)} could be taken at any time."
            )
        )
        rows = [[day["on"], *(amount(day[name]) for name in names)] for day in each["days"]]
        parts.append(grid(code, heads, rows))
    return Group(*parts) if parts else "[dim]Nobody has staked anything yet.[/]"


Fraction = Annotated[str | None, typer.Option(metavar="FRACTION", help="From 0 to 1.")]


@reads(app.treasury, "what-if")
def what_if(
    at: At,
    asset: AssetCode,
    days: Annotated[int, typer.Option(min=1, max=120, help="How far ahead.")] = 120,
    apr_factor: Annotated[str | None, typer.Option(help="Multiply every floating rate by this.")] = None,
    apr: Annotated[str | None, typer.Option(help="Suppose this APR, as a fraction.")] = None,
    apr_from: Annotated[str | None, typer.Option(help="The instant from which on the rate changes.")] = None,
    growth: Annotated[str | None, typer.Option(help="New flexible principal a day.")] = None,
    growth_fraction: Fraction = None,
    leaving_on: Annotated[str | None, typer.Option(help="The day of a run of redemptions.")] = None,
    flexible_fraction: Fraction = None,
    fixed_fraction: Fraction = None,
    funding: Annotated[str | None, typer.Option(help="Coins put into the pool.")] = None,
    funding_on: Annotated[str | None, typer.Option(help="The day of it.")] = None,
) -> Shown:
    """Show what a change of rates, growth, a run of redemptions or funding would do to the pool."""

    def figure(text: str | None) -> Decimal | None:
        return None if text is None else parse_decimal(text)

    wanted = room.WhatIf(
        asset=asset,
        days=days,
        apr_factor=figure(apr_factor),
        apr=figure(apr),
        apr_from=None if apr_from is None else parse_instant(apr_from),
        growth=figure(growth),
        growth_fraction=figure(growth_fraction),
        leaving_on=None if leaving_on is None else parse_date(leaving_on),
        flexible_fraction=figure(flexible_fraction),
        fixed_fraction=figure(fixed_fraction),
        funding=figure(funding),
        funding_on=None if funding_on is None else parse_date(funding_on),
    )
    return Shown(room.what_if(at.tx, wanted, at.now), _what_if_view)


def _what_if_view(data: Document) -> RenderableType:
    names = ("principal", "cost", "funded", "forfeited", "left")
    rows = [[day["on"], *(amount(day[name]) for name in names)] for day in data["days"]]
    heads = ["Day", "Principal", "Cost", "Funded", "Forfeited", "Left"]
    dry = (
        f"The pool runs dry on {data['dry_on']}"
        if data["dry_on"]
        else "The pool lasts through all of these days"
    )
    before = f"on {data['dry_on_before']}" if data["dry_on_before"] else "not within these days"
    return said(f"{dry}; without it: {before}.", grid("", heads, rows), *data["assumes"])
