"""Whatever a parameter holds, the answer is one that clients read: never an error of ours, never another's coins."""

import pytest
from tests.api.world import Service
from tests.binance.world import Signer, hmac_key, spot_and_funding

from staddle import binance
from staddle.binance.endpoint import ENDPOINTS

NAMES = {
    "asset", "productId", "projectId", "positionId", "purchaseId", "redeemId", "amount", "autoSubscribe", "redeemAll",
    "sourceAccount", "destAccount", "redeemTo", "type", "aprPeriod", "startTime", "endTime", "current", "size",
    "recvWindow", "needBtcValuation", "omitZeroBalances",
}  # fmt: skip
VALUES = (
    "\x00", "USDT\x00", "\r\nX: y", "\u202e", "\U0001f4a5", "9" * 400, "9" * 18, "-0", "+1", "1e", "e5", "1e5", "0x10",
    "1_000", "null", "true", "%", "' OR 1=1 --", "0.0000000000000000000000000000000000000000001", "00", "٣",
    " 1", "USDT-FLEX",
)  # fmt: skip
GOOD = {
    "productId": "USDT-FLEX",
    "projectId": "USDT-30",
    "positionId": "12",
    "amount": "-1",
    "autoSubscribe": "true",
}
SIGNED = [address for address, endpoint in ENDPOINTS.items() if endpoint.allow is not None]


@pytest.mark.parametrize(("method", "path"), SIGNED, ids=lambda text: text.rpartition("simple-earn/")[2])
def test_no_value_breaks_anything(service: Service, method: str, path: str) -> None:
    assert binance.edge is not None
    mine = Signer(service.http, hmac_key(service.database, "ben"))
    before = spot_and_funding(service, "ben", "BTC")
    for number, value in enumerate(VALUES):
        with service.database.transaction() as tx:
            tx.execute("DELETE FROM request_weight")
        # Each name has each value once, and the others what would be good, but for an amount that nobody has.
        for name in sorted(NAMES)[number % 5 :: 5]:
            answer = mine.send(method, path, {**GOOD, name: value})
            assert answer.status_code in (200, 400), (name, value, answer.text)
            assert answer.headers["content-type"] == "application/json"
            if answer.status_code == 400:
                assert set(answer.json()) == {"code", "msg"}
    assert spot_and_funding(service, "ben", "BTC") == before


def test_bytes_that_are_no_text_are_refused(ben: Signer) -> None:
    for query in ("a=%ff", "a=%c3%28", "%00=1", "a=%ed%a0%80", "&" * 60 + "a=1", "a=1&" * 60):
        answer = ben.raw("GET", "/api/v3/account", query)
        assert answer.status_code == 400, query
        assert answer.json()["code"] in (-1100, -1101, -1102), query
