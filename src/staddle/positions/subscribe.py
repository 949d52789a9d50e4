"""Subscribe: stake an amount in a product; and preview the same without writing (product.md rules 12 to 14).

Everything is decided in memory over facts read in a few statements under the cells' and the quota's locks, one
command after the other, so first come is first served and a refused command never fails its neighbours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle import errors
from staddle.accrual.rules import Rate, blended_apr, day_basis, paid_by
from staddle.days import DAY, distribution_at, run_on_of
from staddle.db import Tx, queries
from staddle.ledger import (
    SOURCES,
    AccountKind,
    Command,
    LockedCells,
    Outcome,
    Transfer,
    account_of,
    answer_commands,
    cell_of,
    lock_cells,
    post,
)
from staddle.ledger.requests import check_key
from staddle.money import ZERO, check_positive, plain
from staddle.notices import Notice, write_notices
from staddle.positions.check import (
    check_agreement,
    check_amount,
    check_audience,
    check_choice,
    check_open,
    check_rate,
)
from staddle.positions.facts import (
    Offer,
    agreement_in_force,
    distribution_time,
    lock_quotas,
    offers_of,
    product_ids_of,
)
from staddle.positions.open import NewPosition, move_quotas, open_positions

sql = queries(__package__)


class Subscribe(Command, frozen=True, kw_only=True):
    """What a customer asks for. `revision_seen` is the rate revision that was shown: if another is in force, the
    command is refused with RateChanged. `at_maturity` overrides the terms' choice for a fixed product.
    """

    product: str
    amount: Decimal
    source: str = "spot"
    agreement_version: int | None = None
    at_maturity: str | None = None
    redeem_to: str = "funding"
    revision_seen: int | None = None
    accepted_from: str = "unknown"

    def content(self) -> Command:
        """A customer may send the same request again from another place."""
        return msgspec.structs.replace(self, accepted_from="")


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer gets; a preview has position_id 0. Amounts in the product's asset, instants in UTC."""

    position_id: int
    product: str
    asset: str
    amount: Decimal
    source: str
    started_at: datetime
    first_day_ends_at: datetime
    next_payout_at: datetime
    matures_at: datetime | None
    revision: int
    blended_apr: Decimal
    daily_estimate: Decimal
    early_redemption: str
    quota_left: Decimal | None
    personal_quota_left: Decimal | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that was accepted, with the offer it took and the holding that stood below it."""

    command: Subscribe
    offer: Offer
    below: Decimal
    answer: Subscribed


@dataclass(slots=True)
class Desk:
    """The facts of one list of commands, moved along as each is decided."""

    offers: dict[int, Offer]
    product_ids: dict[str, int]
    agreement_version: int | None
    payout_at: datetime
    now: datetime
    balances: dict[int, Decimal]
    holdings: dict[tuple[int, int], Decimal]
    customers: dict[int, Any]
    accepted: list[Accepted]


def subscribe(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> list[Outcome[Subscribed]]:
    """Stake each command's amount: transfer, position, consent, quota and answer in this one transaction.

    Gives an outcome for each command, in order. Refusals: see the `check_` functions.
    """
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    now = locked.instant(now)
    return answer_commands(
        tx, "subscribe", commands, Subscribed, now, lambda fresh: _subscribe(tx, locked, fresh, now)
    )


def preview(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> list[Outcome[Subscribed]]:
    """Say what `subscribe` would answer, by the same path, and write nothing (rule 12)."""
    desk = read_desk(tx, commands, now)
    return [attempt(desk, command, lambda _: 0) for command in commands]


def _subscribe(
    tx: Tx, locked: LockedCells, commands: Sequence[Subscribe], now: datetime
) -> list[Outcome[Subscribed]]:
    product_ids = product_ids_of(tx, (command.product for command in commands))
    lock_quotas(tx, product_ids.values())
    desk = read_desk(tx, commands, now)
    outcomes = [attempt(desk, command, locked.next_position) for command in commands]
    write_subscriptions(tx, locked, desk, now)
    return outcomes


def read_desk(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> Desk:
    """Read everything that decides about these commands."""
    product_ids = product_ids_of(tx, (command.product for command in commands))
    offers = offers_of(tx, product_ids.values())
    desk = Desk(
        offers, product_ids, agreement_in_force(tx, now), next_payout_at(tx, now), now, {}, {}, {}, []
    )
    known = [command for command in commands if command.product in product_ids and command.source in SOURCES]
    sources = [source_account(desk, command) for command in known]
    rows = tx.execute(
        sql.subscribers,
        {
            "cells": [cell_of(command.customer_id) for command in known],
            "customer_ids": [command.customer_id for command in known],
            "product_ids": [product_ids[command.product] for command in known],
            "source_accounts": sources,
        },
    ).fetchall()
    for command, source, row in zip(known, sources, rows, strict=True):
        if row.customer_id is not None:
            desk.customers[command.customer_id] = row
        desk.balances[source] = row.source_balance
        desk.holdings[command.customer_id, product_ids[command.product]] = row.holding
    return desk


def next_payout_at(tx: Tx, now: datetime) -> datetime:
    """Give the distribution instant that pays the first full day of a position started now."""
    at = distribution_time(tx)
    return distribution_at(run_on_of(now + DAY, at), at)


def source_account(desk: Desk, command: Subscribe) -> int:
    """Give the id of the account that pays."""
    return account_of(
        command.customer_id, desk.offers[desk.product_ids[command.product]].asset, SOURCES[command.source]
    )


def attempt(desk: Desk, command: Subscribe, next_position: Callable[[int], int]) -> Outcome[Subscribed]:
    """Decide one command; if it is accepted, move the facts along for those behind it."""
    try:
        check_request(command)
        if command.product not in desk.product_ids:
            raise errors.ProductNotFound(f"There is no product {command.product[:40]!r}.")
        offer = desk.offers[desk.product_ids[command.product]]
        if command.customer_id not in desk.customers:
            raise errors.CustomerNotFound
        check_open(offer, desk.now)
        check_audience(offer, desk.customers[command.customer_id], desk.now)
        check_agreement(command.agreement_version, desk.agreement_version)
        rate = check_rate(offer, command.revision_seen, desk.now)
        check_choice(offer, command.at_maturity)
        check_amount(
            offer,
            command.amount,
            desk.holdings[command.customer_id, offer.product_id],
            desk.balances[source_account(desk, command)],
        )
    except errors.StaddleError as error:
        return Outcome(error=error)
    holding = (command.customer_id, offer.product_id)
    below = desk.holdings[holding]
    desk.holdings[holding] += command.amount
    desk.balances[source_account(desk, command)] -= command.amount
    offer.quota_used += command.amount
    position_id = next_position(cell_of(command.customer_id))
    answer = describe(desk, offer, rate, command, below, position_id)
    desk.accepted.append(Accepted(command, offer, below, answer))
    return Outcome(answer)


def describe(
    desk: Desk, offer: Offer, rate: Rate, command: Subscribe, below: Decimal, position_id: int
) -> Subscribed:
    """Say what the subscription means: clock, next payout, estimate, what is left."""
    after = below + command.amount
    return Subscribed(
        position_id=position_id,
        product=offer.code,
        asset=offer.asset.code,
        amount=command.amount,
        source=command.source,
        started_at=desk.now,
        first_day_ends_at=desk.now + DAY,
        next_payout_at=desk.payout_at,
        matures_at=None if offer.term_days is None else desk.now + timedelta(days=offer.term_days),
        revision=rate.revision,
        blended_apr=blended_apr(command.amount, below, rate.tiers),
        daily_estimate=paid_by(day_basis(command.amount, below, rate.tiers), offer.asset.scale),
        early_redemption="any_time" if offer.term_days is None else offer.early_redemption,
        quota_left=offer.quota_left(),
        personal_quota_left=None if offer.personal_cap is None else max(ZERO, offer.personal_cap - after),
    )


def check_request(command: Subscribe) -> None:
    """Refuse what is not even a request."""
    check_key(command.key)
    if command.source not in SOURCES:
        raise errors.InvalidChoice("The source account is spot or funding.")
    if command.redeem_to not in SOURCES:
        raise errors.InvalidChoice("Redemption goes to spot or funding.")
    if not command.accepted_from.isprintable() or len(command.accepted_from) > 200:
        raise errors.InvalidName(
            "Where the agreement was accepted from has at most 200 printable characters."
        )
    check_positive(command.amount)


def write_subscriptions(tx: Tx, locked: LockedCells, desk: Desk, now: datetime) -> None:
    """Write what was decided: positions, consents, quotas, notices, transfers; one statement each."""
    accepted = desk.accepted
    if not accepted:
        return
    positions = [new_position(each) for each in accepted]
    open_positions(tx, positions)
    record_consents(tx, [each.command for each in accepted], now)
    taken: dict[int, Decimal] = {}
    for position in positions:
        taken[position.product_id] = taken.get(position.product_id, ZERO) + position.principal
    move_quotas(tx, taken)
    write_notices(tx, locked, [notice_of(each) for each in accepted], now)
    transfers = [subscription_transfer(locked, each) for each in accepted]
    post(tx, locked, transfers, now, opening=(position.reward_account for position in positions))


def record_consents(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> None:
    """Keep who accepted which version of the agreement, when, from where."""
    tx.execute(
        sql.record_consents,
        {
            "cells": [cell_of(command.customer_id) for command in commands],
            "customer_ids": [command.customer_id for command in commands],
            "versions": [command.agreement_version for command in commands],
            "accepted_from": [command.accepted_from for command in commands],
            "now": now,
        },
    )


def notice_of(accepted: Accepted) -> Notice:
    """What the customer is told."""
    answer = accepted.answer
    body = {"position_id": answer.position_id, "product": answer.product, "amount": plain(answer.amount)}
    return Notice(accepted.command.customer_id, "subscription", body)


def subscription_transfer(locked: LockedCells, accepted: Accepted) -> Transfer:
    """The move of money of a subscription: from the source account into Earn."""
    command, asset = accepted.command, accepted.offer.asset
    transfer_id = locked.next_transfer(cell_of(command.customer_id))
    return Transfer(
        transfer_id=transfer_id,
        act_id=transfer_id,
        kind="subscription",
        customer_id=command.customer_id,
        debit_account=account_of(command.customer_id, asset, SOURCES[command.source]),
        credit_account=account_of(command.customer_id, asset, AccountKind.EARN),
        amount=command.amount,
        request_key=command.key,
        position_id=accepted.answer.position_id,
    )


def new_position(accepted: Accepted) -> NewPosition:
    """The position of an accepted subscription, under the terms in force now (rules 8 and 10)."""
    command, offer, answer = accepted.command, accepted.offer, accepted.answer
    assert command.agreement_version is not None
    return NewPosition(
        position_id=answer.position_id,
        customer_id=command.customer_id,
        product_id=offer.product_id,
        version=offer.version,
        request_key=command.key,
        started_at=answer.started_at,
        term_days=offer.term_days,
        principal=command.amount,
        tier_offset=accepted.below,
        locked_revision=answer.revision if offer.rate_policy == "locked" else 0,
        reward_account=reward_account(command.customer_id, offer),
        agreement_version=command.agreement_version,
        at_maturity=command.at_maturity or offer.at_maturity,
        redeem_to=command.redeem_to,
    )


def reward_account(customer_id: int, offer: Offer) -> int:
    """Rewards go to Funding, or to the accrued account where they are paid at maturity (rules 17 and 18)."""
    kind = AccountKind.FUNDING if offer.payout == "daily" else AccountKind.ACCRUED
    return account_of(customer_id, offer.asset, kind)
