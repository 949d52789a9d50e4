"""Two people: whatever needs a second person is asked for, shown to both with its effect, and decided here."""

from staddle.approvals.ask import (
    add_operator,
    ask_correction,
    ask_customer_move,
    ask_halt,
    ask_pool_move,
    ask_rate,
    ask_reading,
    ask_release,
    ask_source,
    ask_terms,
    ask_to_remove_factors,
    set_operator_active,
    set_roles,
)
from staddle.approvals.decide import Approved, approve, decline
from staddle.approvals.kinds import KINDS, Deciding, Kind
from staddle.approvals.show import Request, RequestInFull, decided, show_request, waiting, why_not

__all__ = [
    "KINDS",
    "Approved",
    "Deciding",
    "Kind",
    "Request",
    "RequestInFull",
    "add_operator",
    "approve",
    "ask_correction",
    "ask_customer_move",
    "ask_halt",
    "ask_pool_move",
    "ask_rate",
    "ask_reading",
    "ask_release",
    "ask_source",
    "ask_terms",
    "ask_to_remove_factors",
    "decided",
    "decline",
    "set_operator_active",
    "set_roles",
    "show_request",
    "waiting",
    "why_not",
]
