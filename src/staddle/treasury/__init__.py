"""The desk's own money: the reward pool, how long it lasts, what falls due, income from forfeitures."""

from staddle.treasury.correct import Corrected, Entry, approve_correction, ask_correction, find_entry
from staddle.treasury.counted import (
    Counted,
    counted_costs,
    counted_foresight,
    counted_ladder,
    keep_costs,
    keep_foresight,
)
from staddle.treasury.foresee import Cost, Maturities, Runway, count_costs, maturities, runway
from staddle.treasury.foresee_rate import LockedTerms, RateEffect, foresee_rate
from staddle.treasury.history import PoolDay, pool_days, pool_history
from staddle.treasury.ladder import Ladder, LadderDay, ladder
from staddle.treasury.move_pool import (
    ApprovePoolMove,
    AskPoolMove,
    PoolMoveAsked,
    PoolMoved,
    approve_pool_move,
    ask_pool_move,
)
from staddle.treasury.pool_moves import PoolMoveShown, pool_moves
from staddle.treasury.redemptions import Redemptions, redemptions
from staddle.treasury.what_if import Supposed, WhatIf, WhatIfDay, what_if

__all__ = [
    "ApprovePoolMove",
    "AskPoolMove",
    "Corrected",
    "Cost",
    "Counted",
    "Entry",
    "Ladder",
    "LadderDay",
    "LockedTerms",
    "Maturities",
    "PoolDay",
    "PoolMoveAsked",
    "PoolMoveShown",
    "PoolMoved",
    "RateEffect",
    "Redemptions",
    "Runway",
    "Supposed",
    "WhatIf",
    "WhatIfDay",
    "approve_correction",
    "approve_pool_move",
    "ask_correction",
    "ask_pool_move",
    "count_costs",
    "counted_costs",
    "counted_foresight",
    "counted_ladder",
    "find_entry",
    "foresee_rate",
    "keep_costs",
    "keep_foresight",
    "ladder",
    "maturities",
    "pool_days",
    "pool_history",
    "pool_moves",
    "redemptions",
    "runway",
    "what_if",
]
