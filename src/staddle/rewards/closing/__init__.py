"""Closing the books day by day: what moved, and the trial balance over all cells."""

from staddle.rewards.closing.close import close_all
from staddle.rewards.closing.house_statement import HouseDay, HouseLine, HouseStatement, house_statement
from staddle.rewards.closing.show import (
    Closing,
    ClosingAsset,
    ClosingLine,
    ClosingMovement,
    find_closing,
    latest_closings,
)

__all__ = [
    "Closing",
    "ClosingAsset",
    "ClosingLine",
    "ClosingMovement",
    "HouseDay",
    "HouseLine",
    "HouseStatement",
    "close_all",
    "find_closing",
    "house_statement",
    "latest_closings",
]
