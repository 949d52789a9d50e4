"""Who works the desk, its clock, its limits, what needs a second person, and what everybody did."""

from staddle.desk.approvals import Approval, approve, ask, decline, find_approval, pending
from staddle.desk.clock import advance_clock, change_limits, now_of, set_clock
from staddle.desk.create import Desk, create_desk, find_desk
from staddle.desk.log import LogEntry, log, read_log
from staddle.desk.operators import (
    ROLES,
    Operator,
    add_operator,
    find_operator,
    list_operators,
    require_admin,
    set_active,
    set_roles,
)

__all__ = [
    "ROLES",
    "Approval",
    "Desk",
    "LogEntry",
    "Operator",
    "add_operator",
    "advance_clock",
    "approve",
    "ask",
    "change_limits",
    "create_desk",
    "decline",
    "find_approval",
    "find_desk",
    "find_operator",
    "list_operators",
    "log",
    "now_of",
    "pending",
    "read_log",
    "require_admin",
    "set_active",
    "set_clock",
    "set_roles",
]
