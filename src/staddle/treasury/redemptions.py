"""What customers redeem of a coin in a day, held against what is usual and against what is staked."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from staddle.days import DAY
from staddle.db import Tx, queries
from staddle.desk import find_desk
from staddle.ledger import all_assets
from staddle.money import EXACT, ZERO, floor_to_unit

sql = queries(__package__)
USUAL_DAYS = 30
FLOOR = Decimal("0.01")
"""Less than this fraction of what is staked is never unusual, however quiet the days before were."""


class Redemptions(msgspec.Struct, frozen=True, kw_only=True):
    """What customers redeemed of an asset by their own wish in the last 24 hours; maturities are no part of it.

    `usual` is the average of 24 hours over the `usual_days` before, cut at the asset's decimals; `staked` is what was
    staked before these redemptions. `is_alarm`: beyond one of the desk's two limits, as `because` says.
    """

    asset: str
    count: int
    redeemed: Decimal
    usual: Decimal
    usual_days: int
    staked: Decimal
    is_alarm: bool
    because: str | None


def redemptions(tx: Tx, now: datetime) -> list[Redemptions]:
    """Look at the redemptions of the last 24 hours, asset by asset."""
    desk = find_desk(tx)
    since = now - DAY
    usual_days = min(USUAL_DAYS, max(0, (since - desk.created_at) // DAY))
    span = {"now": now, "since": since, "usual_since": since - timedelta(days=usual_days)}
    rows = {row.asset_id: row for row in tx.execute(sql.redemptions, span).fetchall()}
    staked = {row.asset_id: row.amount for row in tx.execute(sql.staked_by_asset).fetchall()}
    found = []
    for asset in all_assets(tx).values():
        row = rows.get(asset.asset_id)
        if row is None or row.count == 0:
            continue
        usual = floor_to_unit(row.usual_sum, usual_days, asset.scale) if usual_days else ZERO
        redeemed = EXACT.quantize(row.redeemed, asset.unit)
        before = EXACT.quantize(EXACT.add(staked.get(asset.asset_id, ZERO), redeemed), asset.unit)
        because = None
        if redeemed > EXACT.multiply(before, desk.redemptions_share_max):
            because = "share"
        elif (
            usual_days > 0
            and redeemed > EXACT.multiply(usual, desk.redemptions_times_max)
            and redeemed > EXACT.multiply(before, FLOOR)
        ):
            because = "times"
        found.append(
            Redemptions(
                asset=asset.code,
                count=row.count,
                redeemed=redeemed,
                usual=usual,
                usual_days=usual_days,
                staked=before,
                is_alarm=because is not None,
                because=because,
            )
        )
    return sorted(found, key=lambda each: each.asset)
