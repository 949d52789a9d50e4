"""Prices are an estimate: operators set them, the latest is known, and nothing is ever booked or decided by one."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from tests.living import assert_audited
from tests.stories.stage import START, fund, set_up

from staddle import desk, errors
from staddle.db import Database
from staddle.desk import Price, prices_of, set_prices

D = Decimal


def price(**changed: Any) -> Price:
    """BTC at 65000.5 USD, at the desk's first instant, unless said otherwise."""
    told: dict[str, Any] = {"asset": "BTC", "quote": "USD", "price": D("65000.5"), "priced_at": START}
    return Price(**told | changed)


def known(database: Database) -> list[Price]:
    with database.transaction() as tx:
        return prices_of(tx)


def test_several_are_set_at_once_and_read_back_to_the_last_digit(database: Database) -> None:
    given = [
        price(price=D("65000.123456789012")),
        price(quote="EUR", price=D("999999999999.999999999999")),
        price(asset="USDT", price=D("0.000000000001")),
    ]
    with set_up(database).transaction() as tx:
        assert prices_of(tx) == []
        assert set_prices(tx, "ada", given, START) == given
    assert known(database) == [given[1], given[0], given[2]]


def test_the_latest_is_known_and_an_older_one_changes_nothing(database: Database) -> None:
    later = START + timedelta(hours=1)
    with set_up(database).transaction() as tx:
        set_prices(tx, "ada", [price()], START)
        newer = price(price=D(66000), priced_at=later)
        assert set_prices(tx, "ada", [newer], later) == [newer]
        assert set_prices(tx, "ada", [price(price=D(1))], later) == [newer]
        assert [each.act for each in desk.read_log(tx)].count("set_price") == 2
        corrected = price(price=D(66001), priced_at=later)
        assert set_prices(tx, "ada", [corrected], later) == [corrected]
    assert known(database) == [corrected]


def test_who_set_which_price_stands_in_the_log(database: Database) -> None:
    with set_up(database).transaction() as tx:
        set_prices(tx, "ada", [price()], START)
        entry = desk.read_log(tx, 1)[0]
    assert (entry.operator, entry.act, entry.subject) == ("ada", "set_price", "BTC")
    assert entry.details == {"quote": "USD", "price": "65000.5", "priced_at": "2026-01-10T15:30:00Z"}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"asset": "NONE"}, errors.AssetNotFound),
        ({"quote": "usd"}, errors.InvalidChoice),
        ({"quote": "US"}, errors.InvalidChoice),
        ({"quote": "ABCDEFGHIJK"}, errors.InvalidChoice),
        ({"quote": "USD\n"}, errors.InvalidChoice),
        ({"price": D(0)}, errors.InvalidAmount),
        ({"price": D(-1)}, errors.InvalidAmount),
        ({"price": D("NaN")}, errors.InvalidAmount),
        ({"price": D("sNaN")}, errors.InvalidAmount),
        ({"price": D("Infinity")}, errors.InvalidAmount),
        ({"price": D(10) ** 12}, errors.InvalidAmount),
        ({"price": D("0.0000000000001")}, errors.InvalidAmount),
        ({"price": D("1e-999999")}, errors.InvalidAmount),
        ({"priced_at": START + timedelta(seconds=1)}, errors.InvalidTime),
        ({"priced_at": START.replace(tzinfo=None)}, errors.InvalidTime),
    ],
)
def test_what_cannot_be_a_price_is_refused_and_none_of_its_company_is_kept(
    database: Database, changed: dict[str, Any], error: type[errors.StaddleError]
) -> None:
    set_up(database)
    with pytest.raises(error), database.transaction() as tx:
        set_prices(tx, "ada", [price(), price(**changed)], START)
    assert known(database) == []


def test_a_time_in_another_zone_is_the_same_instant(database: Database) -> None:
    there = START.astimezone(timezone(timedelta(hours=5)))
    with set_up(database).transaction() as tx:
        set_prices(tx, "ada", [price(priced_at=there)], START)
        assert prices_of(tx)[0].priced_at == datetime(2026, 1, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "may"), [("product", True), ("treasury", True), ("support", False), ("admin", False)]
)
def test_only_product_and_treasury_set_prices(database: Database, role: str, may: bool) -> None:
    with set_up(database).transaction() as tx:
        desk.add_operator(tx, "ada", "cleo", START, [role])
        if may:
            assert set_prices(tx, "cleo", [price()], START) == [price()]
        else:
            with pytest.raises(errors.RoleMissing):
                set_prices(tx, "cleo", [price()], START)
        with pytest.raises(errors.OperatorNotFound):
            set_prices(tx, "mallory", [price()], START)


def test_a_price_is_in_no_book_and_the_audit_does_not_know_of_it(database: Database) -> None:
    counts = """SELECT (SELECT count(*) FROM transfer) AS transfers, (SELECT count(*) FROM request) AS requests,
                       (SELECT sum(abs(amount)) FROM balance) AS coins"""
    with set_up(database).transaction() as tx:
        fund(tx, "ann", "BTC", "1.5")
        before = tx.execute(counts).fetchone()
        set_prices(tx, "ada", [price()], START)
        assert tx.execute(counts).fetchone() == before
    assert_audited(database)
