"""Adding coins: an operator's act, for a coin's decimals are decided once and for all."""

from datetime import datetime

from staddle import ledger
from staddle.db import Tx
from staddle.desk.log import log
from staddle.desk.operators import find_operator
from staddle.ledger import Asset


def add_asset(tx: Tx, by: str, code: str, name: str, scale: int, now: datetime) -> Asset:
    """Add a coin; adding the same one again changes nothing. Logged.

    Raises OperatorNotFound, InvalidName, InvalidChoice, or AlreadyExists where the coin has another scale or name.
    """
    find_operator(tx, by)
    asset = ledger.add_asset(tx, code, name, scale)
    log(tx, by, "add_asset", code, {"name": name, "scale": scale}, now)
    return asset
