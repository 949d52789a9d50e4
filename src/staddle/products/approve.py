"""Approving terms: the second person puts a product, or its new version, on sale.

A drafted version may be put before a second person (`ask_terms`), who sees what it changes. Whoever has not drafted it
may also approve it directly, which closes such a request.
"""

from datetime import datetime

from staddle import desk
from staddle.db import Tx, queries
from staddle.desk import Approval, find_operator, log
from staddle.errors import ApprovalNotFound, ProductNotFound, SecondPersonNeeded, WrongState
from staddle.products.find import Product, Version, find_product, lock_product, versions_of

sql = queries(__package__)
ACT = "put_in_force"


def ask_terms(tx: Tx, by: str, code: str, version: int, now: datetime) -> int:
    """Put a drafted version before a second person; gives the number of the approval.

    Raises ProductNotFound, or WrongState where that version cannot come into force any more.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    draft = draft_of(tx, product, version)
    request = {"product": code, "version": version, "drafted_by": draft.drafted_by}
    return desk.ask(tx, by, ACT, code, request, basis_of_terms(product), now)


def approve_asked_terms(tx: Tx, by: str, approval_id: int, now: datetime) -> Product:
    """Put the version in force that somebody has asked for; neither they nor whoever drafted it approves it.

    Raises ApprovalNotFound, SecondPersonNeeded, WrongState, or ApprovalStale where another version came into force.
    """
    asked = desk.find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    product = lock_product(tx, asked.subject)
    if asked.request["drafted_by"] == by:
        raise SecondPersonNeeded("You have drafted these terms; somebody else must approve them.")
    desk.approve(tx, by, approval_id, ACT, basis_of_terms(product), now)
    return put_in_force(tx, by, product, draft_of(tx, product, asked.request["version"]), now)


def approve_terms(tx: Tx, by: str, code: str, version: int, now: datetime) -> Product:
    """Put a version in force for new positions; with its first one the product goes live (rules 9, 10).

    Positions keep the version they were opened under. Subscribing begins at `opens_at`, once there is a rate.
    Raises ProductNotFound, WrongState, or SecondPersonNeeded if `by` drafted it.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    draft = draft_of(tx, product, version)
    if draft.drafted_by == by:
        raise SecondPersonNeeded
    for waiting in waiting_for(tx, code, version):
        # Whoever asked may have been that second person: then the request is only taken back.
        desk.settle(tx, by, waiting, now)
    return put_in_force(tx, by, product, draft, now)


def put_in_force(tx: Tx, by: str, product: Product, draft: Version, now: datetime) -> Product:
    """Make a version that of all new positions; the product is live from now on."""
    numbers = {"product_id": product.product_id, "version": draft.version}
    tx.execute(sql.open_quota, numbers)
    tx.execute(sql.lock_quota, numbers)
    tx.execute(sql.approve_terms, numbers | {"by": by, "now": now})
    tx.execute(sql.set_quota, numbers | {"total": draft.terms.quota})
    halts = {"subscribe_halt": product.subscribe_halt, "redeem_halt": product.redeem_halt}
    tx.execute(sql.change_product, numbers | halts | {"state": "live"})
    details = {"version": draft.version, "drafted_by": draft.drafted_by}
    log(tx, by, "approve_terms", product.code, details, now)
    return find_product(tx, product.code)


def draft_of(tx: Tx, product: Product, version: int) -> Version:
    """Give a version that can come into force; raises ProductNotFound where there is none, or WrongState."""
    drafts = {each.version: each for each in versions_of(tx, product.product_id)}
    code = product.code
    if version not in drafts:
        raise ProductNotFound(f"The product {code} has no version {version}.", product=code, version=version)
    if product.state in ("closed", "retired"):
        raise WrongState(f"The product {code} is {product.state}: its terms do not change any more.")
    if product.version is not None and version <= product.version:
        raise WrongState(f"Version {product.version} of {code} is in force; version {version} is not newer.")
    if drafts[version].discarded_by is not None:
        raise WrongState(f"Version {version} of {code} was discarded by {drafts[version].discarded_by}.")
    return drafts[version]


def waiting_for(tx: Tx, code: str, version: int) -> list[Approval]:
    """Read the requests that put this version before a second person."""
    waiting = desk.pending(tx, ACT, code)
    return [each for each in waiting if each.request["version"] == version]


def basis_of_terms(product: Product) -> str:
    """What a request stands upon: the product's state, and the version in force."""
    return f"{product.state}, version {product.version}"
