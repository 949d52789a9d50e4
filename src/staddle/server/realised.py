"""Realised APRs, kept by each process until the next run: every visitor of a product asks for the same one."""

from datetime import date
from typing import TypeAlias

from staddle.db import Tx
from staddle.products import ProductOffer
from staddle.rewards import RealisedApr, last_finished_run, realised_apr

Seen: TypeAlias = tuple[str, str, date | None]
_REALISED: dict[Seen, RealisedApr] = {}
"""What was worked out already, by desk, product and last finished run: until the next one it stays as it is, and a
parked position that is paid meanwhile counts from then on."""
KEPT_MAX = 1_000


def realised_of(tx: Tx, offer: ProductOffer) -> RealisedApr:
    """Give what holders of a product were really paid, worked out once after each run."""
    seen = (tx.info.dbname, offer.code, last_finished_run(tx))
    if seen not in _REALISED:
        if len(_REALISED) >= KEPT_MAX:
            _REALISED.clear()
        _REALISED[seen] = realised_apr(tx, offer.code, offer.asset)
    return _REALISED[seen]
