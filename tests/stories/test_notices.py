"""The outbox: each customer reads their own notices, holders read what was announced while they held."""

from datetime import timedelta

from tests.stories.stage import START, customer, set_up

from staddle.db import Database
from staddle.ledger import cell_of, lock_cells, save_cells
from staddle.notices import Notice, announcements_to, notices_of, publish_to_holders, write_notices


def test_a_customer_reads_their_own_notices_in_order_and_goes_on_from_the_last(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice, bert = customer(tx, "alice"), customer(tx, "bert")
        for count in range(3):
            locked = lock_cells(tx, {cell_of(alice), cell_of(bert)})
            write_notices(tx, locked, [Notice(bert, "b", {}), Notice(alice, "a", {"count": count})], START)
            save_cells(tx, locked)
        told = notices_of(tx, alice)
        assert [notice.body["count"] for notice in told] == [0, 1, 2]
        assert {notice.customer_id for notice in told} == {alice}
        assert notices_of(tx, alice, after=told[0].notice_id) == told[1:]
        assert notices_of(tx, alice, count=1) == told[:1]


def test_an_announcement_without_a_product_is_for_everybody(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        locked = lock_cells(tx, [0])
        write_notices(tx, locked, [Notice(0, "product_opened", {})], START)
        save_cells(tx, locked)
        assert [notice.kind for notice in announcements_to(tx, alice)] == ["product_opened"]


def test_those_who_do_not_hold_a_product_are_not_told_about_it(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        publish_to_holders(tx, "BTC-FLEX", "rate_revised", {"revision": 2}, START + timedelta(days=1))
        assert announcements_to(tx, alice) == []
        row = tx.execute("SELECT body FROM notice WHERE cell = 0 AND customer_id = 0").fetchone()
        assert row == ({"product": "BTC-FLEX", "revision": 2},)
