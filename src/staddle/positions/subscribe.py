"""Subscribe: stake an amount in a product; and preview the same without writing (product.md rules 12 to 14).

Lists of customers in different cells go on at the same time: all that is about one customer is under the lock of the
cell, and the quota, which all share, is taken by the last statement. Where that finds less than was seen, all is
undone and decided again with the quota held.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import psycopg

from staddle import errors
from staddle.db import Tx, queries
from staddle.ledger import (
    AccountKind,
    LockedCells,
    Outcome,
    Transfer,
    account_of,
    answer_commands,
    ask_stored,
    cell_of,
    lock_cells,
    post,
)
from staddle.ledger.requests import fault_of
from staddle.money import ZERO, plain
from staddle.notices import Notice, write_notices
from staddle.positions.decide import (
    Accepted,
    Desk,
    Subscribe,
    Subscribed,
    decide,
    describe,
    is_scarce,
    read_desk,
)
from staddle.positions.facts import Offer
from staddle.positions.open import NewPosition, Taken, open_positions, take_quotas

sql = queries(__package__)


def subscribe(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> list[Outcome[Subscribed]]:
    """Stake each command's amount: transfer, position, consent, quota and answer in this one transaction.

    Gives an outcome for each command, in order. Refusals: see the `check_` functions.
    """
    outcomes = _subscribe(tx, commands, now, is_holding=False)
    if outcomes is None:
        outcomes = _subscribe(tx, commands, now, is_holding=True)
    if outcomes is None:
        raise errors.InvariantBroken("a quota that was held was not as it was seen")
    return outcomes


def preview(tx: Tx, commands: Sequence[Subscribe], now: datetime) -> list[Outcome[Subscribed]]:
    """Say what `subscribe` would answer, by the same path, and write nothing (rule 12)."""
    desk = read_desk(tx, commands, now)
    faults = [fault_of(command) for command in commands]
    sound = [command for command, fault in zip(commands, faults, strict=True) if fault is None]
    decided = iter(decide(desk, sound))
    found = [next(decided) if fault is None else fault for fault in faults]
    return [
        Outcome(describe(desk, each, 0)) if isinstance(each, Accepted) else Outcome(error=each)
        for each in found
    ]


def _subscribe(
    tx: Tx, commands: Sequence[Subscribe], now: datetime, *, is_holding: bool
) -> list[Outcome[Subscribed]] | None:
    """Subscribe; or undo it and give None, when others have taken meanwhile what these commands were to have.

    The quotas are held from before anything is read if asked for, or if less is left than what is asked for in all:
    so nobody is refused for want of quota that was only being looked at.
    """
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    now = locked.instant(now)
    taken: dict[int, Decimal] = {}
    # The statements go out one after the other without waiting for each other's answers.
    with tx.pipeline():
        fetch_stored = ask_stored(tx, commands)
        desk = read_desk(tx, commands, now, is_holding=is_holding)
        if not is_holding and is_scarce(desk, commands):
            desk = read_desk(tx, commands, now, is_holding=True)

        def decide_and_write(fresh: Sequence[Subscribe]) -> list[Outcome[Subscribed]]:
            return write_subscriptions(tx, locked, desk, decide(desk, fresh), taken)

        with tx.transaction() as savepoint:
            outcomes = answer_commands(
                tx, "subscribe", commands, Subscribed, now, decide_and_write, fetch_stored
            )
            offers = [offer for offer in desk.offers.values() if offer.product_id in taken]
            if not take_quotas(tx, [Taken(o.product_id, o.version, taken[o.product_id]) for o in offers]):
                raise psycopg.Rollback(savepoint)
            return outcomes
    return None


def write_subscriptions(
    tx: Tx,
    locked: LockedCells,
    desk: Desk,
    decided: Sequence[Accepted | errors.StaddleError],
    taken: dict[int, Decimal],
) -> list[Outcome[Subscribed]]:
    """Write what was decided: positions, consents, notices, transfers; one statement each. Adds up in `taken` which
    quota is to be taken in the end.
    """
    outcomes: list[Outcome[Subscribed]] = []
    accepted: list[Accepted] = []
    positions: list[NewPosition] = []
    for each in decided:
        if isinstance(each, Accepted):
            position_id = locked.next_position(cell_of(each.command.customer_id))
            accepted.append(each)
            positions.append(new_position(each, position_id, desk.now))
            product_id = each.offer.product_id
            taken[product_id] = taken.get(product_id, ZERO) + each.command.amount
            outcomes.append(Outcome(describe(desk, each, position_id)))
        else:
            outcomes.append(Outcome(error=each))
    if not accepted:
        return outcomes
    open_positions(tx, positions)
    record_consents(tx, accepted, desk.now)
    both = list(zip(accepted, positions, strict=True))
    write_notices(tx, locked, [notice_of(each, position) for each, position in both], desk.now)
    transfers = [each for one, position in both for each in subscription_transfers(locked, one, position)]
    first = (position.reward_account for each, position in both if each.is_first)
    post(tx, locked, transfers, desk.now, opening=first)
    return outcomes


def record_consents(tx: Tx, accepted: Sequence[Accepted], now: datetime) -> None:
    """Keep who accepted which version of the agreement, when, from where; what they hold may say it already."""
    commands = [each.command for each in accepted if not each.has_consented]
    if commands:
        tx.execute(
            sql.record_consents,
            {
                "customer_ids": [command.customer_id for command in commands],
                "versions": [command.agreement_version for command in commands],
                "accepted_from": [command.accepted_from for command in commands],
                "now": now,
            },
        )


def notice_of(accepted: Accepted, position: NewPosition) -> Notice:
    """What the customer is told."""
    body = {
        "position_id": position.position_id,
        "product": accepted.offer.code,
        "amount": plain(position.principal),
    }
    return Notice(position.customer_id, "subscription", body)


def subscription_transfers(locked: LockedCells, accepted: Accepted, position: NewPosition) -> list[Transfer]:
    """The moves of money of a subscription, one act: from each account that pays for it into Earn."""
    cell = cell_of(position.customer_id)
    transfer_ids = [locked.next_transfer(cell) for _ in accepted.debits]
    return [
        Transfer(
            transfer_id=transfer_id,
            act_id=transfer_ids[0],
            kind="subscription",
            customer_id=position.customer_id,
            debit_account=account,
            credit_account=account_of(position.customer_id, accepted.offer.asset, AccountKind.EARN),
            amount=amount,
            request_key=position.request_key,
            position_id=position.position_id,
        )
        for transfer_id, (account, amount) in zip(transfer_ids, accepted.debits, strict=True)
    ]


def new_position(accepted: Accepted, position_id: int, now: datetime) -> NewPosition:
    """The position of an accepted subscription, under the terms in force now (rules 8 and 10)."""
    command, offer = accepted.command, accepted.offer
    assert command.agreement_version is not None
    return NewPosition(
        position_id=position_id,
        customer_id=command.customer_id,
        product_id=offer.product_id,
        version=offer.version,
        request_key=command.key,
        started_at=now,
        term_days=offer.term_days,
        principal=command.amount,
        tier_offset=accepted.below,
        locked_revision=accepted.rate.revision if offer.rate_policy == "locked" else 0,
        reward_account=reward_account(command.customer_id, offer),
        agreement_version=command.agreement_version,
        at_maturity=command.at_maturity or offer.at_maturity,
        redeem_to=command.redeem_to,
    )


def reward_account(customer_id: int, offer: Offer) -> int:
    """Rewards go to Funding, or to the accrued account where they are paid at maturity (rules 17 and 18)."""
    kind = AccountKind.FUNDING if offer.payout == "daily" else AccountKind.ACCRUED
    return account_of(customer_id, offer.asset, kind)
