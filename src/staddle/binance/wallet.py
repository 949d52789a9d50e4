"""The wallets and the key itself: what trackers read before they ask for anything of Earn."""

from decimal import Decimal

from staddle.binance.asked import Asked, milliseconds
from staddle.binance.endpoint import Document, reads
from staddle.binance.values import amount
from staddle.binance.worth import DECIMALS, worth_in
from staddle.desk import prices_of
from staddle.identity import find_api_key
from staddle.ledger import AccountKind, account_of, all_assets, balances_of_customer
from staddle.money import ZERO, plain_at
from staddle.positions.holdings import staked
from staddle.server.at import At

NEVER = (
    "enableWithdrawals",
    "enableInternalTransfer",
    "permitsUniversalTransfer",
    "enableVanillaOptions",
    "enableFutures",
    "enableMargin",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
    "enableFixReadOnly",
)
"""What no key of this desk can do."""


@reads("/api/v3/account", weight=20)
def account(at: At, asked: Asked) -> Document:
    """Give the Spot balances; nothing is traded here, so nothing is ever locked."""
    is_short = asked.flag("omitZeroBalances", default=False)
    balances = [
        {"asset": asset, "free": amount(held, asset, at.scales), "locked": amount(ZERO, asset, at.scales)}
        for asset, held in held_in(at, AccountKind.SPOT).items()
        if held or not is_short
    ]
    return {
        **{f"{who}Commission": 0 for who in ("maker", "taker", "buyer", "seller")},
        "commissionRates": dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000"),
        "canTrade": False,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": milliseconds(at.now),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": at.customer_id,
    }


@reads("/sapi/v1/asset/get-funding-asset", weight=1, method="POST")
def funding_assets(at: At, asked: Asked) -> list[Document]:
    """Give the Funding balances above zero, with what they are worth in BTC where that is asked for and known."""
    only, is_valued = asked.maybe("asset"), asked.flag("needBtcValuation", default=False)
    prices = prices_of(at.tx) if is_valued else []
    return [
        {
            "asset": asset,
            "free": amount(held, asset, at.scales),
            **{name: amount(ZERO, asset, at.scales) for name in ("locked", "freeze", "withdrawing")},
            "btcValuation": plain_at(worth_in("BTC", {asset: held}, prices) if is_valued else ZERO, DECIMALS),
        }
        for asset, held in held_in(at, AccountKind.FUNDING).items()
        if held and only in (None, asset)
    ]


@reads("/sapi/v1/account/apiRestrictions", weight=1)
def api_restrictions(at: At, asked: Asked) -> Document:  # noqa: ARG001
    """Say what the key that signed may do."""
    assert at.caller.api_key_id is not None
    key = find_api_key(at.tx, at.customer_id, at.caller.api_key_id)
    return {
        "ipRestrict": bool(key.addresses),
        "createTime": milliseconds(key.added_at),
        "enableReading": "read" in key.scopes,
        "enableSpotAndMarginTrading": {"subscribe", "redeem"} <= set(key.scopes),
        **dict.fromkeys(NEVER, False),
    }


@reads("/sapi/v1/simple-earn/account", weight=150)
def earn_account(at: At, asked: Asked) -> Document:  # noqa: ARG001
    """Say what is staked is worth in BTC and USDT, at the desk's prices; what has none is not counted."""
    prices, held = prices_of(at.tx), staked(at.tx, at.customer_id)
    totals: Document = {}
    for target in ("BTC", "USDT"):
        flexible, locked = (
            worth_in(target, {each.asset: each.principal for each in held if each.kind == kind}, prices)
            for kind in ("flexible", "fixed")
        )
        totals[f"totalAmountIn{target}"] = plain_at(flexible + locked, DECIMALS)
        totals[f"totalFlexibleAmountIn{target}"] = plain_at(flexible, DECIMALS)
        totals[f"totalLockedIn{target}"] = plain_at(locked, DECIMALS)
    return totals


def held_in(at: At, kind: AccountKind) -> dict[str, Decimal]:
    """Read the balances of one kind, by coin, for every coin of the desk."""
    assets = sorted(all_assets(at.tx).values(), key=lambda asset: asset.code)
    balances = balances_of_customer(at.tx, at.customer_id)
    return {asset.code: balances.get(account_of(at.customer_id, asset, kind), ZERO) for asset in assets}
