"""ccxt: its implicit methods, as it has no Earn of its own."""

import json
from typing import Any

import ccxt
from life import KEY, SECRET, URL, live

exchange = ccxt.binance({"apiKey": KEY, "secret": SECRET})
exchange.urls["api"]["sapi"] = f"{URL}/sapi/v1"
PATHS = {
    "flexible_list": "GetSimpleEarnFlexibleList",
    "locked_list": "GetSimpleEarnLockedList",
    "flexible_quota": "GetSimpleEarnFlexiblePersonalLeftQuota",
    "locked_quota": "GetSimpleEarnLockedPersonalLeftQuota",
    "flexible_preview": "GetSimpleEarnFlexibleSubscriptionPreview",
    "locked_preview": "GetSimpleEarnLockedSubscriptionPreview",
    "subscribe_flexible": "PostSimpleEarnFlexibleSubscribe",
    "subscribe_locked": "PostSimpleEarnLockedSubscribe",
    "redeem_flexible": "PostSimpleEarnFlexibleRedeem",
    "redeem_locked": "PostSimpleEarnLockedRedeem",
    "flexible_position": "GetSimpleEarnFlexiblePosition",
    "locked_position": "GetSimpleEarnLockedPosition",
    "account": "GetSimpleEarnAccount",
    "flexible_auto": "PostSimpleEarnFlexibleSetAutoSubscribe",
    "locked_auto": "PostSimpleEarnLockedSetAutoSubscribe",
    "redeem_option": "PostSimpleEarnLockedSetRedeemOption",
    "flexible_subscriptions": "GetSimpleEarnFlexibleHistorySubscriptionRecord",
    "locked_subscriptions": "GetSimpleEarnLockedHistorySubscriptionRecord",
    "flexible_redemptions": "GetSimpleEarnFlexibleHistoryRedemptionRecord",
    "locked_redemptions": "GetSimpleEarnLockedHistoryRedemptionRecord",
    "flexible_rewards": "GetSimpleEarnFlexibleHistoryRewardsRecord",
    "locked_rewards": "GetSimpleEarnLockedHistoryRewardsRecord",
    "rates": "GetSimpleEarnFlexibleHistoryRateHistory",
    "collateral": "GetSimpleEarnFlexibleHistoryCollateralRecord",
}


def call(name: str, **parameters: Any) -> Any:
    return getattr(exchange, f"sapi{PATHS[name]}")(parameters)


def code_of(error: Exception) -> int:
    assert isinstance(error, ccxt.ExchangeError)
    code: int = json.loads(str(error).partition(" ")[2])["code"]
    return code


live(call, code_of)
