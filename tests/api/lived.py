"""The desk that the tests of the API call: four products, two customers, ten days with their rewards.

ada holds USDT-FLEX (in tiers, twice) and USDT-30D (left early at a loss of all rewards) and BTC-FLEX; ben holds
USDT-FLEX and USDT-90D, which pays at maturity. carl has coins and has never staked anything.
"""

from datetime import timedelta
from typing import Any

from tests.living import START, Living

from staddle import desk
from staddle.db import Database

DAYS = 10
TIERS = (("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))


def live(database: Database) -> Living:
    """Live through these days; the sandbox's clock is left where they end."""
    living = Living(database)
    usdt: dict[str, Any] = {"amount_min": "1", "step": "0.01"}
    living.product("USDT-FLEX", "USDT", bands=TIERS, quota="1000000", personal_cap="50000", **usdt)
    living.product("USDT-30D", "USDT", apr="0.08", term_days=30, rate_policy="locked", **usdt)
    living.product(
        "USDT-90D", "USDT", apr="0.1", term_days=90, rate_policy="locked", payout="at_maturity", **usdt
    )
    living.product("BTC-FLEX", "BTC", apr="0.01", amount_min="0.0001")
    ada = living.customer("ada", country="DE", vip_level=1, USDT="20000", BTC="1")
    ben = living.customer("ben", country="FR", USDT="20000")
    living.customer("carl", USDT="500")
    living.subscribe(ada, "USDT-FLEX", "1000")
    living.subscribe(ada, "USDT-30D", "1000")
    living.subscribe(ben, "USDT-FLEX", "400")
    living.subscribe(ben, "USDT-90D", "300", at_maturity="renew")
    living.subscribe(ada, "BTC-FLEX", "0.5")
    for day in range(DAYS):
        living.comes(START + timedelta(days=day + 1))
        if day == 4:
            living.subscribe(ada, "USDT-FLEX", "200")
            living.redeem(ada, "BTC-FLEX", "0.1")
            living.revise("BTC-FLEX", apr="0.02", at=living.now + timedelta(days=2))
        living.catch_up()
    with database.transaction() as tx:
        desk.set_clock(tx, living.now)
    return living
