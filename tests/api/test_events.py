"""Events over HTTP: the feed in pages, the stream that resumes, webhooks from their endpoint to their replay."""

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from tests.api.world import Caller, Service, keyring, serving, stop
from tests.living import Living
from tests.stories.receiver import answering, receiver

from staddle.notices import Allowed
from staddle.server.deliver import deliver_due

MOVE = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}


@pytest.fixture(scope="module")
def service(copied: Living) -> Iterator[Service]:
    """A service whose webhooks may come to this machine."""
    with serving(copied, STADDLE_WEBHOOK_ALLOW="127.0.0.1") as service:
        yield service


def deliver(service: Service) -> int:
    """Send what is due now."""
    return deliver_due(service.database, keyring(), Allowed.parse(["127.0.0.1"]), datetime.now(UTC))


def all_of(caller: Caller, path: str, limit: int) -> list[dict[str, Any]]:
    """Read a feed to its end, page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = caller.get(path, **query).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if not page["has_more"]:
            return found
        query["after"] = page["cursor"]


@contextlib.contextmanager
def streaming(caller: Caller, path: str, last: str | None = None) -> Iterator["Reader"]:
    """Open a stream on a connection of its own."""
    headers = {"Authorization": f"Bearer {caller.token}"} | ({"Last-Event-ID": last} if last else {})
    with (
        httpx.Client(base_url=caller.http.base_url, timeout=20) as http,
        http.stream("GET", path, headers=headers) as response,
    ):
        yield Reader(response)


class Reader:
    """Reads Server-Sent Events as a browser does."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last = ""
        self._lines = response.iter_lines()

    def event(self) -> dict[str, Any]:
        """The next event."""
        data = None
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last = value
            elif name == "data":
                data = json.loads(value)
            elif not line and data is not None:
                found: dict[str, Any] = data
                return found
        raise AssertionError("the stream has ended")

    def begin(self) -> str:
        """Wait for the cursor that is sent at once."""
        while not self.last:
            name, _, value = next(self._lines).partition(": ")
            self.last = value if name == "id" else ""
        return self.last


def test_a_customers_feed_comes_in_pages_and_has_nobody_elses(
    service: Service, ada: Caller, ben: Caller
) -> None:
    whole = all_of(ada, "/v1/events", 1000)
    assert whole == all_of(ada, "/v1/events", 3)
    assert {each["customer_reference"] for each in whole} <= {"ada", None}
    assert {"deposit", "subscription", "redemption"} <= {each["type"] for each in whole}
    bens = {each["id"] for each in all_of(ben, "/v1/events", 100) if each["customer_id"]}
    assert bens.isdisjoint(each["id"] for each in whole)


def test_an_integrators_feed_has_everybody(service: Service, client: Caller, ada: Caller) -> None:
    whole = all_of(client, "/v1/events/all", 1000)
    in_pages = all_of(client, "/v1/events/all", 4)
    assert {each["id"] for each in whole} == {each["id"] for each in in_pages}
    assert {each["id"] for each in all_of(ada, "/v1/events", 1000)} <= {each["id"] for each in whole}
    assert ada.get("/v1/events/all").status_code == 403
    assert client.get("/v1/events").status_code == 403
    assert client.get("/v1/events/all", limit=1001).status_code == 400


def test_what_is_no_cursor_is_refused(service: Service, ada: Caller, client: Caller) -> None:
    for caller, path in ((ada, "/v1/events"), (ada, "/v1/events/stream"), (client, "/v1/events/all/stream")):
        refused = caller.get(path, after="nonsense")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


def test_a_stream_tells_what_happens_and_resumes_behind_the_last_id(
    service: Service, ada: Caller, ben: Caller, client: Caller
) -> None:
    with streaming(ada, "/v1/events/stream") as mine, streaming(client, "/v1/events/all/stream") as all_:
        assert mine.response.headers["content-type"].startswith("text/event-stream")
        mine.begin()
        all_.begin()
        ben.post("/v1/transfers", MOVE)
        ada.post("/v1/transfers", MOVE | {"amount": "2"})
        event = mine.event()
        assert (event["type"], event["data"]["amount"], event["customer_reference"]) == (
            "transfer",
            "2.00000000",
            "ada",
        )
        assert {all_.event()["customer_reference"] for _ in range(2)} == {"ada", "ben"}
    ada.post("/v1/transfers", MOVE | {"amount": "3"})
    with streaming(ada, "/v1/events/stream", mine.last) as again:
        assert again.event()["data"]["amount"] == "3.00000000"
    page = ada.get("/v1/events", after=mine.last).json()
    assert [each["data"]["amount"] for each in page["items"]] == ["3.00000000"]


def test_a_stream_needs_a_login_and_ends_when_the_service_does(copied: Living) -> None:
    with serving(copied) as other:
        assert other.caller(None).get("/v1/events/stream").status_code == 401
        ada = other.customer("ada")
        with streaming(ada, "/v1/events/stream") as mine:
            mine.begin()
            ending = threading.Thread(target=stop, args=[other.process])
            ending.start()
            with pytest.raises((AssertionError, httpx.RemoteProtocolError)):
                mine.event()
            ending.join(15)
            assert not ending.is_alive()


def test_a_webhook_from_its_endpoint_to_its_replay(service: Service, client: Caller, ada: Caller) -> None:
    with receiver() as receiving:
        made = client.post(
            "/v1/webhooks", {"url": receiving.url, "kinds": ["transfer"], "description": "Ours"}
        )
        assert made.status_code == 200, made.text
        path = f"/v1/webhooks/{made.json()['endpoint_id']}"
        assert "secret" not in made.json()
        secret = client.get(f"{path}/secret").json()["secret"]
        ada.post("/v1/transfers", MOVE)
        receiving.answer = answering(503, b"later")
        deliver(service)
        [waiting] = client.get(f"{path}/deliveries", state="pending").json()["items"]
        assert (waiting["type"], waiting["attempt_count"]) == ("transfer", 1)
        receiving.answer = answering(204)
        one = f"{path}/deliveries/{waiting['event']}"
        assert client.post(f"{one}/replay").json()["replayed"] == 1
        deliver(service)
        shown = client.get(one).json()
        assert shown["delivery"]["state"] == "delivered"
        assert [(each["status"], each["answer"]) for each in shown["attempts"]] == [(503, "later"), (204, "")]
        received = receiving.received[-1]
        assert Webhook(secret).verify(received.body, received.headers)["data"]["amount"] == "1.00000000"

        assert client.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}).json()["replayed"] >= 1
        assert client.post(f"{path}/disable").json()["state"] == "disabled"
        assert deliver(service) == 0
        assert client.post(f"{path}/enable").json()["state"] == "enabled"
        changed = client.put(path, {"url": receiving.url, "kinds": None, "description": "All"}).json()
        assert (changed["kinds"], changed["description"]) == (None, "All")
        rotated = client.post(f"{path}/secret").json()
        assert rotated["secret_before_until"] is not None
        assert client.get(f"{path}/secret").json()["secret"] != secret
        assert [each["endpoint_id"] for each in client.get("/v1/webhooks").json()["items"]] == [
            made.json()["endpoint_id"]
        ]
        assert client.delete(path).json()["is_revoked"] is True
        assert client.get(path).status_code == 404


def test_the_same_key_makes_one_endpoint(service: Service, client: Caller) -> None:
    body = {"url": "https://hooks.example.com/"}
    first, again = (client.post("/v1/webhooks", body, key="once") for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    client.delete(f"/v1/webhooks/{first.json()['endpoint_id']}")


def test_an_integrator_does_not_see_anothers_endpoint_and_operators_see_all(
    service: Service, client: Caller, operators: dict[str, Caller]
) -> None:
    another = service.client("another")
    made = client.post("/v1/webhooks", {"url": "https://hooks.example.com/"}).json()
    path = f"/v1/webhooks/{made['endpoint_id']}"
    assert another.get(path).status_code == 404
    assert another.delete(path).status_code == 404
    assert another.get("/v1/webhooks").json()["items"] == []
    assert operators["viewer"].get(path).json()["url"] == "https://hooks.example.com/"
    assert operators["viewer"].post(f"{path}/disable").status_code == 403
    assert operators["admin"].get(f"{path}/secret").status_code == 403
    assert operators["admin"].post(f"{path}/disable").json()["disabled_because"] == "by_owner"
    assert operators["admin"].delete(path).status_code == 200
    theirs = operators["admin"].post(
        "/v1/webhooks", {"url": "https://hooks.example.com/", "client_id": "another"}
    )
    assert another.delete(f"/v1/webhooks/{theirs.json()['endpoint_id']}").status_code == 200
    assert operators["admin"].post("/v1/webhooks", {"url": "https://hooks.example.com/"}).status_code == 422
    assert operators["viewer"].get("/v1/dead-deliveries").json()["items"] == []


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "https://10.1/", "https://[::ffff:10.0.0.1]/", "nonsense"]
)
def test_an_address_that_is_not_public_is_refused(service: Service, client: Caller, url: str) -> None:
    refused = client.post("/v1/webhooks", {"url": url}).json()
    assert (refused["status"], refused["code"], refused["field"]) == (422, "invalid_webhook_url", "url")
