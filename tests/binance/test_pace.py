"""What requests cost is counted over all processes; who spends too much waits; an account acts once in 3 seconds."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.api.world import Service, serving
from tests.binance.conftest import FreshDesk
from tests.binance.world import EARN, Signer, code_of, hmac_key, refused, spot_and_funding
from tests.living import Living

from staddle.server.weigh import forget_weights

LIST = f"{EARN}/flexible/list"


@pytest.fixture(scope="module")
def living(fresh_desk: FreshDesk) -> Iterator[Living]:
    """A desk of this file's own."""
    with fresh_desk() as living:
        yield living


@pytest.fixture(scope="module")
def service(living: Living) -> Iterator[Service]:
    """Two processes behind a proxy, with the wait as it is unless it is set."""
    with serving(living, processes=2, STADDLE_TRUSTED_PROXIES="127.0.0.1") as service:
        yield service


def at_address(service: Service, bot: Signer, address: str) -> Signer:
    """The same bot, from somewhere; each request on a connection of its own, which any process may take."""
    return Signer(service.http, bot.key, {"X-Forwarded-For": address, "Connection": "close"})


def wait_for_the_minute() -> None:
    """Begin early in a minute, so that it does not end meanwhile."""
    now = time.time() % 60
    if now > 45:
        time.sleep(60.5 - now)


def test_an_address_spends_its_weight_on_each_endpoint_and_is_told_how_much(
    service: Service, ada: Signer
) -> None:
    wait_for_the_minute()
    bot = at_address(service, ada, "192.0.2.1")
    spent = [int(bot.get(LIST).headers["X-SAPI-USED-IP-WEIGHT-1M"]) for _ in range(3)]
    assert spent == [150, 300, 450]
    assert bot.get(f"{EARN}/locked/list").headers["X-SAPI-USED-IP-WEIGHT-1M"] == "150"
    assert at_address(service, ada, "192.0.2.2").get(LIST).headers["X-SAPI-USED-IP-WEIGHT-1M"] == "150"
    headers = {"X-Forwarded-For": "192.0.2.1"}
    used = [service.http.get(path, headers=headers).headers["X-MBX-USED-WEIGHT-1M"]
            for path in ("/api/v3/ping", "/api/v3/exchangeInfo", "/api/v3/time")]  # fmt: skip
    assert used == ["1", "21", "22"]


def test_whoever_spends_too_much_waits_for_the_next_minute(service: Service, ada: Signer) -> None:
    wait_for_the_minute()
    bot = at_address(service, ada, "192.0.2.3")
    answers = [bot.get(LIST) for _ in range(82)]
    assert [answer.status_code for answer in answers] == [200] * 80 + [429] * 2
    told = answers[-1]
    assert refused(told) == (429, -1003, "Too many requests; current limit of weight per minute is exceeded.")
    assert 1 <= int(told.headers["Retry-After"]) <= 60
    assert bot.get(f"{EARN}/locked/list").status_code == 200, "each endpoint has its own"
    assert at_address(service, ada, "192.0.2.4").get(LIST).status_code == 200, "and each address"
    before = spot_and_funding(service, "ada", "USDT")
    with service.database.transaction() as tx:
        tx.execute(
            "INSERT INTO request_weight VALUES ('192.0.2.5', %s, %s, 12000)",
            [f"{EARN}/flexible/subscribe", datetime.now(UTC).replace(second=0, microsecond=0)],
        )
    poor = at_address(service, ada, "192.0.2.5")
    assert code_of(poor.post(f"{EARN}/flexible/subscribe", productId="USDT-FLEX", amount="1")) == (429, -1003)
    assert spot_and_funding(service, "ada", "USDT") == before


def test_whoever_goes_on_is_told_so_by_another_status(service: Service, ada: Signer) -> None:
    wait_for_the_minute()
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    with service.database.transaction() as tx:
        tx.execute("INSERT INTO request_weight VALUES ('192.0.2.6', %s, %s, 24000)", [LIST, minute])
        tx.execute(
            "INSERT INTO request_weight VALUES ('192.0.2.7', %s, %s, 24000)",
            [LIST, minute - timedelta(minutes=1)],
        )
    banned = at_address(service, ada, "192.0.2.6").get(LIST)
    assert refused(banned)[:2] == (418, -1003)
    assert 1 <= int(banned.headers["Retry-After"]) <= 60
    assert at_address(service, ada, "192.0.2.7").get(LIST).status_code == 200, "the next minute begins anew"


def test_whoever_is_refused_has_spent_all_the_same(service: Service, ada: Signer) -> None:
    wait_for_the_minute()
    headers = {"X-Forwarded-For": "192.0.2.8", "X-MBX-APIKEY": "nobody"}
    for _ in range(2):
        assert service.http.get(LIST, headers=headers).status_code == 401
    told = at_address(service, ada, "192.0.2.8").get(LIST)
    assert told.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "450"


def test_what_no_minute_counts_any_more_is_forgotten(service: Service) -> None:
    with service.database.transaction() as tx:
        forget_weights(tx, datetime.now(UTC) + timedelta(hours=1))
        for table in ("request_weight", "request_turn"):
            assert tx.execute(f"SELECT count(*) AS number FROM {table}").fetchone().number == 0  # type: ignore[union-attr]


def test_an_account_acts_once_in_three_seconds_whichever_key_it_uses(
    service: Service, ada: Signer, ben: Signer
) -> None:
    subscribe, asked = (
        f"{EARN}/flexible/subscribe",
        {"productId": "USDT-FLEX", "amount": "10", "autoSubscribe": "false"},
    )
    began = time.monotonic()
    ada.done(ada.post(subscribe, **asked))
    before = spot_and_funding(service, "ada", "USDT")
    other = Signer(service.http, hmac_key(service.database, "ada"))
    for bot in (ada, other):
        assert refused(bot.post(subscribe, **asked)) == (400, -6009, "Request frequency too high")
    assert spot_and_funding(service, "ada", "USDT") == before
    ben.done(ben.post(subscribe, **asked))
    ada.done(ada.post(f"{EARN}/flexible/redeem", productId="USDT-FLEX", amount="1"))
    time.sleep(max(0.0, 3.1 - (time.monotonic() - began)))
    ada.done(ada.post(subscribe, **asked))


def test_the_very_same_request_is_answered_again_at_once(ben: Signer) -> None:
    time.sleep(3.1)
    query = f"productId=USDT-FLEX&amount=3&timestamp={int(time.time() * 1000)}"
    signed = f"{query}&signature={ben.key.sign(query.encode())}"
    first, again = (ben.done(ben.raw("POST", f"{EARN}/flexible/subscribe", signed)) for _ in range(2))
    assert first == again


def test_what_cannot_be_read_takes_no_turn(ada: Signer) -> None:
    time.sleep(3.1)
    subscribe = f"{EARN}/locked/subscribe"
    assert code_of(ada.post(subscribe, projectId="USDT-30", amount="x")) == (400, -1100)
    ada.done(ada.post(subscribe, projectId="USDT-30", amount="10"))
