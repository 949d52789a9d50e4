"""Rules 6, 10 and 11: rates in tiers, revised by two persons, announced, never back-dated, shown in full."""

import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from tests.stories.stage import FLEXIBLE, START, fund, on_sale, rate, set_up, subscribe, withdraw_all

from staddle import desk, errors, notices, products
from staddle.db import Database
from staddle.ledger import cell_of_reference
from staddle.products import Rate, Tier

DAY = timedelta(days=1)
ONE = Decimal(1)


def tiers(*bands: tuple[str, str | None, str]) -> list[Tier]:
    return [
        Tier(Decimal(low), None if high is None else Decimal(high), Decimal(apr)) for low, high, apr in bands
    ]


FLAT = tiers(("0", None, "0.05"))


def ready(database: Database) -> Database:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
    return database


def propose(database: Database, at: datetime | None, now: datetime = START, apr: str = "0.05") -> int:
    with database.transaction() as tx:
        return products.propose_rate(tx, "ada", "F", tiers(("0", None, apr)), at, now)


def approve(database: Database, number: int, now: datetime = START) -> products.RateRevised:
    with database.transaction() as tx:
        return products.approve_rate(tx, "bob", number, now)


def test_a_rate_needs_a_second_person(database: Database) -> None:
    number = propose(ready(database), None)
    with database.transaction() as tx:
        assert [waiting.act for waiting in desk.pending(tx)] == ["revise_rate"]
        assert products.rate_history(tx, "F") == []
        with pytest.raises(errors.SecondPersonNeeded):
            products.approve_rate(tx, "ada", number, START)
    revised = approve(database, number)
    assert revised.rate == Rate(1, START, tuple(FLAT))
    with pytest.raises(errors.WrongState):
        approve(database, number)
    with database.transaction() as tx:
        revision = products.rate_history(tx, "F")[0]
        assert (revision.proposed_by, revision.approved_by, revision.published_at) == ("ada", "bob", START)


def test_only_a_products_first_rate_may_begin_at_once(database: Database) -> None:
    approve(ready(database), propose(database, START))
    with pytest.raises(errors.NeverBackdated):
        propose(database, START)
    with pytest.raises(errors.InvalidRate):
        propose(database, None)
    assert approve(database, propose(database, START + timedelta(microseconds=1))).rate.revision == 2


def test_a_rate_is_never_backdated_not_even_by_a_late_approval(database: Database) -> None:
    ready(database)
    with pytest.raises(errors.NeverBackdated):
        propose(database, START - timedelta(microseconds=1))
    approve(database, propose(database, START))
    number = propose(database, START + DAY)
    with pytest.raises(errors.NeverBackdated):
        approve(database, number, START + DAY)
    assert approve(database, number, START + DAY - timedelta(microseconds=1)).rate.effective_at == START + DAY


def test_a_rate_comes_after_every_rate_already_announced(database: Database) -> None:
    approve(ready(database), propose(database, START))
    approve(database, propose(database, START + 5 * DAY))
    for at in (START + 4 * DAY, START + 5 * DAY):
        with pytest.raises(errors.NeverBackdated):
            propose(database, at)
    assert approve(database, propose(database, START + 6 * DAY)).rate.revision == 3


def test_an_approval_is_stale_once_another_rate_came_in_between(database: Database) -> None:
    approve(ready(database), propose(database, START))
    first, second = propose(database, START + DAY), propose(database, START + 2 * DAY)
    approve(database, first)
    with pytest.raises(errors.ApprovalStale):
        approve(database, second)


def test_two_approvals_at_once_publish_one_rate(database: Database) -> None:
    approve(ready(database), propose(database, START))
    first, second = (propose(database, START + DAY, apr=apr) for apr in ("0.01", "0.02"))
    outcomes: list[str] = []

    def publish_second() -> None:
        try:
            approve(database, second)
            outcomes.append("published")
        except errors.ApprovalStale:
            outcomes.append("stale")

    other = threading.Thread(target=publish_second)
    with database.transaction() as tx:
        products.approve_rate(tx, "bob", first, START)
        other.start()
        wait_for_a_lock(database)
    other.join()
    assert outcomes == ["stale"]
    with database.transaction() as tx:
        assert len(products.rates_of(tx, 1)) == 2


def wait_for_a_lock(database: Database) -> None:
    """Wait until another transaction waits for this one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.owner() as connection:
        for _ in range(200):
            if connection.execute(waiting).fetchone() == (1,):
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


def test_an_approval_of_another_act_is_no_rate(database: Database) -> None:
    with ready(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund_pool", "F", {}, "revision 0", START)
        with pytest.raises(errors.ApprovalNotFound):
            products.approve_rate(tx, "bob", number, START)


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        (("1", None, "0.05"),),
        (("0", "1", "0.05"),),
        (("0", "1", "0.05"), ("2", None, "0.01")),
        (("0", "2", "0.05"), ("1", None, "0.01")),
        (("0", None, "0.05"), ("1", None, "0.01")),
        (("0", "0", "0.05"), ("0", None, "0.01")),
        (("0", "1", "0.05"), ("1", "0.5", "0.01"), ("0.5", None, "0.01")),
        (("0", "0.000000001", "0.05"), ("0.000000001", None, "0.01")),
        (("0", "1E+30", "0.05"), ("1E+30", None, "0.01")),
        (("0", "NaN", "0.05"), ("NaN", None, "0.01")),
        (("0", None, "-0.01"),),
        (("0", None, "100.01"),),
        (("0", None, "0.0000000000001"),),
        (("0", None, "NaN"),),
        (("0", None, "Infinity"),),
    ],
)
def test_tiers_follow_each_other_from_nothing_to_no_end(
    database: Database, wrong: tuple[tuple[str, str | None, str], ...]
) -> None:
    with ready(database).transaction() as tx, pytest.raises(errors.InvalidRate):
        products.propose_rate(tx, "ada", "F", tiers(*wrong), None, START)


def test_an_apr_may_be_nothing_or_a_hundredfold_with_twelve_decimals(database: Database) -> None:
    bands = (("0", "0.00000001", "100"), ("0.00000001", "1", "0.000000000001"), ("1", None, "0"))
    with ready(database).transaction() as tx:
        rate(tx, "F", *bands)
        assert products.rates_of(tx, 1)[0].tiers == tuple(tiers(*bands))


def test_a_published_rate_cannot_be_edited_or_deleted(database: Database) -> None:
    approve(ready(database), propose(database, START))
    for statement in (
        "UPDATE rate_tier SET apr = 1",
        "DELETE FROM rate_tier",
        "UPDATE rate_revision SET effective_at = effective_at - interval '1 day'",
        "DELETE FROM rate_revision",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as tx:
            tx.execute(statement)


def test_the_rate_at_an_instant_is_the_last_one_that_has_begun(database: Database) -> None:
    approve(ready(database), propose(database, START))
    approve(database, propose(database, START + DAY))
    with database.transaction() as tx:
        first, second = rates = products.rates_of(tx, 1)
    before = timedelta(microseconds=1)
    assert products.rate_at(rates, START - before) is None
    assert products.rate_at(rates, START) == first
    assert products.rate_at(rates, START + DAY - before) == first
    assert products.rate_at(rates, START + DAY) == second
    assert (products.rate_after(rates, START), products.rate_after(rates, START + DAY)) == (second, None)


def test_subscribing_waits_for_the_first_rate(database: Database) -> None:
    with ready(database).transaction() as tx:
        alice = fund(tx, "alice", "BTC", "2")
        with pytest.raises(errors.NoRate):
            subscribe(tx, alice, "F", "1")
        rate(tx, "F", ("0", None, "0.05"))
        subscribe(tx, alice, "F", "1")


def neighbour_of(reference: str) -> str:
    """Give the reference of another customer in the same cell."""
    cell = cell_of_reference(reference)
    return next(f"c{number}" for number in range(10_000) if cell_of_reference(f"c{number}") == cell)


def test_holders_are_told_of_a_new_rate_and_others_are_not(database: Database) -> None:
    with ready(database).transaction() as tx:
        rate(tx, "F", ("0", None, "0.05"))
        alice, bert = fund(tx, "alice", "BTC", "2"), fund(tx, neighbour_of("alice"), "BTC", "2")
        subscribe(tx, alice, "F", "1")
        revised = rate(tx, "F", ("0", "1", "0.04"), ("1", None, "0.01"), at=START + DAY)
        notices.publish_to_holders(tx, revised.product, "rate_revised", revised.notice(), START)
        assert notices.announcements_to(tx, bert) == []
        told = notices.announcements_to(tx, alice)[0]
        assert told.body == {
            "product": "F",
            "revision": 2,
            "effective_at": "2026-01-11T15:30:00Z",
            "tiers": [
                {"amount_from": "0", "amount_to": "1", "apr": "0.04"},
                {"amount_from": "1", "amount_to": None, "apr": "0.01"},
            ],
        }
        assert notices.announcements_to(tx, alice, after=told.notice_id) == []


def test_who_subscribes_after_an_announcement_saw_it_on_the_product_and_is_not_told_again(
    database: Database,
) -> None:
    with ready(database).transaction() as tx:
        rate(tx, "F", ("0", None, "0.05"))
        notices.publish_to_holders(tx, "F", "rate_revised", {}, START)
        alice = fund(tx, "alice", "BTC", "2")
        subscribe(tx, alice, "F", "1", START + DAY)
        assert notices.announcements_to(tx, alice) == []
        notices.publish_to_holders(tx, "F", "rate_revised", {}, START + DAY)
        assert len(notices.announcements_to(tx, alice)) == 1
        withdraw_all(tx, alice, "F", START + DAY)
        notices.publish_to_holders(tx, "F", "rate_revised", {}, START + DAY)
        assert notices.announcements_to(tx, alice) == []


def test_a_product_shows_its_headline_up_to_tiers_last_change_and_next_change(database: Database) -> None:
    with ready(database).transaction() as tx:
        assert products.show_product(tx, "F", START).rate is None
        rate(tx, "F", ("0", "1", "0.12"), ("1", "5", "0.008"), ("5", None, "0.003"))
        rate(tx, "F", ("0", None, "0.05"), at=START + DAY)
        offer = products.show_product(tx, "F", START)
        assert offer.rate is not None
        assert offer.next_rate is not None
        assert (offer.rate.headline_apr, offer.rate.is_up_to, len(offer.rate.tiers)) == (
            Decimal("0.12"),
            True,
            3,
        )
        assert (offer.rate.effective_at, offer.can_change, offer.status) == (START, True, "open")
        assert (offer.next_rate.headline_apr, offer.next_rate.is_up_to) == (Decimal("0.05"), False)
        assert offer.next_rate.effective_at == START + DAY
        later = products.show_product(tx, "F", START + DAY)
        assert (later.rate, later.next_rate) == (offer.next_rate, None)
        assert products.show_product(tx, "F", START - DAY).rate is None


def test_a_list_of_products_takes_one_query_and_says_the_same_as_each_product(database: Database) -> None:
    with set_up(database).transaction() as tx:
        fixed = products.Terms(amount_min=ONE, step=ONE, opens_at=START, term_days=30)
        on_sale(tx, "BTC-30", fixed, "fixed")
        on_sale(tx, "BTC-7", products.Terms(amount_min=ONE, step=ONE, opens_at=START, term_days=7), "fixed")
        on_sale(tx, "BTC-FLEX")
        on_sale(tx, "A-USDT", products.Terms(amount_min=ONE, step=ONE, opens_at=START + DAY), asset="USDT")
        products.draft_product(tx, "ada", "DRAFT", "BTC", "flexible", "Draft", FLEXIBLE, START)
        rate(tx, "BTC-7", ("0", None, "0.07"))
        listed = products.list_products(tx, START)
        assert [offer.code for offer in listed] == ["BTC-FLEX", "BTC-7", "BTC-30", "A-USDT"]
        assert listed == [products.show_product(tx, offer.code, START) for offer in listed]
        assert [offer.status for offer in listed] == ["open", "open", "open", "scheduled"]
        assert [offer.code for offer in products.list_products(tx, START, ["draft"])] == ["DRAFT"]
        assert listed[0].quota_left == 10
        with pytest.raises(errors.ProductNotFound):
            products.show_product(tx, "NONE", START)
        with pytest.raises(errors.ProductNotFound):
            products.show_product(tx, "none\x00", START)
