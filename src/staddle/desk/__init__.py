"""Who works the desk, its clock, its limits, what needs a second person, and what everybody did."""

from staddle.desk.alarms import Alarm, clear_alarm, dismiss_alarm, list_alarms, raise_alarm, raise_all
from staddle.desk.approvals import Approval, approve, ask, decline, find_approval, pending
from staddle.desk.assets import add_asset
from staddle.desk.clock import advance_clock, change_limits, change_redemption_limits, now_of, set_clock
from staddle.desk.create import Desk, create_desk, find_desk
from staddle.desk.difference import Difference
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
from staddle.desk.prices import Price, prices_of, set_prices

__all__ = [
    "ROLES",
    "Alarm",
    "Approval",
    "Desk",
    "Difference",
    "LogEntry",
    "Operator",
    "Price",
    "add_asset",
    "add_operator",
    "advance_clock",
    "approve",
    "ask",
    "change_limits",
    "change_redemption_limits",
    "clear_alarm",
    "create_desk",
    "decline",
    "dismiss_alarm",
    "find_approval",
    "find_desk",
    "find_operator",
    "list_alarms",
    "list_operators",
    "log",
    "now_of",
    "pending",
    "prices_of",
    "raise_alarm",
    "raise_all",
    "read_log",
    "require_admin",
    "set_active",
    "set_clock",
    "set_prices",
    "set_roles",
]
