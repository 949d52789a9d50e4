"""binance-sdk-simple-earn, its loosening of types switched off: every answer fits its model and has every field."""

import logging
import re
from typing import Any

import binance_common.utils
from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_simple_earn.simple_earn import SimpleEarn
from life import KEY, SECRET, URL, live
from pydantic import BaseModel

METHODS = {
    "flexible_list": "get_simple_earn_flexible_product_list",
    "locked_list": "get_simple_earn_locked_product_list",
    "flexible_quota": "get_flexible_personal_left_quota",
    "locked_quota": "get_locked_personal_left_quota",
    "flexible_preview": "get_flexible_subscription_preview",
    "locked_preview": "get_locked_subscription_preview",
    "subscribe_flexible": "subscribe_flexible_product",
    "subscribe_locked": "subscribe_locked_product",
    "redeem_flexible": "redeem_flexible_product",
    "redeem_locked": "redeem_locked_product",
    "flexible_position": "get_flexible_product_position",
    "locked_position": "get_locked_product_position",
    "account": "simple_account",
    "flexible_auto": "set_flexible_auto_subscribe",
    "locked_auto": "set_locked_auto_subscribe",
    "redeem_option": "set_locked_product_redeem_option",
    "flexible_subscriptions": "get_flexible_subscription_record",
    "locked_subscriptions": "get_locked_subscription_record",
    "flexible_redemptions": "get_flexible_redemption_record",
    "locked_redemptions": "get_locked_redemption_record",
    "flexible_rewards": "get_flexible_rewards_history",
    "locked_rewards": "get_locked_rewards_history",
    "rates": "get_rate_history",
    "collateral": "get_collateral_record",
}
DOES_NOT_APPLY = re.compile(
    r"additional_properties|.*air_?drop.*|.*extra.*|.*boost.*|est_daily_reward_amt|tier_.*"
    r"|parent_position_id|redeeming_amt|partial_amt_deliver_date|next_subscription_date"
)
"""The fields of rewards and states that this desk does not have, or not always."""


class Strict(logging.Handler):
    """Any warning of the client is a mistake of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


def not_loosened(model: Any) -> None:
    raise AssertionError(f"an answer does not fit {model.__name__}")


def whole(answer: Any) -> None:
    """See that every field is there, in every model within."""
    if isinstance(answer, list):
        for each in answer:
            whole(each)
    elif isinstance(answer, BaseModel) and "TierAnnual" not in type(answer).__name__:
        for name in type(answer).model_fields:
            value = getattr(answer, name)
            assert value is not None or DOES_NOT_APPLY.fullmatch(name), (
                f"{type(answer).__name__} has no {name}"
            )
            whole(value)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


logging.getLogger().addHandler(Strict(logging.WARNING))
binance_common.utils.relax_model_strictness = not_loosened
client = SimpleEarn(config_rest_api=ConfigurationRestAPI(api_key=KEY, api_secret=SECRET, base_path=URL))


def call(name: str, **parameters: Any) -> Any:
    response = getattr(client.rest_api, METHODS[name])(
        **{snake(key): value for key, value in parameters.items()}
    )
    answer = response.data()
    assert isinstance(answer, BaseModel | list), f"{name} is not a model: {answer!r}"
    whole(answer)
    return plain(answer)


def plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    return answer.to_dict() if hasattr(answer, "to_dict") else answer.model_dump(by_alias=True)


live(call, lambda error: getattr(error, "status_code"))  # noqa: B009
