"""What rewards have brought into a customer's Funding account, counted page by page; each row is of one moment."""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.days import run_on_of
from staddle.db import Tx, queries
from staddle.positions.facts import distribution_time
from staddle.positions.holdings import Rows, whose
from staddle.positions.passed import Wanted

sql = queries(__package__)


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What reached Funding at one moment: of a flexible product in all, `position_id` 0; of a fixed term by position.

    Where rewards wait for maturity, that is the moment: what only accrues has not reached anything.
    """

    at: datetime
    position_id: int
    product: str
    asset: str
    term_days: int | None
    amount: Decimal


def reached_funding(tx: Tx, customer_id: int, is_fixed: bool, wanted: Wanted) -> Rows:
    """Read what rewards have brought, newest first. A run's rewards count from its distribution instant on."""
    at = distribution_time(tx)
    named = {
        **whose(customer_id),
        **msgspec.structs.asdict(wanted),
        "is_fixed": is_fixed,
        "distribution_time": at,
        "run_from": run_on_of(wanted.from_at, at),
        "run_until": run_on_of(wanted.until_at, at),
    }
    rows = tx.execute(sql.reached_funding, named).fetchall()
    fields = Reached.__struct_fields__
    found = [Reached(**{name: getattr(row, name) for name in fields}) for row in rows if row.at is not None]
    return Rows(found, rows[0].total)
