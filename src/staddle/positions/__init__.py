"""Positions: preview, subscribe, settle, redeem, leave early, mature, choose."""

from staddle.positions.auto_subscribe import apply_rate_guards, auto_subscribe
from staddle.positions.choose import (
    ChooseAtMaturity,
    Chosen,
    SetAutoSubscribe,
    SetRateGuard,
    choose_at_maturity,
    set_auto_subscribe,
    set_rate_guard,
)
from staddle.positions.leave_early import (
    AskToLeave,
    ConfirmLeave,
    EarlyQuote,
    LeftEarly,
    ask_to_leave,
    confirm_leave,
)
from staddle.positions.mature import mature, products_maturing
from staddle.positions.redeem import Redeem, Redeemed, redeem
from staddle.positions.subscribe import Subscribe, Subscribed, preview, subscribe

__all__ = [
    "AskToLeave",
    "ChooseAtMaturity",
    "Chosen",
    "ConfirmLeave",
    "EarlyQuote",
    "LeftEarly",
    "Redeem",
    "Redeemed",
    "SetAutoSubscribe",
    "SetRateGuard",
    "Subscribe",
    "Subscribed",
    "apply_rate_guards",
    "ask_to_leave",
    "auto_subscribe",
    "choose_at_maturity",
    "confirm_leave",
    "mature",
    "preview",
    "products_maturing",
    "redeem",
    "set_auto_subscribe",
    "set_rate_guard",
    "subscribe",
]
