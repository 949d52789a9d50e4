"""Webhooks reach public addresses and nothing else, however an address is written or a name resolves."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.stories.receiver import ALLOWED, KEYRING, OK, Desk, Received, answering, receiver

from staddle import errors, notices
from staddle.db import Database
from staddle.notices import Allowed
from staddle.notices.addresses import check_address, check_url, parse_target
from staddle.server.send import resolve

PRIVATE = [
    "127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001", "0", "0.0.0.0",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254", "168.63.129.16",
    "198.18.0.1", "192.0.0.8", "192.0.2.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]",
    "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]",
]  # fmt: skip
NO_ADDRESSES = [
    "", "hook", "//example.com", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///hook", "https://:443/",
    "https://user@example.com/", "https://user:secret@example.com/", "https://example.com@127.0.0.1/",
    "https://example.com:0/", "https://example.com:99999/", "https://example.com:port/", "https://example.com/#part",
    "https://exa mple.com/", "https://example.com/\r\nx: y", "https://exämple.com/", "https://example..com/",
    "https://-example.com/", "https://example.com\\@127.0.0.1/", "https://[::1/", "https://[example.com]/",
    "https://" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(errors.InvalidWebhookUrl):
        check_url(f"https://{host}/hook", True, Allowed())
    target = parse_target("https://hooks.example.com/")
    try:
        resolved = resolve(host.strip("[]").replace("%25", "%"), 443)
    except OSError:
        return
    for address in resolved:
        with pytest.raises(errors.InvalidWebhookUrl):
            check_address(target, address, True, Allowed())


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_not_a_plain_address_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidWebhookUrl):
        check_url(url, True, Allowed())


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a?b=c",
        "https://93.184.215.14/",
        "https://[2606:4700::1111]:444/x",
        "https://[::ffff:93.184.215.14]/",
    ],
)
def test_public_addresses_by_https_are_welcome(url: str) -> None:
    target = check_url(url, False, Allowed())
    assert target.is_https
    assert url.startswith(f"https://{target.named}")


def test_only_a_sandbox_does_without_https_and_reaches_what_it_was_allowed() -> None:
    allowed = Allowed.parse(["localhost:9000", "127.0.0.0/8"])
    check_url("http://127.0.0.1:9000/", True, allowed)
    check_address(parse_target("http://localhost:9000/"), "::1", True, allowed)
    for url in ("http://example.com/", "https://127.0.0.1/"):
        with pytest.raises(errors.InvalidWebhookUrl):
            check_url(url, False, allowed)
    with pytest.raises(errors.InvalidWebhookUrl):
        check_address(parse_target("http://localhost:9001/"), "::1", True, allowed)
    for entry in ("localhost", "localhost:", ":80", "localhost:http"):
        with pytest.raises(errors.InvalidConfig):
            Allowed.parse([entry])


def test_an_endpoint_at_a_private_address_is_not_even_created(database: Database) -> None:
    desk = Desk(database)
    with database.transaction() as tx, pytest.raises(errors.InvalidWebhookUrl):
        notices.create_endpoint(tx, "exchange", "https://127.1/", None, "", Allowed(), KEYRING, desk.now)
    with database.transaction() as tx:
        assert notices.list_endpoints(tx, None) == []


def test_a_name_that_leads_to_a_private_address_is_looked_at_for_each_delivery(database: Database) -> None:
    """The name is public when the endpoint is made, and private when the delivery is sent (DNS rebinding)."""
    desk = Desk(database)
    asked: list[str] = []

    def rebound(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "10.0.0.7"]

    endpoint = desk.endpoint("https://hooks.example.com/")
    desk.happens(desk.living.customer("anna"))
    assert desk.deliverer(resolver=rebound).deliver_due() == 1
    _, [attempt] = desk.delivery(endpoint)
    assert asked == ["hooks.example.com"]
    assert (attempt.status, attempt.failure) == (None, "hooks.example.com is not a public address.")


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A certificate of its own for a name, and the file by which it is trusted."""
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(cert), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, str(cert)


def test_it_connects_to_the_address_that_was_checked_and_wants_the_certificate_of_the_name(
    database: Database, tmp_path: Path
) -> None:
    desk = Desk(database)
    tls, trust = certificate(tmp_path, "hooks.example.com")
    anna = desk.living.customer("anna")
    with receiver(tls) as receiving:
        right = desk.endpoint(f"https://hooks.example.com:{receiving.port}/hook")
        wrong = desk.endpoint(f"https://other.example.com:{receiving.port}/hook")
        desk.happens(anna)
        desk.deliverer(resolver=lambda _host, _port: ["127.0.0.1"], trust=trust).deliver_due()
        [received] = receiving.received
    assert received.headers["host"] == f"hooks.example.com:{receiving.port}"
    assert desk.delivery(right)[0].state == "delivered"
    delivery, [attempt] = desk.delivery(wrong)
    assert delivery.state == "pending"
    assert "certificate" in str(attempt.failure)


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(database: Database, tmp_path: Path) -> None:
    desk = Desk(database)
    tls, _ = certificate(tmp_path, "hooks.example.com")
    with receiver(tls) as receiving:
        endpoint = desk.endpoint(f"https://hooks.example.com:{receiving.port}/hook")
        desk.happens(desk.living.customer("anna"))
        desk.deliverer(resolver=lambda _host, _port: ["127.0.0.1"]).deliver_due()
        assert receiving.received == []
    assert "certificate" in str(desk.delivery(endpoint)[1][0].failure)


def test_a_redirect_is_not_followed(database: Database) -> None:
    desk = Desk(database)
    with receiver() as receiving, receiver() as elsewhere:
        receiving.answer = answering(307, headers=[("location", elsewhere.url)])
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
        assert elsewhere.received == []
    delivery, [attempt] = desk.delivery(endpoint)
    assert delivery.state == "pending"
    assert (attempt.status, attempt.failure) == (307, "Redirects are not followed.")


def test_of_a_huge_answer_only_the_beginning_is_read(database: Database) -> None:
    desk = Desk(database)
    sent: list[int] = []

    def endlessly(handler: BaseHTTPRequestHandler, _received: Received) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while len(sent) < 10_000:
                handler.wfile.write(b"\x00x" * 32_768)
                sent.append(65_536)
        except OSError:
            handler.close_connection = True

    with receiver() as receiving:
        receiving.answer = endlessly
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
    delivery, [attempt] = desk.delivery(endpoint)
    assert delivery.state == "delivered"
    assert attempt.answer == "\ufffdx" * 250
    assert sum(sent) < 64 * 1024 * 1024


def test_an_answer_that_does_not_come_in_time_is_a_failure(database: Database) -> None:
    desk = Desk(database)
    let_go = threading.Event()

    def drop_by_drop(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not let_go.wait(0.1):
            handler.wfile.write(b"x: y\r\n")

    with receiver() as receiving:
        receiving.answer = drop_by_drop
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliverer(patience_seconds=1).deliver_due()
        let_go.set()
        delivery, [attempt] = desk.delivery(endpoint)
        assert (delivery.state, attempt.status) == ("pending", None)
        assert attempt.failure == "No answer within 1 seconds."
        assert 900 <= attempt.milliseconds < 5000
        receiving.answer = OK


def test_a_receiver_that_hangs_up_or_is_not_there_is_a_failure(database: Database) -> None:
    desk = Desk(database)

    def hang_up(handler: BaseHTTPRequestHandler, _received: Received) -> None:
        handler.close_connection = True

    with receiver() as receiving:
        receiving.answer = hang_up
        endpoint = desk.endpoint(receiving.url)
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
    desk.now = desk.delivery(endpoint)[0].due_at
    desk.deliver()
    delivery, log = desk.delivery(endpoint)
    assert delivery.state == "pending"
    assert [each.status for each in log] == [None, None]
    assert all(each.failure for each in log)


def test_a_secret_that_cannot_be_opened_holds_up_nobody_else(database: Database) -> None:
    desk = Desk(database)
    with receiver() as receiving:
        broken = desk.endpoint(receiving.url)
        desk.endpoint(receiving.url)
        with database.transaction() as tx:
            tx.execute("UPDATE webhook_endpoint SET secret = 'x' WHERE endpoint_id = %s", [broken])
        desk.happens(desk.living.customer("anna"))
        desk.deliver()
        assert len(receiving.received) == 1
    assert "STADDLE_SECRET_KEY" in str(desk.delivery(broken)[1][0].failure)


def test_no_more_than_twenty_endpoints_and_nobody_elses(database: Database) -> None:
    desk = Desk(database)
    numbers = [desk.endpoint("https://example.com/") for _ in range(20)]
    with pytest.raises(errors.TooManyEndpoints):
        desk.endpoint("https://example.com/")
    theirs = desk.endpoint("https://example.com/", client="another")
    with database.transaction() as tx:
        assert [each.endpoint_id for each in notices.list_endpoints(tx, "exchange")] == numbers
        for act in (notices.find_endpoint, notices.disable_endpoint):
            with pytest.raises(errors.EndpointNotFound):
                act(tx, "exchange", theirs)
        with pytest.raises(errors.EndpointNotFound):
            notices.reveal_secret(tx, "exchange", theirs, KEYRING)
        with pytest.raises(errors.EndpointNotFound):
            notices.replay_since(tx, "exchange", theirs, desk.living.now, desk.now)
        with pytest.raises(errors.InvalidChoice):
            notices.change_endpoint(
                tx, "exchange", numbers[0], "https://example.com/", ["nothing"], "", ALLOWED
            )


def test_an_event_that_was_not_for_an_endpoint_has_no_delivery(database: Database) -> None:
    desk = Desk(database)
    number = desk.endpoint("https://example.com/")
    with database.transaction() as tx:
        with pytest.raises(errors.DeliveryNotFound):
            notices.show_delivery(tx, "exchange", number, 1)
        with pytest.raises(errors.DeliveryNotFound):
            notices.replay_delivery(tx, "exchange", number, 1, desk.now)
