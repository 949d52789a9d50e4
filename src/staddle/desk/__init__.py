"""Who works the desk, its clock, its limits, what needs a second person, and what everybody did."""

from staddle.desk.alarms import Alarm, clear_alarm, dismiss_alarm, list_alarms, raise_alarm, raise_all
from staddle.desk.approvals import (
    Approval,
    approve,
    ask,
    count_pending,
    decided,
    decline,
    find_approval,
    keep_effect,
    pending,
    settle,
)
from staddle.desk.assets import add_asset
from staddle.desk.clock import advance_clock, change_limits, change_redemption_limits, now_of, set_clock
from staddle.desk.create import Desk, create_desk, find_desk
from staddle.desk.difference import Difference
from staddle.desk.grants import add_operator, approve_roles, set_active, set_roles
from staddle.desk.log import EVERYTHING, LogEntry, LogFilter, log, logged_acts, read_log, seal_log
from staddle.desk.operators import (
    ROLES,
    Operator,
    active_admins,
    find_operator,
    list_operators,
    require_admin,
)
from staddle.desk.prices import Price, prices_of, set_prices

__all__ = [
    "EVERYTHING",
    "ROLES",
    "Alarm",
    "Approval",
    "Desk",
    "Difference",
    "LogEntry",
    "LogFilter",
    "Operator",
    "Price",
    "active_admins",
    "add_asset",
    "add_operator",
    "advance_clock",
    "approve",
    "approve_roles",
    "ask",
    "change_limits",
    "change_redemption_limits",
    "clear_alarm",
    "count_pending",
    "create_desk",
    "decided",
    "decline",
    "dismiss_alarm",
    "find_approval",
    "find_desk",
    "find_operator",
    "keep_effect",
    "list_alarms",
    "list_operators",
    "log",
    "logged_acts",
    "now_of",
    "pending",
    "prices_of",
    "raise_alarm",
    "raise_all",
    "read_log",
    "require_admin",
    "seal_log",
    "set_active",
    "set_clock",
    "set_prices",
    "set_roles",
    "settle",
]
