"""Sealing transfers: each block is hashed onto the one before it, so that the past cannot be rewritten unseen.

It is done off the hot path. A cell's ids are given out under its lock, so what a statement sees of its transfers is
always a gapless beginning of them, and sealers need to wait for each other only.
"""

from datetime import datetime

from staddle.db import Tx, queries

sql = queries(__package__)
TRANSFERS_IN_A_BLOCK = 10_000


def lock_seals(tx: Tx, cell_from: int, cell_to: int) -> None:
    """Hold the chains of these cells until the transaction ends, so that none ever forks."""
    tx.execute(sql.lock_seals, {"cell_from": cell_from, "cell_to": cell_to})


def seal_transfers(tx: Tx, cell_from: int, cell_to: int, now: datetime) -> int:
    """Seal what was posted in these cells since their last seals, in blocks; gives the number of blocks."""
    lock_seals(tx, cell_from, cell_to)
    wanted = {"cell_from": cell_from, "cell_to": cell_to, "block": TRANSFERS_IN_A_BLOCK, "now": now}
    blocks = 0
    while count := tx.execute(sql.seal_transfers, wanted).rowcount:
        blocks += count
    return blocks
