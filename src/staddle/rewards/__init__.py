"""The daily run, its plan, limits and report; receipts and statements."""

from staddle.rewards.account_statement import AccountLine, AccountStatement, account_statement, export_account
from staddle.rewards.act_rewards import LinkedReward, rewards_behind
from staddle.rewards.attempt import LeftOff, RunAttempt, attempts_of
from staddle.rewards.audit import CHECKS, AuditProgress, Verdict, audit, judge, judge_alone
from staddle.rewards.closing import (
    Closing,
    ClosingAsset,
    ClosingLine,
    ClosingMovement,
    HouseDay,
    HouseLine,
    HouseStatement,
    close_all,
    find_closing,
    house_statement,
    latest_closings,
)
from staddle.rewards.dry_run import DryRun, PlannedLine, dry_run, kept_plan
from staddle.rewards.explain import DayExplained, explain_day
from staddle.rewards.history import history_page
from staddle.rewards.limits import RunLimit
from staddle.rewards.mature_all import mature_all
from staddle.rewards.move_clock import instant_after, move_clock
from staddle.rewards.park import ParkedPosition, parked_page, parked_positions, retry_parked
from staddle.rewards.pause import pause_run, resume_run
from staddle.rewards.plan import foresee
from staddle.rewards.realised import RealisedApr, last_finished_run, realised_apr
from staddle.rewards.receipts import receipt_json, receipt_named, receipt_of
from staddle.rewards.received import (
    RewardDay,
    RewardFilter,
    RewardReceived,
    RewardTotal,
    reward_days,
    reward_totals,
    rewards_received,
)
from staddle.rewards.reconcile import Reconciliation, reconcile, reconciliation_csv
from staddle.rewards.report import (
    RunReport,
    RunSpan,
    approve_release,
    ask_release,
    find_report,
    latest_runs,
    report_of,
    run_spans,
)
from staddle.rewards.run import Progress, catch_up, run
from staddle.rewards.seal import SealProgress, seal_all
from staddle.rewards.statement import (
    COLUMNS,
    Line,
    Place,
    StatementRow,
    Wanted,
    statement,
    statement_file,
    statement_page,
    write_statement,
)
from staddle.rewards.statement_pdf import statement_pdf
from staddle.rewards.tick import Ticked, tick, tick_through

__all__ = [
    "CHECKS",
    "COLUMNS",
    "AccountLine",
    "AccountStatement",
    "AuditProgress",
    "Closing",
    "ClosingAsset",
    "ClosingLine",
    "ClosingMovement",
    "DayExplained",
    "DryRun",
    "HouseDay",
    "HouseLine",
    "HouseStatement",
    "LeftOff",
    "Line",
    "LinkedReward",
    "ParkedPosition",
    "Place",
    "PlannedLine",
    "Progress",
    "RealisedApr",
    "Reconciliation",
    "RewardDay",
    "RewardFilter",
    "RewardReceived",
    "RewardTotal",
    "RunAttempt",
    "RunLimit",
    "RunReport",
    "RunSpan",
    "SealProgress",
    "StatementRow",
    "Ticked",
    "Verdict",
    "Wanted",
    "account_statement",
    "approve_release",
    "ask_release",
    "attempts_of",
    "audit",
    "catch_up",
    "close_all",
    "dry_run",
    "explain_day",
    "export_account",
    "find_closing",
    "find_report",
    "foresee",
    "history_page",
    "house_statement",
    "instant_after",
    "judge",
    "judge_alone",
    "kept_plan",
    "last_finished_run",
    "latest_closings",
    "latest_runs",
    "mature_all",
    "move_clock",
    "parked_page",
    "parked_positions",
    "pause_run",
    "realised_apr",
    "receipt_json",
    "receipt_named",
    "receipt_of",
    "reconcile",
    "reconciliation_csv",
    "report_of",
    "resume_run",
    "retry_parked",
    "reward_days",
    "reward_totals",
    "rewards_behind",
    "rewards_received",
    "run",
    "run_spans",
    "seal_all",
    "statement",
    "statement_file",
    "statement_page",
    "statement_pdf",
    "tick",
    "tick_through",
    "write_statement",
]
