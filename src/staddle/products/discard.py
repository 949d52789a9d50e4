"""Discarding a draft that came to nothing: it stays on record, and can never be approved."""

from dataclasses import replace
from datetime import datetime

from staddle.db import Tx, queries
from staddle.desk import decline, find_operator, log
from staddle.errors import ProductNotFound, WrongState
from staddle.products.approve import waiting_for
from staddle.products.find import Product, lock_product, versions_of

sql = queries(__package__)


def discard_version(tx: Tx, by: str, code: str, version: int, now: datetime) -> Product:
    """Discard a draft of a product's terms that nobody approved; a product without any other is discarded with it.

    A request that put it before a second person is declined, or withdrawn by who asked.
    Raises ProductNotFound, or WrongState for what is approved or discarded already.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    versions = {each.version: each for each in versions_of(tx, product.product_id)}
    if version not in versions:
        raise ProductNotFound(f"The product {code} has no version {version}.", product=code, version=version)
    draft = versions.pop(version)
    if draft.approved_by is not None:
        raise WrongState(f"Version {version} of {code} was approved: it stays as it is.")
    if draft.discarded_by is not None:
        raise WrongState(f"Version {version} of {code} was already discarded by {draft.discarded_by}.")
    for waiting in waiting_for(tx, code, version):
        decline(tx, by, waiting.approval_id, now)
    numbers = {"product_id": product.product_id, "version": version}
    tx.execute(sql.discard_terms, numbers | {"by": by, "now": now})
    log(tx, by, "discard_terms", code, {"version": version, "drafted_by": draft.drafted_by}, now)
    if product.state != "draft" or any(each.discarded_by is None for each in versions.values()):
        return product
    tx.execute(sql.discard_product, {"product_id": product.product_id})
    return replace(product, state="discarded")
