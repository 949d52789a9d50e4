"""Positions: preview, subscribe, settle, redeem, leave early, mature, choose."""

from staddle.positions.auto_subscribe import apply_rate_guards, auto_subscribe
from staddle.positions.by_version import HeldUnder, held_by_version
from staddle.positions.choose import (
    ChooseAtMaturity,
    Chosen,
    SetAutoSubscribe,
    SetRateGuard,
    choose_at_maturity,
    set_auto_subscribe,
    set_rate_guard,
)
from staddle.positions.decide import Subscribe, Subscribed
from staddle.positions.estimate import Estimate, estimate, held_by_product, refusal_of
from staddle.positions.leave_early import (
    AskToLeave,
    ConfirmLeave,
    EarlyQuote,
    LeftEarly,
    ask_to_leave,
    confirm_leave,
)
from staddle.positions.look_through import (
    DeskPosition,
    PositionFilter,
    PositionOrder,
    PositionPage,
    PositionPlace,
    customer_of_position,
    export_positions,
    positions_of_desk,
)
from staddle.positions.mature import mature, products_maturing
from staddle.positions.redeem import Redeem, Redeemed, redeem
from staddle.positions.show import ShownPosition, positions_of
from staddle.positions.show_assets import ShownAsset, assets_of
from staddle.positions.show_position import PositionInFull, position_of
from staddle.positions.standing import StandingChoices, standing_choices
from staddle.positions.subscribe import preview, subscribe

__all__ = [
    "AskToLeave",
    "ChooseAtMaturity",
    "Chosen",
    "ConfirmLeave",
    "DeskPosition",
    "EarlyQuote",
    "Estimate",
    "HeldUnder",
    "LeftEarly",
    "PositionFilter",
    "PositionInFull",
    "PositionOrder",
    "PositionPage",
    "PositionPlace",
    "Redeem",
    "Redeemed",
    "SetAutoSubscribe",
    "SetRateGuard",
    "ShownAsset",
    "ShownPosition",
    "StandingChoices",
    "Subscribe",
    "Subscribed",
    "apply_rate_guards",
    "ask_to_leave",
    "assets_of",
    "auto_subscribe",
    "choose_at_maturity",
    "confirm_leave",
    "customer_of_position",
    "estimate",
    "export_positions",
    "held_by_product",
    "held_by_version",
    "mature",
    "position_of",
    "positions_of",
    "positions_of_desk",
    "preview",
    "products_maturing",
    "redeem",
    "refusal_of",
    "set_auto_subscribe",
    "set_rate_guard",
    "standing_choices",
    "subscribe",
]
