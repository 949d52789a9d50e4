"""binance-connector: the older official client of the Spot API."""

from typing import Any

from binance.spot import Spot
from life import KEY, SECRET, URL, live

client = Spot(KEY, SECRET, base_url=URL, show_limit_usage=False)
METHODS = {
    "flexible_list": client.get_simple_earn_flexible_product_list,
    "locked_list": client.get_simple_earn_locked_product_list,
    "flexible_quota": client.get_flexible_personal_left_quota,
    "locked_quota": client.get_locked_personal_left_quota,
    "flexible_preview": client.get_flexible_subscription_preview,
    "locked_preview": client.get_locked_subscription_preview,
    "subscribe_flexible": client.subscribe_flexible_product,
    "subscribe_locked": client.subscribe_locked_product,
    "redeem_flexible": client.redeem_flexible_product,
    "redeem_locked": client.redeem_locked_product,
    "flexible_position": client.get_flexible_product_position,
    "locked_position": client.get_locked_product_position,
    "account": client.simple_account,
    "flexible_auto": client.set_flexible_auto_subscribe,
    "locked_auto": client.set_locked_auto_subscribe,
    "redeem_option": client.set_locked_product_redeem_option,
    "flexible_subscriptions": client.get_flexible_subscription_record,
    "locked_subscriptions": client.get_locked_subscription_record,
    "flexible_redemptions": client.get_flexible_redemption_record,
    "locked_redemptions": client.get_locked_redemption_record,
    "flexible_rewards": client.get_flexible_rewards_history,
    "locked_rewards": client.get_locked_rewards_history,
    "rates": client.get_rate_history,
    "collateral": client.get_collateral_record,
}


def call(name: str, **parameters: Any) -> Any:
    return METHODS[name](**parameters)


assert client.ping() == {}
assert client.account(recvWindow=6000)["accountType"] == "SPOT"
assert client.api_key_permissions()["enableReading"] is True
live(call, lambda error: error.error_code)  # type: ignore[attr-defined]
