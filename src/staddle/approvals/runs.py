"""What releasing a run that is outside its limits would do."""

from datetime import date, datetime
from decimal import Decimal

from staddle.approvals.words import Told, changed, sum_of
from staddle.db import Tx
from staddle.desk import Approval
from staddle.ledger import find_asset, pool_left
from staddle.money import EXACT, ZERO
from staddle.rewards import RunReport, find_report, latest_runs
from staddle.rewards.report import basis_of_release


def of_release(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:  # noqa: ARG001
    """Say what the run would pay, against the last one, and what is left of each pool then."""
    run_on = date.fromisoformat(asked.subject)
    report = find_report(tx, run_on)
    before = next((each for each in latest_runs(tx, 1, run_on)), None)
    owed, last = by_asset(report), {} if before is None else by_asset(before)
    lefts = pool_left(tx)
    effect = [changed("held_because", "Why it waits", report.held_because, None)]
    for asset in sorted(owed):
        count, planned = owed[asset]
        held = lefts.get(find_asset(tx, asset).asset_id, ZERO)
        sums = (last.get(asset, (0, ZERO))[1], planned, held, EXACT.subtract(held, planned))
        paid, amount, left, after = (sum_of(each, asset) for each in sums)
        effect += [
            changed(f"rewards_{asset}", f"Rewards in {asset}", None, count),
            changed(f"amount_{asset}", f"Paid in {asset}, against the run before", paid, amount),
            changed(f"pool_left_{asset}", f"Left in the {asset} pool", left, after),
        ]
    return [changed("state", f"The run of {run_on}", report.state, "released")], effect


def by_asset(report: RunReport) -> dict[str, tuple[int, Decimal]]:
    """Add up what a run planned by coin: rewards and amount."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for line in report.lines:
        count, amount = sums.get(line.asset, (0, ZERO))
        sums[line.asset] = (count + line.rewards_planned, EXACT.add(amount, line.amount_planned))
    return sums


def basis_of_asked_release(tx: Tx, asked: Approval) -> str:
    """What a request for a release stands upon; a run that does not wait any more has none."""
    report = find_report(tx, date.fromisoformat(asked.subject))
    return basis_of_release(report) if report.state == "held" else report.state
