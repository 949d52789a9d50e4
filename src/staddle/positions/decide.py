"""Deciding subscriptions: what decides about a list of commands, and each command's turn (product.md rules 12 to 14).

All is read in two statements. Then one command after the other is held against the rules, on facts in memory that
move along with each acceptance, so first come is first served and a refused command never fails its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle import errors
from staddle.accrual.rules import Rate, Tier, blend, day_basis, paid_by
from staddle.days import DAY, distribution_at, run_on_of
from staddle.db import Tx, queries
from staddle.ledger import SOURCES, AccountKind, Asset, Command, account_of
from staddle.ledger.requests import is_customer_id
from staddle.money import SCALE_MAX, ZERO, check_positive
from staddle.positions.check import (
    check_agreement,
    check_amount,
    check_audience,
    check_choice,
    check_open,
    check_rate,
)
from staddle.positions.facts import Offer
from staddle.products.find import CODE

sql = queries(__package__)
PAID_FROM = {
    **{name: (kind,) for name, kind in SOURCES.items()},
    "both": (AccountKind.SPOT, AccountKind.FUNDING),
}
"""The accounts that a subscription may be paid from, in the order in which they are taken from."""
SIZE_END = 30
"""No amount with more digits before its point is accepted."""


class Subscribe(Command, frozen=True, kw_only=True):
    """What a customer asks for. `source` is spot, funding, or both: Spot first, and the rest from Funding.

    `revision_seen` is the rate revision that was shown: if another is in force, the command is refused (RateChanged).
    `at_maturity` overrides the terms' choice for a fixed product.
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
    """What the customer gets; a preview has position_id 0. Amounts in the product's asset, instants in UTC.

    `quota_left` is what was left of the quota as far as this was decided; others may be taking of it meanwhile.
    """

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


class Accepted(msgspec.Struct, frozen=True):
    """A command that was accepted, with the offer it took, the holding that stood below it, and what it left.

    `debits` says which account pays how much; `is_first` that the customer held nothing of the product before;
    `has_consented` that the agreement was accepted for what they hold.
    """

    command: Subscribe
    offer: Offer
    rate: Rate
    debits: tuple[tuple[int, Decimal], ...]
    below: Decimal
    quota_left: Decimal | None
    personal_quota_left: Decimal | None
    is_first: bool
    has_consented: bool


@dataclass(slots=True)
class Desk:
    """The facts of one list of commands, moved along as each is decided."""

    now: datetime
    agreement_version: int | None
    payout_at: datetime | None
    offers: dict[str, Offer]
    customers: dict[int, Any]
    standing: dict[tuple[int, int], Any]
    holdings: dict[tuple[int, int], Decimal]
    balances: dict[int, Decimal]


def read_desk(tx: Tx, commands: Sequence[Subscribe], now: datetime, *, is_holding: bool = False) -> Desk:
    """Read everything that decides about these commands; the cells must be locked, or it is a preview.

    `is_holding` has the quotas held from before until the transaction ends.
    """
    codes = sorted(code for code in {command.product for command in commands} if CODE.fullmatch(code))
    known = [
        command
        for command in commands
        if command.product in codes and command.source in PAID_FROM and is_customer_id(command.customer_id)
    ]
    if is_holding:
        tx.execute(sql.hold_quotas, {"codes": codes})
    offers = tx.execute(sql.offers_at, {"codes": codes, "now": now})
    subscribers = tx.execute(
        sql.subscribers,
        {
            "customer_ids": [command.customer_id for command in known],
            "products": [command.product for command in known],
            "sources": [command.source for command in known],
        },
    )
    desk = Desk(now, None, None, {}, {}, {}, {}, {})
    for row in offers.fetchall():
        desk.agreement_version = row.agreement_version
        desk.payout_at = next_payout_at(row.distribution_time, now)
        desk.offers[row.code] = offer_of(row)
    for row in subscribers.fetchall():
        add_subscriber(desk, row)
    return desk


def add_subscriber(desk: Desk, row: Any) -> None:
    """Lay out what is known of somebody who subscribes."""
    offer = desk.offers[row.product]
    if row.is_known:
        desk.customers[row.customer_id] = row
    desk.standing[row.customer_id, offer.product_id] = row
    desk.holdings[row.customer_id, offer.product_id] = row.holding
    for kind in PAID_FROM[row.source]:
        balance = row.spot if kind is AccountKind.SPOT else row.funding
        desk.balances[account_of(row.customer_id, offer.asset, kind)] = balance


def is_scarce(desk: Desk, commands: Sequence[Subscribe]) -> bool:
    """Say whether a quota may not hold all that is asked for, so that somebody may have to be refused.

    It only looks at how long the amounts are, which is quick, and true of what is no amount too: each is taken for
    the next power of ten.
    """
    for code, offer in desk.offers.items():
        left = offer.quota_left()
        if left is not None:
            sizes = [command.amount.adjusted() for command in commands if command.product == code]
            longest = max((size for size in sizes if size < SIZE_END), default=-SCALE_MAX)
            if Decimal(len(sizes)).scaleb(max(longest, -SCALE_MAX) + 1) > left:
                return True
    return False


def offer_of(row: Any) -> Offer:
    """Take an offer with the rate in force out of its row."""
    fields = {name: getattr(row, name) for name in Offer.__dataclass_fields__ if name != "rates"}
    fields["asset"] = Asset(row.asset_id, row.asset, row.asset_name, row.scale, row.unit)
    if row.revision is None:
        return Offer(**fields)
    bands = zip(row.amounts_from, row.amounts_to, row.aprs, strict=True)
    return Offer(
        **fields, rates=(Rate(row.revision, row.effective_at, tuple(Tier(*band) for band in bands)),)
    )


def next_payout_at(distribution_time: Any, now: datetime) -> datetime:
    """Give the distribution instant that pays the first full day of a position started now."""
    return distribution_at(run_on_of(now + DAY, distribution_time), distribution_time)


def decide(desk: Desk, commands: Sequence[Subscribe]) -> list[Accepted | errors.StaddleError]:
    """Decide each command in its turn."""
    return [attempt(desk, command) for command in commands]


def attempt(desk: Desk, command: Subscribe) -> Accepted | errors.StaddleError:
    """Decide one command; if it is accepted, move the facts along for those behind it."""
    try:
        check_request(command)
        offer = desk.offers.get(command.product)
        if offer is None:
            raise errors.ProductNotFound(f"There is no product {command.product[:40]!r}.")
        holding = (command.customer_id, offer.product_id)
        customer = desk.customers.get(command.customer_id)
        if customer is None:
            raise errors.CustomerNotFound
        check_open(offer, desk.now)
        check_audience(offer, customer, desk.now)
        check_agreement(command.agreement_version, desk.agreement_version)
        rate = check_rate(offer, command.revision_seen, desk.now)
        check_choice(offer, command.at_maturity)
        kinds = PAID_FROM[command.source]
        accounts = [account_of(command.customer_id, offer.asset, kind) for kind in kinds]
        below = desk.holdings[holding]
        check_amount(offer, command.amount, below, sum((desk.balances[each] for each in accounts), ZERO))
    except errors.StaddleError as error:
        return error
    after = desk.holdings[holding] = below + command.amount
    debits = take_in_order(desk, accounts, command.amount)
    offer.quota_used += command.amount
    standing = desk.standing[holding]
    return Accepted(
        command,
        offer,
        rate,
        debits,
        below,
        offer.quota_left(),
        None if offer.personal_cap is None else max(ZERO, offer.personal_cap - after),
        standing.holding == 0,
        standing.agreement_version == command.agreement_version,
    )


def take_in_order(desk: Desk, accounts: Sequence[int], amount: Decimal) -> tuple[tuple[int, Decimal], ...]:
    """Take an amount from accounts that hold it together, the first one first."""
    taken = []
    for account in accounts:
        part = min(amount, desk.balances[account])
        if part > 0:
            desk.balances[account] -= part
            amount -= part
            taken.append((account, part))
    return tuple(taken)


def check_request(command: Subscribe) -> None:
    """Refuse what is not even a request."""
    if command.source not in PAID_FROM:
        raise errors.InvalidChoice("The source account is spot, funding or both.")
    if command.redeem_to not in SOURCES:
        raise errors.InvalidChoice("Redemption goes to spot or funding.")
    if not command.accepted_from.isprintable() or len(command.accepted_from) > 200:
        raise errors.InvalidName(
            "Where the agreement was accepted from has at most 200 printable characters."
        )
    check_positive(command.amount)


def describe(desk: Desk, accepted: Accepted, position_id: int) -> Subscribed:
    """Say what the subscription means: clock, next payout, estimate, what is left."""
    command, offer = accepted.command, accepted.offer
    basis = day_basis(command.amount, accepted.below, accepted.rate.tiers)
    assert desk.payout_at is not None
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
        revision=accepted.rate.revision,
        blended_apr=blend(basis, command.amount),
        daily_estimate=paid_by(basis, offer.asset.scale),
        early_redemption="any_time" if offer.term_days is None else offer.early_redemption,
        quota_left=accepted.quota_left,
        personal_quota_left=accepted.personal_quota_left,
    )
