"""What a customer has decided in advance: auto-subscriptions and rate guards (product.md rule 16)."""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import cell_of

sql = queries(__package__)


class StandingAuto(msgspec.Struct, frozen=True, kw_only=True):
    """What is idle above `floor` in the source account goes into the product every day, while it is on."""

    product: str
    asset: str
    source: str
    floor: Decimal
    agreement_version: int
    is_on: bool
    changed_at: datetime


class StandingGuard(msgspec.Struct, frozen=True, kw_only=True):
    """What happens once the product's rate is revised below `apr_min`, while it is on."""

    product: str
    apr_min: Decimal
    action: str
    is_on: bool
    changed_at: datetime


class StandingChoices(msgspec.Struct, frozen=True, kw_only=True):
    """All that a customer has decided in advance, what is switched off included."""

    auto_subscriptions: list[StandingAuto]
    rate_guards: list[StandingGuard]


def standing_choices(tx: Tx, customer_id: int) -> StandingChoices:
    """Read what a customer has decided in advance."""
    named = {"cell": cell_of(customer_id), "customer_id": customer_id}
    auto = tx.execute(sql.auto_subscriptions_of, named).fetchall()
    guards = tx.execute(sql.rate_guards_of, named).fetchall()
    return StandingChoices(
        auto_subscriptions=[StandingAuto(**row._asdict()) for row in auto],
        rate_guards=[StandingGuard(**row._asdict()) for row in guards],
    )
