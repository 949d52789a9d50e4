"""Publishing a proposed rate: approved by a second person, and told to all who hold the product (rule 10)."""

from datetime import datetime

from staddle.db import Tx
from staddle.notices import publish_to_holders
from staddle.products import RateRevised, approve_rate


def publish_rate(tx: Tx, by: str, approval_id: int, now: datetime) -> RateRevised:
    """Approve a proposed rate and announce it to holders, in one transaction; raises what `approve_rate` raises."""
    revised = approve_rate(tx, by, approval_id, now)
    publish_to_holders(tx, revised.product, "rate_revised", revised.notice(), now)
    return revised
