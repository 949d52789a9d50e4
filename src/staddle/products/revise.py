"""Revising a rate: one operator proposes it, another approves it; it is announced, and never back-dated."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from staddle.days import format_instant
from staddle.db import Tx, queries
from staddle.desk import approve as approve_request
from staddle.desk import ask, find_approval, find_operator
from staddle.errors import ApprovalNotFound, InvalidRate, InvalidTime, NeverBackdated, WrongState
from staddle.ledger import all_assets
from staddle.money import plain
from staddle.products.find import Product, lock_product
from staddle.products.rates import Rate, Tier, check_tiers, rates_of

sql = queries(__package__)
ACT = "revise_rate"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rate proposal waits for approval with."""

    product: str
    tiers: tuple[Tier, ...]
    effective_at: datetime | None
    """None is the instant of approval, for a product's first rate only."""
    reading: str | None


class RateRevised(msgspec.Struct, frozen=True, kw_only=True):
    """A rate revision that was just published: what holders of the product are told (rule 10)."""

    product_id: int
    product: str
    rate: Rate
    published_at: datetime

    def notice(self) -> dict[str, object]:
        """Give the body of the notice to holders; APRs and amounts as plain strings."""
        bands = [
            {
                "amount_from": plain(tier.amount_from),
                "amount_to": None if tier.amount_to is None else plain(tier.amount_to),
                "apr": plain(tier.apr),
            }
            for tier in self.rate.tiers
        ]
        effective_at = format_instant(self.rate.effective_at)
        return {"revision": self.rate.revision, "effective_at": effective_at, "tiers": bands}


def propose_rate(
    tx: Tx,
    by: str,
    product_code: str,
    tiers: Sequence[Tier],
    effective_at: datetime | None,
    now: datetime,
    reading: str | None = None,
) -> int:
    """Ask for a rate to be in force from an instant on; gives the number of the approval.

    `effective_at` None means from the approval on, which only a product's first rate may. `reading` names
    what the network's rate was read from (rule 33). Raises InvalidRate, NeverBackdated or WrongState.
    """
    find_operator(tx, by)
    product = lock_product(tx, product_code)
    check_tiers(all_assets(tx)[product.asset_id], tiers)
    rates = rates_of(tx, product.product_id)
    check_instant(product, rates, effective_at, now)
    proposal = Proposal(product=product_code, tiers=tuple(tiers), effective_at=effective_at, reading=reading)
    request = msgspec.to_builtins(proposal)
    return ask(tx, by, ACT, product_code, request, basis_of(rates), now)


def approve_rate(tx: Tx, by: str, approval_id: int, now: datetime) -> RateRevised:
    """Publish a proposed rate; the edge then tells holders: `publish_to_holders(.., revised.notice(), ..)`.

    Raises SecondPersonNeeded, ApprovalStale when another rate came in between, or NeverBackdated when its
    instant has passed: days that have begun keep the rate they began under (rule 6).
    """
    approval = find_approval(tx, approval_id)
    if approval.act != ACT:
        raise ApprovalNotFound
    product = lock_product(tx, approval.subject)
    rates = rates_of(tx, product.product_id)
    request = approve_request(tx, by, approval_id, ACT, basis_of(rates), now)
    proposal = msgspec.convert(request, Proposal)
    check_instant(product, rates, proposal.effective_at, now)
    rate = Rate(len(rates) + 1, proposal.effective_at or now, proposal.tiers)
    return write_revision(tx, product, rate, (approval.asked_by, by), proposal.reading, now)


def write_revision(
    tx: Tx, product: Product, rate: Rate, people: tuple[str, str], reading: str | None, now: datetime
) -> RateRevised:
    """Append a revision with its tiers; `people` are who proposed and who approved it."""
    numbers = {"product_id": product.product_id, "revision": rate.revision}
    by = {"proposed_by": people[0], "approved_by": people[1]}
    when = {"effective_at": rate.effective_at, "now": now, "reading": reading}
    tx.execute(sql.add_revision, numbers | by | when)
    bands = {
        "amounts_from": [tier.amount_from for tier in rate.tiers],
        "amounts_to": [tier.amount_to for tier in rate.tiers],
        "aprs": [tier.apr for tier in rate.tiers],
    }
    tx.execute(sql.add_tiers, numbers | bands)
    return RateRevised(product_id=product.product_id, product=product.code, rate=rate, published_at=now)


def basis_of(rates: Sequence[Rate]) -> str:
    """What a proposal stands upon: the newest revision."""
    return f"revision {len(rates)}"


def check_instant(
    product: Product, rates: Sequence[Rate], effective_at: datetime | None, now: datetime
) -> None:
    """A rate begins in the future and after all others; only a product's first one may begin at once."""
    if product.state in ("discarded", "retired"):
        raise WrongState(f"The product {product.code} is {product.state}.")
    if effective_at is None:
        if rates:
            raise InvalidRate(
                "Say from which instant on the new rate is in force; holders are told beforehand."
            )
        return
    if effective_at.tzinfo is None:
        raise InvalidTime
    if effective_at < now or (rates and effective_at == now):
        raise NeverBackdated(f"It is {format_instant(now)} now; a rate takes effect later than that.")
    if rates and effective_at <= rates[-1].effective_at:
        last = format_instant(rates[-1].effective_at)
        raise NeverBackdated(f"A rate from {last} on is already published; the next one takes effect later.")
