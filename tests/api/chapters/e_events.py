"""What happened, as customers and integrators read it, and webhooks from their endpoint to their end."""

from datetime import UTC, datetime

from tests.api.story import Story
from tests.api.world import keyring

from staddle import notices
from staddle.notices.lanes import Result

STREAMED = """\
retry: 2000
id: YwAAAAAAAgEAAAAAAAkA

id: YwAAAAAAAwEAAAAAAAkA
event: transfer
data: {"id":"evt_769","type":"transfer","timestamp":"2026-02-01T15:30:00Z","customer_id":"257",\
"customer_reference":"ada","data":{"transfer_id":"1537","asset":"USDT","amount":"25.50000000",\
"source":"spot","destination":"funding"}}

"""


def tell(story: Story) -> None:
    read(story)
    add_endpoint(story)


def read(story: Story) -> None:
    story.call("list_events", story.ada, limit=2)
    story.call("list_all_events", story.client, limit=2)
    for name in ("stream_events", "stream_all_events"):
        story.note(name, {"path": {}, "query": {}, "body": None}, 200, STREAMED)


def add_endpoint(story: Story) -> None:
    client = story.client
    wanted = {"url": "https://hooks.example.com/staddle", "kinds": ["deposit", "withdrawal"]}
    number = story.call("add_webhook", client, body=wanted)["endpoint_id"]
    story.call("list_webhooks", client)
    story.call("show_webhook", client, endpoint_id=number)
    story.call("show_webhook_secret", client, endpoint_id=number)
    story.call("rotate_webhook_secret", client, endpoint_id=number)
    story.call("change_webhook", client, endpoint_id=number, body={**wanted, "kinds": None})
    story.call("add_deposit", client, body={"customer": "ada", "asset": "USDT", "amount": "5"})
    fail(story)
    found = story.call("list_deliveries", client, endpoint_id=number, limit=1)["items"]
    event = found[0]["event"]
    story.call("show_delivery", client, endpoint_id=number, event=event)
    story.call("replay_delivery", client, endpoint_id=number, event=event)
    since = {"since": "2026-01-22T15:30:00Z"}
    story.call("replay_webhook", client, endpoint_id=number, body=since)
    story.call("disable_webhook", client, endpoint_id=number)
    story.call("enable_webhook", client, endpoint_id=number)
    story.call("revoke_webhook", client, endpoint_id=number)
    story.call("list_dead_deliveries", story.first)


def fail(story: Story) -> None:
    """The receiver is busy: written down as the deliverer does it, with a length of time that is always the same."""
    now = datetime.now(UTC)
    with story.service.database.transaction() as tx:
        notices.fan_out(tx, now)
        for due in notices.claim_lanes(tx, [], keyring(), now):
            result = Result(due, now, 42, 503, None, "Service Unavailable")
            notices.record_results(tx, [result], story.service.living.now, now)
