"""Cloning: a new draft out of what another product offers, under another code, for another coin or kind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx
from staddle.ledger import all_assets
from staddle.products.draft import check_kind, draft_product
from staddle.products.find import Version, find_product, newest_of, versions_of
from staddle.products.read_terms import make_terms
from staddle.products.terms import Terms

OF_A_FIXED = (
    "term_days",
    "payout",
    "early_redemption",
    "kept_fraction",
    "reduced_apr",
    "reduced_apr_days_min",
    "at_maturity",
    "flexible_product",
)
"""What a flexible product has none of."""
USUAL = {
    field.name: None if field.required else field.default
    for field in msgspec.structs.fields(Terms)
    if field.name in OF_A_FIXED
}


def cloned_terms(tx: Tx, source: str, asset: str, kind: str, now: datetime) -> Terms:
    """Give the terms of a product's newest version as far as they fit another coin or kind.

    A flexible product takes over nothing of a term; a fixed one made of it still needs its `term_days`. The product
    at maturity is one of the same coin, and a sale window that has begun begins anew, without an end that has passed.
    Raises ProductNotFound or InvalidChoice.
    """
    check_kind(kind)
    product = find_product(tx, source)
    newest = newest_of(versions_of(tx, product.product_id)).terms
    changed: dict[str, Any] = {}
    if product.kind != kind:
        changed |= {"rate_policy": None}
    if kind == "flexible":
        changed |= USUAL
    if all_assets(tx)[product.asset_id].code != asset:
        is_moving = newest.at_maturity == "to_flexible"
        changed |= {"flexible_product": None} | ({"at_maturity": "redeem"} if is_moving else {})
    if newest.opens_at <= now:
        changed |= {"opens_at": now}
    if newest.closes_at is not None and newest.closes_at <= now:
        changed |= {"closes_at": None}
    return msgspec.structs.replace(newest, **changed)


def clone_product(
    tx: Tx,
    by: str,
    source: str,
    code: str,
    asset: str,
    kind: str,
    name: str,
    changes: Mapping[str, Any],
    now: datetime,
) -> Version:
    """Draft a product out of another one's newest terms, with changes on top (as `make_terms` takes them).

    Raises what `draft_product` does: InvalidTerms names the field where the terms do not fit the coin or the kind.
    """
    terms = make_terms(msgspec.structs.asdict(cloned_terms(tx, source, asset, kind, now)), changes)
    return draft_product(tx, by, code, asset, kind, name, terms, now)
