"""Pausing a run between two of its pieces, and letting it go on; later runs wait behind it (product.md rule 20)."""

from datetime import date, datetime

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import InvalidChoice, WrongState
from staddle.rewards.report import RunReport, find_report

sql = queries(__package__)
REASON_MAX = 300


def pause_run(tx: Tx, by: str, run_on: date, because: str, now: datetime) -> RunReport:
    """Pause a run that is planned and not finished; pieces that are under way are finished, no other is begun. Logged.

    A run that is paused stays so until somebody resumes it, and is late as any other. Raises RunNotFound, InvalidChoice
    without a reason, or WrongState: one that is held waits already, one that is finished has nothing left to pause.
    """
    find_operator(tx, by)
    reason = check_reason(because)
    report = find_report(tx, run_on)
    paused = {"run_on": run_on, "by": by, "because": reason, "now": now}
    if tx.execute(sql.pause_run, paused).fetchone() is None:
        state = find_report(tx, run_on).state
        more = " It waits already, for a second person." if state == "held" else ""
        raise WrongState(f"The run of {run_on} is {state}; only one that is under way can be paused.{more}")
    told = {"because": reason, "pieces_paid": report.pieces_paid, "pieces": report.pieces}
    log(tx, by, "pause_run", str(run_on), told, now)
    return find_report(tx, run_on)


def resume_run(tx: Tx, by: str, run_on: date, now: datetime) -> RunReport:
    """Let a paused run go on; the schedule takes it up by itself. Logged. Raises RunNotFound or WrongState."""
    find_operator(tx, by)
    report = find_report(tx, run_on)
    if tx.execute(sql.resume_run, {"run_on": run_on}).fetchone() is None:
        raise WrongState(f"The run of {run_on} is {find_report(tx, run_on).state}, it is not paused.")
    told = {"paused_by": report.paused_by, "paused_because": report.paused_because}
    log(tx, by, "resume_run", str(run_on), told, now)
    return find_report(tx, run_on)


def check_reason(because: str) -> str:
    """Give a reason back without the space around it; others must know why a run stands still."""
    reason = because.strip()
    if not 1 <= len(reason) <= REASON_MAX or not reason.isprintable():
        raise InvalidChoice(
            f"Please say why, in 1 to {REASON_MAX} printable characters; others must know why the run stands still.",
            field="because",
        )
    return reason
