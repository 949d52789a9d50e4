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
) -> int:
    """Announce every subject whose standing is not what was last announced; gives how many those are.

    `notices_of(subject, before, standing)` words it. A subject that is not among `standings` any more is OVER. The
    house's cell is only taken where there is something to announce; of two at once, one does it.
    """
    if not _changed(tx, standings):
        return 0
    locked = lock_cells(tx, [HOUSE])
    changed = _changed(tx, standings)
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


def _changed(tx: Tx, standings: Mapping[str, str]) -> dict[str, tuple[str | None, str]]:
    told = {row.subject: row.standing for row in tx.execute(sql.announced).fetchall()}
    new = {
        subject: (told.get(subject), standing)
        for subject, standing in standings.items()
        if told.get(subject) != standing
    }
    return new | {subject: (before, OVER) for subject, before in told.items() if subject not in standings}
