"""How much was moved in a period: sums over transfers by kind and coin."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.ledger.assets import all_assets

sql = queries(__package__)


class Turnover(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved of one kind in one coin: how many transfers, of how many customers, and their sum."""

    kind: str
    asset: str
    scale: int
    transfers: int
    customers: int
    amount: Decimal


def turnover(tx: Tx, after: datetime, until: datetime, kinds: Collection[str]) -> list[Turnover]:
    """Add up the transfers of some kinds that took effect after an instant, up to another one, by kind and coin."""
    assets = all_assets(tx)
    wanted = {"after": after, "until": until, "kinds": sorted(kinds)}
    return [
        Turnover(
            kind=row.kind,
            asset=assets[row.asset_id].code,
            scale=assets[row.asset_id].scale,
            transfers=row.transfers,
            customers=row.customers,
            amount=row.amount,
        )
        for row in tx.execute(sql.turnover, wanted).fetchall()
    ]
