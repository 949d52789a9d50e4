"""Coins: reading and adding them. A coin's scale never changes."""

import re

from staddle.db import Tx, queries
from staddle.errors import AlreadyExists, AssetNotFound, InvalidChoice, InvalidName
from staddle.ledger.accounts import Asset
from staddle.money import SCALE_MAX, unit_of

sql = queries(__package__)


def all_assets(tx: Tx) -> dict[int, Asset]:
    """Read every coin, by asset id."""
    return {row.asset_id: Asset(*row) for row in tx.execute(sql.assets).fetchall()}


def find_asset(tx: Tx, code: str) -> Asset:
    """Read the coin of this code; raises AssetNotFound."""
    for asset in all_assets(tx).values():
        if asset.code == code:
            return asset
    raise AssetNotFound(f"There is no asset {code[:20]!r}.", asset=code)


def add_asset(tx: Tx, code: str, name: str, scale: int) -> Asset:
    """Add a coin; adding the same one again changes nothing, with another scale or name it is AlreadyExists."""
    if not re.fullmatch(r"[A-Z0-9]{1,12}", code, re.ASCII):
        raise InvalidName("An asset's code has 1 to 12 capital letters and digits, such as BTC.")
    if not 1 <= len(name) <= 80:
        raise InvalidName("An asset's name has 1 to 80 characters.")
    if not 0 <= scale <= SCALE_MAX:
        raise InvalidChoice(f"An asset has 0 to {SCALE_MAX} decimals.")
    tx.execute(sql.lock_assets)
    for asset in all_assets(tx).values():
        if asset.code == code:
            if (asset.name, asset.scale) != (name, scale):
                raise AlreadyExists(f"The asset {code} already exists with other properties.")
            return asset
    row = tx.execute(
        sql.add_asset, {"code": code, "name": name, "scale": scale, "unit": unit_of(scale)}
    ).fetchone()
    assert row is not None
    return Asset(*row)


def scales_of(tx: Tx) -> dict[str, int]:
    """Give the number of decimals of each coin, by code."""
    return {asset.code: asset.scale for asset in all_assets(tx).values()}
