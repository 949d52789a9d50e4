"""Announcing something once for many: to all who hold a product (product.md rule 10), to everybody, to the desk."""

from collections.abc import Mapping
from datetime import datetime

from staddle.db import Tx
from staddle.ledger import HOUSE, lock_cells, save_cells
from staddle.notices.write import Notice, write_notices


def publish_to_holders(tx: Tx, product: str, kind: str, body: Mapping[str, object], now: datetime) -> None:
    """Announce something to all who hold the product (its code) now, such as a rate revision.

    It is one notice of the house with the product in its body, however many hold it; `announcements_to`
    gives it to each of them. It locks the house's cell, so it comes after the locks of other rooms.
    """
    publish(tx, kind, {"product": product, **body}, now)


def publish(tx: Tx, kind: str, body: Mapping[str, object], now: datetime) -> None:
    """Announce something as a notice of the house; `KINDS` says who reads its kind. Locks the house's cell."""
    locked = lock_cells(tx, [HOUSE])
    write_notices(tx, locked, [Notice(HOUSE, kind, body)], now)
    save_cells(tx, locked)
