"""Maturity: a fixed-term position ends by itself, is paid in full, and goes where it was to go (product.md rule 23)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from staddle.accrual.rules import headline_apr, paid_by
from staddle.db import Tx, queries
from staddle.errors import StaddleError
from staddle.ledger import (
    SOURCES,
    AccountKind,
    Asset,
    LockedCells,
    Transfer,
    all_assets,
    asset_id_of,
    post,
)
from staddle.money import ZERO, is_multiple, plain
from staddle.notices import Notice, write_notices
from staddle.positions.check import check_open
from staddle.positions.facts import Held, Offer, as_held, guards_of, holdings_of, offers_of, stacked
from staddle.positions.open import NewPosition, move_quotas, open_positions
from staddle.positions.settle import Change, Settled, change_positions, settle, transfers_of_position
from staddle.positions.subscribe import reward_account

sql = queries(__package__)


@dataclass(slots=True)
class Ending:
    """The maturities of one round, and everything that they write."""

    offers: dict[int, Offer]
    assets: dict[int, Asset]
    holdings: dict[tuple[int, int], list[Held]]
    guards: dict[tuple[int, int], Decimal]
    changes: list[Change] = field(default_factory=list)
    opened: list[NewPosition] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    quotas: dict[int, Decimal] = field(default_factory=dict)


def products_maturing(
    tx: Tx, cells: Iterable[int], customer_ids: Iterable[int] | None, now: datetime
) -> set[int]:
    """Name the products whose quotas the due maturities of these cells (or customers only) will touch."""
    rows = tx.execute(sql.products_maturing, _due(cells, customer_ids, now)).fetchall()
    return {
        product_id for row in rows for product_id in (row.product_id, row.flexible_product_id) if product_id
    }


def mature(
    tx: Tx, locked: LockedCells, cells: Iterable[int], customer_ids: Iterable[int] | None, now: datetime
) -> int:
    """End every position of these cells (or customers only) that has reached maturity by `now`; gives their number.

    Each ends as of its own maturity instant, whenever that is noticed, so a late run changes nothing. The cells and
    the quotas that `products_maturing` names must be locked. It works in rounds: one position of a customer at a
    time, because each that ends moves the tiers of the others.
    """
    wanted = _due(cells, customer_ids, now)
    count = 0
    while rows := tx.execute(sql.due_maturities, wanted).fetchall():
        maturing = [as_held(row) for row in rows]
        end_round(tx, locked, maturing, now)
        count += len(maturing)
    return count


def _due(cells: Iterable[int], customer_ids: Iterable[int] | None, now: datetime) -> dict[str, object]:
    return {
        "cells": sorted(set(cells)),
        "customer_ids": None if customer_ids is None else sorted(set(customer_ids)),
        "now": now,
    }


def end_round(tx: Tx, locked: LockedCells, maturing: Sequence[Held], now: datetime) -> None:
    """End one position of each customer: settle, then redeem, renew or move to flexible."""
    product_ids = {held.product_id for held in maturing}
    offers = offers_of(tx, product_ids)
    targets = {
        offer.flexible_product_id for offer in offers.values() if offer.flexible_product_id
    } - product_ids
    offers |= offers_of(tx, targets)
    holdings = {(held.customer_id, product_id) for held in maturing for product_id in offers}
    ending = Ending(offers, all_assets(tx), holdings_of(tx, holdings), guards_of(tx, holdings))
    instants = {held.position_id: matured_at(held, locked) for held in maturing}
    due = [(held.position_id, instants[held.position_id]) for held in maturing]
    settled = settle(tx, due)
    for held in maturing:
        end_one(ending, locked, held, settled[held.position_id], instants[held.position_id])
    ended = set(instants)
    settled |= settle(tx, [(c.position_id, c.through) for c in ending.changes if c.position_id not in ended])
    change_positions(tx, ending.changes, settled, now)
    open_positions(tx, ending.opened)
    move_quotas(tx, ending.quotas)
    write_notices(tx, locked, ending.notices, now)
    post(tx, locked, ending.transfers, now, opening=(position.reward_account for position in ending.opened))


def matured_at(held: Held, locked: LockedCells) -> datetime:
    """Give the instant as of which the position ends: its maturity, or the last run if that went past it (parked)."""
    assert held.matures_at is not None
    return max(held.matures_at, locked.watermark_at(held.cell))


def end_one(ending: Ending, locked: LockedCells, held: Held, settled: Settled, at: datetime) -> None:
    """Decide where one matured position goes, and note everything that follows from it."""
    leave_holding(ending, held, at)
    add_quota(ending, held.product_id, -held.principal)
    how, target = where_to(ending, held, at)
    asset = ending.assets[asset_id_of(held.reward_account)]
    ending.changes.append(Change(held.position_id, at, ZERO, held.tier_offset, how, at))
    ending.transfers += payouts(locked, held, settled, asset, how)
    renewed_as = None
    if target is not None:
        renewed_as = locked.next_position(held.cell)
        join_holding(ending, held, target, renewed_as, at)
        add_quota(ending, target.product_id, held.principal)
    body = {
        "position_id": held.position_id,
        "product": ending.offers[held.product_id].code,
        "asset": asset.code,
        "how": how,
        "principal": plain(held.principal),
        "rewards": plain(paid_by(settled.basis, asset.scale)),
        "renewed_as": renewed_as,
    }
    ending.notices.append(Notice(held.customer_id, "maturity", body))


def where_to(ending: Ending, held: Held, at: datetime) -> tuple[str, Offer | None]:
    """Say how the position ends and which offer takes its principal; redeemed where the target cannot take it."""
    if held.at_maturity == "renew":
        target = ending.offers[held.product_id]
    elif held.at_maturity == "to_flexible":
        target_id = ending.offers[held.product_id].flexible_product_id
        if target_id is None:
            return "maturity", None
        target = ending.offers[target_id]
    else:
        return "maturity", None
    if not can_take(ending, held, target, at):
        return "maturity", None
    return ("renewal" if held.at_maturity == "renew" else "to_flexible"), target


def can_take(ending: Ending, held: Held, target: Offer, at: datetime) -> bool:
    """Hold the principal against the target's terms of that day: state, rate, amounts, cap, quota, rate guard."""
    try:
        check_open(target, at)
    except StaddleError:
        return False
    rate = target.rate_at(at)
    guard = ending.guards.get((held.customer_id, target.product_id))
    if rate is None or (guard is not None and headline_apr(rate.tiers) < guard):
        return False
    amount, quota_left = held.principal, target.quota_left()
    holding = sum(
        (other.principal for other in ending.holdings.get((held.customer_id, target.product_id), [])), ZERO
    )
    return (
        amount >= target.amount_min
        and (target.amount_max is None or amount <= target.amount_max)
        and is_multiple(amount, target.step)
        and (target.personal_cap is None or holding + amount <= target.personal_cap)
        and (quota_left is None or amount <= quota_left)
    )


def leave_holding(ending: Ending, held: Held, at: datetime) -> None:
    """Take a position out of its holding; the younger ones sink in the tiers from `at` on."""
    holding = ending.holdings[held.customer_id, held.product_id]
    holding[:] = [other for other in holding if other.position_id != held.position_id]
    ending.changes += shifts(holding, at)


def join_holding(ending: Ending, held: Held, target: Offer, position_id: int, at: datetime) -> None:
    """Open the position that takes over the principal, as of the maturity instant, in its place among the others."""
    holding = ending.holdings.setdefault((held.customer_id, target.product_id), [])
    older = [other for other in holding if (other.started_at, other.position_id) < (at, position_id)]
    offset = sum((other.principal for other in older), ZERO)
    rate = target.rate_at(at)
    assert rate is not None
    ending.opened.append(
        NewPosition(
            position_id=position_id,
            customer_id=held.customer_id,
            product_id=target.product_id,
            version=target.version,
            request_key=f"maturity:{held.position_id}",
            started_at=at,
            term_days=target.term_days,
            principal=held.principal,
            tier_offset=offset,
            locked_revision=rate.revision if target.rate_policy == "locked" else 0,
            reward_account=reward_account(held.customer_id, target),
            agreement_version=held.agreement_version,
            at_maturity=held.at_maturity if target.product_id == held.product_id else target.at_maturity,
            redeem_to=held.redeem_to,
            renewed_from=held.position_id,
        )
    )
    younger = [other for other in holding if (other.started_at, other.position_id) > (at, position_id)]
    moved = {other.position_id for other in younger}
    ending.changes[:] = [change for change in ending.changes if change.position_id not in moved]
    ending.changes += shifts(younger, at, offset + held.principal)


def shifts(holding: Sequence[Held], at: datetime, below: Decimal = ZERO) -> list[Change]:
    """The changes that give each position of a holding, oldest first, its place in the tiers as of `at`."""
    return [
        Change(other.position_id, at, other.principal, offset)
        for other, offset in zip(holding, stacked(holding, below), strict=True)
        if offset != other.tier_offset
    ]


def add_quota(ending: Ending, product_id: int, amount: Decimal) -> None:
    """Note quota that is taken or, negative, released; the next decision of the round sees it."""
    ending.quotas[product_id] = ending.quotas.get(product_id, ZERO) + amount
    ending.offers[product_id].quota_used += amount


def payouts(locked: LockedCells, held: Held, settled: Settled, asset: Asset, how: str) -> list[Transfer]:
    """The moves of money of a maturity: the principal unless it stays in Earn, and accrued rewards (rule 18)."""
    moves = []
    if how == "maturity":
        moves.append(("redemption", AccountKind.EARN, SOURCES[held.redeem_to], held.principal))
    earned = paid_by(settled.basis, asset.scale)
    if held.payout == "at_maturity" and earned > 0:
        moves.append(("accrued_payout", AccountKind.ACCRUED, AccountKind.FUNDING, earned))
    return transfers_of_position(locked, held, asset, moves, f"maturity:{held.position_id}")
