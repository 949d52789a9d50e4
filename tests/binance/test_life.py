"""Subscribing, holding, choosing and redeeming: what is answered is so, in the wallets and in the records, at once."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.api.world import Service
from tests.binance.world import EARN, Signer, code_of, hmac_key, passes, refused, spot_and_funding
from tests.living import assert_audited, halt

from staddle import products

D = Decimal


@pytest.fixture(scope="module", autouse=True)
def the_books_hold_in_the_end(service: Service) -> Iterator[None]:
    yield
    assert_audited(service.database)


def moved(service: Service, before: tuple[Any, Any], asset: str = "USDT") -> tuple[Any, Any]:
    """What ada's Spot and Funding have more than before."""
    spot, funding = spot_and_funding(service, "ada", asset)
    return spot - before[0], funding - before[1]


def wallets(service: Service, asset: str = "USDT") -> tuple[Any, Any]:
    return spot_and_funding(service, "ada", asset)


def subscribe(ada: Signer, product: str, amount: str, **more: Any) -> dict[str, Any]:
    done: dict[str, Any] = ada.done(
        ada.post(f"{EARN}/flexible/subscribe", productId=product, amount=amount, **more)
    )
    return done


def lock(ada: Signer, product: str, amount: str, **more: Any) -> int:
    done = ada.done(ada.post(f"{EARN}/locked/subscribe", projectId=product, amount=amount, **more))
    assert (done["success"], str(done["purchaseId"])) == (True, done["positionId"])
    return int(done["positionId"])


def position(ada: Signer, position_id: int) -> dict[str, Any]:
    [row] = ada.rows(f"{EARN}/locked/position", positionId=position_id)
    return row


# Flexible


@pytest.mark.parametrize(
    ("source", "amount", "change", "recorded"),
    [
        (None, "100.5", ("-100.5", "0"), ("SPOT", "100.50000000", "0.00000000")),
        ("SPOT", "1e1", ("-10", "0"), ("SPOT", "10.00000000", "0.00000000")),
        ("FUND", "25", ("0", "-25"), ("FUNDING", "0.00000000", "25.00000000")),
        ("ALL", "50", ("-50", "0"), ("SPOT", "50.00000000", "0.00000000")),
    ],
)
def test_a_subscription_takes_exactly_its_amount_from_the_wallet_it_names(
    service: Service,
    ada: Signer,
    source: str | None,
    amount: str,
    change: tuple[str, str],
    recorded: tuple[str, str, str],
) -> None:
    before, more = wallets(service), {} if source is None else {"sourceAccount": source}
    number = subscribe(ada, "USDT-FLEX", amount, autoSubscribe="false", **more)["purchaseId"]
    assert moved(service, before) == (D(change[0]), D(change[1]))
    [record] = ada.rows(f"{EARN}/flexible/history/subscriptionRecord", purchaseId=number)
    assert (record["sourceAccount"], record["amtFromSpot"], record["amtFromFunding"]) == recorded
    assert (record["status"], record["type"]) == ("SUCCESS", "NORMAL")
    assert D(record["amount"]) == D(amount)


def test_all_takes_spot_first_and_the_rest_from_funding_as_one_purchase(
    service: Service, ada: Signer
) -> None:
    before = spot, funding = wallets(service, "BTC")
    assert funding == 0
    service.living.deposit(service.customer_id("ada"), "BTC", "2", "funding")
    number = subscribe(ada, "BTC-FLEX", str(spot + 1), sourceAccount="ALL", autoSubscribe="False")[
        "purchaseId"
    ]
    assert moved(service, before, "BTC") == (-spot, D(1))
    [record] = ada.rows(f"{EARN}/flexible/history/subscriptionRecord", purchaseId=number)
    assert (record["sourceAccount"], D(record["amtFromSpot"]), D(record["amtFromFunding"])) == (
        "SPOTANDFUNDING", spot, D(1),
    )  # fmt: skip
    more = ada.post(
        f"{EARN}/flexible/subscribe", productId="BTC-FLEX", amount="1.00000001", sourceAccount="ALL"
    )
    assert code_of(more) == (400, -6012)
    assert wallets(service, "BTC") == (0, 1)


def test_partial_and_full_redemption_pay_the_wallet_that_is_named(service: Service, ada: Signer) -> None:
    [held] = ada.rows(f"{EARN}/flexible/position", asset="BTC")
    before = wallets(service, "BTC")
    done = ada.done(
        ada.post(f"{EARN}/flexible/redeem", productId="BTC-FLEX", amount="2.5", destAccount="FUND")
    )
    assert moved(service, before, "BTC") == (0, D("2.5"))
    [record] = ada.rows(f"{EARN}/flexible/history/redemptionRecord", redeemId=done["redeemId"])
    assert (record["destAccount"], record["amount"], record["status"]) == ("FUNDING", "2.50000000", "PAID")
    [rest] = ada.rows(f"{EARN}/flexible/position", productId="BTC-FLEX")
    assert D(rest["totalAmount"]) == D(held["totalAmount"]) - D("2.5")
    ada.done(ada.post(f"{EARN}/flexible/redeem", productId="BTC-FLEX", redeemAll="TRUE"))
    assert moved(service, before, "BTC") == (D(rest["totalAmount"]), D("2.5"))
    assert ada.get(f"{EARN}/flexible/position", productId="BTC-FLEX").json() == {"rows": [], "total": 0}


def test_subscribing_switches_auto_subscribe_on_unless_it_says_otherwise(ada: Signer) -> None:
    def is_auto() -> bool:
        [row] = ada.rows(f"{EARN}/flexible/position", productId="USDT-FLEX")
        on: bool = row["autoSubscribe"]
        return on

    assert not is_auto()
    subscribe(ada, "USDT-FLEX", "1")
    assert is_auto()
    subscribe(ada, "USDT-FLEX", "1", autoSubscribe="false")
    assert not is_auto()
    switch = f"{EARN}/flexible/setAutoSubscribe"
    for is_on in (True, True, False, False):
        assert ada.done(ada.post(switch, productId="USDT-FLEX", autoSubscribe=str(is_on))) == {
            "success": True
        }
        assert is_auto() == is_on


def test_what_auto_subscribe_does_is_recorded_as_such(service: Service, ada: Signer) -> None:
    ada.done(ada.post(f"{EARN}/flexible/setAutoSubscribe", productId="USDT-FLEX", autoSubscribe="true"))
    idle = wallets(service)[0]
    passes(service, days=1)
    ada.done(ada.post(f"{EARN}/flexible/setAutoSubscribe", productId="USDT-FLEX", autoSubscribe="false"))
    record = ada.rows(f"{EARN}/flexible/history/subscriptionRecord")[0]
    assert (record["type"], D(record["amount"]), wallets(service)[0]) == ("AUTO", idle, 0)
    ada.done(ada.post(f"{EARN}/flexible/redeem", productId="USDT-FLEX", amount=str(idle)))
    assert wallets(service)[0] == idle


# Locked


def test_redeem_amount_early_is_what_an_early_redemption_then_pays(service: Service, ada: Signer) -> None:
    names = ("USDT-30", "USDT-90-LATE", "USDT-60-LESS")
    held = {name: lock(ada, name, "600") for name in names}
    service.living.deposit(service.customer_id("ada"), "BTC", "1")
    held["BTC-7-KEEP"] = lock(ada, "BTC-7-KEEP", "1")
    # Before a day is completed, after it, once more, and when it was distributed.
    for days, hours in ((0, 3), (1, 0), (2, 0), (0, 7)):
        passes(service, days=days, hours=hours)
        for name, number in held.items():
            shown = D(position(ada, number)["redeemAmountEarly"])
            assert shown == service.living.quote(service.customer_id("ada"), number).returned, (
                name,
                days,
                hours,
            )
    for name, number in held.items():
        asset = name.partition("-")[0]
        row, before = position(ada, number), wallets(service, asset)
        assert ada.done(ada.post(f"{EARN}/locked/redeem", positionId=number)) == {
            "redeemId": number,
            "success": True,
        }
        assert moved(service, before, asset)[0] == D(row["redeemAmountEarly"]), name
        [record] = ada.rows(f"{EARN}/locked/history/redemptionRecord", redeemId=number)
        assert (record["type"], record["amount"]) == ("AHEAD", row["redeemAmountEarly"])
        assert D(record["originalAmount"]) - D(record["amount"]) in (D(record["lossAmount"]), 0)
        assert code_of(ada.post(f"{EARN}/locked/redeem", positionId=number)) == (400, -6008)


def test_what_may_not_be_left_early_says_so(ada: Signer) -> None:
    number = lock(ada, "USDT-14-STAY", "100")
    row = position(ada, number)
    assert (row["canRedeemEarly"], row["redeemAmountEarly"]) == (False, "0.00000000")
    assert code_of(ada.post(f"{EARN}/locked/redeem", positionId=number)) == (400, -6007)


def test_the_options_of_a_fixed_term_are_two_switches(ada: Signer) -> None:
    number = lock(ada, "USDT-30", "100")

    def options() -> tuple[bool, str]:
        row = position(ada, number)
        return row["autoSubscribe"], row["redeemTo"]

    def auto(is_on: bool) -> None:
        ada.done(ada.post(f"{EARN}/locked/setAutoSubscribe", positionId=number, autoSubscribe=is_on))

    def redeem_to(where: str) -> None:
        ada.done(ada.post(f"{EARN}/locked/setRedeemOption", positionId=number, redeemTo=where))

    assert options() == (True, "FLEXIBLE")
    auto(False)
    assert options() == (False, "FLEXIBLE")
    redeem_to("SPOT")
    assert options() == (False, "SPOT")
    auto(True)
    assert options() == (True, "SPOT")
    redeem_to("FLEXIBLE")
    assert options() == (True, "FLEXIBLE")
    auto(False)
    assert options() == (False, "FLEXIBLE")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"autoSubscribe": "false"}, (False, "FLEXIBLE")),
        ({"autoSubscribe": "false", "redeemTo": "SPOT"}, (False, "SPOT")),
        ({"redeemTo": "SPOT"}, (True, "SPOT")),
    ],
)
def test_a_subscription_says_what_happens_at_its_end(
    ada: Signer, asked: dict[str, str], shown: object
) -> None:
    row = position(ada, lock(ada, "USDT-30", "10", **asked))
    assert (row["autoSubscribe"], row["redeemTo"]) == shown


def test_a_product_that_names_no_flexible_one_gives_back_to_spot(ada: Signer) -> None:
    row = position(ada, lock(ada, "USDT-14-STAY", "10", autoSubscribe="false"))
    assert (row["autoSubscribe"], row["redeemTo"]) == (False, "SPOT")
    lock_it = f"{EARN}/locked/subscribe"
    answer = ada.post(lock_it, projectId="USDT-14-STAY", amount="10", redeemTo="FLEXIBLE")
    assert refused(answer) == (400, -1130, "Data sent for parameter 'redeemTo' is not valid.")
    option = ada.post(f"{EARN}/locked/setRedeemOption", positionId=row["positionId"], redeemTo="FLEXIBLE")
    assert code_of(option) == (400, -1130)


def test_a_term_ends_as_it_was_chosen_and_the_records_say_how(service: Service) -> None:
    eve_id = service.living.customer("eve", USDT="1000")
    eve = Signer(service.http, hmac_key(service.database, "eve"))
    renewed = lock(eve, "USDT-5", "100")
    moved_on = lock(eve, "USDT-5", "200", autoSubscribe="false")
    back = lock(eve, "USDT-5", "300", autoSubscribe="false", redeemTo="SPOT")
    passes(service, days=6)
    assert service.living.spot(eve_id, "USDT") == D(1000 - 600 + 300)
    ends = {each["positionId"]: each for each in eve.rows(f"{EARN}/locked/history/redemptionRecord")}
    assert {number: (each["type"], each["amount"]) for number, each in ends.items()} == {
        moved_on: ("NEW_TRANSFERRED", "200.00000000"),
        back: ("MATURE", "300.00000000"),
    }
    assert ends[back]["rewardAmt"] == "0.32876712"
    [converted] = eve.rows(f"{EARN}/flexible/history/subscriptionRecord")
    assert (converted["type"], converted["amount"]) == ("CONVERT", "200.00000000")
    assert "sourceAccount" not in converted
    restaked = eve.rows(f"{EARN}/locked/history/subscriptionRecord")[0]
    assert (restaked["type"], restaked["amount"]) == ("RESTAKE", "100.00000000")
    [row] = eve.rows(f"{EARN}/locked/position")
    assert (row["positionId"], row["parentPositionId"], row["type"]) == (
        restaked["positionId"],
        renewed,
        "AUTO",
    )


# Refusals


@pytest.mark.parametrize(
    ("path", "asked", "code"),
    [
        ("/flexible/subscribe", {"productId": "NONE", "amount": "1"}, -6001),
        ("/flexible/subscribe", {"productId": "USDT-30", "amount": "10"}, -6001),
        ("/locked/subscribe", {"projectId": "NONE", "amount": "1"}, -6020),
        ("/locked/subscribe", {"projectId": "USDT-FLEX", "amount": "10"}, -6020),
        ("/flexible/subscribe", {"amount": "1"}, -1102),
        ("/flexible/subscribe", {"productId": "USDT-FLEX"}, -1102),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "0.5"}, -6005),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "0"}, -6005),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1e-05"}, -6005),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1.000000001"}, -1111),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "20000"}, -6011),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "19000"}, -6012),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "-1"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "NaN"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "Infinity"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "\u0661"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1e99"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1e999"}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "."}, -1100),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1", "sourceAccount": "EARN"}, -1130),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1", "sourceAccount": ""}, -1105),
        ("/flexible/subscribe", {"productId": "USDT-FLEX", "amount": "1", "autoSubscribe": "yes"}, -1130),
        ("/flexible/redeem", {"productId": "USDT-FLEX"}, -1102),
        ("/flexible/redeem", {"productId": "USDT-FLEX", "amount": "0"}, -6006),
        ("/flexible/redeem", {"productId": "USDT-FLEX", "amount": "1000000"}, -6006),
        ("/flexible/redeem", {"productId": "USDT-FLEX", "amount": "1", "destAccount": "ALL"}, -1130),
        ("/flexible/redeem", {"productId": "BTC-FLEX", "redeemAll": "true"}, -6006),
        ("/flexible/redeem", {"productId": "USDT-30", "redeemAll": "true"}, -6001),
        ("/locked/redeem", {}, -1102),
        ("/locked/redeem", {"positionId": "12"}, -6003),
        ("/locked/redeem", {"positionId": "x"}, -1100),
        ("/locked/redeem", {"positionId": "9" * 19}, -1100),
        ("/locked/setAutoSubscribe", {"positionId": "12", "autoSubscribe": "true"}, -6003),
        ("/locked/setAutoSubscribe", {"positionId": "12"}, -6003),
        ("/locked/setRedeemOption", {"positionId": "12", "redeemTo": "SPOT"}, -6003),
        ("/flexible/setAutoSubscribe", {"productId": "NONE", "autoSubscribe": "true"}, -6001),
        ("/flexible/setAutoSubscribe", {"productId": "USDT-FLEX"}, -1102),
    ],
)
def test_what_is_refused_has_the_protocols_number_and_moves_nothing(
    service: Service, ada: Signer, path: str, asked: dict[str, str], code: int
) -> None:
    before = wallets(service), wallets(service, "BTC")
    status, found, words = refused(ada.post(f"{EARN}{path}", **asked))
    assert (status, found) == (400, code), words
    assert (wallets(service), wallets(service, "BTC")) == before


def test_nobody_leaves_or_changes_anothers_position(service: Service, ada: Signer, ben: Signer) -> None:
    number = lock(ada, "USDT-30", "10")
    assert code_of(ben.post(f"{EARN}/locked/redeem", positionId=number)) == (400, -6003)
    for path, more in (
        ("setAutoSubscribe", {"autoSubscribe": False}),
        ("setRedeemOption", {"redeemTo": "SPOT"}),
    ):
        assert code_of(ben.post(f"{EARN}/locked/{path}", positionId=number, **more)) == (400, -6003)
    assert ben.rows(f"{EARN}/locked/position", positionId=number) == []
    assert position(ada, number)["autoSubscribe"] is True


def test_a_product_that_is_closed_halted_or_sold_out_is_not_to_be_had(service: Service, ada: Signer) -> None:
    living = service.living
    living.product("USDT-SMALL", "USDT", apr="0.01", quota="5", amount_min="5")
    subscribe(ada, "USDT-SMALL", "5", autoSubscribe="false")
    [row] = [
        each for each in ada.rows(f"{EARN}/flexible/list", size=100) if each["productId"] == "USDT-SMALL"
    ]
    assert (row["isSoldOut"], row["canPurchase"], row["canRedeem"]) == (True, False, True)
    answer = ada.post(f"{EARN}/flexible/subscribe", productId="USDT-SMALL", amount="5")
    assert code_of(answer) == (400, -6014)
    assert ada.done(ada.get(f"{EARN}/flexible/personalLeftQuota", productId="USDT-SMALL")) == {
        "leftPersonalQuota": "0.00000000"
    }

    with service.database.transaction() as tx:
        halt(tx, "USDT-SMALL", "redeeming", "A test", living.now)
        products.close_product(tx, "ada", "USDT-SMALL", living.now)
    [row] = ada.rows(f"{EARN}/flexible/position", productId="USDT-SMALL")
    assert row["canRedeem"] is False
    assert code_of(ada.post(f"{EARN}/flexible/redeem", productId="USDT-SMALL", redeemAll=True)) == (
        400,
        -6007,
    )
    with service.database.transaction() as tx:
        halt(tx, "USDT-SMALL", "redeeming", None, living.now)
    answer = ada.post(f"{EARN}/flexible/subscribe", productId="USDT-SMALL", amount="5")
    assert code_of(answer) == (400, -6004)
    ada.done(ada.post(f"{EARN}/flexible/redeem", productId="USDT-SMALL", redeemAll=True))
