"""The daily run, its plan, limits and report; receipts and statements."""

from staddle.rewards.mature_all import mature_all
from staddle.rewards.park import parked_positions, retry_parked
from staddle.rewards.plan import plan
from staddle.rewards.report import RunReport, find_report, latest_runs, release_run
from staddle.rewards.run import Progress, catch_up, run
from staddle.rewards.seal import SealProgress, seal_all

__all__ = [
    "Progress",
    "RunReport",
    "SealProgress",
    "catch_up",
    "find_report",
    "latest_runs",
    "mature_all",
    "parked_positions",
    "plan",
    "release_run",
    "retry_parked",
    "run",
    "seal_all",
]
