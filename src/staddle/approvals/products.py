"""What requests about products change: the terms in force, and what is paused."""

from datetime import datetime

import msgspec

from staddle.approvals.words import Told, changed, holders, rate_words, sum_of
from staddle.db import Tx
from staddle.desk import Approval
from staddle.products import differences, find_product, halt_of, rate_at, rates_of, show_product, versions_of
from staddle.products.approve import basis_of_terms, draft_of
from staddle.products.halt import Halt, basis_of_halt

STATES = {"draft": "draft", "live": "on sale", "closed": "closed", "retired": "retired"}


def of_terms(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:
    """Say how the terms in force change, field by field, for new positions; older ones keep theirs (rule 10)."""
    product = find_product(tx, asked.subject)
    versions = {each.version: each for each in versions_of(tx, product.product_id)}
    draft = versions[asked.request["version"]]
    before = versions.get(product.version or 0)
    in_force = None if before is None else str(before.version)
    difference = [changed("version", "Version in force", in_force, draft.version)]
    if product.state == "draft":
        difference.append(changed("state", "The product is", STATES["draft"], STATES["live"]))
    difference += differences(None if before is None else before.terms, draft.terms)
    offer = show_product(tx, product.code, now)
    used, quota = offer.quota_used, draft.terms.quota
    left_before = "without limit" if offer.quota_left is None else sum_of(offer.quota_left, offer.asset)
    left_after = "without limit" if quota is None else sum_of(max(quota - used, quota * 0), offer.asset)
    rate = rate_at(rates_of(tx, product.product_id), now)
    effect = [
        *holders(tx, product.product_id, offer.asset),
        changed("quota_left", "Left for new positions", None if before is None else left_before, left_after),
        changed("rate", "Rate in force", None, "none yet" if rate is None else rate_words(rate.tiers)),
    ]
    return difference, effect


def basis_of_asked_terms(tx: Tx, asked: Approval) -> str:
    """What a request for terms stands upon; a draft that was discarded, or is in force, has nothing to stand upon."""
    product = find_product(tx, asked.subject)
    draft_of(tx, product, asked.request["version"])
    return basis_of_terms(product)


def of_halt(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:
    """Say what is paused, or resumed, and whom that touches."""
    halt = msgspec.convert(asked.request, Halt)
    product = find_product(tx, halt.product)
    words = halt.what.capitalize()
    difference = [changed(halt.what, words, paused(halt_of(product, halt.what)), paused(halt.reason))]
    offer = show_product(tx, product.code, now)
    effect = holders(tx, product.product_id, offer.asset)
    if halt.what == "subscribing":
        left = "without limit" if offer.quota_left is None else sum_of(offer.quota_left, offer.asset)
        effect.append(changed("quota_left", "Left for new positions", None, left))
    return difference, effect


def paused(reason: str | None) -> str:
    """Say whether something goes on."""
    return "goes on" if reason is None else f"paused: {reason}"


def basis_of_asked_halt(tx: Tx, asked: Approval) -> str:
    """What a request for a halt stands upon."""
    halt = msgspec.convert(asked.request, Halt)
    return basis_of_halt(find_product(tx, halt.product), halt.what)
