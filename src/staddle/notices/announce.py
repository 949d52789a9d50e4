"""Announcing what comes to pass without anybody's act, such as a product that opens at its hour: once each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from staddle.db import Tx, queries
from staddle.ledger import HOUSE, lock_cells, save_cells
from staddle.notices.write import Notice, write_notices

sql = queries(__package__)
OVER = "over"
"""The standing of a subject of which nothing more will be heard."""


def announce_changes(
    tx: Tx,
    standings: Mapping[str, str],
    notices_of: Callable[[str, str | None, str], Sequence[Notice]],
    now: datetime,
    is_early: Callable[[str, str, datetime], bool] = lambda _before, _standing, _announced_at: False,
) -> int:
    """Announce every subject whose standing is not what was last announced; gives how many those are.

    `notices_of(subject, before, standing)` words it. A subject that is not among `standings` any more is OVER. The
    house's cell is only taken where there is something to announce; of two at once, one does it.
    `is_early(before, standing, announced_at)` holds back what was announced a moment ago and may change again.
    """
    if not _changed(tx, standings, is_early):
        return 0
    locked = lock_cells(tx, [HOUSE])
    changed = _changed(tx, standings, is_early)
    worded = [
        notice
        for subject, (before, standing) in sorted(changed.items())
        for notice in notices_of(subject, before, standing)
    ]
    write_notices(tx, locked, worded, now)
    save_cells(tx, locked)
    noted = {
        "subjects": sorted(changed),
        "standings": [changed[subject][1] for subject in sorted(changed)],
        "now": now,
    }
    tx.execute(sql.note_announced, noted)
    return len(changed)


def _changed(
    tx: Tx, standings: Mapping[str, str], is_early: Callable[[str, str, datetime], bool]
) -> dict[str, tuple[str | None, str]]:
    """Give what was last announced of each subject that has changed, and how it stands now."""
    told = {row.subject: row for row in tx.execute(sql.announced).fetchall()}
    new: dict[str, tuple[str | None, str]] = {
        subject: (None, standing) for subject, standing in standings.items() if subject not in told
    }
    for subject, row in told.items():
        standing = standings.get(subject, OVER)
        if standing != row.standing and not is_early(row.standing, standing, row.announced_at):
            new[subject] = (row.standing, standing)
    return new
