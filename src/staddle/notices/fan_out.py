"""Making deliveries of new notices, for every endpoint that wants their kind."""

from datetime import datetime

from staddle.db import Tx, queries

sql = queries(__package__)
CURSORS_AT_ONCE = 512
NOTICES_AT_ONCE = 200


def fan_out(tx: Tx, now: datetime) -> int:
    """Make deliveries of what has happened since the endpoints' cursors, and move those; gives how many cursors moved.

    Any number of processes may do this at once: each takes cursors that no other holds. `now` is the machine's clock.
    """
    wanted = {"cursors": CURSORS_AT_ONCE, "count": NOTICES_AT_ONCE, "now": now}
    row = tx.execute(sql.fan_out, wanted).fetchone()
    assert row is not None
    moved: int = row.moved
    return moved
