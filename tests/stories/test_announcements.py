"""What comes to pass by itself is announced once: products that open and sell out, finished runs, alarms."""

from typing import Any

import pytest
from tests.living import halt
from tests.stories.receiver import Desk

from staddle import desk, notices, products
from staddle.db import Database
from staddle.server.announce import announce


class Announcing:
    """A desk whose announcements are read as they come."""

    def __init__(self, database: Database) -> None:
        self.living = Desk(database).living
        self.database = database
        self._cursor: str | None = None

    def news(self) -> list[tuple[str, dict[str, Any]]]:
        """Look, announce, and give what the desk is told that it has not been told yet."""
        announce(self.database, self.living.now)
        with self.database.transaction() as tx:
            feed = notices.desk_feed(tx, self._cursor, 1000)
        self._cursor = feed.cursor
        return [(each.told.kind, each.told.body) for each in feed.events if each.told.customer_id == 0]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.news()]


@pytest.fixture
def announcing(database: Database) -> Announcing:
    return Announcing(database)


def test_a_product_that_opens_at_its_hour_is_announced_once(announcing: Announcing) -> None:
    living = announcing.living
    opens_at = living.now.replace(hour=18)
    living.product("SOON", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.03")], opens_at=opens_at)
    assert announcing.kinds() == []
    living.comes(opens_at)
    assert announcing.news() == [
        (
            "product_opened",
            {
                "product": "SOON",
                "asset": "USDT",
                "kind": "flexible",
                "name": "Product SOON",
                "headline_apr": "0.12",
                "is_up_to": True,
            },
        )
    ]
    assert announcing.kinds() == []
    assert announce(announcing.database, living.now) == 0


def test_selling_out_halting_and_closing_are_announced(announcing: Announcing) -> None:
    living = announcing.living
    anna = living.customer("anna", USDT="1000")
    living.product("FEW", "USDT", apr="0.08", quota="100", amount_min="10")
    assert announcing.kinds() == ["product_opened"]
    living.subscribe(anna, "FEW", "95")
    assert announcing.kinds() == ["product_sold_out"]
    living.redeem(anna, "FEW", "50")
    assert announcing.kinds() == [], "it may be sold out again in a moment"
    living.passes(minutes=10)
    assert announcing.kinds() == ["product_opened"]
    with announcing.database.transaction() as tx:
        halt(tx, "FEW", "subscribing", "Maintenance", living.now)
        halt(tx, "FEW", "redeeming", "Network halted", living.now)
    told = dict(announcing.news())
    assert told["product_halted"]["reason"] == "Maintenance"
    assert told["redeeming_halted"] == {"product": "FEW", "reason": "Network halted"}
    with announcing.database.transaction() as tx:
        halt(tx, "FEW", "redeeming", None, living.now)
        products.close_product(tx, "ada", "FEW", living.now)
    assert sorted(announcing.kinds()) == ["product_closed", "redeeming_resumed"]


def test_a_finished_run_tells_customers_that_and_the_desk_how_much(announcing: Announcing) -> None:
    living = announcing.living
    living.product("USDT-FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "USDT-FLEX", "100")
    announcing.news()
    living.passes(days=3)
    living.catch_up()
    news = announcing.news()
    assert [kind for kind, _ in news] == ["rewards_distributed", "reward_run_finished"] * 3
    assert news[-1][1] == {
        "run_on": "2026-01-25",
        "distributed_at": "2026-01-25T00:00:00Z",
        "parked_count": 0,
        "products": [
            {"product": "USDT-FLEX", "asset": "USDT", "rewards_paid": 1, "amount_paid": "0.02191781"}
        ],
    }
    with announcing.database.transaction() as tx:
        mine = notices.customer_feed(tx, anna, None, 100)
    kinds = [each.told.kind for each in mine.events]
    assert kinds.count("rewards_distributed") == 3
    assert "reward_run_finished" not in kinds


def test_an_alarm_and_its_end_are_told_to_the_desk_alone(announcing: Announcing) -> None:
    living = announcing.living
    anna = living.customer("anna")
    with announcing.database.transaction() as tx:
        desk.raise_alarm(tx, "runway_short", "USDT", {"days_left": 3}, living.now)
    [(kind, body)] = announcing.news()
    assert kind == "alarm"
    assert (body["kind"], body["subject"], body["details"]) == ("runway_short", "USDT", {"days_left": 3})
    assert announcing.kinds() == []
    with announcing.database.transaction() as tx:
        desk.clear_alarm(tx, "runway_short", "USDT", living.now)
    assert announcing.news() == [("alarm_cleared", {"alarm_id": body["alarm_id"]})]
    assert announcing.kinds() == []
    with announcing.database.transaction() as tx:
        assert notices.customer_feed(tx, anna, None, 100).events == []
