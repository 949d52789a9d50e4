"""The desk's own money: the reward pool, how long it lasts, what falls due, income from forfeitures."""

from staddle.treasury.foresee import Maturities, Runway, maturities, runway
from staddle.treasury.move_pool import (
    ApprovePoolMove,
    AskPoolMove,
    PoolMoveAsked,
    PoolMoved,
    approve_pool_move,
    ask_pool_move,
)

__all__ = [
    "ApprovePoolMove",
    "AskPoolMove",
    "Maturities",
    "PoolMoveAsked",
    "PoolMoved",
    "Runway",
    "approve_pool_move",
    "ask_pool_move",
    "maturities",
    "runway",
]
