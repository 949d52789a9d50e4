"""What must be true of the operators' log, and of what two people have agreed upon."""

from staddle.db import queries
from staddle.ledger.audit import Check

sql = queries(__package__)

DESK_CHECKS = (
    Check(
        "log_chain",
        "Every entry of the operators' log that was sealed is there, and as it was then.",
        sql.audit_log_chain,
        "all",
    ),
    Check(
        "approvals",
        "Every request for approval, and every decision on one, is in the operators' log as it stands.",
        sql.audit_approvals,
        "all",
    ),
    Check(
        "corrections_approved",
        "Every correction was asked for by one person and approved by another.",
        sql.audit_corrections_approved,
        "all",
    ),
    Check(
        "unsealed_log",
        "Entries of the operators' log since the last sealing.",
        sql.audit_unsealed_log,
        "all",
        is_information=True,
    ),
)
