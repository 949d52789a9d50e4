"""Treasury: every reward pool, how long it lasts, and the moves of its coins, each asked for by one and done by two."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from staddle import approvals
from staddle.console.csv_file import csv_file
from staddle.console.listing import Column, Filter, listing_of
from staddle.desk import find_desk
from staddle.errors import InvalidAmount, StaddleError
from staddle.ledger import Asset, find_asset, pool_left
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit, parse_decimal
from staddle.pages.chart import series_of
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.pages.read import ungrouped
from staddle.server.allow import operator
from staddle.server.cursors import read_cursor, write_cursor
from staddle.treasury import (
    AskPoolMove,
    Counted,
    PoolDay,
    Runway,
    counted_costs,
    pool_days,
    pool_history,
    pool_moves,
    runway,
)
from staddle.treasury.foresee import days_paid_for
from staddle.treasury.move_pool import amount_of, check_possible

SEES, MOVES = operator("viewer"), operator("treasury")
DAYS_SHOWN = 30
PAGE_LENGTH = 50
ORDERS = ("asset", "left", "cost_per_day", "days_left")
Move = Literal["funding", "withdrawal", "income"]


@shows("/console/treasury", allow=SEES)
def show_treasury(visit: Visit, asset: str = "", state: str = "", sort: str = "") -> View:
    """Show every pool: what is left, what a day costs, how long it lasts, what rewards cost and forfeitures brought."""
    chosen = {"asset": asset, "state": state, "sort": sort}
    counted = counted_of(visit)
    listing = listing_of(
        "/console/treasury",
        columns=[
            Column("asset", visit.say("Coin"), is_sortable=True),
            Column("left", visit.say("Left in the pool"), is_sortable=True, is_figure=True),
            Column("cost_per_day", visit.say("A day costs"), is_sortable=True, is_figure=True),
            Column("days_left", visit.say("Lasts"), is_sortable=True, is_figure=True),
            Column("rewards", visit.say("Rewards, 30 days"), is_figure=True),
            Column("forfeited", visit.say("Forfeitures, 30 days"), is_figure=True),
            Column("income", visit.say("Income not used"), is_figure=True),
        ],
        rows=pools_of(visit, chosen, counted),
        filters=[
            Filter("asset", visit.say("Coin"), hint="USDT"),
            Filter(
                "state",
                visit.say("Pools"),
                choices=[("", visit.say("All")), ("short", visit.say("That will not last"))],
            ),
        ],
        chosen=chosen,
        export="/console/treasury.csv",
    )
    shown = {
        "listing": listing,
        "waiting": pool_moves(visit.tx, limit=PAGE_LENGTH, is_waiting=True),
        "days_min": find_desk(visit.tx).runway_days_min,
        "counted_at": counted.counted_at,
    }
    return View("treasury.html", shown, part="list")


def pools_of(visit: Visit, chosen: Mapping[str, str], counted: Counted) -> list[dict[str, Any]]:
    """Give the pools that the filters leave, in the order that was chosen."""
    days = pool_days(visit.tx, visit.now, DAYS_SHOWN)
    rows: list[dict[str, Any]] = [
        {
            "pool": each,
            "rewards": sum((day.rewards for day in days.get(each.asset, ())), ZERO),
            "forfeited": sum((day.forfeited for day in days.get(each.asset, ())), ZERO),
            "bars": series_by_day(visit, days.get(each.asset, ()), "rewards", each.asset),
        }
        for each in runway(visit.tx, visit.now, counted.costs)
        if chosen["asset"].upper() in each.asset and (chosen["state"] != "short" or each.is_alarm)
    ]
    name = chosen["sort"].removeprefix("-")
    if name in ORDERS:
        rows.sort(key=lambda row: order_of(row["pool"], name), reverse=chosen["sort"].startswith("-"))
    return rows


def order_of(pool: Runway, name: str) -> tuple[bool, Any]:
    """Give what a pool is put in order by; one that costs nothing lasts longest."""
    value = getattr(pool, name)
    return value is None, ZERO if value is None else value


@shows("/console/treasury.csv", allow=SEES)
def export_treasury(visit: Visit, asset: str = "", state: str = "", sort: str = "") -> Download:
    """Give the pools as a file."""
    rows = [
        (
            p.asset,
            p.left,
            p.cost_per_day,
            p.days_left,
            p.funded,
            p.cost,
            each["rewards"],
            each["forfeited"],
            p.forfeited_income,
        )
        for each in pools_of(visit, {"asset": asset, "state": state, "sort": sort}, counted_of(visit))
        for p in [each["pool"]]
    ]
    heads = (
        "asset", "left", "cost_per_day", "days_left", "funded", "cost", "rewards_30_days", "forfeited_30_days",
        "forfeited_income",
    )  # fmt: skip
    return csv_file(heads, rows, "pools.csv")


def series_by_day(visit: Visit, days: Sequence[PoolDay], name: str, asset: str) -> str:
    """Write a figure of each day as a chart's series, oldest first."""
    labels = {"rewards": visit.say("Rewards"), "left": visit.say("Left"), "forfeited": visit.say("Forfeited")}
    in_order = list(reversed(days))
    instants = [midnight_of(day.on) for day in in_order]
    return series_of(instants, [format(getattr(day, name), "f") for day in in_order], labels[name], asset)


def midnight_of(on: date) -> int:
    """Give a day's midnight in UTC, in seconds."""
    return (on.toordinal() - 719_163) * 86_400


def counted_of(visit: Visit) -> Counted:
    """Read what days cost, as it was counted last."""
    return counted_costs(visit.tx, visit.now, visit.at.machine_now)


def pool_of(visit: Visit, asset: Asset) -> Runway | None:
    """Read one pool; None where nothing was ever funded, earned or forfeited."""
    return next(
        (each for each in runway(visit.tx, visit.now, counted_of(visit).costs) if each.asset == asset.code),
        None,
    )


@shows("/console/treasury/{asset}", allow=SEES)
def show_pool(visit: Visit, asset: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show a pool: its days, what waits, and the form to move coins with what that would do to its runway."""
    coin = find_asset(visit.tx, asset)
    days = pool_history(visit.tx, coin.code, visit.now, 90)
    pool = pool_of(visit, coin)
    shown = {
        "asset": coin,
        "pool": pool,
        "days_min": find_desk(visit.tx).runway_days_min,
        "days": days[:DAYS_SHOWN],
        "left_series": series_by_day(visit, days, "left", coin.code),
        "rewards_series": series_by_day(visit, days, "rewards", coin.code),
        "forfeited_series": series_by_day(visit, days, "forfeited", coin.code),
        "has_forfeited": any(day.forfeited for day in days),
        "waiting": pool_moves(visit.tx, coin.code, PAGE_LENGTH, is_waiting=True),
        "moves": pool_moves(visit.tx, coin.code, 10),
    }
    return View("pool.html", shown | move_values(visit, coin, pool, typed))


def move_values(visit: Visit, asset: Asset, pool: Runway | None, typed: Typed) -> dict[str, Any]:
    """Give what the form to move coins shows: what is typed, and how long the pool would last then."""
    after, refused = None, None
    if visit.viewer.may("treasury") and (typed.get("amount") or typed.get("move") == "income"):
        try:
            after = pool_after(visit, asset, pool, typed)
        except StaddleError as error:
            refused = error
    return {"typed": typed, "after": after, "refused": refused, "asset": asset, "pool": pool}


def pool_after(visit: Visit, asset: Asset, pool: Runway | None, typed: Typed) -> dict[str, Any]:
    """Work out what a move would leave, and how long that lasts; refused as the request itself would be."""
    move = str(typed.get("move", "funding"))
    command = AskPoolMove(
        key=visit.key, by=visit.at.by, move=move, asset=asset.code, amount=read_coins(typed.get("amount"))
    )
    amount = amount_of(visit.tx, command, asset)
    check_possible(visit.tx, move, asset, amount)
    before = pool_left(visit.tx).get(asset.asset_id, ZERO)
    left = EXACT.subtract(before, amount) if move == "withdrawal" else EXACT.add(before, amount)
    day_basis = ZERO if pool is None else pool.day_basis
    return {
        "amount": amount,
        "left": left,
        "days_before": days_paid_for(before, day_basis),
        "days_left": days_paid_for(left, day_basis),
        "cost_per_day": floor_to_unit(day_basis, DAYS_IN_YEAR, asset.scale),
    }


def read_coins(text: object) -> Decimal | None:
    """Read an amount as it was typed; digits may be grouped by spaces. None where nothing was typed."""
    typed = ungrouped(str(text or ""))
    if not typed:
        return None
    try:
        return parse_decimal(typed)
    except InvalidAmount:
        refused = InvalidAmount("Type the amount as a plain number above zero, such as 1250.5.")
        refused.field = "amount"
        raise refused from None


@shows("/console/treasury/{asset}/effect", allow=MOVES)
def show_move_effect(visit: Visit, asset: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show what a move would do to the runway, while somebody types: the piece of the form that changes."""
    coin = find_asset(visit.tx, asset)
    return View("pool_effect.html", move_values(visit, coin, pool_of(visit, coin), typed))


class MoveForm(Form, frozen=True, kw_only=True):
    """A move of a pool's coins."""

    move: Move
    amount: str = ""
    reference: str = ""


@sends("/console/treasury/{asset}/moves", allow=MOVES, again=show_pool)
def ask_for_move(visit: Visit, asset: str, form: MoveForm) -> GoTo:
    """Ask for a move; nothing moves before a second person approves."""
    command = AskPoolMove(
        key=visit.key,
        by=visit.at.by,
        move=form.move,
        asset=asset,
        amount=read_coins(form.amount),
        reference=form.reference or None,
    )
    asked = approvals.ask_pool_move(visit.tx, [command], visit.now)[0].unwrap()
    said = visit.say(
        "Request %(number)s waits for a second person. Nothing has moved yet.", number=asked.approval_id
    )
    return GoTo(f"/console/treasury/{asset}", said)


@shows("/console/treasury/{asset}/days", allow=SEES)
def list_pool_days(visit: Visit, asset: str, cursor: str | None = None) -> View:
    """List the days of a pool, newest first."""
    coin = find_asset(visit.tx, asset)
    found = pool_history(visit.tx, coin.code, visit.now, PAGE_LENGTH + 1, read_cursor(cursor, date))
    listing = listing_of(
        f"/console/treasury/{coin.code}/days",
        columns=[
            Column("on", visit.say("Day")),
            Column("rewards", visit.say("Rewards"), is_figure=True),
            Column("forfeited", visit.say("Forfeited"), is_figure=True),
            Column("funded", visit.say("Funded"), is_figure=True),
            Column("withdrawn", visit.say("Withdrawn"), is_figure=True),
            Column("income_used", visit.say("Income used"), is_figure=True),
            Column("left", visit.say("Left at its end"), is_figure=True),
        ],
        rows=found[:PAGE_LENGTH],
        cursor=cursor,
        next_cursor=write_cursor(found[PAGE_LENGTH - 1].on) if len(found) > PAGE_LENGTH else None,
        export=f"/console/treasury/{coin.code}/days.csv",
    )
    return View("pool_days.html", {"listing": listing, "asset": coin}, part="list")


@shows("/console/treasury/{asset}/days.csv", allow=SEES)
def export_pool_days(visit: Visit, asset: str) -> Download:
    """Give all days of a pool as a file, newest first."""
    coin = find_asset(visit.tx, asset)
    heads = ("on", "asset", "rewards", "forfeited", "funded", "withdrawn", "income_used", "left")
    days = pool_history(visit.tx, coin.code, visit.now, 3_650)
    return csv_file(heads, ([getattr(day, name) for name in heads] for day in days), f"{coin.code}-pool.csv")


@shows("/console/treasury/{asset}/moves", allow=SEES)
def list_pool_moves(visit: Visit, asset: str, state: str = "", cursor: str | None = None) -> View:
    """List the moves of a pool, newest first: who asked, who approved, under which reference."""
    coin = find_asset(visit.tx, asset)
    found = pool_moves(visit.tx, coin.code, PAGE_LENGTH + 1, read_cursor(cursor, int), state == "waiting")
    listing = listing_of(
        f"/console/treasury/{coin.code}/moves",
        columns=[
            Column("approval_id", visit.say("Request")),
            Column("move", visit.say("Move")),
            Column("amount", visit.say("Amount"), is_figure=True),
            Column("reference", visit.say("Reference")),
            Column("asked", visit.say("Asked")),
            Column("decided", visit.say("Decided")),
        ],
        rows=found[:PAGE_LENGTH],
        filters=[
            Filter(
                "state",
                visit.say("State"),
                choices=[("", visit.say("All")), ("waiting", visit.say("Waiting"))],
            )
        ],
        chosen={"state": state},
        cursor=cursor,
        next_cursor=write_cursor(found[PAGE_LENGTH - 1].approval_id) if len(found) > PAGE_LENGTH else None,
        export=f"/console/treasury/{coin.code}/moves.csv",
    )
    return View("pool_moves.html", {"listing": listing, "asset": coin}, part="list")


@shows("/console/treasury/{asset}/moves.csv", allow=SEES)
def export_pool_moves(visit: Visit, asset: str, state: str = "") -> Download:
    """Give all moves of a pool as a file, newest first."""
    coin = find_asset(visit.tx, asset)
    heads = (
        "approval_id", "move", "asset", "amount", "reference", "asked_by", "asked_at", "decision", "decided_by",
        "decided_at", "act_id",
    )  # fmt: skip
    found = pool_moves(visit.tx, coin.code, 100_000, None, state == "waiting")
    rows = ([getattr(each, name) for name in heads] for each in found)
    return csv_file(heads, rows, f"{coin.code}-moves.csv")
