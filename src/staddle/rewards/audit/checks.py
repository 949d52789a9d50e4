"""What must be true of positions, rewards, runs and quotas; the ledger's own checks are in `ledger/audit.py`."""

from staddle.db import queries
from staddle.ledger.audit import Check

sql = queries(__package__)

EARN_CHECKS = (
    Check("balances", "Every balance is the sum of its transfers and rewards.", sql.balances),
    Check(
        "earn_balances",
        "Every Earn balance is the sum of the customer's open principals.",
        sql.earn_balances,
    ),
    Check(
        "accrued_balances",
        "Every accrued balance is the sum of the rewards of open at-maturity positions.",
        sql.accrued_balances,
    ),
    Check(
        "requests",
        "Every customer's transfer was asked for by a request that was granted at its instant, or is of a maturity.",
        sql.requests,
    ),
    Check(
        "position_ids",
        "The positions of every cell are numbered without a gap, and counted.",
        sql.position_ids,
    ),
    Check(
        "position_terms",
        "Every position is as its customer, product, terms and rate at its start have it.",
        sql.position_terms,
    ),
    Check(
        "consents",
        "Every position's customer had accepted the agreement it was opened under.",
        sql.consents,
    ),
    Check(
        "openings",
        "Every position was opened by one subscription of its principal, or by a maturity.",
        sql.openings,
    ),
    Check(
        "histories",
        "Every position's past leads without a break from its opening to what it holds, and its sums are right.",
        sql.histories,
    ),
    Check(
        "principals",
        "Every change of a principal is what was moved out of Earn at that instant.",
        sql.principals,
    ),
    Check(
        "tier_offsets",
        "Every open position fills the tiers above the older ones of its holding.",
        sql.tier_offsets,
    ),
    Check(
        "rewards",
        "Every reward is what the position earned on its day, to the last digit; none is missing, none is extra.",
        sql.rewards,
        "cells and days",
    ),
    Check("rewards_once", "No day of a position was paid twice.", sql.rewards_once, "all"),
    Check(
        "ended_days",
        "Every ended position was settled through the last day it had earned.",
        sql.ended_days,
    ),
    Check(
        "forfeitures",
        "Every early redemption took back what the position's terms say.",
        sql.forfeitures,
    ),
    Check(
        "forfeited_rewards",
        "Every forfeiture is linked to the rewards it takes back, none beyond its amount.",
        sql.forfeited_rewards,
    ),
    Check(
        "run_totals", "The totals of every run are the sums of the rewards it paid.", sql.run_totals, "days"
    ),
    Check("run_plans", "Every finished run paid what was planned, or parked it.", sql.run_plans, "days"),
    Check("runs", "Runs are of consecutive days, and complete when finished.", sql.runs, "all"),
    Check("watermarks", "Every cell's watermark is the last run that paid it.", sql.watermarks, "all"),
    Check("quotas", "Every quota's use is the sum of the product's open principals.", sql.quotas, "all"),
    Check(
        "rates", "Rate revisions are in order, never back-dated, and their tiers cover all.", sql.rates, "all"
    ),
    Check(
        "sealed_rewards",
        "Sealed rewards still have the hash of their seal.",
        sql.sealed_rewards,
        "cells and days",
    ),
    Check(
        "sealed_late_rewards",
        "Sealed rewards that were paid late still have the hash of their seal.",
        sql.sealed_late_rewards,
    ),
    Check(
        "closings",
        "Every closing adds up to zero, and goes on from the one before it by what moved.",
        sql.closings,
        "all",
    ),
    Check(
        "closing_movements",
        "What moved between two closings is the sum of the transfers and rewards between them.",
        sql.closing_movements,
        "days",
    ),
    Check(
        "newest_closing",
        "The newest closing, with what moved since, is what all accounts hold.",
        sql.newest_closing,
        "all",
    ),
    Check("unsealed_rewards", "Finished runs since the last sealing.", sql.unsealed_rewards, "all", True),
    Check("parked", "Positions that are parked.", sql.parked, "cells", True),
)
