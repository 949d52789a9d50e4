"""Whatever somebody on the desk types is found, what it names exactly first; and only ever by an index."""

from decimal import Decimal

import pytest
from tests.living import Living

from staddle import customers, identity, rewards
from staddle.db import Database
from staddle.identity import Seen
from staddle.identity.logins import operator_caller
from staddle.search import find_anything

SEEN = Seen("127.0.0.1", "test")


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("USDT-FLEX", "USDT", apr="0.08")
    for reference, name in (
        ("anna-1", "Anna Adler"),
        ("anna-10", "Bert Brecht"),
        ("carl", "annabel Carlson"),
    ):
        with database.transaction() as tx:
            new = customers.NewCustomer(reference=reference, name=name)
            customers.add_customers(tx, [new], living.now)[0].unwrap()
    with database.transaction() as tx:
        by = operator_caller(tx, "bob")
        identity.add_customer_login(tx, by, "carl", "Someone@example.com", "!", SEEN, living.now)
    return living


def found(living: Living, text: str) -> list[tuple[str, str]]:
    with living.database.transaction() as tx:
        return [(each.kind, each.id) for each in find_anything(tx, text)]


def id_of(living: Living, reference: str) -> int:
    with living.database.transaction() as tx:
        return customers.find_customer(tx, reference).customer_id


def test_a_customer_is_found_by_reference_number_name_and_email(living: Living) -> None:
    assert found(living, "anna-1") == [("customer", "anna-1"), ("customer", "anna-10")]
    assert found(living, "  anna-10 ") == [("customer", "anna-10")]
    assert found(living, str(id_of(living, "carl"))) == [("customer", "carl")]
    assert found(living, "ANNA") == [("customer", "anna-1"), ("customer", "carl")]
    assert found(living, "anna") == [("customer", "anna-1"), ("customer", "anna-10"), ("customer", "carl")]
    assert found(living, "anna ad") == [("customer", "anna-1")]
    assert found(living, "someone@EXAMPLE.com") == [("customer", "carl")]
    assert found(living, "some") == [("customer", "carl")]


def test_positions_transfers_receipts_days_and_approvals_are_found_by_their_numbers(living: Living) -> None:
    anna = id_of(living, "anna-1")
    living.deposit(anna, "USDT", "400")
    position = living.subscribe(anna, "USDT-FLEX", "365")
    [deposit, subscription] = living.rows(
        "SELECT transfer_id FROM transfer WHERE customer_id = %s ORDER BY transfer_id", anna
    )
    assert ("position", str(position)) in found(living, str(position))
    assert ("transfer", str(deposit.transfer_id)) in found(living, str(deposit.transfer_id))
    assert ("transfer", str(subscription.transfer_id)) in found(living, str(subscription.transfer_id))
    living.passes(days=2)
    living.catch_up()
    assert found(living, "2026-01-24") == [("run", "2026-01-24")]
    rewards.close_all(living.database, living.now)
    assert found(living, "2026-01-24") == [("run", "2026-01-24"), ("closing", "2026-01-24")]
    assert found(living, f"{position}-2026-01-24") == [("receipt", f"{position}-2026-01-24")]
    with living.database.transaction() as tx:
        move = customers.CustomerMove(
            move="deposit", customer="carl", asset="USDT", account="spot", amount=Decimal(5)
        )
        number = customers.ask_customer_move(tx, "ada", move, living.now)
    assert ("approval", str(number)) in found(living, str(number))


def test_a_message_is_found_by_its_number_and_leads_to_its_customer(living: Living) -> None:
    anna = id_of(living, "anna-1")
    living.deposit(anna, "USDT", "400")
    living.subscribe(anna, "USDT-FLEX", "365")
    notice = living.rows("SELECT max(notice_id) AS number FROM notice WHERE customer_id = %s", anna)[0]
    assert ("customer", "anna-1") in found(living, str(notice.number))


def test_products_and_coins_are_found_by_what_they_are_called(living: Living) -> None:
    assert found(living, "usdt-flex") == [("product", "USDT-FLEX")]
    assert found(living, "flex") == [("product", "USDT-FLEX")]
    assert found(living, "usdt") == [("product", "USDT-FLEX"), ("asset", "USDT")]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "x", "\x00", "nobody", "9" * 18, "9" * 30, "2026-02-31", "-", "%", "_", "1-", "😀" * 300],
)
def test_what_means_nothing_finds_nothing(living: Living, text: str) -> None:
    assert found(living, text) == []


def test_nothing_is_ever_looked_through(living: Living) -> None:
    """With many customers, no table that grows with them is read from one end to the other."""
    with living.database.owner() as owner:
        owner.execute(
            "INSERT INTO customer (cell, customer_id, reference, name, vip_level, joined_at)"
            " SELECT i % 256, i, 'many' || i, 'Name ' || i, 0, now() FROM generate_series(25600, 60000) i"
        )
        owner.execute(
            "INSERT INTO login (login_id, kind, email, customer_id, added_at)"
            " SELECT 'm' || i, 'customer', 'many' || i || '@example.com', i, now() FROM generate_series(25600, 60000) i"
        )
        owner.execute("ANALYZE customer, login")
        owner.execute("SELECT pg_stat_force_next_flush()")

    def scans() -> int:
        with living.database.owner() as owner:
            owner.execute("SELECT pg_stat_clear_snapshot()")
            row = owner.execute(
                "SELECT sum(seq_tup_read)::bigint AS read FROM pg_stat_user_tables"
                " WHERE relname IN ('customer', 'login', 'position', 'transfer', 'notice')"
            ).fetchone()
        assert row is not None
        return int(row.read)

    before = scans()
    for text in ("many30000", "many3", "name 44", "many50000@example.com", "many5", "30000", "2026-01-24"):
        with living.database.transaction() as tx:
            find_anything(tx, text)
            tx.execute("SELECT pg_stat_force_next_flush()")
    assert scans() - before < 1_000
    assert len(found(living, "many3")) == 8
