"""Asking: each request is kept with what it changes and what comes of it, so that both people see the same.

These are the asking acts of the rooms below, a function each; edges call these. They give the number of the approval.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from staddle import customers, desk, identity, products, rewards, treasury
from staddle.approvals.kinds import KINDS
from staddle.customers import CustomerMove
from staddle.db import Tx
from staddle.desk import Operator, find_approval
from staddle.identity import Caller
from staddle.ledger import Outcome
from staddle.products import Reading, SourceTerms, Tier
from staddle.products.halt import What
from staddle.treasury import AskPoolMove, PoolMoveAsked


def keep(tx: Tx, approval_id: int, now: datetime) -> int:
    """Keep with a request what it changes and effects as things stand; gives its number. Again it changes nothing."""
    approval = find_approval(tx, approval_id)
    if approval.difference is None:
        desk.keep_effect(tx, approval_id, *KINDS[approval.act].describe(tx, approval, now))
    return approval_id


def ask_terms(tx: Tx, by: str, code: str, version: int, now: datetime) -> int:
    """Put a drafted version of a product's terms before a second person, as `products.ask_terms` does."""
    return keep(tx, products.ask_terms(tx, by, code, version, now), now)


def ask_rate(
    tx: Tx, by: str, code: str, tiers: Sequence[Tier], effective_at: datetime | None, now: datetime
) -> int:
    """Propose a rate, as `products.propose_rate` does."""
    return keep(tx, products.propose_rate(tx, by, code, tiers, effective_at, now), now)


def ask_reading(tx: Tx, by: str, code: str, now: datetime) -> tuple[int, Reading]:
    """Propose the rate of a held reading, as `products.propose_reading` does; gives the reading too."""
    number, reading = products.propose_reading(tx, by, code, now)
    return keep(tx, number, now), reading


def ask_source(
    tx: Tx, by: str, code: str, terms: SourceTerms, now: datetime, http_hosts: Collection[str] = ()
) -> int:
    """Ask for a product to follow a rate source, as `products.set_source` does."""
    return keep(tx, products.set_source(tx, by, code, terms, now, http_hosts), now)


def ask_halt(tx: Tx, by: str, code: str, what: What, reason: str | None, now: datetime) -> int:
    """Ask to pause subscribing or redeeming, or to resume it with no reason, as `products.ask_halt` does."""
    return keep(tx, products.ask_halt(tx, by, code, what, reason, now), now)


def ask_release(tx: Tx, by: str, run_on: date, now: datetime) -> int:
    """Ask for a held run to be released, as `rewards.ask_release` does."""
    return keep(tx, rewards.ask_release(tx, by, run_on, now), now)


def ask_pool_move(tx: Tx, commands: Sequence[AskPoolMove], now: datetime) -> list[Outcome[PoolMoveAsked]]:
    """Ask for moves of reward pools, as `treasury.ask_pool_move` does."""
    outcomes = treasury.ask_pool_move(tx, commands, now)
    for outcome in outcomes:
        if outcome.answer is not None and not outcome.is_replay:
            keep(tx, outcome.answer.approval_id, now)
    return outcomes


def ask_customer_move(tx: Tx, by: str, move: CustomerMove, now: datetime) -> int:
    """Ask for a deposit or withdrawal by hand, as `customers.ask_customer_move` does."""
    return keep(tx, customers.ask_customer_move(tx, by, move, now), now)


def ask_correction(tx: Tx, by: str, transfer_id: int, reason: str, now: datetime) -> int:
    """Ask for an entry of the books to be reversed, as `treasury.ask_correction` does."""
    return keep(tx, treasury.ask_correction(tx, by, transfer_id, reason, now), now)


def ask_to_remove_factors(tx: Tx, by: Caller, login_id: str, machine_now: datetime) -> int:
    """Ask for lost second factors to be taken away, as `identity.ask_to_remove_factors` does."""
    return keep(tx, identity.ask_to_remove_factors(tx, by, login_id, machine_now), machine_now)


def add_operator(tx: Tx, by: str, name: str, now: datetime, roles: Collection[str] = ()) -> Operator:
    """Add an operator, as `desk.add_operator` does; roles may wait for another admin (`grant_asked`)."""
    return with_grant(tx, desk.add_operator(tx, by, name, now, roles), now)


def set_roles(tx: Tx, by: str, name: str, roles: Collection[str], now: datetime) -> Operator:
    """Say what an operator may do, as `desk.set_roles` does; what is given may wait for another admin."""
    return with_grant(tx, desk.set_roles(tx, by, name, roles, now), now)


def set_operator_active(
    tx: Tx, by: str, name: str, is_active: bool, now: datetime, machine_now: datetime
) -> Operator:
    """Let an operator work the desk, or no more, as `identity.set_operator_active` does."""
    return with_grant(tx, identity.set_operator_active(tx, by, name, is_active, now, machine_now), now)


def with_grant(tx: Tx, operator: Operator, now: datetime) -> Operator:
    """Keep what the grant changes that waits for another admin, if one does."""
    if operator.grant_asked is not None:
        keep(tx, operator.grant_asked, now)
    return operator
