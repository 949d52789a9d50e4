"""Today: one page that says whether all is proved, and otherwise what is to be done first."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from staddle.approvals import waiting as waiting_requests
from staddle.days import distribution_at, last_run_on
from staddle.desk import find_desk
from staddle.ledger import Turnover, turnover
from staddle.money import ZERO
from staddle.pages.page import View, Visit, shows
from staddle.rewards import RunReport
from staddle.server.allow import operator
from staddle.server.standing import ToDo, standing
from staddle.treasury import Maturities, maturities, runway

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
    shown = {
        "standing": found,
        "first": None if found.is_proved else worded(visit, found.to_do[0]),
        "others": [worded(visit, each) for each in found.to_do[1:TO_DO_SHOWN]],
        "more_to_do": max(len(found.to_do) - TO_DO_SHOWN, 0),
        "is_audited": found.run_on is None or (found.audited_on or found.run_on - DAY) >= found.run_on,
        "next_run_at": next_run(visit),
        "paid": paid_by_asset(found.run),
        "moved": by_coin(turnover(tx, now - DAY, now, MOVED)),
        "runways": runway(tx, now),
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
    say, subject = visit.say, what.subject
    told: dict[str, tuple[str, str, str]] = {
        "no_worker": (
            say("Nobody keeps the schedule"),
            say(
                "No worker has noted a job for three minutes: runs and maturities wait. Start `staddle worker`."
            ),
            "/console/runs",
        ),
        "run_not_done": (
            say("The rewards of %(day)s are not paid", day=subject),
            say("Customers lose nothing: a late run pays the same. See what keeps it."),
            f"/console/runs/{subject}",
        ),
        "not_audited": (
            say("The books were not audited after the run of %(day)s", day=subject),
            say("Start the audit; it changes nothing and says what it finds."),
            "/console/audit",
        ),
        "audit_failed": (
            say("The audit found something wrong in the books"),
            say("Treat it as an incident: release no run, keep the verdict, get an engineer."),
            "/console/audit",
        ),
        "invariant_broken": (
            say("A promise of the books does not hold: %(what)s", what=subject),
            say("The job has stopped. Run the audit, keep its verdict, get an engineer."),
            "/console/alarms",
        ),
        "run_late": (
            say("The run of %(day)s is late", day=subject),
            say("Customers lose nothing: a late run pays the same. See what keeps it."),
            f"/console/runs/{subject}",
        ),
        "run_held": (
            say("The run of %(day)s is outside its limits and waits", day=subject),
            say("Look at the limits it exceeds; fund the pool, or ask a second person to release it."),
            f"/console/runs/{subject}",
        ),
        "position_parked": (
            say("Position %(id)s could not be paid and was put aside", id=subject),
            say("See why, mend it, and pay it again. No other position was stopped."),
            "/console/parked",
        ),
        "runway_short": (
            say("The %(asset)s reward pool will not last", asset=subject),
            say("Fund it; a second person approves."),
            f"/console/treasury/{subject}",
        ),
        "unusual_redemptions": (
            say("Customers redeem far more %(asset)s than is usual", asset=subject),
            say("Look at the ladder and at what custody holds; talk to the treasury."),
            f"/console/treasury/{subject}",
        ),
        "outbox_behind": (
            say("Events wait far too long to be delivered: %(what)s", what=subject),
            say("Nothing is lost; see whether the receiver answers and a worker runs."),
            "/console/alarms",
        ),
        "roles_granted_alone": (
            say("%(name)s was given roles by the only admin", name=subject),
            say("Give somebody else the role admin; that person looks at it and clears the alarm."),
            "/console/people",
        ),
    }
    kind = what.what.replace("_", " ")
    usual = (
        say("%(kind)s: %(subject)s", kind=kind, subject=subject),
        say("See the alarm."),
        "/console/alarms",
    )
    title, text, address = told.get(what.what, usual)
    return {"title": title, "text": text, "address": address, "what": what.what}
