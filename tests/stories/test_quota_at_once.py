"""Rule 14 between lists that go on at the same time: the quota is only looked at until an act's last statement."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.living import Living, assert_books_hold, halt

from staddle import errors, positions, products
from staddle.db import Database, Tx
from staddle.ledger import Outcome, cell_of
from staddle.positions import Subscribed

D = Decimal
Found = Future[list[Outcome[Subscribed]]]
WAITING = """
SELECT query FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%%FROM quota%%'
"""


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("LAST", "USDT", apr="0.1", quota="100")
    return living


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def two_customers(living: Living) -> tuple[int, int]:
    """Two customers in different cells, so that only the quota can make them wait."""
    anna, bert = (living.customer(name, USDT="1000") for name in ("anna", "bert"))
    assert cell_of(anna) != cell_of(bert)
    return anna, bert


def meanwhile(
    living: Living, pool: ThreadPoolExecutor, first: Callable[[Tx], object], customer: int, amount: str
) -> Found:
    """Do something first, subscribe in another transaction that comes as far as the quota, and commit the first."""
    command = living.subscription(customer, "LAST", amount)
    with living.database.transaction() as tx:
        first(tx)
        second = pool.submit(living.subscribe_all, [command])
        until_it_waits_for_the_quota(living)
    return second


def until_it_waits_for_the_quota(living: Living) -> None:
    began = time.monotonic()
    with living.database.owner() as owner:
        while owner.execute(WAITING).fetchone() is None:
            assert time.monotonic() - began < 30, "nobody waits for the quota"
            time.sleep(0.005)


def subscribing(living: Living, customer: int, amount: str) -> Callable[[Tx], object]:
    command = living.subscription(customer, "LAST", amount)
    return lambda tx: positions.subscribe(tx, [command], living.now)[0].unwrap()


def test_who_saw_quota_that_another_took_meanwhile_is_refused_and_nothing_of_it_stays(
    living: Living, pool: ThreadPoolExecutor
) -> None:
    anna, bert = two_customers(living)
    outcome = meanwhile(living, pool, subscribing(living, anna, "60"), bert, "50").result()[0]
    assert isinstance(outcome.error, errors.QuotaFull)
    assert outcome.error.details["left"] == "40"
    assert living.quota_used("LAST") == 60
    assert living.spot(bert, "USDT") == 1000
    assert living.positions_of(bert, "LAST") == []
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_what_still_fits_beside_what_another_took_meanwhile_is_accepted(
    living: Living, pool: ThreadPoolExecutor
) -> None:
    anna, bert = two_customers(living)
    outcome = meanwhile(living, pool, subscribing(living, anna, "60"), bert, "40").result()[0]
    assert outcome.unwrap().amount == 40
    assert living.quota_used("LAST") == 100


def test_quota_that_another_took_and_gave_up_again_is_there_for_the_next(
    living: Living, pool: ThreadPoolExecutor
) -> None:
    anna, bert = two_customers(living)

    class ChangesTheirMindError(Exception):
        pass

    second: Found | None = None
    with pytest.raises(ChangesTheirMindError), living.database.transaction() as tx:
        subscribing(living, anna, "60")(tx)
        second = pool.submit(living.subscribe_all, [living.subscription(bert, "LAST", "90")])
        until_it_waits_for_the_quota(living)
        raise ChangesTheirMindError
    assert second is not None
    assert second.result()[0].unwrap().amount == 90
    assert living.quota_used("LAST") == 90


def test_nobody_is_refused_for_quota_that_is_being_given_back(
    living: Living, pool: ThreadPoolExecutor
) -> None:
    anna, bert = two_customers(living)
    living.subscribe(anna, "LAST", "100")

    def redeem(tx: Tx) -> object:
        command = positions.Redeem(customer_id=anna, key=living.key(), product="LAST", amount=D(60))
        return positions.redeem(tx, [command], living.now)[0].unwrap()

    assert meanwhile(living, pool, redeem, bert, "50").result()[0].unwrap().quota_left == 10
    assert living.quota_used("LAST") == 90


def test_nobody_slips_in_behind_a_halt(living: Living, pool: ThreadPoolExecutor) -> None:
    _, bert = two_customers(living)

    def pause(tx: Tx) -> object:
        return halt(tx, "LAST", "subscribing", "we count", living.now)

    outcome = meanwhile(living, pool, pause, bert, "50").result()[0]
    assert isinstance(outcome.error, errors.SubscribingHalted)
    assert living.positions_of(bert, "LAST") == []


def test_nobody_slips_in_behind_a_closing(living: Living, pool: ThreadPoolExecutor) -> None:
    _, bert = two_customers(living)

    def close(tx: Tx) -> object:
        return products.close_product(tx, "ada", "LAST", living.now)

    outcome = meanwhile(living, pool, close, bert, "50").result()[0]
    assert isinstance(outcome.error, errors.ProductClosed)


def test_who_comes_after_new_terms_gets_the_new_terms(living: Living, pool: ThreadPoolExecutor) -> None:
    _, bert = two_customers(living)
    with living.database.transaction() as tx:
        terms = products.Terms(
            amount_min=D(1), step=D(1), opens_at=datetime(2026, 1, 1, tzinfo=UTC), quota=D(500)
        )
        products.draft_version(tx, "ada", "LAST", terms, living.now)

    def approve(tx: Tx) -> object:
        return products.approve_terms(tx, "bob", "LAST", 2, living.now)

    answer = meanwhile(living, pool, approve, bert, "50").result()[0].unwrap()
    assert living.position(answer.position_id).version == 2
    assert answer.quota_left == 450


def test_two_lists_that_take_of_the_same_products_in_another_order_both_end(
    living: Living, pool: ThreadPoolExecutor
) -> None:
    living.product("OTHER", "USDT", apr="0.1", quota="100000")
    anna, bert = two_customers(living)
    lists = [
        [living.subscription(customer, product, "1") for product in order]
        for customer, order in ((anna, ("LAST", "OTHER")), (bert, ("OTHER", "LAST")))
    ]
    with living.database.transaction() as tx:
        positions.subscribe(tx, lists[0], living.now)
        second = pool.submit(living.subscribe_all, lists[1])
        until_it_waits_for_the_quota(living)
    assert [outcome.unwrap().amount for outcome in second.result()] == [1, 1]
    assert (living.quota_used("LAST"), living.quota_used("OTHER")) == (D(2), D(2))


def test_amounts_that_are_none_do_not_disturb_the_look_at_the_quota(living: Living) -> None:
    anna, _ = two_customers(living)
    amounts = ["50", "-5", "0", "NaN", "Infinity", "1E-100", "1E+29", "1E+999999", "40"]
    outcomes = living.subscribe_all([living.subscription(anna, "LAST", amount) for amount in amounts])
    assert [outcome.error is None for outcome in outcomes] == [True, *[False] * 7, True]
    assert living.quota_used("LAST") == 90
