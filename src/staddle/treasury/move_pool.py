"""Moving the reward pool's money: one operator asks, another approves, and only then it moves (product.md rule 31)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import msgspec

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import (
    AlreadyExists,
    ApprovalNotFound,
    InsufficientFunds,
    InvalidAmount,
    InvalidChoice,
    InvalidName,
    RewardPoolTooSmall,
    StaddleError,
)
from staddle.ledger import (
    CELL_COUNT,
    HOUSE,
    AccountKind,
    Asset,
    HouseCommand,
    LockedCells,
    Outcome,
    Transfer,
    account_of,
    answer_commands,
    find_asset,
    lock_cells,
    pool_left,
    post,
)
from staddle.ledger.requests import check_key
from staddle.money import EXACT, ZERO, check_scale, plain

sql = queries(__package__)
ACT = "move_pool"
REFERENCE_MAX = 200
MOVES = {
    "funding": ("pool_funding", AccountKind.CUSTODY, AccountKind.REWARD_POOL),
    "withdrawal": ("pool_withdrawal", AccountKind.REWARD_POOL, AccountKind.CUSTODY),
    "income": ("income_to_pool", AccountKind.FORFEITED_REWARDS, AccountKind.REWARD_POOL),
}
Answer = TypeVar("Answer")


class AskPoolMove(HouseCommand, frozen=True, kw_only=True):
    """An operator asks to put coins from custody into the pool (`funding`), to take some back (`withdrawal`), or to use
    income from forfeitures for rewards (`income`; no amount means all of it).
    """

    by: str
    move: str
    asset: str
    amount: Decimal | None = None
    reference: str | None = None
    """What the move is known by elsewhere, such as custody's own reference: one move of the asset has it."""


class ApprovePoolMove(HouseCommand, frozen=True, kw_only=True):
    """A second operator approves a move; it is done at once."""

    by: str
    approval_id: int


class PoolMoveAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A move that waits for a second person under this number."""

    approval_id: int
    move: str
    asset: str
    amount: Decimal
    reference: str | None = None


class PoolMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A move that was done; `pool_left` is what the pool holds after it, less what rewards have cost."""

    approval_id: int
    move: str
    asset: str
    amount: Decimal
    pool_left: Decimal
    transfer_ids: list[int]
    reference: str | None = None


def ask_pool_move(tx: Tx, commands: Sequence[AskPoolMove], now: datetime) -> list[Outcome[PoolMoveAsked]]:
    """Put moves before a second person; nothing moves yet. Each is logged.

    Refusals: InvalidChoice, InvalidAmount, TooManyDecimals, AssetNotFound, OperatorNotFound, RewardPoolTooSmall
    (a withdrawal of more than is left), InsufficientFunds (more income than there is), InvalidName (a reference
    that is none), AlreadyExists (one that another move of the asset has, or waits with).
    """
    lock_cells(tx, [HOUSE])
    return answer_commands(
        tx,
        "ask_pool_move",
        commands,
        PoolMoveAsked,
        now,
        lambda fresh: [attempt(partial(_ask, tx, command, now)) for command in fresh],
    )


def approve_pool_move(tx: Tx, commands: Sequence[ApprovePoolMove], now: datetime) -> list[Outcome[PoolMoved]]:
    """Do moves that another operator has asked for, if they are still possible. Each is logged.

    It holds every cell, for a pool lies in the books of all of them. Refusals: ApprovalNotFound, WrongState
    (decided already), SecondPersonNeeded, ApprovalStale (the pool was moved since), OperatorNotFound,
    RewardPoolTooSmall, InsufficientFunds.
    """
    locked = lock_cells(tx, range(CELL_COUNT))
    return answer_commands(
        tx,
        "approve_pool_move",
        commands,
        PoolMoved,
        now,
        lambda fresh: [attempt(partial(_approve, tx, locked, command, now)) for command in fresh],
    )


def attempt(decide: Callable[[], Answer]) -> Outcome[Answer]:
    """Decide one command: a refusal never fails its neighbours."""
    try:
        return Outcome(decide())
    except StaddleError as error:
        return Outcome(error=error)


def _ask(tx: Tx, command: AskPoolMove, now: datetime) -> PoolMoveAsked:
    check_key(command.key)
    if command.move not in MOVES:
        raise InvalidChoice("The pool knows funding, withdrawal and income.")
    asset = find_asset(tx, command.asset)
    amount = amount_of(tx, command, asset)
    check_possible(tx, command.move, asset, amount)
    check_reference(tx, asset, command.reference)
    request = {"move": command.move, "asset": asset.code, "amount": plain(amount)}
    if command.reference is not None:
        request["reference"] = command.reference
    subject = f"{command.move} {asset.code}"
    approval_id = desk.ask(tx, command.by, ACT, subject, request, basis_of_move(tx, asset), now)
    return PoolMoveAsked(
        approval_id=approval_id,
        move=command.move,
        asset=asset.code,
        amount=amount,
        reference=command.reference,
    )


def basis_of_move(tx: Tx, asset: Asset) -> str:
    """What a request stands upon: every move of this pool there was. What rewards cost meanwhile changes nothing."""
    row = tx.execute(
        sql.count_pool_moves, {"pool": account_of(HOUSE, asset, AccountKind.REWARD_POOL)}
    ).fetchone()
    assert row is not None
    return f"{asset.code}, {row.moves} moves"


def amount_of(tx: Tx, command: AskPoolMove, asset: Asset) -> Decimal:
    """Give the amount asked for, with the asset's decimals; all the income where none is named."""
    amount = command.amount
    if amount is None:
        if command.move != "income":
            raise InvalidAmount
        amount = sum((held for _, held in held_by_cell(tx, asset, AccountKind.FORFEITED_REWARDS)), ZERO)
        if amount == 0:
            raise InsufficientFunds(f"There is no income from forfeitures in {asset.code}.")
    if not amount.is_finite() or amount <= 0 or amount.adjusted() >= 30:
        raise InvalidAmount("The amount must be above zero.")
    check_scale(amount, asset.scale)
    return EXACT.quantize(amount, asset.unit)


def check_possible(tx: Tx, move: str, asset: Asset, amount: Decimal) -> None:
    """A withdrawal leaves what rewards have cost so far; income can be used once."""
    if move == "withdrawal":
        left = max(pool_left(tx).get(asset.asset_id, ZERO), ZERO)
        if amount > left:
            raise RewardPoolTooSmall(f"{plain(left)} {asset.code} are left in the pool.", left=plain(left))
    if move == "income":
        income = sum((held for _, held in held_by_cell(tx, asset, AccountKind.FORFEITED_REWARDS)), ZERO)
        if amount > income:
            raise InsufficientFunds(
                f"Income from forfeitures is {plain(income)} {asset.code}.", balance=plain(income)
            )


def check_reference(tx: Tx, asset: Asset, reference: str | None) -> None:
    """A reference, where there is one, is a line of text that no other move of the asset has or waits with."""
    if reference is None:
        return
    if (
        not 1 <= len(reference) <= REFERENCE_MAX
        or not reference.isprintable()
        or reference != reference.strip()
    ):
        raise InvalidName(f"A reference is one line of up to {REFERENCE_MAX} characters.")
    if tx.execute(sql.pool_move_of_reference, {"asset": asset.code, "reference": reference}).fetchone():
        raise AlreadyExists(f"Another move of the {asset.code} pool has the reference {reference!r}.")


def held_by_cell(tx: Tx, asset: Asset, kind: AccountKind) -> list[tuple[int, Decimal]]:
    """Read what a house account holds in each cell, where it holds anything."""
    rows = tx.execute(sql.house_account, {"account_id": account_of(HOUSE, asset, kind)}).fetchall()
    return [(row.cell, row.amount) for row in rows]


def _approve(tx: Tx, locked: LockedCells, command: ApprovePoolMove, now: datetime) -> PoolMoved:
    check_key(command.key)
    asked = desk.find_approval(tx, command.approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    asset = find_asset(tx, asked.request["asset"])
    move, amount = asked.request["move"], Decimal(asked.request["amount"])
    basis = basis_of_move(tx, asset)
    if asked.decision is None and asked.basis == basis:
        # Before it is marked as approved, for a refusal must leave it waiting.
        check_possible(tx, move, asset, amount)
    desk.approve(tx, command.by, command.approval_id, ACT, basis, now)
    transfers = list(transfers_of(tx, locked, move, asset, amount, command.key))
    post(tx, locked, transfers, now)
    reference = asked.request.get("reference")
    keep_move(tx, command.approval_id, asset, move, amount, reference, transfers[0].act_id, now)
    return PoolMoved(
        approval_id=command.approval_id,
        move=move,
        asset=asset.code,
        amount=amount,
        pool_left=pool_left(tx)[asset.asset_id],
        transfer_ids=[transfer.transfer_id for transfer in transfers],
        reference=reference,
    )


def keep_move(
    tx: Tx,
    approval_id: int,
    asset: Asset,
    move: str,
    amount: Decimal,
    reference: str | None,
    act_id: int,
    now: datetime,
) -> None:
    """Write down which act moved the pool, and the reference that it is known by."""
    kept = {"approval_id": approval_id, "asset_id": asset.asset_id, "move": move, "amount": amount}
    tx.execute(sql.keep_pool_move, kept | {"reference": reference, "act_id": act_id, "now": now})


def transfers_of(
    tx: Tx, locked: LockedCells, move: str, asset: Asset, amount: Decimal, key: str
) -> Iterator[Transfer]:
    """Make the transfers of a move, one act: funding goes into the books of cell 0, what is taken comes out of the
    cells that hold it, each of which balances by itself.
    """
    kind, debit, credit = MOVES[move]
    parts = [(HOUSE, amount)] if move == "funding" else spread(held_by_cell(tx, asset, debit), amount)
    act_id = None
    for cell, part in parts:
        transfer_id = locked.next_transfer(cell)
        act_id = act_id or transfer_id
        accounts: dict[str, Any] = {
            "debit_account": account_of(HOUSE, asset, debit),
            "credit_account": account_of(HOUSE, asset, credit),
        }
        yield Transfer(transfer_id, act_id, kind, HOUSE, **accounts, amount=part, request_key=key)


def spread(held: Sequence[tuple[int, Decimal]], amount: Decimal) -> list[tuple[int, Decimal]]:
    """Take an amount from the first cells that hold it."""
    parts = []
    for cell, balance in held:
        part = min(balance, amount)
        if part > 0:
            parts.append((cell, part))
            amount = EXACT.subtract(amount, part)
    return parts
