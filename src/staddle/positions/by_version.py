"""How much is held under each version of a product's terms: positions keep theirs to their end (rule 10)."""

from decimal import Decimal

import msgspec

from staddle.db import Tx, queries

sql = queries(__package__)


class HeldUnder(msgspec.Struct, frozen=True, kw_only=True):
    """What is open under one version: positions, and their principal in the product's asset."""

    version: int
    positions: int
    principal: Decimal


def held_by_version(tx: Tx, product_id: int) -> dict[int, HeldUnder]:
    """Read what is open under each version of a product's terms; a version without any is left out."""
    rows = tx.execute(sql.held_by_version, {"product_id": product_id}).fetchall()
    return {row.version: HeldUnder(**row._asdict()) for row in rows}
