"""The daily run, its plan, limits and report; receipts and statements."""

from staddle.rewards.audit import CHECKS, AuditProgress, Verdict, audit, judge, judge_alone
from staddle.rewards.dry_run import DryRun, PlannedLine, dry_run
from staddle.rewards.mature_all import mature_all
from staddle.rewards.move_clock import instant_after, move_clock
from staddle.rewards.park import ParkedPosition, parked_positions, retry_parked
from staddle.rewards.plan import foresee
from staddle.rewards.receipts import receipt_json, receipt_named, receipt_of
from staddle.rewards.report import RunReport, find_report, latest_runs, release_run
from staddle.rewards.run import Progress, catch_up, run
from staddle.rewards.seal import SealProgress, seal_all
from staddle.rewards.statement import COLUMNS, StatementRow, statement, write_statement
from staddle.rewards.tick import Ticked, tick, tick_through

__all__ = [
    "CHECKS",
    "COLUMNS",
    "AuditProgress",
    "DryRun",
    "ParkedPosition",
    "PlannedLine",
    "Progress",
    "RunReport",
    "SealProgress",
    "StatementRow",
    "Ticked",
    "Verdict",
    "audit",
    "catch_up",
    "dry_run",
    "find_report",
    "foresee",
    "instant_after",
    "judge",
    "judge_alone",
    "latest_runs",
    "mature_all",
    "move_clock",
    "parked_positions",
    "receipt_json",
    "receipt_named",
    "receipt_of",
    "release_run",
    "retry_parked",
    "run",
    "seal_all",
    "statement",
    "tick",
    "tick_through",
    "write_statement",
]
