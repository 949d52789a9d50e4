"""Finding a product, and holding its row while it changes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.errors import ProductNotFound
from staddle.products.terms import Terms

sql = queries(__package__)
CODE = re.compile(r"[A-Z0-9][A-Z0-9._~-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Product:
    """What can be subscribed to. `version`: the terms in force for new positions, None in a draft."""

    product_id: int
    code: str
    asset_id: int
    kind: str
    name: str
    state: str
    """draft, discarded, live, closed or retired."""
    version: int | None
    subscribe_halt: str | None
    """Why subscribing is paused, None while it is not."""
    redeem_halt: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a product's terms, and who drafted and approved it, or discarded the draft."""

    version: int
    terms: Terms
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    discarded_by: str | None
    discarded_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        """Whether it is a draft that may still be approved."""
        return self.approved_at is None and self.discarded_at is None


def find_product(tx: Tx, code: str) -> Product:
    """Read a product; raises ProductNotFound."""
    return _product(tx, code, sql.find_product)


def lock_product(tx: Tx, code: str) -> Product:
    """Read a product and hold its row; raises ProductNotFound."""
    return _product(tx, code, sql.lock_product)


def versions_of(tx: Tx, product_id: int) -> list[Version]:
    """Read all versions of a product's terms, the first one first."""
    rows = tx.execute(sql.versions_of, {"product_id": product_id}).fetchall()
    return [Version(row.version, terms_of(row), *row[1:7]) for row in rows]


def newest_of(versions: Sequence[Version]) -> Version:
    """Give the version that new terms begin with: the last one that was not discarded, if there is one."""
    return next((each for each in reversed(versions) if each.discarded_at is None), versions[-1])


def in_force_before(product: Product, versions: Sequence[Version], version: int) -> Version | None:
    """Give the version that was in force before one: of a draft, the one that is. None before the first.

    A draft that was passed by is held against what is in force now.
    """
    known = {each.version: each for each in versions}
    if known[version].approved_at is None:
        return None if product.version is None else known[product.version]
    earlier = [each for each in versions if each.version < version and each.approved_at is not None]
    return earlier[-1] if earlier else None


def terms_in_force(tx: Tx, code: str) -> Terms | None:
    """Read the terms that new positions get, None while nothing of a product was approved; raises ProductNotFound."""
    product = find_product(tx, code)
    versions = versions_of(tx, product.product_id)
    return next((each.terms for each in versions if each.version == product.version), None)


def waiting_drafts(tx: Tx) -> dict[str, int]:
    """Count the drafts of each product that may still be approved, by code."""
    return {row.code: row.drafts for row in tx.execute(sql.waiting_drafts).fetchall()}


def terms_of(row: object) -> Terms:
    """Read terms out of a row that has all their columns."""
    fields = {field: getattr(row, field) for field in Terms.__struct_fields__}
    for field in ("countries_allowed", "countries_excluded"):
        if fields[field] is not None:
            fields[field] = tuple(fields[field])
    return Terms(**fields)


def _product(tx: Tx, code: str, statement: str) -> Product:
    row = tx.execute(statement, {"code": code}).fetchone() if CODE.fullmatch(code) else None
    if row is None:
        raise ProductNotFound(f"There is no product {code[:40]!r}.", product=code[:40])
    return Product(*row)
