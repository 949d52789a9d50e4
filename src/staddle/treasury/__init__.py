"""The desk's own money: the reward pool, how long it lasts, what falls due, income from forfeitures."""

from staddle.treasury.foresee import Maturities, Runway, maturities, runway
from staddle.treasury.foresee_rate import LockedTerms, RateEffect, foresee_rate
from staddle.treasury.move_pool import (
    ApprovePoolMove,
    AskPoolMove,
    PoolMoveAsked,
    PoolMoved,
    approve_pool_move,
    ask_pool_move,
)
from staddle.treasury.pool_moves import PoolMoveShown, pool_moves

__all__ = [
    "ApprovePoolMove",
    "AskPoolMove",
    "LockedTerms",
    "Maturities",
    "PoolMoveAsked",
    "PoolMoveShown",
    "PoolMoved",
    "RateEffect",
    "Runway",
    "approve_pool_move",
    "ask_pool_move",
    "foresee_rate",
    "maturities",
    "pool_moves",
    "runway",
]
