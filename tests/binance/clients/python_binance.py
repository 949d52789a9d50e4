"""python-binance: its own methods, and its own way to ask for what it has no method for."""

from typing import Any

from binance.client import Client
from life import KEY, SECRET, URL, live

Client.API_URL, Client.MARGIN_API_URL = f"{URL}/api", f"{URL}/sapi"
client = Client(KEY, SECRET)
METHODS = {
    "flexible_list": client.get_simple_earn_flexible_product_list,
    "locked_list": client.get_simple_earn_locked_product_list,
    "subscribe_flexible": client.subscribe_simple_earn_flexible_product,
    "subscribe_locked": client.subscribe_simple_earn_locked_product,
    "redeem_flexible": client.redeem_simple_earn_flexible_product,
    "redeem_locked": client.redeem_simple_earn_locked_product,
    "flexible_position": client.get_simple_earn_flexible_product_position,
    "locked_position": client.get_simple_earn_locked_product_position,
    "account": client.get_simple_earn_account,
    "redeem_option": client.margin_v1_post_simple_earn_locked_set_redeem_option,
    "flexible_subscriptions": client.margin_v1_get_simple_earn_flexible_history_subscription_record,
    "locked_subscriptions": client.margin_v1_get_simple_earn_locked_history_subscription_record,
    "flexible_redemptions": client.margin_v1_get_simple_earn_flexible_history_redemption_record,
    "locked_redemptions": client.margin_v1_get_simple_earn_locked_history_redemption_record,
}
PATHS = {
    "flexible_quota": ("get", "flexible/personalLeftQuota"),
    "locked_quota": ("get", "locked/personalLeftQuota"),
    "flexible_preview": ("get", "flexible/subscriptionPreview"),
    "locked_preview": ("get", "locked/subscriptionPreview"),
    "flexible_auto": ("post", "flexible/setAutoSubscribe"),
    "locked_auto": ("post", "locked/setAutoSubscribe"),
    "flexible_rewards": ("get", "flexible/history/rewardsRecord"),
    "locked_rewards": ("get", "locked/history/rewardsRecord"),
    "rates": ("get", "flexible/history/rateHistory"),
    "collateral": ("get", "flexible/history/collateralRecord"),
}


def call(name: str, **parameters: Any) -> Any:
    if name in METHODS:
        return METHODS[name](**parameters)
    method, path = PATHS[name]
    return client._request_margin_api(method, f"simple-earn/{path}", True, data=parameters)


assert {each["asset"] for each in client.get_account()["balances"]} >= {"USDT", "BTC"}
assert client.get_account_api_permissions()["enableSpotAndMarginTrading"] is True
assert abs(client.get_server_time()["serverTime"]) > 0
assert client.get_exchange_info()["symbols"] == []
assert [each["asset"] for each in client.funding_wallet()] == ["USDT"]
live(call, lambda error: error.code)  # type: ignore[attr-defined]
