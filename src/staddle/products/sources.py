"""Which product follows which rate source: set by one operator, approved by another, ended by either (rule 33)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk import approve as approve_request
from staddle.desk import ask, find_approval, find_desk, find_operator, log
from staddle.errors import ApprovalNotFound, InvalidSource, SourceNotFound, WrongState
from staddle.products.find import CODE, Product, find_product, lock_product, versions_of
from staddle.products.rates import rates_of
from staddle.products.source_terms import SourceTerms, check_source

sql = queries(__package__)
ACT = "set_rate_source"
RATE_SOURCE = "rate-source"
"""The name that proposes a source's revisions. It is nobody's, and can do nothing else."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The rate source that a product follows. Who approved it stands for every revision within its bounds."""

    source_id: int
    product: str
    terms: SourceTerms
    set_by: str
    approved_by: str
    approved_at: datetime
    ended_at: datetime | None = None


def set_source(
    tx: Tx, by: str, product_code: str, terms: SourceTerms, now: datetime, http_hosts: Collection[str] = ()
) -> int:
    """Ask for a floating product to follow a source; gives the number of the approval.

    `http_hosts` are hosts that may be read without TLS. Raises InvalidSource, ProductNotFound or WrongState.
    """
    find_operator(tx, by)
    product = lock_product(tx, product_code)
    check_followable(tx, product)
    check_source(terms, find_desk(tx).is_sandbox, http_hosts)
    request = msgspec.to_builtins(terms)
    return ask(tx, by, ACT, product_code, request, basis_of_source(tx, product), now)


def approve_source(tx: Tx, by: str, approval_id: int, now: datetime) -> Source:
    """Let the product follow the source from now on, in place of the one before, as a second person.

    This approves beforehand every revision within the source's bounds: such revisions name this person. Raises
    ApprovalNotFound, SecondPersonNeeded, ApprovalStale where another source was set in between, or WrongState.
    """
    approval = find_approval(tx, approval_id)
    if approval.act != ACT:
        raise ApprovalNotFound
    product = lock_product(tx, approval.subject)
    check_followable(tx, product)
    request = approve_request(tx, by, approval_id, ACT, basis_of_source(tx, product), now)
    terms = msgspec.convert(request, SourceTerms)
    tx.execute(sql.name_the_source, {"name": RATE_SOURCE, "now": now})
    tx.execute(sql.end_source, {"product_id": product.product_id, "by": by, "now": now})
    row = msgspec.structs.asdict(terms) | {"product_id": product.product_id, "set_by": approval.asked_by}
    tx.execute(sql.add_source, row | {"by": by, "now": now})
    return find_source(tx, product.code)


def end_source(tx: Tx, by: str, product_code: str, now: datetime) -> Source:
    """Let a product follow its source no longer; its rate stays as it is. One person may, for nothing is changed by it.

    Raises SourceNotFound.
    """
    find_operator(tx, by)
    product = lock_product(tx, product_code)
    source = find_source(tx, product_code)
    tx.execute(sql.end_source, {"product_id": product.product_id, "by": by, "now": now})
    log(tx, by, "end_rate_source", product_code, {"source_id": source.source_id}, now)
    return msgspec.structs.replace(source, ended_at=now)


def find_source(tx: Tx, product_code: str) -> Source:
    """Read the source that a product follows; raises SourceNotFound, or ProductNotFound."""
    row = (
        tx.execute(sql.rate_source, {"code": product_code}).fetchone()
        if CODE.fullmatch(product_code)
        else None
    )
    if row is None:
        find_product(tx, product_code)
        raise SourceNotFound(f"The product {product_code} follows no rate source.", product=product_code)
    return _source(row)


def list_sources(tx: Tx) -> list[Source]:
    """Read the sources that products follow, by product."""
    return [_source(row) for row in tx.execute(sql.rate_sources).fetchall()]


def check_followable(tx: Tx, product: Product) -> None:
    """A source is for a product whose positions follow revisions, with a flat rate to begin from."""
    if product.state not in ("live", "closed"):
        raise WrongState(f"The product {product.code} is {product.state}: it follows no rate source.")
    versions = versions_of(tx, product.product_id)
    in_force = next(each.terms for each in versions if each.version == product.version)
    if in_force.rate_policy != "floating":
        raise InvalidSource(
            f"The rates of {product.code} are locked; only a floating product follows a source.",
            field="product",
        )
    rates = rates_of(tx, product.product_id)
    if not rates or len(rates[-1].tiers) != 1:
        raise InvalidSource(
            f"{product.code} needs a flat rate, without tiers, for its source to go on from.", field="product"
        )


def basis_of_source(tx: Tx, product: Product) -> str:
    """What a request stands upon: how many sources the product has had."""
    row = tx.execute(sql.source_count, {"product_id": product.product_id}).fetchone()
    assert row is not None
    return f"source {row.sources}"


def _source(row: Any) -> Source:
    terms = SourceTerms(**{field: getattr(row, field) for field in SourceTerms.__struct_fields__})
    return Source(
        source_id=row.source_id,
        product=row.product,
        terms=terms,
        set_by=row.set_by,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        ended_at=row.ended_at,
    )
