"""From which amount on a redemption needs a proof of who is asking: a setting of the desk for each asset."""

from datetime import datetime
from decimal import Decimal

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import AssetNotFound, InvalidAmount
from staddle.identity.caller import STEP_UP_LASTS, Caller
from staddle.ledger import all_assets
from staddle.money import check_scale, plain

sql = queries(__package__)


def set_step_up_amount(tx: Tx, by: str, asset: str, amount: Decimal | None, now: datetime) -> None:
    """Set the amount from which on a redemption of this coin needs a step-up; None: it never does. An admin's act.

    Raises RoleMissing, AssetNotFound, InvalidAmount or TooManyDecimals.
    """
    desk.require_admin(tx, by)
    coins = {coin.code: coin for coin in all_assets(tx).values()}
    if asset not in coins:
        raise AssetNotFound(f"There is no asset {asset[:20]!r}.")
    if amount is None:
        tx.execute(sql.drop_step_up_amount, {"asset_id": coins[asset].asset_id})
    else:
        if not amount.is_finite() or amount <= 0 or amount.adjusted() >= 30:
            raise InvalidAmount
        check_scale(amount, coins[asset].scale)
        tx.execute(sql.set_step_up_amount, {"asset_id": coins[asset].asset_id, "amount": amount})
    told = None if amount is None else plain(amount)
    desk.log(tx, by, "set_step_up_amount", asset, {"amount": told}, now)


def step_up_amounts(tx: Tx) -> dict[str, Decimal]:
    """Read the amounts by coin; a coin that is not there never needs a step-up."""
    return {row.code: row.amount for row in tx.execute(sql.step_up_amounts).fetchall()}


def needs_step_up(tx: Tx, asset: str, amount: Decimal | None) -> bool:
    """Say whether a redemption of this much needs a step-up; None is all that is held, and needs it where any does."""
    limit = step_up_amounts(tx).get(asset)
    return limit is not None and (amount is None or not amount.is_finite() or amount >= limit)


def is_unproven(caller: Caller, now: datetime) -> bool:
    """Say whether a redemption of a large amount is to be refused to this caller: a session without a step-up.

    An API key that may redeem was made by one who had stepped up, and an integrator has proved its customer in its
    own way.
    """
    if caller.session_id is None:
        return False
    return caller.stepped_up_at is None or now - caller.stepped_up_at > STEP_UP_LASTS
