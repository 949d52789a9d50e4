"""Reconciling a run: what it planned, where each part of it went, and that nothing is left over."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.money import ZERO, plain
from staddle.rewards.report import find_report

sql = queries(__package__)
COLUMNS = (
    "run_on",
    "asset",
    "product",
    "planned",
    "paid_by_run",
    "settled_by_acts",
    "parked",
    "difference",
    "parked_paid_since",
)


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """One product of a run, or all products of an asset.

    planned = paid_by_run + settled_by_acts + parked + difference. What acts settle of the day (a redemption pays the
    completed days itself) is no more for the run to pay. The difference of a finished run is zero; of one under way it
    is what is still to be paid.
    """

    asset: str
    product: str | None
    planned: Decimal
    paid_by_run: Decimal
    settled_by_acts: Decimal
    parked: Decimal
    difference: Decimal
    parked_paid_since: Decimal
    """Of what was parked: paid later, by a retry."""


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A run reconciled by product and by asset. `is_even`: it is finished and no difference is left."""

    run_on: date
    state: str
    is_even: bool
    products: list[Reconciled]
    assets: list[Reconciled]


def reconcile(tx: Tx, run_on: date) -> Reconciliation:
    """Hold what a run planned against where it went, read anew from the ledger. Raises RunNotFound."""
    report = find_report(tx, run_on)
    named = {"run_on": run_on}
    settled = {row.product: row.amount for row in tx.execute(sql.settled_totals, named).fetchall()}
    parked = {row.product: row for row in tx.execute(sql.parked_by_product, named).fetchall()}
    products = []
    for line in report.lines:
        aside = parked.get(line.product)
        parts = (
            line.amount_paid,
            settled.get(line.product, ZERO),
            ZERO if aside is None else aside.amount,
        )
        products.append(
            Reconciled(
                asset=line.asset,
                product=line.product,
                planned=line.amount_planned,
                paid_by_run=parts[0],
                settled_by_acts=parts[1],
                parked=parts[2],
                difference=line.amount_planned - sum(parts, ZERO),
                parked_paid_since=ZERO if aside is None else aside.paid_since,
            )
        )
    is_even = report.state == "finished" and all(each.difference == 0 for each in products)
    return Reconciliation(
        run_on=run_on, state=report.state, is_even=is_even, products=products, assets=by_asset(products)
    )


def by_asset(products: Sequence[Reconciled]) -> list[Reconciled]:
    """Add products up by asset."""
    figures = COLUMNS[3:]
    totals: dict[str, dict[str, Decimal]] = {}
    for each in products:
        total = totals.setdefault(each.asset, dict.fromkeys(figures, ZERO))
        for figure in figures:
            total[figure] += getattr(each, figure)
    return [Reconciled(asset=asset, product=None, **total) for asset, total in sorted(totals.items())]


def reconciliation_csv(found: Reconciliation) -> bytes:
    """Write a reconciliation as CSV, a line for each product; amounts are plain decimals."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in found.products:
        figures = [plain(getattr(each, figure)) for figure in COLUMNS[3:]]
        writer.writerow([found.run_on.isoformat(), each.asset, each.product, *figures])
    return file.getvalue().encode()
