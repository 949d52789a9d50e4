"""Over a lived desk all figures agree: the rows of histories, the totals, our own API, the ledger and the wallets."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.api.world import Service, serving
from tests.binance.conftest import FreshDesk
from tests.binance.world import EARN, Signer, hmac_key, passes
from tests.living import Living, assert_audited

ZERO = Decimal(0)
BOTS = ("ida", "joe", "kim")
FIXED = ("USDT-5", "YEN-4-LATE", "USDT-90-LATE", "USDT-60-LESS", "BTC-7-KEEP", "USDT-14-STAY")
DAYS = 16


@pytest.fixture(scope="module")
def living(fresh_desk: FreshDesk) -> Iterator[Living]:
    """A desk of this file's own."""
    with fresh_desk() as living:
        yield living


@pytest.fixture(scope="module")
def service(living: Living) -> Iterator[Service]:
    """The service behind a proxy, so that each bot has a weight of its own to spend."""
    with serving(living, STADDLE_BINANCE_PACE_SECONDS="0", STADDLE_TRUSTED_PROXIES="127.0.0.1") as service:
        yield service


@pytest.fixture(scope="module")
def bots(service: Service) -> dict[str, Signer]:
    """Three customers whose bots have done something every other day, by chance that is always the same."""
    chance = random.Random(6)
    living = service.living
    living.product(
        "YEN-4-LATE", "YEN", apr="0.2", term_days=4, payout="at_maturity",
        early_redemption="keep_fraction", kept_fraction="0.25",
    )  # fmt: skip
    bots = {}
    for name in BOTS:
        customer_id = living.customer(name, USDT="9000", BTC="3", YEN="100000")
        living.deposit(customer_id, "USDT", "2000", "funding")
        from_elsewhere = {"X-Forwarded-For": f"192.0.2.{customer_id % 200}"}
        bots[name] = Signer(service.http, hmac_key(service.database, name), from_elsewhere)
        begin(bots[name])
    for day in range(0, DAYS, 2):
        for bot in bots.values():
            act(chance, bot)
            auto = f"{EARN}/flexible/setAutoSubscribe"
            bot.done(bot.post(auto, productId="BTC-FLEX", autoSubscribe=day == 8))
        if day == 6:
            living.revise("BTC-FLEX", "0.03", at=living.now + timedelta(days=1))
        passes(service, days=2, hours=chance.randrange(0, 3))
    return bots


def begin(bot: Signer) -> None:
    """Do what every life is to have, so that every kind of record is reached."""
    flexible, locked = f"{EARN}/flexible/subscribe", f"{EARN}/locked/subscribe"
    bot.done(bot.post(flexible, productId="BTC-FLEX", amount="0.2", autoSubscribe=False))
    bot.done(
        bot.post(flexible, productId="USDT-FLEX", amount="700", sourceAccount="FUND", autoSubscribe=False)
    )
    for where in ("SPOT", "FLEXIBLE"):
        bot.done(bot.post(locked, projectId="USDT-5", amount="20.5", autoSubscribe=False, redeemTo=where))
    bot.done(bot.post(locked, projectId="USDT-5", amount="7"))
    bot.done(bot.post(locked, projectId="YEN-4-LATE", amount="1234.5", autoSubscribe=False))


def act(chance: random.Random, bot: Signer) -> None:
    """Do something, whatever is answered: subscribe, lock, redeem or leave early."""
    product = chance.choice(("USDT-FLEX", "USDT-FLEX", "BTC-FLEX"))
    amount = chance.choice(("1", "250.5", "0.07", "5000"))
    source = chance.choice(("SPOT", "FUND", "ALL", "ALL"))
    subscribe, redeem = f"{EARN}/flexible/subscribe", f"{EARN}/flexible/redeem"
    bot.post(subscribe, productId=product, amount=amount, sourceAccount=source, autoSubscribe=False)
    more: dict[str, Any] = {"autoSubscribe": chance.random() < 0.4, "sourceAccount": source}
    bot.post(
        f"{EARN}/locked/subscribe",
        projectId=chance.choice(FIXED),
        amount=chance.choice(("10", "0.1", "33.3")),
        **more,
    )
    if chance.random() < 0.5:
        bot.post(redeem, productId=product, amount="0.05", destAccount=chance.choice(("SPOT", "FUND")))
    if chance.random() < 0.2:
        bot.post(redeem, productId=product, redeemAll=True)
    held = bot.rows(f"{EARN}/locked/position", size=100)
    if held and chance.random() < 0.5:
        bot.post(f"{EARN}/locked/redeem", positionId=chance.choice(held)["positionId"])


def all_rows(service: Service, bot: Signer, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Read a whole history page by page, of a size that divides nothing, and see that no row comes twice."""
    end = int(service.living.now.timestamp() * 1000)
    found: list[dict[str, Any]] = []
    for page in range(1, 1_000):
        period = {"startTime": end - 89 * 86_400_000, "endTime": end}
        answer = bot.done(bot.get(f"{EARN}{path}", current=page, size=43, **period, **parameters))
        found += answer["rows"]
        assert answer["total"] >= len(found)
        if not answer["rows"]:
            break
    assert answer["total"] == len(found)
    assert max(Counter(json.dumps(row, sort_keys=True) for row in found).values(), default=1) == 1
    times = [row["time"] for row in found]
    assert times == sorted(times, reverse=True)
    return found


def sums(rows: list[dict[str, Any]], name: str, amount: str) -> dict[Any, Decimal]:
    found: dict[Any, Decimal] = {}
    for row in rows:
        found[row[name]] = found.get(row[name], ZERO) + Decimal(row[amount])
    return found


def ledger(service: Service, name: str, query: str) -> dict[Any, Decimal]:
    """Add up what the ledger says of a customer, as (what, amount)."""
    rows = service.living.rows(query.replace("CUSTOMER", str(service.customer_id(name))))
    return {row.what: row.amount for row in rows}


REWARDS = """SELECT {what} AS what, sum(r.amount) AS amount FROM reward r JOIN position p USING (cell, position_id)
               JOIN product o USING (product_id)
              WHERE p.customer_id = CUSTOMER AND o.kind = '{kind}' AND account_kind(r.credit_account) = 2 GROUP BY 1"""
PAYOUTS = "SELECT position_id AS what, sum(amount) AS amount FROM transfer" \
          " WHERE customer_id = CUSTOMER AND kind = 'accrued_payout' GROUP BY 1"  # fmt: skip
MOVED = """SELECT a.code AS what, sum(t.amount) AS amount FROM transfer t JOIN position p USING (cell, position_id)
             JOIN product o USING (product_id) JOIN asset a USING (asset_id)
            WHERE t.customer_id = CUSTOMER AND t.kind = '{move}' AND o.kind = '{kind}' GROUP BY 1"""


@pytest.mark.parametrize("name", BOTS)
def test_flexible_rewards_add_up_to_the_totals_our_api_and_the_ledger(
    service: Service, bots: dict[str, Signer], name: str
) -> None:
    bot = bots[name]
    rows = all_rows(service, bot, "/flexible/history/rewardsRecord")
    by_product = sums(rows, "projectId", "rewards")
    assert (
        by_product
        == sums(rows, "productId", "rewards")
        == ledger(service, name, REWARDS.format(what="o.code", kind="flexible"))
    )
    assert len(by_product) == 2
    for held in bot.rows(f"{EARN}/flexible/position"):
        assert Decimal(held["cumulativeTotalRewards"]) == by_product.get(held["productId"], ZERO)
        assert held["cumulativeTotalRewards"] == held["cumulativeBonusRewards"]
    own = service.customer(name).get("/v1/rewards", limit=1000).json()["items"]
    for product, amount in by_product.items():
        assert sum(Decimal(each["amount"]) for each in own if each["product"] == product) == amount


@pytest.mark.parametrize("name", BOTS)
def test_the_types_of_rewards_are_disjoint_and_all_is_their_sum(
    service: Service, bots: dict[str, Signer], name: str
) -> None:
    path = "/flexible/history/rewardsRecord"
    parts = [all_rows(service, bots[name], path, type=kind) for kind in ("BONUS", "REALTIME", "REWARDS")]
    assert [row for part in parts for row in part] == all_rows(service, bots[name], path, type="ALL")
    assert [{row["type"] for row in part} for part in parts] == [{"BONUS"}, set(), set()]


@pytest.mark.parametrize("name", BOTS)
def test_locked_rewards_add_up_to_what_reached_funding(
    service: Service, bots: dict[str, Signer], name: str
) -> None:
    rows = all_rows(service, bots[name], "/locked/history/rewardsRecord")
    daily = ledger(service, name, REWARDS.format(what="p.position_id", kind="fixed"))
    late = ledger(service, name, PAYOUTS)
    assert not daily.keys() & late.keys()
    assert late
    assert sums(rows, "positionId", "amount") == daily | late


@pytest.mark.parametrize("name", BOTS)
def test_records_are_complete_and_move_exactly_what_the_wallets_moved(
    service: Service, bots: dict[str, Signer], name: str
) -> None:
    bot, customer_id = bots[name], service.customer_id(name)
    read = {
        path: all_rows(service, bot, f"/{path}")
        for path in (
            "flexible/history/subscriptionRecord", "locked/history/subscriptionRecord",
            "flexible/history/redemptionRecord", "locked/history/redemptionRecord",
            "flexible/history/rewardsRecord", "locked/history/rewardsRecord",
        )
    }  # fmt: skip
    bought = [
        row
        for kind in ("flexible", "locked")
        for row in read[f"{kind}/history/subscriptionRecord"]
        if row["type"] not in ("CONVERT", "RESTAKE")
    ]
    for row in bought:
        assert Decimal(row["amtFromSpot"]) + Decimal(row["amtFromFunding"]) == Decimal(row["amount"])
    back = [row for row in read["locked/history/redemptionRecord"] if row["type"] != "NEW_TRANSFERRED"]
    given = read["flexible/history/redemptionRecord"]
    for rows, move, kinds in ((given, "redemption", ["flexible"]), (back, "redemption", ["fixed"])):
        told = {asset: amount for asset, amount in sums(rows, "asset", "amount").items() if amount}
        assert told == ledger(service, name, MOVED.format(move=move, kind=kinds[0]))
    rewards = sums(read["flexible/history/rewardsRecord"], "asset", "rewards")
    locked = sums(read["locked/history/rewardsRecord"], "asset", "amount")
    for asset, deposited in (("USDT", 11_000), ("BTC", 3), ("YEN", 100_000)):
        wallets = service.living.spot(customer_id, asset) + service.living.funding(customer_id, asset)
        expected = deposited - sums(bought, "asset", "amount").get(asset, ZERO)
        for part in (sums(given, "asset", "amount"), sums(back, "asset", "amount"), rewards, locked):
            expected += part.get(asset, ZERO)
        assert wallets == expected, asset


@pytest.mark.parametrize("name", BOTS)
def test_positions_and_wallets_are_those_of_the_ledger(
    service: Service, bots: dict[str, Signer], name: str
) -> None:
    bot, customer_id = bots[name], service.customer_id(name)
    flexible = sums(bot.rows(f"{EARN}/flexible/position", size=100), "asset", "totalAmount")
    locked = sums(bot.rows(f"{EARN}/locked/position", size=100), "asset", "amount")
    balances = {
        each["asset"]: Decimal(each["free"]) for each in bot.done(bot.get("/api/v3/account"))["balances"]
    }
    funding = {
        each["asset"]: Decimal(each["free"])
        for each in bot.done(bot.post("/sapi/v1/asset/get-funding-asset"))
    }
    for asset in ("USDT", "BTC", "YEN"):
        assert flexible.get(asset, ZERO) + locked.get(asset, ZERO) == service.living.earn(customer_id, asset)
        assert balances[asset] == service.living.spot(customer_id, asset)
        assert funding.get(asset, ZERO) == service.living.funding(customer_id, asset)
    for row in bot.rows(f"{EARN}/locked/position", size=100):
        own = service.customer(name).get(f"/v1/positions/{row['positionId']}").json()["position"]
        assert row["rewardAmt"] == own["rewards_earned"]
        assert row["nextPay"] == own["next_payout"]


def test_every_kind_of_record_was_reached(service: Service, bots: dict[str, Signer]) -> None:
    def kinds(path: str) -> set[str]:
        return {row["type"] for bot in bots.values() for row in all_rows(service, bot, path)}

    assert kinds("/flexible/history/subscriptionRecord") >= {"NORMAL", "AUTO", "CONVERT"}
    assert kinds("/locked/history/subscriptionRecord") == {"NORMAL", "RESTAKE"}
    assert kinds("/locked/history/redemptionRecord") == {"MATURE", "NEW_TRANSFERRED", "AHEAD"}
    sources = {
        row.get("sourceAccount")
        for bot in bots.values()
        for row in all_rows(service, bot, "/flexible/history/subscriptionRecord")
    }
    assert sources == {"SPOT", "FUNDING", "SPOTANDFUNDING", None}
    assert_audited(service.database)


def test_what_is_worth_is_told_at_the_desks_prices(service: Service, bots: dict[str, Signer]) -> None:
    bot = bots["ida"]
    untold = bot.done(bot.get(f"{EARN}/account"))
    held = sums(bot.rows(f"{EARN}/flexible/position"), "asset", "totalAmount")
    assert Decimal(untold["totalFlexibleAmountInBTC"]) == held.get("BTC", ZERO), (
        "what has no price is not counted"
    )
    owner = service.operator("ada")
    for asset, price in (("BTC", "50000"), ("USDT", "1")):
        body = {"quote": "USD", "price": price}
        assert owner.put(f"/v1/prices/{asset}", body).status_code == 200
    told = bot.done(bot.get(f"{EARN}/account"))
    usdt = held.get("USDT", ZERO) + held.get("BTC", ZERO) * 50_000
    assert Decimal(told["totalFlexibleAmountInUSDT"]) == usdt.quantize(Decimal("1e-8"))
    for coin in ("BTC", "USDT"):
        parts = (told[f"totalFlexibleAmountIn{coin}"], told[f"totalLockedIn{coin}"])
        assert Decimal(told[f"totalAmountIn{coin}"]) == sum(map(Decimal, parts))
