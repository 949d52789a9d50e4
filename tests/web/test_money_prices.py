"""The worth of everything on the assets page: an exact sum, cut once, and only where the desk knows prices."""
# ruff: noqa: F811  fixtures are imported by their names

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import pytest
from tests.api.world import Service
from tests.living import assert_audited
from tests.web.money import Browser, ada, balances, browser_of, seen, service  # noqa: F401

from staddle.desk import Price, find_desk, set_prices
from staddle.positions import ShownAsset
from staddle.web.worth import FRESH, cut_for_showing, worth_of

D = Decimal
PRICES = {"BTC": D("65000.123456789012"), "USDT": D("0.998"), "SOL": D("150.07")}
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_prices(service: Service) -> Iterator[None]:
    yield
    with service.database.owner() as owner:
        owner.execute("DELETE FROM asset_price")


def know(
    service: Service, prices: dict[str, Decimal], age: timedelta = timedelta(0), quote: str = "USD"
) -> datetime:
    """Let the desk know prices; gives their time."""
    with service.database.transaction() as tx:
        now = find_desk(tx).clock_at
        assert now is not None
        told = [Price(asset=each, quote=quote, price=prices[each], priced_at=now - age) for each in prices]
        set_prices(tx, "ada", told, now)
    return now - age


def worth(service: Service, reference: str, prices: dict[str, Decimal]) -> str:
    """What everything is worth by another way of reckoning: in fractions, cut to hundredths."""
    held = balances(service, reference)
    total = sum((Fraction(held[code]["total"]) * Fraction(prices[code]) for code in prices), Fraction(0))
    return f"{D(total.numerator * 100 // total.denominator).scaleb(-2):,.2f}"


def test_without_any_price_there_is_no_line(service: Service, ada: Browser) -> None:
    text = seen(ada.get("/assets")).text
    assert "Worth of everything" not in text
    assert "price" not in text.lower()


def test_everything_is_added_up_exactly_and_cut_once(service: Service, ada: Browser) -> None:
    know(service, PRICES)
    text = seen(ada.get("/assets")).text
    assert f"about {worth(service, 'ada', PRICES)} USD, at prices of " in text
    assert "not counted" not in text
    assert "older than 24 hours" not in text


def test_coins_without_a_price_are_named(service: Service, ada: Browser) -> None:
    know(service, {"BTC": PRICES["BTC"]})
    text = seen(ada.get("/assets")).text
    assert f"about {worth(service, 'ada', {'BTC': PRICES['BTC']})} USD" in text
    assert "Without a price, and not counted: SOL, USDT" in text


def test_whoever_holds_nothing_that_has_a_price_sees_no_line(service: Service) -> None:
    know(service, {"BTC": PRICES["BTC"]})
    assert "Worth of everything" not in seen(browser_of(service, "ben").get("/assets")).text
    assert "Worth of everything" not in seen(browser_of(service, "eva").get("/assets")).text


def test_stale_prices_are_shown_with_their_time_and_a_hint(service: Service, ada: Browser) -> None:
    at = know(service, PRICES, timedelta(hours=25))
    assert "older than 24 hours" in seen(ada.get("/assets")).text
    assert f"{at:%Y-%m-%d %H:%M:%S} UTC" in ada.get("/assets").text


def test_a_price_that_is_set_over_http_is_shown_and_listed(service: Service, ada: Browser) -> None:
    body = {"quote": "USD", "price": "70000.25"}
    put = service.operator("ada").put("/v1/prices/BTC", body)
    assert (put.status_code, put.json()["price"]) == (200, "70000.25"), put.text
    assert service.caller(None).get("/v1/prices").json()["items"] == [put.json()]
    assert f"about {worth(service, 'ada', {'BTC': D('70000.25')})} USD" in seen(ada.get("/assets")).text
    future = service.operator("ada").put("/v1/prices/BTC", body | {"priced_at": "2031-01-01T00:00:00Z"})
    told = future.json()
    assert (future.status_code, told["code"], told["field"]) == (422, "invalid_time", "priced_at")


def test_nothing_of_it_is_in_the_books(service: Service, ada: Browser) -> None:
    before = balances(service, "ada")
    know(service, PRICES)
    assert ada.get("/assets").status_code == 200
    assert balances(service, "ada") == before
    assert_audited(service.database)


# Reckoning


def coin(asset: str, total: str) -> ShownAsset:
    zero = D(0)
    return ShownAsset(
        asset=asset, name=asset, scale=18, spot=D(total), funding=zero, earn=zero, accrued=zero, total=D(total),
        lifetime_rewards=zero,
    )  # fmt: skip


def priced(asset: str, price: str, quote: str = "USD", age: timedelta = timedelta(0)) -> Price:
    return Price(asset=asset, quote=quote, price=D(price), priced_at=NOW - age)


def test_the_sum_is_cut_and_not_its_parts() -> None:
    found = worth_of([coin("A", "0.006"), coin("B", "0.006")], [priced("A", "1"), priced("B", "1")], NOW)
    assert found is not None
    assert found.total == D("0.01")
    assert cut_for_showing(D("0.999999")) == D("0.99")


def test_the_largest_amount_at_the_largest_price_is_still_exact() -> None:
    most, price = "9" * 30 + "." + "9" * 18, "9" * 12 + "." + "9" * 12
    found = worth_of([coin(each, most) for each in "ABCD"], [priced(each, price) for each in "ABCD"], NOW)
    assert found is not None
    hundredths = 4 * Fraction(most) * Fraction(price) * 100 // 1
    assert found.total == D(hundredths).scaleb(-2)
    assert found.total == found.total.quantize(D("0.01"), ROUND_FLOOR)


def test_the_time_is_that_of_the_oldest_price_that_is_used() -> None:
    old = FRESH + timedelta(seconds=1)
    prices = [priced("A", "1"), priced("B", "1", age=FRESH), priced("C", "1", age=old)]
    found = worth_of([coin("A", "1"), coin("B", "1"), coin("C", "0")], prices, NOW)
    assert found is not None
    assert (found.priced_at, found.is_stale, found.not_counted) == (NOW - FRESH, False, [])
    stale = worth_of([coin("A", "1"), coin("C", "1")], prices, NOW)
    assert stale is not None
    assert (stale.priced_at, stale.is_stale) == (NOW - old, True)


def test_of_several_quotes_the_one_that_covers_most_is_taken_and_never_two_mixed() -> None:
    held = [coin("A", "1"), coin("B", "1"), coin("C", "0")]
    prices = [priced("A", "9", "EUR"), priced("A", "2"), priced("B", "3"), priced("C", "1", "EUR")]
    found = worth_of(held, prices, NOW)
    assert found is not None
    assert (found.quote, found.total) == ("USD", D(5))
    assert worth_of([coin("C", "0")], prices, NOW) is None
    assert worth_of(held, [], NOW) is None
