"""The life of a customer's bot, the same for every client: `call(name, ...)` is the client's own method of that name.

A program of a client gives `call`, and `code_of`, which says what number an error of the client has. It says when two
days are to pass, and goes on once they have.
"""

import os
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

URL, KEY, SECRET = (os.environ[name] for name in ("ADDRESS", "API_KEY", "API_SECRET"))
Call = Callable[..., Any]


def live(call: Call, code_of: Callable[[Exception], int]) -> None:
    """Live from the first look at the products to the last record."""

    def code(name: str, **parameters: Any) -> int:
        try:
            call(name, **parameters)
        except Exception as error:
            return code_of(error)
        raise AssertionError(f"{name} was not refused")

    look_around(call)
    positions = subscribe(call)
    be_refused(code)
    print("two days", flush=True)
    sys.stdin.readline()
    look_back(call)
    leave(call, positions)
    assert code("redeem_locked", positionId=positions[0]) == -6008
    print("done", flush=True)


def look_around(call: Call) -> None:
    flexible = {row["productId"]: row for row in call("flexible_list", asset="USDT", size=100)["rows"]}
    assert flexible["USDT-FLEX"]["canPurchase"] is True
    assert flexible["USDT-FLEX"]["status"] == "PURCHASING"
    locked = {row["projectId"]: row for row in call("locked_list", asset="USDT", current=1, size=50)["rows"]}
    assert locked["USDT-30"]["detail"]["duration"] == 30
    assert Decimal(locked["USDT-30"]["detail"]["apr"]) == Decimal("0.08")
    assert Decimal(call("flexible_quota", productId="USDT-FLEX")["leftPersonalQuota"]) == 20000
    assert Decimal(call("locked_quota", projectId="USDT-30")["leftPersonalQuota"]) > 0
    assert Decimal(
        call("flexible_preview", productId="USDT-FLEX", amount=10000)["estDailyBonusRewards"]
    ) == Decimal("0.30410958")
    [preview] = call("locked_preview", projectId="USDT-30", amount=1000.0)
    assert preview["totalRewardAmt"] == "6.57534246"
    assert Decimal(call("account")["totalAmountInUSDT"]) == 0


def subscribe(call: Call) -> list[Any]:
    """Start with 1000 USDT and 1 BTC in Spot, 500 USDT in Funding; end with 400, 400, and 500 in the product."""
    first = call("subscribe_flexible", productId="USDT-FLEX", amount=100, autoSubscribe=False)
    assert first["success"] is True
    call("subscribe_flexible", productId="USDT-FLEX", amount=50.0, autoSubscribe=False, sourceAccount="FUND")
    last = call(
        "subscribe_flexible", productId="USDT-FLEX", amount=950, autoSubscribe=False, sourceAccount="ALL"
    )
    records = call("flexible_subscriptions", asset="USDT")["rows"]
    assert records[0]["purchaseId"] == last["purchaseId"]
    assert [row["sourceAccount"] for row in records] == ["SPOTANDFUNDING", "FUNDING", "SPOT"]
    call("subscribe_flexible", productId="BTC-FLEX", amount=0.00001, autoSubscribe=True)
    held = {row["productId"]: row for row in call("flexible_position", size=100)["rows"]}
    assert (held["USDT-FLEX"]["totalAmount"], held["USDT-FLEX"]["autoSubscribe"]) == ("1100.00000000", False)
    assert (held["BTC-FLEX"]["totalAmount"], held["BTC-FLEX"]["autoSubscribe"]) == ("0.00001000", True)
    assert call("flexible_auto", productId="BTC-FLEX", autoSubscribe=False)["success"] is True
    redeemed = call("redeem_flexible", productId="USDT-FLEX", amount=600)
    [record] = call("flexible_redemptions", redeemId=redeemed["redeemId"])["rows"]
    assert (record["amount"], record["destAccount"]) == ("600.00000000", "SPOT")
    assert Decimal(call("account")["totalFlexibleAmountInUSDT"]) == 500
    positions = [
        call("subscribe_locked", projectId="USDT-30", amount=150, redeemTo="SPOT")["positionId"],
        call("subscribe_locked", projectId="USDT-90-LATE", amount=50, autoSubscribe=False)["positionId"],
    ]
    rows = {str(row["positionId"]): row for row in call("locked_position")["rows"]}
    assert [rows[str(each)]["autoSubscribe"] for each in positions] == [True, False]
    call("locked_auto", positionId=positions[0], autoSubscribe=False)
    call("redeem_option", positionId=positions[0], redeemTo="FLEXIBLE")
    [row] = call("locked_position", positionId=positions[0])["rows"]
    assert (row["autoSubscribe"], row["redeemTo"]) == (False, "FLEXIBLE")
    call("redeem_option", positionId=positions[0], redeemTo="SPOT")
    assert len(call("locked_subscriptions")["rows"]) == 2
    return positions


def be_refused(code: Callable[..., int]) -> None:
    assert code("subscribe_flexible", productId="NONE", amount=1) == -6001
    assert code("subscribe_flexible", productId="USDT-FLEX", amount=5000) == -6012
    assert code("subscribe_locked", projectId="NONE", amount=1) == -6020
    assert code("redeem_locked", positionId="12") == -6003
    assert code("redeem_flexible", productId="USDT-FLEX", amount=99999) == -6006


def look_back(call: Call) -> None:
    rewards = call("flexible_rewards", type="ALL", size=100)["rows"]
    assert rewards
    assert call("flexible_rewards", type="REALTIME")["rows"] == []
    for held in call("flexible_position")["rows"]:
        paid = sum(Decimal(row["rewards"]) for row in rewards if row["projectId"] == held["productId"])
        assert paid == Decimal(held["cumulativeTotalRewards"]), held
    locked = call("locked_rewards")["rows"]
    assert {row["type"] for row in locked} == {"Locked Rewards"}
    rates = call("rates", productId="USDT-FLEX")
    assert {row["annualPercentageRate"] for row in rates["rows"]} == {"0.00300000"}
    assert rates["total"] == str(len(rates["rows"]))
    assert call("collateral", productId="USDT-FLEX")["rows"] == []
    assert call("flexible_rewards", type="ALL", current=9, size=100)["rows"] == []


def leave(call: Call, positions: list[Any]) -> None:
    for position_id in positions:
        [row] = call("locked_position", positionId=position_id)["rows"]
        assert row["canRedeemEarly"] is True
        done = call("redeem_locked", positionId=position_id)
        [record] = call("locked_redemptions", redeemId=done["redeemId"])["rows"]
        assert (record["type"], record["amount"]) == ("AHEAD", row["redeemAmountEarly"])
    for product in ("USDT-FLEX", "BTC-FLEX"):
        call("redeem_flexible", productId=product, redeemAll=True, destAccount="FUND")
    assert call("flexible_position")["rows"] == call("locked_position")["rows"] == []
    assert len(call("flexible_redemptions")["rows"]) == 3
