"""What the desk does for customers after the daily run: auto-subscribe and rate guards (product.md rule 16).

Both only make the commands that the customer would give, with keys that make a repeat harmless.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from staddle.db import Tx, queries
from staddle.ledger import Outcome
from staddle.money import EXACT, ZERO
from staddle.positions.decide import Subscribe, Subscribed
from staddle.positions.redeem import Redeem, Redeemed, redeem
from staddle.positions.subscribe import subscribe

sql = queries(__package__)


def auto_subscribe(tx: Tx, cells: Iterable[int], run_on: date, now: datetime) -> list[Outcome[Subscribed]]:
    """Put idle balances above their floor into the chosen flexible products, as much as minimum, step, maximum, cap
    and quota let in; what is refused (a closed product, a new agreement) is left where it is until tomorrow.
    """
    rows = tx.execute(
        sql.idle_balances, {"cells": sorted(set(cells)), "now": now, "key_start": f"auto:{run_on}:"}
    ).fetchall()
    commands = []
    for row in rows:
        limits = [row.idle, row.amount_max, row.cap_left, row.quota_left]
        most = min(limit for limit in limits if limit is not None)
        amount = whole_steps(most, row.step, row.unit)
        if amount >= row.amount_min:
            commands.append(
                Subscribe(
                    customer_id=row.customer_id,
                    key=f"auto:{run_on}:{row.asset}",
                    product=row.product,
                    amount=amount,
                    source=row.source,
                    agreement_version=row.agreement_version,
                    accepted_from="auto-subscribe",
                )
            )
    return subscribe(tx, commands, now) if commands else []


def whole_steps(most: Decimal, step: Decimal, unit: Decimal) -> Decimal:
    """Cut an amount down to whole steps, and to whole units of the asset where the step is finer."""
    amount = EXACT.multiply(EXACT.divide_int(max(most, ZERO), step), step)
    return EXACT.multiply(EXACT.divide_int(amount, unit), unit)


def apply_rate_guards(tx: Tx, cells: Iterable[int], now: datetime) -> list[Outcome[Redeemed]]:
    """Redeem for customers whose guard says so, where the rate in force has fallen below their lowest APR."""
    rows = tx.execute(sql.guards_to_apply, {"cells": sorted(set(cells)), "now": now}).fetchall()
    commands = [
        Redeem(customer_id=row.customer_id, key=f"guard:{row.product}:{row.revision}", product=row.product)
        for row in rows
    ]
    return redeem(tx, commands, now) if commands else []
