"""Sealing the books: transfers in blocks and the rewards of each finished run, in one chain of hashes for each cell;
and the operators' log in a chain of its own.

What is sealed cannot be rewritten unseen. It is done off the hot path, and customers never wait for it. Running it
again seals only what is new; killed anywhere, it is simply run again.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

from staddle.db import Database, Tx, queries
from staddle.desk import seal_log
from staddle.failpoint import failpoint
from staddle.ledger import CELL_COUNT
from staddle.ledger.seal import lock_seals, seal_transfers

sql = queries(__package__)
CELLS_AT_ONCE = 16
WORKERS = 2


@dataclass(frozen=True, slots=True)
class SealProgress:
    """How far sealing is: groups of cells done of groups in all, and the seals that this process has set."""

    groups_done: int
    groups: int
    seals: int


def seal_all(database: Database, now: datetime, tell: Callable[[SealProgress], None] = lambda _: None) -> int:
    """Seal everything that was posted and paid since the last time; gives the number of seals set."""
    with database.transaction() as tx:
        days = [row.run_on for row in tx.execute(sql.days_to_seal).fetchall()]
        # The operators' log has a chain of its own, which has nothing to do with cells.
        seal_log(tx, now)
    starts = range(0, CELL_COUNT, CELLS_AT_ONCE)
    seals = 0
    tell(SealProgress(0, len(starts), seals))
    with ThreadPoolExecutor(WORKERS) as pool:
        counts = pool.map(lambda start: seal_cells(database, start, days, now), starts)
        for done, count in enumerate(counts, start=1):
            seals += count
            tell(SealProgress(done, len(starts), seals))
    return seals


def seal_cells(database: Database, cell_from: int, days: Sequence[date], now: datetime) -> int:
    """Seal a group of cells in one transaction: transfers, the rewards of these finished runs, late rewards."""
    cell_to = cell_from + CELLS_AT_ONCE - 1
    with database.transaction() as tx:
        seals = seal_transfers(tx, cell_from, cell_to, now)
        failpoint("seal.transfers")
        seals += seal_rewards(tx, cell_from, cell_to, days, now)
        failpoint("seal.before_commit")
    return seals


def seal_rewards(tx: Tx, cell_from: int, cell_to: int, days: Sequence[date], now: datetime) -> int:
    """Seal the rewards of finished runs in these cells, each day once, and then what was paid late.

    Rewards that a parked position is paid later come into days that may be sealed already. They say so themselves
    (`is_late`), so that a day's seal covers the others, and each late one is covered by a seal that names its position.
    """
    lock_seals(tx, cell_from, cell_to)
    cells = {"cell_from": cell_from, "cell_to": cell_to, "now": now}
    seals = 0
    for run_on in days:
        seals += tx.execute(sql.seal_rewards, {**cells, "run_on": run_on}).rowcount
    while count := tx.execute(sql.seal_late_rewards, cells).rowcount:
        seals += count
    return seals
