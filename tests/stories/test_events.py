"""Every kind of event has the members that docs/events.md promises, and is written for whom it says."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.living import halt
from tests.stories.receiver import Desk, answering, receiver

from staddle import customers, desk, notices, products, treasury
from staddle.db import Database
from staddle.server.announce import announce
from staddle.server.event import shown_event

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| .+? \| (`.+?) \|$", re.MULTILINE)
PROMISED = {kind: set(re.findall(r"\w+", members)) for kind, _, members in ROW.findall(PAGE.read_text())}


def live(here: Desk) -> int:
    """Do everything that there is an event of; gives a customer."""
    living = here.living
    living.product("FLEX", "USDT", apr="0.08", quota="1000", amount_min="10")
    living.product("FIXED", "USDT", apr="0.08", term_days=2)
    living.product("LONG", "USDT", apr="0.08", term_days=30)
    announce(here.database, living.now)
    anna = living.customer("anna", USDT="5000")
    with here.database.transaction() as tx:
        common: dict[str, Any] = {"customer_id": anna, "asset": "USDT", "amount": Decimal(5)}
        customers.withdraw(tx, [customers.Withdraw(key="out", account="spot", **common)], living.now)[
            0
        ].unwrap()
        move = customers.TransferBetween(key="move", source="spot", destination="funding", **common)
        customers.transfer(tx, [move], living.now)[0].unwrap()
    mistake = living.deposit(anna, "USDT", "3").transfer_id
    with here.database.transaction() as tx:
        asked = treasury.ask_correction(tx, "ada", mistake, "Credited twice", living.now)
        treasury.approve_correction(tx, "bob", asked, living.now)
    living.subscribe(anna, "FLEX", "995")
    living.subscribe(anna, "FIXED", "100", at_maturity="renew")
    long = living.subscribe(anna, "LONG", "100")
    announce(here.database, living.now)
    with here.database.transaction() as tx:
        halt(tx, "FLEX", "redeeming", "Maintenance", living.now)
        halt(tx, "FLEX", "subscribing", "Maintenance", living.now)
        desk.raise_alarm(tx, "runway_short", "USDT", {"days_left": 1}, living.now)
    revised = living.revise("FLEX", apr="0.07", at=living.now.replace(day=living.now.day + 1))
    with here.database.transaction() as tx:
        notices.publish_to_holders(tx, "FLEX", "rate_revised", revised.notice(), living.now)
    announce(here.database, living.now)
    with here.database.transaction() as tx:
        halt(tx, "FLEX", "redeeming", None, living.now)
        halt(tx, "FLEX", "subscribing", None, living.now)
        products.close_product(tx, "ada", "LONG", living.now)
        desk.clear_alarm(tx, "runway_short", "USDT", living.now)
    living.redeem(anna, "FLEX", "100")
    living.leave_early(anna, long)
    living.passes(days=3)
    living.catch_up()
    living.tick()
    announce(here.database, living.now)
    return anna


def test_every_kind_has_the_members_that_are_promised_and_the_readers(database: Database) -> None:
    here = Desk(database)
    anna = live(here)
    with receiver() as receiving:
        here.endpoint(receiving.url)
        receiving.answer = answering(410)
        here.living.deposit(anna, "USDT", "1")
        here.deliver()
    with database.transaction() as tx:
        everything = [each.told for each in notices.desk_feed(tx, None, 1000).events]
        hers = {each.told.kind for each in notices.customer_feed(tx, anna, None, 1000).events}
    members = {told.kind: set(shown_event(told, None).data) for told in everything}
    assert members == PROMISED
    for told in everything:
        is_announced = notices.KINDS[told.kind].audience != "customer"
        assert (told.customer_id == 0) == is_announced, told
    assert hers == {name for name, kind in notices.KINDS.items() if kind.audience != "desk"}


def test_ids_in_events_are_strings(database: Database) -> None:
    here = Desk(database)
    live(here)
    with database.transaction() as tx:
        events = [shown_event(each.told, None) for each in notices.desk_feed(tx, None, 1000).events]
    for event in events:
        for name, value in event.data.items():
            if name.endswith("_id") or name == "renewed_as":
                assert value is None or isinstance(value, str), (event.type, name)
