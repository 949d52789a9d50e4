"""The desk's own money: pools moved by two people, how long they last, and what falls due."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from staddle import approvals
from staddle.api.approvals import RequestAsked, asked
from staddle.api.fields import AmountText, Body, Code, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, answered, reads, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.errors import ApprovalNotFound, TransferNotFound
from staddle.money import parse_decimal
from staddle.server.allow import operator
from staddle.server.at import At
from staddle.treasury import (
    ApprovePoolMove,
    AskPoolMove,
    Ladder,
    Maturities,
    PoolDay,
    PoolMoveAsked,
    PoolMoved,
    PoolMoveShown,
    Runway,
    Supposed,
    WhatIf,
    approve_pool_move,
    ladder,
    maturities,
    pool_history,
    pool_moves,
    runway,
    what_if,
)

TAG = "Treasury"
FIGURES = ("apr_factor", "apr", "growth", "growth_fraction", "flexible_fraction", "fixed_fraction", "funding")
Days = Annotated[int, msgspec.Meta(ge=1, le=120, description="How many days, today included.")]
SEE, MOVE = operator("viewer"), operator("treasury")
MoveReference = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        description="What the move is known by elsewhere, such as custody's own reference.",
        examples=["custody-20260301-7"],
    ),
]


class PoolMoveBody(Body, frozen=True, kw_only=True):
    """A move of a reward pool's coins: `funding` from custody, `withdrawal` back, or `income` from forfeitures.

    Only `income` may leave the amount out: then it is all there is.
    """

    move: Literal["funding", "withdrawal", "income"]
    asset: Code
    amount: AmountText | None = None
    reference: MoveReference | None = None


class WhatIfBody(Body, frozen=True, kw_only=True):
    """What is supposed; without anything it is what happens if nobody does anything.

    `apr_factor` multiplies every floating rate, `apr` takes their place; either from `apr_from` on. `growth` is new
    flexible principal a day, or `growth_fraction` of what is there. On `leaving_on` these fractions of flexible and of
    fixed principal leave. Fractions are from 0 to 1.
    """

    asset: Code
    days: Annotated[int, msgspec.Meta(ge=1, le=120)] = 120
    apr_factor: AmountText | None = None
    apr: AmountText | None = None
    apr_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    growth: AmountText | None = None
    growth_fraction: AmountText | None = None
    leaving_on: date | None = None
    flexible_fraction: AmountText | None = None
    fixed_fraction: AmountText | None = None
    funding: AmountText | None = None
    funding_on: date | None = None


class CorrectionBody(Body, frozen=True, kw_only=True):
    """Why an entry of the books is a mistake."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300, description="Why; customers see it.")]


class RunwayShown(msgspec.Struct, frozen=True, kw_only=True):
    """Each reward pool, what a day costs, and how long it lasts."""

    now_at: datetime
    assets: list[Runway]


@writes("POST", "/v1/treasury/pool-moves", allow=MOVE, gives=PoolMoveAsked, tag=TAG, keyed="must")
def ask_for_pool_move(at: At, body: PoolMoveBody) -> Given:
    """Ask for a move of a reward pool; nothing moves before a second person approves."""
    amount = None if body.amount is None else parse_decimal(body.amount)
    command = AskPoolMove(
        key=at.key, by=at.by, move=body.move, asset=body.asset, amount=amount, reference=body.reference
    )
    return answered(approvals.ask_pool_move(at.tx, [command], at.now)[0])


@writes(
    "POST",
    "/v1/treasury/pool-moves/{approval_id}/approve",
    allow=MOVE,
    gives=PoolMoved,
    tag=TAG,
    keyed="must",
)
def approve_asked_pool_move(at: At, approval_id: Id) -> Given:
    """Do a move that somebody else has asked for, if it is still possible."""
    number = id_of(approval_id, ApprovalNotFound)
    command = ApprovePoolMove(key=at.key, by=at.by, approval_id=number)
    return answered(approve_pool_move(at.tx, [command], at.now)[0])


@reads("/v1/treasury/pool-moves", allow=SEE, gives=Page[PoolMoveShown], tag=TAG)
def list_pool_moves(
    at: At,
    asset: Code | None = None,
    is_waiting: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[PoolMoveShown]:
    """List the moves of the reward pools, newest first: who asked, who approved, under which reference."""
    found = pool_moves(at.tx, asset, limit + 1, read_cursor(cursor, int), is_waiting)
    return page(found, limit, lambda move: move.approval_id)


@writes("POST", "/v1/transfers/{transfer_id}/correct", allow=MOVE, gives=RequestAsked, tag=TAG, keyed="must")
def ask_for_correction(at: At, transfer_id: Id, body: CorrectionBody) -> Given:
    """Ask for a deposit, a withdrawal or a move of a reward pool to be reversed, all of it.

    A second person approves. A transfer is corrected once, and only what is still there is taken back.
    """
    number = id_of(transfer_id, TransferNotFound)
    return once(
        at,
        "ask_correction",
        {"transfer_id": number, "reason": body.reason},
        lambda: asked(at, approvals.ask_correction(at.tx, at.by, number, body.reason, at.now)),
    )


@reads("/v1/treasury/runway", allow=SEE, gives=RunwayShown, tag=TAG)
def show_runway(at: At) -> RunwayShown:
    """Show each reward pool, what a day costs, and how long it lasts."""
    return RunwayShown(now_at=at.now, assets=runway(at.tx, at.now))


@reads("/v1/treasury/history", allow=SEE, gives=Page[PoolDay], tag=TAG)
def list_pool_history(at: At, asset: Code, cursor: Cursor = None, limit: Limit = 90) -> Page[PoolDay]:
    """List the days of an asset's pool, newest first: rewards, forfeitures, moves, and what was left at the end."""
    before = read_cursor(cursor, date)
    found = pool_history(at.tx, asset, at.now, limit + 1, before)
    return page(found, limit, lambda day: day.on)


@reads("/v1/treasury/ladder", allow=SEE, gives=list[Ladder], tag=TAG)
def show_ladder(at: At, asset: Code | None = None, days: Days = 120) -> list[Ladder]:
    """Show what falls due on each of the next days, beside what could be taken at any time and what custody holds."""
    return ladder(at.tx, at.now, asset, days)


@writes("POST", "/v1/treasury/what-if", allow=SEE, gives=Supposed, tag=TAG, keyed="no")
def suppose(at: At, body: WhatIfBody) -> Given:
    """Work out by day what a change of rates, growth, a run of redemptions or funding would do; writes nothing."""
    given = msgspec.structs.asdict(body)
    exact = {name: parse_decimal(given[name]) for name in FIGURES if given[name] is not None}
    return Given(what_if(at.tx, WhatIf(**given | exact), at.now))


@reads("/v1/treasury/maturities", allow=SEE, gives=list[Maturities], tag=TAG)
def list_maturities(
    at: At, days: Annotated[int, msgspec.Meta(ge=1, le=3_650, description="How far ahead.")] = 30
) -> list[Maturities]:
    """List what falls due on each of the next days, today included."""
    return maturities(at.tx, at.now, days)
