"""Today: one page that says whether all is proved, and otherwise what is to be done first."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from staddle.approvals import waiting as waiting_requests
from staddle.days import distribution_at, last_run_on
from staddle.desk import find_desk
from staddle.ledger import Turnover, turnover
from staddle.money import ZERO
from staddle.pages.page import View, Visit, shows
from staddle.rewards import RunReport
from staddle.server.allow import operator
from staddle.server.standing import ToDo, standing
from staddle.treasury import Maturities, counted_costs, maturities, runway
from staddle.ui.refusals import mark

SEES = operator("viewer")
DAY = timedelta(days=1)
APPROVALS_SHOWN, TO_DO_SHOWN = 5, 8
MOVED = ("subscription", "redemption", "deposit", "withdrawal")


@shows("/console", allow=SEES)
def show_today(visit: Visit) -> View:
    """Show how the desk stands, what came in and what went out, how long the pools last, and what waits."""
    now, tx = visit.now, visit.tx
    found = standing(tx, now, visit.at.machine_now)
    waiting = waiting_requests(tx, now)
    counted = counted_costs(tx, now, visit.at.machine_now)
    shown = {
        "standing": found,
        "first": None if found.is_proved else worded(visit, found.to_do[0]),
        "others": [worded(visit, each) for each in found.to_do[1:TO_DO_SHOWN]],
        "more_to_do": max(len(found.to_do) - TO_DO_SHOWN, 0),
        "is_audited": found.run_on is None or (found.audited_on or found.run_on - DAY) >= found.run_on,
        "next_run_at": next_run(visit),
        "paid": paid_by_asset(found.run),
        "moved": by_coin(turnover(tx, now - DAY, now, MOVED)),
        "runways": runway(tx, now, counted.costs),
        "counted_at": counted.counted_at,
        "due": due_within(maturities(tx, now, 30), now),
        "waiting": waiting[:APPROVALS_SHOWN],
        "more_waiting": max(len(waiting) - APPROVALS_SHOWN, 0),
    }
    return View("today.html", shown, part="figures")


def next_run(visit: Visit) -> datetime:
    """Give the instant of the next distribution."""
    at = find_desk(visit.tx).distribution_time
    return distribution_at(last_run_on(visit.now, at) + DAY, at)


def paid_by_asset(report: RunReport | None) -> list[tuple[str, int, Decimal]]:
    """Add up what the last run owed, whether it paid it or an act before it: coin, rewards, amount."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for line in () if report is None else report.lines:
        count, amount = sums.get(line.asset, (0, ZERO))
        sums[line.asset] = (count + line.rewards_planned, amount + line.amount_planned)
    return [(asset, count, amount) for asset, (count, amount) in sorted(sums.items())]


def by_coin(found: Sequence[Turnover]) -> dict[str, dict[str, Turnover]]:
    """Put what was moved into a row for each coin, by kind."""
    rows: dict[str, dict[str, Turnover]] = {}
    for each in found:
        rows.setdefault(each.asset, {})[each.kind] = each
    return dict(sorted(rows.items()))


def due_within(found: Sequence[Maturities], now: datetime) -> list[dict[str, Any]]:
    """Add up by coin what reaches maturity in the next 7 and 30 days."""
    in_a_week = datetime.combine(now.astimezone(UTC).date() + timedelta(days=7), time(0), UTC).date()
    sums: dict[str, dict[str, Any]] = {}
    for each in found:
        kept = sums.setdefault(
            each.asset, {"asset": each.asset, "positions": 0, "week": ZERO, "month": ZERO, "leaves": ZERO}
        )
        kept["positions"] += each.position_count
        kept["month"] += each.principal
        kept["leaves"] += each.principal_redeemed
        if each.due_on < in_a_week:
            kept["week"] += each.principal
    return [sums[asset] for asset in sorted(sums)]


def worded(visit: Visit, what: ToDo) -> dict[str, str]:
    """Say in words what is to be done, and where."""
    usual = (
        what.what.replace("_", " ").capitalize() + ": %(subject)s",
        mark("See the alarm."),
        "/console/alarms",
    )
    title, text, address = TO_DO.get(what.what, usual)
    return {
        "title": visit.say(title, subject=what.subject),
        "text": visit.say(text),
        "address": address.format(quote(what.subject)),
        "what": what.what,
    }


LATE = mark("Customers lose nothing: a late run pays the same. See what keeps it.")
TO_DO: Mapping[str, tuple[str, str, str]] = {
    "no_worker": (
        mark("Nobody keeps the schedule"),
        mark("No worker is there: runs and maturities wait. Start `staddle worker`."),
        "/console/runs",
    ),
    "run_not_done": (mark("The rewards of %(subject)s are not paid"), LATE, "/console/runs/{}"),
    "run_late": (mark("The run of %(subject)s is late"), LATE, "/console/runs/{}"),
    "run_held": (
        mark("The run of %(subject)s is outside its limits and waits"),
        mark("Look at the limits it exceeds; fund the pool, or ask a second person to release it."),
        "/console/runs/{}",
    ),
    "not_audited": (
        mark("The books were not audited after the run of %(subject)s"),
        mark("Start the audit; it changes nothing and says what it finds."),
        "/console/audit",
    ),
    "audit_failed": (
        mark("The audit found something wrong in the books"),
        mark("Treat it as an incident: release no run, keep the verdict, get an engineer."),
        "/console/audit",
    ),
    "invariant_broken": (
        mark("A promise of the books does not hold: %(subject)s"),
        mark("The job has stopped. Run the audit, keep its verdict, get an engineer."),
        "/console/alarms",
    ),
    "position_parked": (
        mark("Position %(subject)s could not be paid and was put aside"),
        mark("See why, mend it, and pay it again. No other position was stopped."),
        "/console/parked",
    ),
    "runway_short": (
        mark("The %(subject)s reward pool will not last"),
        mark("Fund it; a second person approves."),
        "/console/treasury/{}",
    ),
    "unusual_redemptions": (
        mark("Customers redeem far more %(subject)s than is usual"),
        mark("Look at the ladder and at what custody holds; talk to the treasury."),
        "/console/treasury/{}",
    ),
    "outbox_behind": (
        mark("Events wait far too long to be delivered: %(subject)s"),
        mark("Nothing is lost; see whether the receiver answers and a worker runs."),
        "/console/alarms",
    ),
    "roles_granted_alone": (
        mark("%(subject)s was given roles by the only admin"),
        mark("Give somebody else the role admin; that person looks at it and clears the alarm."),
        "/console/people",
    ),
}
"""What each thing to be done is called, what to do about it, and where; `{}` is its subject."""
