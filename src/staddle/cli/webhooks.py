"""`staddle webhooks`: where integrators are told what happens, what became of it, and sending it again."""

import os
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from staddle import notices
from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.edge import At, machine_now, reads, writes
from staddle.cli.show import card, grid, instant, listing, said
from staddle.config import Config
from staddle.days import parse_instant
from staddle.desk import log
from staddle.errors import DeliveryNotFound, InvalidChoice
from staddle.keyring import Keyring

EndpointId = Annotated[
    int, typer.Argument(metavar="ENDPOINT", help="An endpoint's number.", min=0, max=2**31 - 1, clamp=True)
]
EventId = Annotated[str, typer.Argument(metavar="EVENT", help="An event's id, such as evt_512.")]
Count = Annotated[int, typer.Option(min=1, max=1000, help="How many.")]
COLUMNS = ["endpoint_id", "event", "kind", "customer_id", "state", "attempt_count", "due_at", "ended_at"]


@writes(app.webhooks, "add")
def add(
    at: At,
    client: Annotated[str, typer.Argument(help="Whose it is: an integrator's client id.")],
    url: Annotated[str, typer.Argument(help="Where events go: https://...")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="A kind that is wanted; else all.")
    ] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
) -> Shown:
    """Add an endpoint for an integrator; `webhooks secret` shows what it checks signatures with."""
    config, wanted = Config.from_environ(os.environ), list(kinds or ()) or None
    what: dict[str, object] = {"client": client, "url": url, "kinds": wanted, "description": description}

    def do() -> notices.Endpoint:
        allowed = notices.Allowed.parse(config.webhook_allow)
        return notices.create_endpoint(
            at.tx, client, url, wanted, description, allowed, Keyring(config), machine_now()
        )

    answer = once(at, "add_webhook", what, do)
    return Shown(
        answer.data,
        lambda data: said(f"Endpoint {data['endpoint_id']} is told what happens from now on.", card(data)),
        is_replay=answer.is_replay,
    )


@reads(app.webhooks, "secret")
def secret(at: At, endpoint_id: EndpointId) -> Shown:
    """Show the secret with which an endpoint checks signatures."""
    endpoint = notices.find_endpoint(at.tx, None, endpoint_id)
    keyring = Keyring(Config.from_environ(os.environ))
    revealed = notices.reveal_secret(at.tx, endpoint.client_id, endpoint_id, keyring)
    return Shown({"endpoint_id": endpoint_id, "secret": revealed})


@reads(app.webhooks, "list")
def endpoints(at: At) -> Shown:
    """List the endpoints of all integrators, with how much waits for each."""
    return Shown({"endpoints": notices.list_endpoints(at.tx, None)}, _endpoints_view)


def _endpoints_view(data: Document) -> RenderableType:
    columns = ["endpoint_id", "client_id", "url", "state", "disabled_because", "failing_since"]
    return listing("", data["endpoints"], [*columns, "pending_count", "dead_count"])


@reads(app.webhooks, "deliveries")
def deliveries(
    at: At,
    endpoint_id: EndpointId,
    state: Annotated[
        str | None, typer.Option(help="Only those that are pending, delivered, dead or cancelled.")
    ] = None,
    count: Count = 50,
) -> Shown:
    """List what was sent to an endpoint, or will be; newest first."""
    if state is not None and state not in ("pending", "delivered", "dead", "cancelled"):
        raise InvalidChoice("A delivery is pending, delivered, dead or cancelled.")
    found = notices.list_deliveries(at.tx, None, endpoint_id, state, None, count)
    return Shown({"deliveries": [_shown(each) for each in found]}, _deliveries_view)


@reads(app.webhooks, "delivery")
def delivery(at: At, endpoint_id: EndpointId, event: EventId) -> Shown:
    """Show one delivery with its log: each attempt and what was answered."""
    found, attempts = notices.show_delivery(at.tx, None, endpoint_id, notice_id_of(event))
    return Shown({"delivery": _shown(found), "attempts": attempts}, _delivery_view)


def _delivery_view(data: Document) -> RenderableType:
    rows = [
        [
            str(each["number"]),
            instant(each["started_at"]),
            f"{each['milliseconds']} ms",
            str(each["status"] or "-"),
            each["failure"] or each["answer"],
        ]
        for each in data["attempts"]
    ]
    heads = ["Attempt", "Started", "Took", "Status", "Answer"]
    return Group(card(data["delivery"]), grid("Attempts", heads, rows))


@reads(app.webhooks, "dead")
def dead(at: At, count: Count = 100) -> Shown:
    """List what could not be delivered to any endpoint, oldest first."""
    found = notices.dead_letters(at.tx, count)
    return Shown({"deliveries": [_shown(each) for each in found]}, _deliveries_view)


def _deliveries_view(data: Document) -> RenderableType:
    return listing("", data["deliveries"], COLUMNS, "Nothing.")


@writes(app.webhooks, "replay")
def replay(
    at: At,
    endpoint_id: EndpointId,
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="One event's id.")] = None,
    since: Annotated[
        str | None, typer.Option(help="All since this instant of the desk's clock, instead of one.")
    ] = None,
) -> Shown:
    """Send one event to an endpoint once more, or all since an instant."""
    if (event is None) == (since is None):
        raise InvalidChoice("Name one event, or an instant with --since.")
    now = machine_now()

    def do() -> dict[str, object]:
        if event is not None:
            notices.replay_delivery(at.tx, None, endpoint_id, notice_id_of(event), now)
            return {"endpoint_id": endpoint_id, "replayed": 1}
        replayed = notices.replay_since(at.tx, None, endpoint_id, parse_instant(since or ""), now)
        return {"endpoint_id": endpoint_id, "replayed": replayed}

    what: dict[str, object] = {"endpoint_id": endpoint_id, "event": event, "since": since}
    answer = once(at, "replay_webhook", what, do)
    return Shown(
        answer.data, lambda data: said(f"To be sent again: {data['replayed']}."), is_replay=answer.is_replay
    )


@writes(app.webhooks, "disable")
def disable(at: At, endpoint_id: EndpointId) -> Shown:
    """Let an endpoint rest; nothing is lost, what happens meanwhile waits."""
    what: dict[str, object] = {"endpoint_id": endpoint_id}
    return once(at, "disable_webhook", what, lambda: notices.disable_endpoint(at.tx, None, endpoint_id))


@writes(app.webhooks, "enable")
def enable(at: At, endpoint_id: EndpointId) -> Shown:
    """Let an endpoint go on, with what waits for it sent at once."""
    what: dict[str, object] = {"endpoint_id": endpoint_id}
    return once(
        at, "enable_webhook", what, lambda: notices.enable_endpoint(at.tx, None, endpoint_id, machine_now())
    )


@writes(app.webhooks, "revoke")
def revoke(at: At, endpoint_id: EndpointId) -> Shown:
    """Take an endpoint away for good; what waits for it is cancelled."""

    def do() -> dict[str, object]:
        notices.revoke_endpoint(at.tx, None, endpoint_id, machine_now())
        return {"endpoint_id": endpoint_id, "is_revoked": True}

    answer = once(at, "revoke_webhook", {"endpoint_id": endpoint_id}, do)
    return Shown(answer.data, lambda _: said("The endpoint is revoked."), is_replay=answer.is_replay)


def once(at: At, act: str, what: dict[str, object], do: Callable[[], object]) -> Shown:
    """Do something with an endpoint once for its key, and write into the desk's log who did it."""

    def logged() -> object:
        done = do()
        subject = str(what.get("endpoint_id", what.get("client")))
        details = {name: each for name, each in what.items() if each is not None}
        log(at.tx, at.by, act, subject, details, at.now)
        return done

    return at.once(act, what, logged)


def notice_id_of(event: str) -> int:
    """Read an event's id, with or without its `evt_`; raises DeliveryNotFound for what cannot be one."""
    number = event.removeprefix("evt_")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise DeliveryNotFound
    return int(number)


def _shown(each: notices.Delivery) -> dict[str, object]:
    return {"event": f"evt_{each.notice_id}", **{name: getattr(each, name) for name in each.__slots__}}
