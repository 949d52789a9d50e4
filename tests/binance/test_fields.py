"""Every answer has the fields of the contract, with its types: as they are documented, or as they were observed."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.world import Service, serving
from tests.binance.conftest import FreshDesk
from tests.binance.world import EARN, Signer, code_of, hmac_key, passes, refused
from tests.living import Living

Fields = dict[str, type | tuple[type, ...]]
NUMBER = (int, float)

FLEXIBLE_LIST: Fields = {
    "asset": str, "latestAnnualPercentageRate": str, "canPurchase": bool, "canRedeem": bool, "isSoldOut": bool,
    "hot": bool, "minPurchaseAmount": str, "productId": str, "subscriptionStartTime": int, "status": str,
}  # fmt: skip
LOCKED_DETAIL: Fields = {
    "asset": str, "rewardAsset": str, "duration": int, "renewable": bool, "isSoldOut": bool, "apr": str, "status": str,
    "subscriptionStartTime": int,
}  # fmt: skip
FLEXIBLE_POSITION: Fields = {
    "totalAmount": str, "latestAnnualPercentageRate": str, "asset": str, "productId": str, "canRedeem": bool,
    "autoSubscribe": bool, "collateralAmount": str, "yesterdayRealTimeRewards": str, "cumulativeBonusRewards": str,
    "cumulativeRealTimeRewards": str, "cumulativeTotalRewards": str,
}  # fmt: skip
LOCKED_POSITION: Fields = {
    "positionId": int, "projectId": str, "asset": str, "amount": str, "purchaseTime": int, "duration": str,
    "accrualDays": str, "rewardAsset": str, "APY": str, "apy": str, "rewardAmt": str, "nextPay": str,
    "nextPayDate": int, "payPeriod": str, "redeemAmountEarly": str, "rewardsEndDate": int, "deliverDate": int,
    "redeemPeriod": str, "redeemTo": str, "canRedeemEarly": bool, "canFastRedemption": bool, "autoSubscribe": bool,
    "canReStake": bool, "type": str, "status": str,
}  # fmt: skip
ACCOUNT: Fields = dict.fromkeys(
    ("totalAmountInBTC", "totalAmountInUSDT", "totalFlexibleAmountInBTC", "totalFlexibleAmountInUSDT",
     "totalLockedInBTC", "totalLockedInUSDT"), str,
)  # fmt: skip
BOUGHT: Fields = {
    "amount": str, "asset": str, "time": int, "type": str, "sourceAccount": str, "amtFromSpot": str,
    "amtFromFunding": str, "status": str,
}  # fmt: skip
HISTORIES: dict[str, Fields] = {
    "/flexible/history/subscriptionRecord": {**BOUGHT, "purchaseId": int, "productId": str},
    "/locked/history/subscriptionRecord": {
        **BOUGHT, "positionId": int, "purchaseId": str, "projectId": str, "lockPeriod": str,
    },
    "/flexible/history/redemptionRecord": {
        "amount": str, "asset": str, "time": int, "projectId": str, "productId": str, "redeemId": int,
        "destAccount": str, "status": str,
    },
    "/locked/history/redemptionRecord": {
        "positionId": int, "redeemId": int, "time": int, "asset": str, "lockPeriod": str, "amount": str,
        "originalAmount": str, "type": str, "deliverDate": int, "lossAmount": str, "isComplete": bool,
        "rewardAsset": str, "rewardAmt": str, "status": str,
    },
    "/flexible/history/rewardsRecord": {
        "asset": str, "rewards": str, "projectId": str, "productId": str, "type": str, "time": int,
    },
    "/locked/history/rewardsRecord": {
        "positionId": int, "time": int, "asset": str, "lockPeriod": str, "amount": str, "type": str,
    },
    "/flexible/history/rateHistory": {"productId": str, "asset": str, "annualPercentageRate": str, "time": int},
}  # fmt: skip


def has(row: dict[str, Any], fields: Fields, *, also: Fields | None = None) -> None:
    """The row has exactly these fields, of exactly these types."""
    wanted = {**fields, **(also or {})}
    assert set(row) == set(wanted)
    for name, kind in wanted.items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        assert type(row[name]) in kinds, (name, row[name])


@pytest.fixture(scope="module")
def living(fresh_desk: FreshDesk) -> Iterator[Living]:
    """A desk of this file's own."""
    with fresh_desk() as living:
        yield living


@pytest.fixture(scope="module", params=["documented", "observed"])
def lived(request: pytest.FixtureRequest, living: Living) -> Iterator[tuple[str, Signer]]:
    """Ada's bot at a desk that writes one way or the other; it has done one of everything."""
    types: str = request.param
    with serving(living, STADDLE_BINANCE_PACE_SECONDS="0", STADDLE_BINANCE_TYPES=types) as service:
        bot = Signer(service.http, hmac_key(service.database, "ada"))
        live(service, bot)
        yield types, bot


def live(service: Service, bot: Signer) -> None:
    flexible, locked = f"{EARN}/flexible/subscribe", f"{EARN}/locked/subscribe"
    bot.done(bot.post(flexible, productId="USDT-FLEX", amount="900", autoSubscribe=False))
    bot.done(bot.post(flexible, productId="BTC-FLEX", amount="0.5", autoSubscribe=False))
    left = bot.done(bot.post(locked, projectId="USDT-30", amount="100"))["positionId"]
    bot.done(bot.post(locked, projectId="USDT-60-LESS", amount="100"))
    passes(service, days=2)
    bot.done(bot.post(f"{EARN}/locked/redeem", positionId=left))
    bot.done(bot.post(f"{EARN}/flexible/redeem", productId="USDT-FLEX", amount="10"))


def test_lists_and_quotas(lived: tuple[str, Signer]) -> None:
    types, bot = lived
    products = {row["productId"]: row for row in bot.rows(f"{EARN}/flexible/list")}
    has(products["BTC-FLEX"], FLEXIBLE_LIST)
    has(products["USDT-FLEX"], FLEXIBLE_LIST, also={"tierAnnualPercentageRate": dict})
    tiers = products["USDT-FLEX"]["tierAnnualPercentageRate"]
    documented, observed = ({"0-500USDT": 0.117, "500-5000USDT": 0.005},
                            {"0-500USDT": "0.11700000", "500-5000USDT": "0.00500000"})  # fmt: skip
    assert tiers == (documented if types == "documented" else observed)
    for row in bot.rows(f"{EARN}/locked/list"):
        has(row, {"projectId": str, "detail": dict, "quota": dict})
        has(row["detail"], LOCKED_DETAIL)
        has(row["quota"], {"totalPersonalQuota": str, "minimum": str})
    for path, named in (("flexible", {"productId": "USDT-FLEX"}), ("locked", {"projectId": "USDT-30"})):
        has(bot.done(bot.get(f"{EARN}/{path}/personalLeftQuota", **named)), {"leftPersonalQuota": str})


def test_previews(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    flexible = bot.done(bot.get(f"{EARN}/flexible/subscriptionPreview", productId="USDT-FLEX", amount="1"))
    has(
        flexible,
        dict.fromkeys(("totalAmount", "rewardAsset", "estDailyBonusRewards", "estDailyRealTimeRewards"), str),
    )
    asked: dict[str, Any] = {"projectId": "USDT-30", "amount": "100"}
    fields: Fields = {
        "rewardAsset": str, "totalRewardAmt": str, "nextPay": str, "nextPayDate": int, "valueDate": int,
        "rewardsEndDate": int, "deliverDate": int,
    }  # fmt: skip
    [renewed] = bot.done(bot.get(f"{EARN}/locked/subscriptionPreview", **asked))
    has(renewed, fields, also={"nextSubscriptionDate": int})
    [once] = bot.done(bot.get(f"{EARN}/locked/subscriptionPreview", autoSubscribe="false", **asked))
    has(once, fields)


def test_positions_and_account(lived: tuple[str, Signer]) -> None:
    types, bot = lived
    for row in bot.rows(f"{EARN}/flexible/position"):
        tiered: Fields = {"tierAnnualPercentageRate": dict} if row["productId"] == "USDT-FLEX" else {}
        has(row, FLEXIBLE_POSITION, also=tiered)
    counts: Fields = {}
    if types == "observed":
        counts = dict.fromkeys(("duration", "accrualDays", "payPeriod", "redeemPeriod"), int)
    for row in bot.rows(f"{EARN}/locked/position"):
        has(row, LOCKED_POSITION, also=counts)
    has(bot.done(bot.get(f"{EARN}/account")), ACCOUNT)


def test_histories(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    for path, fields in HISTORIES.items():
        answer = bot.done(bot.get(f"{EARN}{path}", productId="USDT-FLEX"))
        has(answer, {"rows": list, "total": str if path.endswith("rateHistory") else int})
        assert answer["rows"], path
        for row in answer["rows"]:
            has(row, fields)
    assert bot.done(bot.get(f"{EARN}/flexible/history/collateralRecord")) == {"rows": [], "total": "0"}


def test_answers_of_writes(lived: tuple[str, Signer]) -> None:
    types, bot = lived
    done = bot.done(
        bot.post(f"{EARN}/flexible/subscribe", productId="USDT-FLEX", amount="1", autoSubscribe=False)
    )
    has(done, {"purchaseId": int, "success": bool})
    done = bot.done(bot.post(f"{EARN}/locked/subscribe", projectId="USDT-30", amount="10"))
    has(done, {"purchaseId": int, "positionId": str if types == "documented" else int, "success": bool})
    for answer in (
        bot.post(f"{EARN}/locked/redeem", positionId=done["positionId"]),
        bot.post(f"{EARN}/flexible/redeem", productId="USDT-FLEX", amount="1"),
    ):
        has(bot.done(answer), {"redeemId": int, "success": bool})


# Pages, filters and periods


def test_pages_are_of_ten_rows_unless_said_otherwise_and_end(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    path, asked = f"{EARN}/flexible/history/rateHistory", {"productId": "USDT-FLEX"}
    everything = bot.done(bot.get(path, size=100, **asked))
    listed = f"{EARN}/locked/list"
    assert len(bot.rows(listed, size=2)) == 2
    assert bot.rows(listed, size=2, current=2) == bot.rows(listed)[2:4]
    past = bot.done(bot.get(listed, current=9, size=100))
    assert past == {"rows": [], "total": len(bot.rows(listed))}
    assert bot.done(bot.get(path, current=50, **asked)) == {"rows": [], "total": everything["total"]}
    for wrong, code in (
        ({"current": "0"}, -1130), ({"size": "0"}, -1130), ({"size": "101"}, -1130), ({"current": "x"}, -1100),
        ({"size": "-1"}, -1100), ({"size": "1.5"}, -1100), ({"current": ""}, -1105), ({"current": "9" * 30}, -1100),
    ):  # fmt: skip
        assert code_of(bot.get(listed, **wrong)) == (400, code), wrong


def test_rows_are_those_that_are_asked_for(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    assert {row["asset"] for row in bot.rows(f"{EARN}/flexible/list", asset="BTC")} == {"BTC"}
    assert bot.rows(f"{EARN}/flexible/list", asset="NONE") == []
    for path in HISTORIES:
        if not path.endswith("rateHistory"):
            assert {row["asset"] for row in bot.rows(f"{EARN}{path}", asset="USDT", size=100)} == {"USDT"}, (
                path
            )
            assert bot.rows(f"{EARN}{path}", asset="YEN") == []
    [row, *_] = bot.rows(f"{EARN}/locked/position")
    assert bot.rows(f"{EARN}/locked/position", positionId=row["positionId"]) == [row]
    assert row in bot.rows(f"{EARN}/locked/position", projectId=row["projectId"], asset=row["asset"])
    assert bot.rows(f"{EARN}/locked/position", positionId="12") == []


def test_both_ends_of_a_period_are_in_it(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    path = f"{EARN}/flexible/history/rewardsRecord"
    times = sorted({row["time"] for row in bot.rows(path, size=100)})
    first, last = times[0], times[-1]
    assert {row["time"] for row in bot.rows(path, startTime=first, endTime=first)} == {first}
    assert bot.rows(path, startTime=first + 1, endTime=first + 2) == []
    assert {row["time"] for row in bot.rows(path, startTime=first, endTime=last, size=100)} == set(times)


DAY = 86_400_000


@pytest.mark.parametrize("path", [path for path in HISTORIES if not path.endswith("rateHistory")])
def test_a_period_is_thirty_days_unless_said_otherwise_and_ninety_at_most(
    lived: tuple[str, Signer], path: str
) -> None:
    _, bot = lived
    begin = 1_769_095_800_000
    newest = bot.rows(f"{EARN}{path}")[0]["time"]
    assert bot.rows(f"{EARN}{path}", startTime=begin)
    assert bot.rows(f"{EARN}{path}", startTime=newest + 1) == []
    assert bot.rows(f"{EARN}{path}", startTime=begin - 31 * DAY) == []
    assert bot.rows(f"{EARN}{path}", endTime=newest)
    assert bot.rows(f"{EARN}{path}", endTime=newest + 31 * DAY) == []
    assert bot.rows(f"{EARN}{path}", startTime=newest - 45 * DAY, endTime=newest + 45 * DAY)
    too_long = bot.get(f"{EARN}{path}", startTime=begin, endTime=begin + 90 * DAY + 1)
    assert refused(too_long) == (400, -6021, "Query time range too large")
    backward = bot.get(f"{EARN}{path}", startTime=begin, endTime=begin - 1)
    assert refused(backward) == (400, -1023, "Start time is greater than end time.")
    assert code_of(bot.get(f"{EARN}{path}", startTime="soon")) == (400, -1100)
    assert code_of(bot.get(f"{EARN}{path}", startTime="9" * 18)) == (400, -1130)
    assert code_of(bot.get(f"{EARN}{path}", startTime="253402300799999")) == (400, -1130)


def test_rates_may_be_asked_for_a_year(lived: tuple[str, Signer]) -> None:
    _, bot = lived
    path, begin = f"{EARN}/flexible/history/rateHistory", 1_769_095_800_000
    asked = {"productId": "USDT-FLEX", "startTime": begin - 300 * DAY}
    first = bot.rows(path, endTime=begin + 60 * DAY, size=100, **asked)[-1]
    assert first["time"] == begin, "a rate begins when its product does"
    assert code_of(bot.get(path, endTime=begin + 67 * DAY, **asked)) == (400, -6021)
    assert bot.rows(path, productId="USDT-FLEX", aprPeriod="YEAR") == bot.rows(path, productId="USDT-FLEX")
    assert code_of(bot.get(path, productId="USDT-FLEX", aprPeriod="WEEK")) == (400, -1130)
    assert code_of(bot.get(path, productId="NONE")) == (400, -6001)
    assert code_of(bot.get(path)) == (400, -1102)
    assert code_of(bot.get(f"{EARN}/flexible/history/rewardsRecord", type="GIFT")) == (400, -1130)
