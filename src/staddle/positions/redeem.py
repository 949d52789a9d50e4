"""Redeem from a flexible product: any amount, any time, newest position first (product.md rule 22)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle import errors
from staddle.db import Tx
from staddle.ledger import (
    SOURCES,
    AccountKind,
    Command,
    LockedCells,
    Outcome,
    Transfer,
    answer_commands,
    cell_of,
    lock_cells,
    post,
)
from staddle.ledger.requests import check_key
from staddle.money import ZERO, check_positive, check_scale, plain
from staddle.notices import Notice, write_notices
from staddle.positions.facts import Held, Offer, holdings_of, lock_quotas, offers_of, product_ids_of
from staddle.positions.mature import mature, products_maturing
from staddle.positions.open import move_quotas
from staddle.positions.settle import Change, Settled, change_positions, settle, transfers_of_position


class Redeem(Command, frozen=True, kw_only=True):
    """What a customer asks for; no amount means all that is held in the product."""

    product: str
    amount: Decimal | None = None
    destination: str = "funding"


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer gets: principal to the destination and the completed days' rewards to Funding, at once."""

    product: str
    asset: str
    amount: Decimal
    destination: str
    rewards_paid: Decimal
    left: Decimal
    position_ids: list[int]


@dataclass(frozen=True, slots=True)
class Taking:
    """What one command takes from which positions, newest first, and what it leaves in the product."""

    command: Redeem
    offer: Offer
    taken: list[tuple[Held, Decimal]]
    left: Decimal


@dataclass(slots=True)
class Desk:
    """The facts of one list of commands, moved along as each is decided."""

    product_ids: dict[str, int]
    offers: dict[int, Offer]
    holdings: dict[tuple[int, int], list[Held]]
    principals: dict[int, Decimal]
    takings: list[Taking] = field(default_factory=list)


def redeem(tx: Tx, commands: Sequence[Redeem], now: datetime) -> list[Outcome[Redeemed]]:
    """Give principal back from flexible products, with the rewards of completed days, in this one transaction.

    Gives an outcome for each command, in order. Refusals: RedeemingHalted, NothingToRedeem, MoreThanHeld,
    RemainderBelowMinimum, QuoteRequired (fixed products), PositionParked.
    """
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    now = locked.instant(now)
    return answer_commands(
        tx, "redeem", commands, Redeemed, now, lambda fresh: _redeem(tx, locked, fresh, now)
    )


def _redeem(
    tx: Tx, locked: LockedCells, commands: Sequence[Redeem], now: datetime
) -> list[Outcome[Redeemed]]:
    product_ids = product_ids_of(tx, (command.product for command in commands))
    mature_first(tx, locked, [command.customer_id for command in commands], product_ids.values(), now)
    wanted = {
        (command.customer_id, product_ids[command.product])
        for command in commands
        if command.product in product_ids
    }
    holdings = holdings_of(tx, wanted)
    principals = {held.position_id: held.principal for holding in holdings.values() for held in holding}
    desk = Desk(product_ids, offers_of(tx, product_ids.values()), holdings, principals)
    refusals = [attempt(desk, command) for command in commands]
    settled = write_redemptions(tx, locked, desk, now)
    takings = iter(desk.takings)
    counted: set[int] = set()
    return [
        Outcome(error=refusal) if refusal is not None else Outcome(describe(next(takings), settled, counted))
        for refusal in refusals
    ]


def mature_first(
    tx: Tx, locked: LockedCells, customer_ids: Sequence[int], product_ids: Iterable[int], now: datetime
) -> None:
    """Lock the quotas of an act and end what has matured, so that the act finds each holding as it truly stands."""
    cells = {cell_of(customer_id) for customer_id in customer_ids}
    maturing = products_maturing(tx, cells, customer_ids, now)
    lock_quotas(tx, {*product_ids, *maturing})
    if maturing:
        mature(tx, locked, cells, customer_ids, now)


def attempt(desk: Desk, command: Redeem) -> errors.StaddleError | None:
    """Decide one command; if it is accepted, note what it takes and move the facts along for those behind it."""
    try:
        taking = decide(desk, command)
    except errors.StaddleError as error:
        return error
    for held, amount in taking.taken:
        desk.principals[held.position_id] -= amount
    desk.takings.append(taking)
    return None


def decide(desk: Desk, command: Redeem) -> Taking:
    """Hold one command against the rules."""
    check_key(command.key)
    if command.destination not in SOURCES:
        raise errors.InvalidChoice("Redemption goes to spot or funding.")
    if command.product not in desk.product_ids:
        raise errors.ProductNotFound(f"There is no product {command.product[:40]!r}.")
    offer = desk.offers[desk.product_ids[command.product]]
    if offer.kind == "fixed":
        raise errors.QuoteRequired
    if offer.redeem_halt is not None:
        raise errors.RedeemingHalted(f"Redeeming is paused: {offer.redeem_halt}", reason=offer.redeem_halt)
    holding = desk.holdings.get((command.customer_id, offer.product_id), [])
    standing = [held for held in holding if desk.principals[held.position_id] > 0]
    total = sum((desk.principals[held.position_id] for held in standing), ZERO)
    amount = check_amount(command, offer, standing, total)
    taken = take_newest_first(desk, standing, amount)
    if any(held.parked_days is not None for held, _ in taken):
        raise errors.PositionParked
    return Taking(command, offer, taken, total - amount)


def check_amount(command: Redeem, offer: Offer, standing: Sequence[Held], total: Decimal) -> Decimal:
    """Give the amount to redeem: all of it, or as asked if the rest can stand by itself."""
    if not standing:
        raise errors.NothingToRedeem
    if command.amount is None:
        return total
    check_positive(command.amount)
    check_scale(command.amount, offer.asset.scale)
    if command.amount > total:
        raise errors.MoreThanHeld(f"You hold {plain(total)} {offer.asset.code}.", held=plain(total))
    rest, minimum = total - command.amount, standing[0].amount_min
    if ZERO < rest < minimum:
        raise errors.RemainderBelowMinimum(
            f"{plain(rest)} {offer.asset.code} would be left, less than the minimum of {plain(minimum)}; "
            "please redeem all of it.",
            rest=plain(rest),
            minimum=plain(minimum),
        )
    return command.amount


def take_newest_first(desk: Desk, standing: Sequence[Held], amount: Decimal) -> list[tuple[Held, Decimal]]:
    """Spread an amount over positions, last in, first out."""
    taken = []
    for held in reversed(standing):
        part = min(amount, desk.principals[held.position_id])
        if part > 0:
            taken.append((held, part))
            amount -= part
    return taken


def write_redemptions(tx: Tx, locked: LockedCells, desk: Desk, now: datetime) -> dict[int, Settled]:
    """Settle what is touched, change it, release quota, move the money; one statement each."""
    touched = {held.position_id: held for taking in desk.takings for held, _ in taking.taken}
    settled = settle(tx, [(position_id, now) for position_id in touched])
    changes = []
    for position_id, held in touched.items():
        rest = desk.principals[position_id]
        ended = ("redemption", now) if rest == 0 else (None, None)
        changes.append(Change(position_id, now, rest, held.tier_offset, *ended))
    change_positions(tx, changes, settled, now)
    released: dict[int, Decimal] = {}
    transfers: list[Transfer] = []
    for taking in desk.takings:
        for held, amount in taking.taken:
            released[held.product_id] = released.get(held.product_id, ZERO) - amount
        transfers += transfers_of(locked, taking)
    move_quotas(tx, released)
    write_notices(tx, locked, [notice_of(taking) for taking in desk.takings], now)
    post(tx, locked, transfers, now)
    return settled


def transfers_of(locked: LockedCells, taking: Taking) -> list[Transfer]:
    """The moves of money of one redemption: from Earn to the destination, a transfer for each position, one act."""
    destination = SOURCES[taking.command.destination]
    transfers: list[Transfer] = []
    for held, amount in taking.taken:
        move = ("redemption", AccountKind.EARN, destination, amount)
        transfers += transfers_of_position(locked, held, taking.offer.asset, [move], taking.command.key)
    return [msgspec.structs.replace(transfer, act_id=transfers[0].transfer_id) for transfer in transfers]


def notice_of(taking: Taking) -> Notice:
    """What the customer is told."""
    amount = sum((amount for _, amount in taking.taken), ZERO)
    body = {"product": taking.offer.code, "amount": plain(amount), "destination": taking.command.destination}
    return Notice(taking.command.customer_id, "redemption", body)


def describe(taking: Taking, settled: dict[int, Settled], counted: set[int]) -> Redeemed:
    """Say what was redeemed; rewards of a position that two commands touched are told with the first."""
    fresh = [held.position_id for held, _ in taking.taken if held.position_id not in counted]
    counted.update(fresh)
    return Redeemed(
        product=taking.offer.code,
        asset=taking.offer.asset.code,
        amount=sum((amount for _, amount in taking.taken), ZERO),
        destination=taking.command.destination,
        rewards_paid=sum((settled[position_id].paid for position_id in fresh), ZERO),
        left=taking.left,
        position_ids=[held.position_id for held, _ in taking.taken],
    )
