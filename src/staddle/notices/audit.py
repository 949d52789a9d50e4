"""What must be true of the outbox and of webhooks: nothing is missing, nothing is passed over, nothing is stuck."""

from staddle.db import queries
from staddle.ledger.audit import Check

sql = queries(__package__)

NOTICE_CHECKS = (
    Check(
        "notice_ids",
        "The notices of every cell are numbered without a gap, and counted.",
        sql.audit_notice_ids,
    ),
    Check(
        "webhook_cursors",
        "Every endpoint has read each cell up to a notice that is there.",
        sql.audit_webhook_cursors,
        "all",
    ),
    Check(
        "webhook_lanes",
        "Every delivery that waits has its turn, and nothing has a turn that does not wait.",
        sql.audit_webhook_lanes,
        "all",
    ),
)
