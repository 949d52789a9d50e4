"""A desk with products of every kind behind a real `staddle serve`, and somebody who signs requests to it.

    ada.get("/sapi/v1/simple-earn/flexible/list", asset="USDT")
    ada.post("/sapi/v1/simple-earn/flexible/subscribe", productId="USDT-FLEX", amount="10")

The wait between two acts of an account is off unless a test turns it on; the desk's clock only moves by a test.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from tests.api.world import SEEN, Service, keyring
from tests.living import Living

from staddle import identity, rewards
from staddle.customers import find_customer
from staddle.db import Database
from staddle.identity import Caller, NewApiKey

EARN = "/sapi/v1/simple-earn"
TRADE = ("read", "subscribe", "redeem")
START = datetime(2026, 1, 22, 15, 30, tzinfo=UTC)


def products(living: Living) -> None:
    """Put products of every kind on sale."""
    tiers = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
    living.product("USDT-FLEX", "USDT", bands=tiers, amount_min="1", personal_cap="20000", quota="100000")
    living.product("BTC-FLEX", "BTC", apr="0.01")
    living.product("USDT-30", "USDT", apr="0.08", term_days=30, amount_min="10", flexible_product="USDT-FLEX")
    living.product("USDT-5", "USDT", apr="0.08", term_days=5, amount_min="1", flexible_product="USDT-FLEX")
    living.product("USDT-90-LATE", "USDT", apr="0.1", term_days=90, payout="at_maturity", amount_min="10")
    living.product(
        "BTC-7-KEEP", "BTC", apr="0.05", term_days=7, early_redemption="keep_fraction", kept_fraction="0.5"
    )
    living.product("USDT-14-STAY", "USDT", apr="0.05", term_days=14, early_redemption="not_allowed")
    living.product(
        "USDT-60-LESS", "USDT", apr="0.09", term_days=60, early_redemption="reduced_apr",
        reduced_apr=Decimal("0.01"), reduced_apr_days_min=3,
    )  # fmt: skip


@dataclass(frozen=True)
class Key:
    """An API key that signs: its id, and what signs with it."""

    api_key_id: str
    sign: Callable[[bytes], str]
    secret: str | None = None


def hmac_key(database: Database, reference: str, **how: Any) -> Key:
    """Make a key of the kind hmac for a customer, who has accepted the agreement for it."""
    added = add_key(database, reference, kind="hmac", **how)
    assert added.secret is not None
    secret = added.secret
    return Key(added.api_key.api_key_id, lambda message: by_hmac(secret, message), secret)


def by_hmac(secret: str, message: bytes) -> str:
    """Sign a message with a shared secret."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def add_key(
    database: Database, reference: str, *, is_agreed: bool = True, scopes: tuple[str, ...] = TRADE, **how: Any
) -> identity.AddedApiKey:
    """Make a key as its customer, signed in, does."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        customer_id = find_customer(tx, reference).customer_id
        caller = Caller("customer", customer_id=customer_id, session_id="of a test", stepped_up_at=now)
        version = tx.execute("SELECT max(version) AS version FROM agreement").fetchone().version  # type: ignore[union-attr]
        new = NewApiKey(name="bot", scopes=scopes, agreement_version=version if is_agreed else None, **how)
        return identity.add_api_key(tx, keyring(), caller, customer_id, new, SEEN, now)


@dataclass
class Signer:
    """A program that signs its requests with an API key."""

    http: httpx.Client
    key: Key
    headers: Mapping[str, str] | None = None

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Read something."""
        return self.send("GET", path, parameters)

    def post(self, path: str, *, body: str = "", **parameters: Any) -> httpx.Response:
        """Send a write: parameters in the query, those of `body` (an encoded form) in the body."""
        return self.send("POST", path, parameters, body)

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Read the rows of a list."""
        found: list[dict[str, Any]] = self.done(self.get(path, **parameters))["rows"]
        return found

    def send(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        body: str = "",
        timestamp: int | None = None,
    ) -> httpx.Response:
        """Sign and send a request as it is."""
        at = int(time.time() * 1000) if timestamp is None else timestamp
        query = urlencode({"timestamp": at, **parameters}, quote_via=quote)
        signature = quote(self.key.sign(query.encode() + body.encode()), safe="")
        return self.raw(method, path, f"{query}&signature={signature}", body)

    def raw(self, method: str, path: str, query: str, body: str = "") -> httpx.Response:
        """Send these very bytes."""
        headers = {"X-MBX-APIKEY": self.key.api_key_id, **(self.headers or {})}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        url = f"{path}?{query}" if query else path
        return self.http.request(method, url, content=body.encode(), headers=headers)

    @staticmethod
    def done(answer: httpx.Response) -> Any:
        """Give the answer of what went well."""
        assert answer.status_code == 200, answer.text
        return answer.json()


def refused(answer: httpx.Response) -> tuple[int, int, str]:
    """Give status, number and words of a refusal."""
    body = answer.json()
    assert set(body) == {"code", "msg"}
    return answer.status_code, body["code"], body["msg"]


def code_of(answer: httpx.Response) -> tuple[int, int]:
    """Give status and number of a refusal."""
    return refused(answer)[:2]


def passes(service: Service, **length: float) -> None:
    """Let time pass on the desk's clock, and do on the way what is due, as the schedule does."""
    service.living.now += timedelta(**length)
    rewards.tick_through(service.database, "ada", service.living.now)


def spot_and_funding(service: Service, reference: str, asset: str) -> tuple[Decimal, Decimal]:
    """Read a customer's two wallets from the ledger."""
    customer_id = service.customer_id(reference)
    return service.living.spot(customer_id, asset), service.living.funding(customer_id, asset)
