"""Early redemption of a fixed-term position: a binding quote, then its confirmation (product.md rules 24 and 25)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle import errors
from staddle.accrual.rules import paid_by
from staddle.days import distribution_at, full_days, last_run_on
from staddle.db import Tx, queries
from staddle.document import document
from staddle.ledger import (
    SOURCES,
    AccountKind,
    Asset,
    Command,
    LockedCells,
    Outcome,
    all_assets,
    answer_commands,
    asset_id_of,
    cell_of,
    lock_cells,
    post,
    save_cells,
)
from staddle.ledger.requests import check_key
from staddle.money import DAYS_IN_YEAR, EXACT, ZERO, floor_to_unit, plain
from staddle.notices import Notice, write_notices
from staddle.positions.facts import Held, Offer, distribution_time, holdings_of, offers_of
from staddle.positions.mature import shifts
from staddle.positions.open import move_quotas
from staddle.positions.redeem import mature_first
from staddle.positions.settle import Change, change_positions, settle, transfers_of_position

sql = queries(__package__)
QUOTE_HOLDS = timedelta(minutes=5)
ID_END = 1 << 63


class AskToLeave(Command, frozen=True, kw_only=True):
    """A customer asks what leaving a fixed-term position now would bring."""

    position_id: int


class ConfirmLeave(Command, frozen=True, kw_only=True):
    """A customer confirms a quote."""

    quote_id: int


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """One reward of the position, and how much of it is taken back."""

    run_on: str
    amount: Decimal
    taken_back: Decimal


class EarlyQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What leaving brings. `returned` comes now, out of `principal`; of the rewards earned so far (`rewards`, paid or
    accrued) the customer keeps `rewards_kept` and loses `rewards_forfeited`, plus `days_cancelled` days that were not
    paid yet (`rewards_cancelled`).
    """

    quote_id: int
    position_id: int
    asset: str
    principal: Decimal
    returned: Decimal
    destination: str
    days_held: int
    rewards: Decimal
    rewards_kept: Decimal
    rewards_forfeited: Decimal
    rewards_cancelled: Decimal
    payout: str
    payouts: list[Payout]
    sentence: str
    quoted_at: datetime
    expires_at: datetime


class LeftEarly(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer got: the quote, as it was carried out."""

    quote: EarlyQuote


@dataclass(frozen=True, slots=True)
class Standing:
    """A fixed position that may be left, its holding, its offer, and the instant through which its days count."""

    held: Held
    holding: list[Held]
    offer: Offer
    asset: Asset
    through: datetime


def ask_to_leave(tx: Tx, commands: Sequence[AskToLeave], now: datetime) -> list[Outcome[EarlyQuote]]:
    """Quote early redemptions; each quote is kept and holds for five minutes. Moves nothing.

    Refusals: PositionNotFound, PositionMatured, EarlyRedemptionNotAllowed, RedeemingHalted, NotAFixedPosition.
    """
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    now = locked.instant(now)

    def decide(fresh: Sequence[AskToLeave]) -> list[Outcome[EarlyQuote]]:
        mature_first(tx, locked, [command.customer_id for command in fresh], (), now)
        outcomes = [_attempt(tx, locked, command, now) for command in fresh]
        save_cells(tx, locked)
        return outcomes

    return answer_commands(tx, "ask_to_leave", commands, EarlyQuote, now, decide)


def _attempt(tx: Tx, locked: LockedCells, command: AskToLeave, now: datetime) -> Outcome[EarlyQuote]:
    try:
        check_key(command.key)
        standing = stand(tx, command.customer_id, command.position_id, now)
        return Outcome(keep_quote(tx, locked, standing, now))
    except errors.StaddleError as error:
        return Outcome(error=error)


def confirm_leave(tx: Tx, commands: Sequence[ConfirmLeave], now: datetime) -> list[Outcome[LeftEarly]]:
    """Carry out quotes: end the position, take back what is forfeited, give back the rest.

    Refusals: QuoteNotFound, QuoteExpired, QuoteChanged (with the new quote in `details`), PositionEnded and those of
    `ask_to_leave`.
    """
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    now = locked.instant(now)

    def decide(fresh: Sequence[ConfirmLeave]) -> list[Outcome[LeftEarly]]:
        customers = [command.customer_id for command in fresh]
        mature_first(tx, locked, customers, _products_of_quotes(tx, fresh), now)
        return [_confirm(tx, locked, command, now) for command in fresh]

    return answer_commands(tx, "confirm_leave", commands, LeftEarly, now, decide)


def _products_of_quotes(tx: Tx, commands: Sequence[ConfirmLeave]) -> set[int]:
    quote_ids = [command.quote_id for command in commands if 0 < command.quote_id < ID_END]
    cells = [cell_of(quote_id) for quote_id in quote_ids]
    rows = tx.execute(sql.products_of_quotes, {"cells": cells, "quote_ids": quote_ids}).fetchall()
    return {row.product_id for row in rows}


def _confirm(tx: Tx, locked: LockedCells, command: ConfirmLeave, now: datetime) -> Outcome[LeftEarly]:
    try:
        check_key(command.key)
        stored = find_quote(tx, command)
        if now > stored.expires_at:
            raise errors.QuoteExpired
        standing = stand(tx, command.customer_id, stored.position_id, now)
        quote = figure(tx, standing, now, command.quote_id)
        if fingerprint_of(quote) != stored.fingerprint:
            fresh = keep_quote(tx, locked, standing, now)
            save_cells(tx, locked)
            # Written out here, so that a repeat of the confirmation is refused in the very same words.
            raise errors.QuoteChanged(quote=document(fresh, {standing.asset.code: standing.asset.scale}))
        carry_out(tx, locked, standing, quote, command.key, now)
        return Outcome(LeftEarly(quote=quote))
    except errors.StaddleError as error:
        return Outcome(error=error)


def find_quote(tx: Tx, command: ConfirmLeave) -> Any:
    """Read a stored quote of this customer."""
    if not 0 < command.quote_id < ID_END:
        raise errors.QuoteNotFound
    row = tx.execute(
        sql.quote,
        {"cell": cell_of(command.quote_id), "quote_id": command.quote_id, "customer_id": command.customer_id},
    ).fetchone()
    if row is None:
        raise errors.QuoteNotFound
    return row


def stand(tx: Tx, customer_id: int, position_id: int, now: datetime) -> Standing:
    """Find a fixed position that may be left now, or refuse."""
    if not 0 < position_id < ID_END:
        raise errors.PositionNotFound
    row = tx.execute(
        sql.position_standing,
        {"cell": cell_of(position_id), "position_id": position_id, "customer_id": customer_id},
    ).fetchone()
    if row is None:
        raise errors.PositionNotFound
    if row.term_days is None:
        raise errors.NotAFixedPosition(
            "A flexible position is redeemed by product and amount, without a quote."
        )
    if row.ended_at is not None:
        raise errors.PositionMatured if row.ended_by != "early_redemption" else errors.PositionEnded
    holding = holdings_of(tx, [(customer_id, row.product_id)])[customer_id, row.product_id]
    held = next(held for held in holding if held.position_id == position_id)
    offer = offers_of(tx, [row.product_id])[row.product_id]
    if held.early_redemption == "not_allowed":
        raise errors.EarlyRedemptionNotAllowed(matures_at=held.matures_at)
    if offer.redeem_halt is not None:
        raise errors.RedeemingHalted(f"Redeeming is paused: {offer.redeem_halt}", reason=offer.redeem_halt)
    # The younger ones move in the tiers when this one leaves, which settles them too.
    if any(other.parked_days is not None for other in holding if other.tier_offset >= held.tier_offset):
        raise errors.PositionParked
    return Standing(
        held, holding, offer, all_assets(tx)[asset_id_of(held.reward_account)], counted_through(tx, held, now)
    )


def counted_through(tx: Tx, held: Held, now: datetime) -> datetime:
    """Give the instant through which days count as paid.

    Days that a punctual run would have paid count as paid even if the run is late, so that what the customer ends
    with does not depend on it (rule 5); days completed since then are cancelled. `reduced_apr` counts them all.
    """
    if held.early_redemption == "reduced_apr":
        return now
    at = distribution_time(tx)
    return distribution_at(last_run_on(now, at), at)


def figure(tx: Tx, standing: Standing, now: datetime, quote_id: int) -> EarlyQuote:
    """Work out what leaving brings; nothing is written."""
    held, asset = standing.held, standing.asset
    rows = tx.execute(
        sql.rewards_of_position,
        {
            "cell": held.cell,
            "position_id": held.position_id,
            "through": standing.through,
            "now": now,
            "distribution_time": distribution_time(tx),
        },
    ).fetchall()
    counted = [row for row in rows if row.is_counted and row.amount > 0]
    rewards = sum((row.amount for row in counted), ZERO)
    cancelled = sum((row.amount for row in rows if not row.is_counted), ZERO)
    days_held = full_days(held.started_at, now)
    kept = rewards_kept(held, rewards, days_held, asset.scale)
    lost = rewards - kept
    forfeited = lost if held.payout == "at_maturity" else min(lost, held.principal)
    returned = held.principal if held.payout == "at_maturity" else held.principal - forfeited
    return EarlyQuote(
        quote_id=quote_id,
        position_id=held.position_id,
        asset=asset.code,
        principal=held.principal,
        returned=returned,
        destination=held.redeem_to,
        days_held=days_held,
        rewards=rewards,
        rewards_kept=rewards - forfeited,
        rewards_forfeited=forfeited,
        rewards_cancelled=cancelled,
        payout=held.payout,
        payouts=taken_back(counted, forfeited),
        sentence=sentence_of(standing, returned, rewards, forfeited),
        quoted_at=now,
        expires_at=now + QUOTE_HOLDS,
    )


def rewards_kept(held: Held, rewards: Decimal, days_held: int, scale: int) -> Decimal:
    """Give what the customer keeps of the rewards under the position's own terms (rules 24 and 25)."""
    if held.early_redemption == "keep_fraction":
        assert held.kept_fraction is not None
        return floor_to_unit(EXACT.multiply(held.kept_fraction, rewards), 1, scale)
    if held.early_redemption == "reduced_apr":
        assert held.reduced_apr is not None
        assert held.reduced_apr_days_min is not None
        if days_held < held.reduced_apr_days_min:
            return ZERO
        basis = EXACT.multiply(EXACT.multiply(held.principal, held.reduced_apr), Decimal(days_held))
        return min(rewards, floor_to_unit(basis, DAYS_IN_YEAR, scale))
    return ZERO


def taken_back(counted: Sequence[Any], forfeited: Decimal) -> list[Payout]:
    """Say how much of each payout is taken back, the newest first, until the forfeiture is reached."""
    payouts, left = [], forfeited
    for row in reversed(counted):
        part = min(left, row.amount)
        left -= part
        payouts.append(Payout(run_on=row.run_on.isoformat(), amount=row.amount, taken_back=part))
    return payouts[::-1]


def sentence_of(standing: Standing, returned: Decimal, rewards: Decimal, forfeited: Decimal) -> str:
    """Say it in one sentence (ux.md)."""
    code, principal = standing.asset.code, standing.held.principal
    now = f"You get {plain(returned)} {code} now."
    kept = rewards - forfeited
    if standing.held.payout == "at_maturity":
        return f"{now} Of the {plain(rewards)} {code} accrued you get {plain(kept)} {code}; the rest is forfeited."
    if kept == 0 and rewards > 0:
        return (
            f"{now} With the {plain(rewards)} {code} already paid you will have had your {plain(principal)} {code} "
            "back, and no rewards."
        )
    if kept > 0:
        return f"{now} Of the {plain(rewards)} {code} already paid you keep {plain(kept)} {code}."
    return f"{now} No rewards have been paid, and none will be."


def fingerprint_of(quote: EarlyQuote) -> bytes:
    """Hash the figures that the customer agreed to."""
    figures = msgspec.to_builtins(quote)
    for name in ("quote_id", "days_held", "quoted_at", "expires_at", "sentence"):
        del figures[name]
    return hashlib.sha256(msgspec.json.encode(figures)).digest()


def keep_quote(tx: Tx, locked: LockedCells, standing: Standing, now: datetime) -> EarlyQuote:
    """Store a quote under an id of its own."""
    quote = figure(tx, standing, now, locked.next_quote(standing.held.cell))
    tx.execute(
        sql.keep_quote,
        {
            "cell": standing.held.cell,
            "quote_id": quote.quote_id,
            "customer_id": standing.held.customer_id,
            "position_id": quote.position_id,
            "figures": msgspec.json.encode(quote).decode(),
            "fingerprint": fingerprint_of(quote),
            "quoted_at": now,
            "expires_at": quote.expires_at,
        },
    )
    return quote


def carry_out(
    tx: Tx, locked: LockedCells, standing: Standing, quote: EarlyQuote, key: str, now: datetime
) -> None:
    """Write an early redemption: settle, end, forfeit with links to each reward, give back the rest."""
    held = standing.held
    younger_and_older = [other for other in standing.holding if other.position_id != held.position_id]
    changes = [Change(held.position_id, standing.through, ZERO, held.tier_offset, "early_redemption", now)]
    changes += shifts(younger_and_older, now)
    settled = settle(tx, [(change.position_id, change.through) for change in changes])
    if paid_by(settled[held.position_id].basis, standing.asset.scale) != quote.rewards:
        raise errors.InvariantBroken(f"position {held.position_id} was paid otherwise than quoted")
    change_positions(tx, changes, settled, now)
    move_quotas(tx, {held.product_id: -held.principal})
    transfers = transfers_of_position(locked, held, standing.asset, moves_of(held, quote), key)
    body = {
        "position_id": held.position_id,
        "asset": quote.asset,
        "destination": quote.destination,
        "returned": plain(quote.returned),
        "forfeited": plain(quote.rewards_forfeited),
    }
    write_notices(tx, locked, [Notice(held.customer_id, "early_redemption", body)], now)
    post(tx, locked, transfers, now)
    reversed_payouts = [payout for payout in quote.payouts if payout.taken_back > 0]
    if reversed_payouts:
        forfeiture = next(transfer for transfer in transfers if transfer.kind == "forfeiture")
        tx.execute(
            sql.link_forfeiture,
            {
                "cell": held.cell,
                "position_id": held.position_id,
                "transfer_id": forfeiture.transfer_id,
                "run_on": [payout.run_on for payout in reversed_payouts],
                "amounts": [payout.taken_back for payout in reversed_payouts],
            },
        )


def moves_of(held: Held, quote: EarlyQuote) -> list[tuple[str, AccountKind, AccountKind, Decimal]]:
    """The moves of money: forfeited rewards out of the principal, or out of the accrued account; then the rest."""
    lost_from = AccountKind.ACCRUED if held.payout == "at_maturity" else AccountKind.EARN
    moves = [
        ("forfeiture", lost_from, AccountKind.FORFEITED_REWARDS, quote.rewards_forfeited),
        ("redemption", AccountKind.EARN, SOURCES[held.redeem_to], quote.returned),
    ]
    if held.payout == "at_maturity":
        moves.append(("accrued_payout", AccountKind.ACCRUED, AccountKind.FUNDING, quote.rewards_kept))
    return moves
