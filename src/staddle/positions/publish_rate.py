"""Publishing a proposed rate: approved by a second person, and told to all who hold the product (rule 10)."""

from datetime import datetime

from staddle.db import Tx, queries
from staddle.notices import publish_to_holders
from staddle.products import RateRevised, approve_rate, find_product

sql = queries(__package__)


def publish_rate(tx: Tx, by: str, approval_id: int, now: datetime) -> RateRevised:
    """Approve a proposed rate and announce it to holders, in one transaction; raises what `approve_rate` raises."""
    revised = approve_rate(tx, by, approval_id, now)
    announce_rate(tx, revised, now)
    return revised


def announce_rate(tx: Tx, revised: RateRevised, now: datetime) -> int:
    """Tell all who hold the product of a revision, and keep how many they were; gives that number."""
    publish_to_holders(tx, revised.product, "rate_revised", revised.notice(), now)
    told = {"product_id": revised.product_id, "revision": revised.rate.revision, "now": now}
    row = tx.execute(sql.keep_announcement, told).fetchone()
    return 0 if row is None else int(row.holders)


def holders_told(tx: Tx, product: str) -> dict[int, int]:
    """Read how many customers each revision of a product was told to, by revision. Raises ProductNotFound."""
    product_id = find_product(tx, product).product_id
    return {
        row.revision: row.holders
        for row in tx.execute(sql.announcements, {"product_id": product_id}).fetchall()
    }
