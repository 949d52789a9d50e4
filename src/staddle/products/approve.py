"""Approving terms: the second person puts a product, or its new version, on sale."""

from datetime import datetime

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import ProductNotFound, SecondPersonNeeded, WrongState
from staddle.products.find import Product, find_product, lock_product, versions_of

sql = queries(__package__)


def approve_terms(tx: Tx, by: str, code: str, version: int, now: datetime) -> Product:
    """Put a version in force for new positions; with its first one the product goes live (rules 9, 10).

    Positions keep the version they were opened under. Subscribing begins at `opens_at`, once there is a rate.
    Raises ProductNotFound, WrongState, or SecondPersonNeeded if `by` drafted it.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    drafts = {each.version: each for each in versions_of(tx, product.product_id)}
    if version not in drafts:
        raise ProductNotFound(f"The product {code} has no version {version}.", product=code, version=version)
    if product.state in ("closed", "retired"):
        raise WrongState(f"The product {code} is {product.state}: its terms do not change any more.")
    if product.version is not None and version <= product.version:
        raise WrongState(f"Version {product.version} of {code} is in force; version {version} is not newer.")
    if drafts[version].discarded_by is not None:
        raise WrongState(f"Version {version} of {code} was discarded by {drafts[version].discarded_by}.")
    if drafts[version].drafted_by == by:
        raise SecondPersonNeeded
    numbers = {"product_id": product.product_id, "version": version}
    tx.execute(sql.open_quota, numbers)
    tx.execute(sql.lock_quota, numbers)
    tx.execute(sql.approve_terms, numbers | {"by": by, "now": now})
    tx.execute(sql.set_quota, numbers | {"total": drafts[version].terms.quota})
    halts = {"subscribe_halt": product.subscribe_halt, "redeem_halt": product.redeem_halt}
    tx.execute(sql.change_product, numbers | halts | {"state": "live"})
    log(tx, by, "approve_terms", code, {"version": version, "drafted_by": drafts[version].drafted_by}, now)
    return find_product(tx, code)
