"""The feed gives everything once, in order for each customer, and goes on exactly where a cursor stands."""

import base64
import random
import threading
from collections.abc import Callable

import pytest
from tests.stories.receiver import Desk

from staddle import errors, notices
from staddle.db import Database
from staddle.notices import Feed


def customer_page(desk: Desk, customer_id: int, after: str | None, count: int = 1000) -> Feed:
    with desk.database.transaction() as tx:
        return notices.customer_feed(tx, customer_id, after, count)


def desk_page(desk: Desk, after: str | None, count: int = 1000) -> Feed:
    with desk.database.transaction() as tx:
        return notices.desk_feed(tx, after, count)


def test_a_customer_reads_their_own_events_and_the_announcements_that_concern_them_in_order(
    database: Database,
) -> None:
    desk = Desk(database)
    living = desk.living
    living.product("USDT-FLEX", "USDT", apr="0.08")
    living.product("BTC-FLEX", "BTC", apr="0.01")
    anna, bert = living.customer("anna", USDT="1000"), living.customer("bert", USDT="1000")
    living.passes(minutes=1)
    living.subscribe(anna, "USDT-FLEX", "100")
    living.passes(minutes=1)
    with database.transaction() as tx:
        notices.publish_to_holders(tx, "USDT-FLEX", "rate_revised", {"revision": 2}, living.now)
        notices.publish_to_holders(tx, "BTC-FLEX", "rate_revised", {"revision": 2}, living.now)
        notices.publish(tx, "alarm", {"subject": "for the desk alone"}, living.now)
    living.passes(minutes=1)
    living.redeem(anna, "USDT-FLEX", "10")
    whole = customer_page(desk, anna, None)
    assert [each.told.kind for each in whole.events] == [
        "deposit",
        "subscription",
        "rate_revised",
        "redemption",
    ]
    assert whole.is_last
    assert [each.told.kind for each in customer_page(desk, bert, None).events] == ["deposit"]
    for number, event in enumerate(whole.events):
        rest = customer_page(desk, anna, event.cursor)
        assert [each.told for each in rest.events] == [each.told for each in whole.events[number + 1 :]]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_pages_of_any_length_give_everything_once(database: Database, count: int) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(6)]
    for number in range(20):
        desk.living.passes(seconds=1)
        desk.happens(customers[number % 4])
        if number % 5 == 0:
            with database.transaction() as tx:
                notices.publish(tx, "product_opened", {"product": f"P{number}"}, desk.living.now)
    readers: list[tuple[Callable[[str | None], Feed], int]] = [
        (lambda after: desk_page(desk, after, count), 24),
        (lambda after: customer_page(desk, customers[0], after, count), 9),
    ]
    for read, expected in readers:
        found: list[int] = []
        cursor: str | None = None
        is_last = False
        while not is_last:
            page = read(cursor)
            assert len(page.events) <= count
            found += [each.told.notice_id for each in page.events]
            cursor, is_last = page.cursor, page.is_last
        assert len(found) == len(set(found)) == expected
        assert read(cursor).events == []


def test_an_integrator_reads_all_customers_and_each_ones_events_in_order(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(40)]
    moves = random.Random(7)
    cursor: str | None = None
    read: dict[int, list[str]] = {customer_id: [] for customer_id in customers}
    written = dict.fromkeys(customers, 0)
    for _ in range(60):
        customer_id = moves.choice(customers)
        count = moves.randrange(1, 4)
        desk.happens(customer_id, count)
        written[customer_id] += count
        written[customer_id] = len(
            [1 for _ in desk.living.rows("SELECT FROM notice WHERE customer_id = %s", customer_id)]
        )
        if moves.random() < 0.4:
            page = desk_page(desk, cursor, moves.randrange(1, 30))
            cursor = page.cursor
            for each in page.events:
                read[each.told.customer_id].append(str(each.told.notice_id))
    page = desk_page(desk, cursor)
    for each in page.events:
        read[each.told.customer_id].append(str(each.told.notice_id))
    assert page.is_last
    for customer_id in customers:
        assert [int(number) for number in read[customer_id]] == sorted(
            int(number) for number in read[customer_id]
        )
        assert len(set(read[customer_id])) == len(read[customer_id]) == written[customer_id]


def test_nothing_is_skipped_while_others_are_writing(database: Database) -> None:
    desk = Desk(database)
    customers = [desk.living.customer(f"customer {number}") for number in range(8)]
    writing = [threading.Thread(target=desk.happens, args=[customer_id, 15]) for customer_id in customers]
    for thread in writing:
        thread.start()
    found: list[int] = []
    cursor: str | None = None
    is_done = False
    while not is_done:
        is_done = not any(thread.is_alive() for thread in writing)
        page = desk_page(desk, cursor, 10)
        found += [each.told.notice_id for each in page.events]
        cursor, is_done = page.cursor, is_done and page.is_last
    assert len(found) == len(set(found)) == 8 * 15


def test_a_cursor_now_stands_behind_everything_so_far(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    desk.happens(anna, 2)
    with database.transaction() as tx:
        notices.publish(tx, "product_opened", {"product": "P"}, desk.living.now)
        mine, ours = notices.customer_cursor_now(tx, anna), notices.desk_cursor_now(tx)
    assert customer_page(desk, anna, mine).events == []
    assert desk_page(desk, ours).events == []
    desk.happens(anna)
    assert len(customer_page(desk, anna, mine).events) == len(desk_page(desk, ours).events) == 1


def test_a_cursor_is_compact_however_much_has_happened(database: Database) -> None:
    desk = Desk(database)
    moves = random.Random(7)
    with database.owner() as owner:
        for cell in range(256):
            owner.execute(
                "UPDATE cell SET notice_count = %s WHERE cell = %s", [10**6 + moves.randrange(4096), cell]
            )
    page = desk_page(desk, None)
    with database.transaction() as tx:
        cursor = notices.desk_cursor_now(tx)
    assert len(cursor) < 550
    assert desk_page(desk, cursor).is_last
    assert not page.is_last


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "AAAA",
        "%%%",
        "ä",
        "c" * 40,
        base64.urlsafe_b64encode(b"d" + b"\xff" * 300).decode(),
        "ZA",
        "Yw",
    ],
)
def test_what_is_no_cursor_is_refused(database: Database, cursor: str) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    with pytest.raises(errors.InvalidCursor):
        customer_page(desk, anna, cursor)
    with pytest.raises(errors.InvalidCursor):
        desk_page(desk, cursor)


def test_a_cursor_of_the_one_feed_is_none_of_the_other(database: Database) -> None:
    desk = Desk(database)
    anna = desk.living.customer("anna")
    mine, ours = customer_page(desk, anna, None).cursor, desk_page(desk, None).cursor
    with pytest.raises(errors.InvalidCursor):
        customer_page(desk, anna, ours)
    with pytest.raises(errors.InvalidCursor):
        desk_page(desk, mine)
