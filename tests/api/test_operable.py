"""What those who run the service see of it: health, figures, a log without secrets, limits (issue 3, line 9)."""

import contextlib
import copy
import json
import re
import resource
import select
import socket
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import make_conninfo
from tests.api.world import PASSWORD, Caller, Service, serving
from tests.living import Living

from staddle import desk
from staddle.db import Database
from staddle.db.connect import connect_owner
from staddle.server.describe_errors import describe_errors

TOKEN = "a-token-of-those-who-run-it"
ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything goes that the service says."""
    return tmp_path_factory.mktemp("log") / "service.log"


@pytest.fixture(scope="module")
def service(copied: Living, log: Path) -> Iterator[Service]:
    """A service of two processes that is quick to lose patience."""
    environ = {
        "STADDLE_METRICS_TOKEN": TOKEN,
        "STADDLE_IDLE_SECONDS": "2",
        "STADDLE_BODY_SECONDS": "2",
    }
    with log.open("wb") as said, serving(copied, processes=2, said=said, **environ) as service:
        yield service


@pytest.fixture
def runner(service: Service) -> Caller:
    """Whoever runs the service."""
    return service.caller(TOKEN, "who runs it")


def figures_of(runner: Caller) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    page = runner.get("/metrics")
    assert page.status_code == 200
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(page.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def figure(runner: Caller, name: str, **labels: str) -> float:
    return figures_of(runner).get(name, {}).get(tuple(sorted(labels.items())), 0.0)


def until(what: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is so."""
    end_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end_at, "it did not come to be so in time"
        time.sleep(0.05)


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def talk(service: Service, *parts: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """Send something piece by piece; gives what came back until the other side closed, and after how many seconds."""
    began_at = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.start.port), timeout=20) as one:
        answer = b""
        with contextlib.suppress(ConnectionError):
            for part in parts:
                one.sendall(part)
                time.sleep(pause)
                if pause and select.select([one], [], [], 0)[0]:
                    break  # there is an answer, or the other side has closed
        with contextlib.suppress(ConnectionError):
            while received := one.recv(65_536):
                answer += received
        return answer, time.monotonic() - began_at


# Health


def test_anybody_may_ask_whether_the_service_is_well_and_gets_one_word(service: Service) -> None:
    somebody = service.caller(None)
    assert (somebody.get("/livez").status_code, somebody.get("/livez").text) == (200, "ok")
    assert (somebody.get("/readyz").status_code, somebody.get("/readyz").text) == (200, "ok")
    assert service.caller("not-the-token").get("/readyz").text == "ok"


def test_without_its_database_the_service_lives_but_is_not_ready(service: Service, runner: Caller) -> None:
    name = service.database.name
    with connect_owner(service.database.dsn.replace(f"dbname={name}", "dbname=postgres")) as landlord:
        landlord.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            until(lambda: runner.get("/readyz").status_code == 503)
            told = runner.get("/readyz").json()
            assert "the database" in told["reasons"][0]
            until(lambda: service.caller(None).get("/readyz").text == "not ready")
            assert service.caller(None).get("/livez").status_code == 200
        finally:
            landlord.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    until(lambda: runner.get("/readyz").json() == {"is_ready": True, "reasons": []})


def test_with_an_older_schema_than_its_own_the_service_is_not_ready(service: Service, runner: Caller) -> None:
    newest = "SELECT migration_id FROM _yoyo_migration ORDER BY migration_id DESC LIMIT 1"
    with service.database.owner() as owner:
        row = owner.execute(newest).fetchone()
        assert row is not None
        owner.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM _yoyo_migration WHERE migration_id = %s", [row[0]]
        )
        owner.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", [row[0]])
        try:
            until(lambda: runner.get("/readyz").status_code == 503)
            assert row[0] in runner.get("/readyz").json()["reasons"][0]
        finally:
            owner.execute("INSERT INTO _yoyo_migration SELECT * FROM kept")
    until(lambda: runner.get("/readyz").status_code == 200)


# Figures


def test_figures_are_for_those_who_have_the_token(service: Service, ada: Caller) -> None:
    for caller in (service.caller(None), ada, service.caller(TOKEN + "x"), service.operator("ada")):
        refused = caller.get("/metrics")
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_needed")


def test_requests_of_all_processes_are_counted_together(service: Service, runner: Caller) -> None:
    name, labels = "staddle_request_seconds_count", {"operation": "list_positions", "status": "401"}
    before = figure(runner, name, **labels)
    for _ in range(24):
        httpx.get(f"{service.url}/v1/positions")  # on a new connection, so that any process may get it
    until(lambda: figure(runner, name, **labels) == before + 24)  # one is counted after it was answered


def test_batches_are_counted(service: Service, runner: Caller, ada: Caller) -> None:
    before = figure(runner, "staddle_batch_size_count", act="transfer")
    body = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}
    assert ada.post("/v1/transfers", body).status_code == 200
    until(lambda: figure(runner, "staddle_batch_seconds_count", act="transfer") == before + 1)
    assert figure(runner, "staddle_batch_size_count", act="transfer") == before + 1


def test_figures_say_how_the_runs_the_pools_and_the_alarms_are(service: Service, runner: Caller) -> None:
    assert figure(runner, "staddle_run_lag_seconds") < 2 * 86_400
    assert figure(runner, "staddle_run_pieces_paid") == figure(runner, "staddle_run_pieces") > 0
    assert figure(runner, "staddle_runway_days", asset="USDT") > 0
    with service.database.transaction() as tx:
        desk.raise_alarm(tx, "run_late", "2026-01-01", {}, service.living.now)
    try:
        assert figure(runner, "staddle_alarms_open", kind="run_late") == 1
    finally:
        with service.database.transaction() as tx:
            desk.clear_alarm(tx, "run_late", "2026-01-01", service.living.now)
    service.passes(days=3)
    assert figure(runner, "staddle_run_lag_seconds") >= 3 * 86_400
    service.catch_up()
    assert figure(runner, "staddle_run_lag_seconds") < 86_400


def test_every_figure_is_documented_and_every_documented_figure_is_there(runner: Caller) -> None:
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(runner.get("/metrics").text)
    }
    documented = set(re.findall(r"^\| `(staddle_\w+)", (ROOT / "docs/operate/metrics.md").read_text(), re.M))
    assert shown - documented == set()
    # What counts events is not there before the first one.
    from staddle.server import metrics  # noqa: PLC0415

    known = {
        f"{each._name}_total" if each._type == "counter" else each._name
        for each in vars(metrics).values()
        if hasattr(each, "_name") and hasattr(each, "_type")
    }
    assert documented - shown - known == set()


# The log


def test_the_log_has_a_line_for_each_request_with_its_id(service: Service, ada: Caller, log: Path) -> None:
    own = ada.http.get("/v1/positions", headers={**ada._headers(None), "X-Request-Id": "my-request-0001"})
    assert own.headers["X-Request-Id"] == "my-request-0001"
    made = ada.post("/v1/transfers", {"asset": "NONE"})
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["X-Request-Id"])
    until(lambda: made.headers["X-Request-Id"] in log.read_text())
    lines = {each["request_id"]: each for each in lines_of(log) if each["event"] == "request"}
    line = lines["my-request-0001"]
    assert (line["operation"], line["status"]) == ("list_positions", 200)
    assert line["caller"] == f"customer {service.customer_id('ada')}"
    assert line["milliseconds"] > 0
    assert (lines[made.headers["X-Request-Id"]]["status"], made.status_code) == (400, 400)


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", 'quote"quote"', "{json}1234"])
def test_an_insane_request_id_is_replaced(service: Service, given: str) -> None:
    answer = service.http.get("/livez", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_the_log_of_a_whole_session_holds_no_secret_no_amount_and_no_address(
    service: Service, client: Caller, log: Path
) -> None:
    ada = service.customer("ada")
    key = service.api_key("ada")
    secrets = [ada.token, key.token, client.token, PASSWORD, "not the right password", "ada@example.com"]
    amounts = ["1234.56", "77.7701"]
    sign_in = {"email": "ada@example.com", "password": PASSWORD}
    signed_in = service.caller(None).post("/v1/sign-in", sign_in)
    assert signed_in.status_code == 200, signed_in.text
    secrets += re.findall(r"stds_[A-Za-z0-9_-]{20,}", signed_in.text + str(signed_in.headers))
    assert len(secrets) >= 7
    wrong = service.caller(None).post("/v1/sign-in", {**sign_in, "password": "not the right password"})
    assert wrong.status_code == 401
    before = len(lines_of(log))
    for caller in (ada, key, client.acting_for("ada")):
        for amount in amounts:
            transfer = {"asset": "USDT", "amount": amount, "source": "spot", "destination": "funding"}
            assert caller.post("/v1/transfers", transfer).status_code == 200
            subscribing = {"product": "USDT-FLEX", "amount": amount, "agreement_version": 1}
            caller.post("/v1/subscriptions", subscribing)
            caller.post("/v1/subscriptions", {**subscribing, "amount": f"{amount}x"})
            caller.post("/v1/redemptions", {"product": "USDT-FLEX", "amount": amount})
        caller.get("/v1/positions", cursor=str(ada.token))
        caller.get(f"/v1/positions/{ada.token}")
    until(lambda: len(lines_of(log)) >= before + 30)
    said = log.read_text()
    for secret in (*secrets, *amounts):
        assert secret is not None
        assert secret not in said
    assert "test_the_log_of" not in said


def test_a_mistake_of_ours_is_logged_with_its_trace_and_told_without(copied: Living, tmp_path: Path) -> None:
    armed = {"STADDLE_TEST_FAILPOINT": "transfer.locked", "STADDLE_TEST_FAILPOINT_ACTION": "raise"}
    with (tmp_path / "log").open("wb") as said, serving(copied, 1, said, **armed) as service:
        body = {"asset": "USDT", "amount": "1", "source": "spot", "destination": "funding"}
        failed = service.customer("ada").post("/v1/transfers", body, key="once")
        assert (failed.status_code, failed.json()["code"], failed.json()["moved"]) == (
            500,
            "internal_error",
            None,
        )
        assert "unforeseen" not in failed.text
        assert service.customer("ada").post("/v1/transfers", body, key="once").status_code == 200
        assert service.caller(TOKEN).get("/metrics").status_code == 404  # there is none without the setting
    traces = [each for each in lines_of(tmp_path / "log") if "ZeroDivisionError" in each.get("trace", "")]
    assert [each["request_id"] for each in traces] == [failed.headers["X-Request-Id"]]


# Limits


@pytest.mark.parametrize(
    "parts", [[], [b"GET /livez HTTP/1.1\r\nHo"], [b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"]]
)
def test_a_silent_connection_is_closed(service: Service, parts: list[bytes]) -> None:
    _, seconds = talk(service, *parts)
    assert 1 < seconds < 8


def test_headers_that_trickle_are_cut_off(service: Service) -> None:
    trickle = [b"GET /livez HTTP/1.1\r\n", *(f"X-{number}: y\r\n".encode() for number in range(40))]
    answer, seconds = talk(service, *trickle, pause=0.2)
    assert b"200 OK" not in answer
    assert seconds < 10


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/subscriptions/preview"])
def test_a_body_that_trickles_is_cut_off(service: Service, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    trickle = [f"{head}Idempotency-Key: k\r\n\r\n".encode(), *([b" "] * 20)]
    answer, seconds = talk(service, *trickle, pause=0.2)
    assert b"408 Request Timeout" in answer
    assert b'"code":"request_too_slow"' in answer
    assert b'"moved":false' in answer
    assert seconds < 8


@pytest.mark.parametrize(("path", "status"), [("/v1/transfers", b"408 "), ("/v1/nothing", b"404 ")])
def test_a_connection_whose_body_does_not_come_is_closed_after_its_answer(
    service: Service, path: str, status: bytes
) -> None:
    half = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    with contextlib.ExitStack() as stack:
        all_of_them = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.start.port), timeout=10))
            for _ in range(60)
        ]
        for one in all_of_them:
            one.sendall(half.encode())
        for one in all_of_them:
            answer = b""
            while received := one.recv(65_536):  # times out where the connection is left open
                answer += received
            assert status in answer


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/subscriptions/preview"])
def test_a_body_that_is_too_large_is_refused(service: Service, path: str) -> None:
    body = b'{"x": "' + b"x" * (2 << 20) + b'"}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"
    answer, _ = talk(service, f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body)
    assert b"413 Payload Too Large" in answer
    assert b'"code":"request_too_large"' in answer


def test_headers_beyond_measure_are_refused(service: Service) -> None:
    large, _ = talk(service, b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Y: " + b"y" * 900_000 + b"\r\n\r\n")
    many, _ = talk(service, b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-Y: y\r\n" * 200 + b"\r\n")
    assert b"200 OK" not in large
    assert b"431 " in many


def test_others_are_served_while_ten_thousand_connections_do_nothing(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, hard - 1_000)
    assert count >= 3_000, "this machine permits too few open files to tell"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = []
    try:
        idle = [socket.create_connection(("127.0.0.1", service.start.port), timeout=10) for _ in range(count)]
        began_at = time.monotonic()
        assert httpx.get(f"{service.url}/v1/products", timeout=10).status_code == 200
        assert time.monotonic() - began_at < 5
    finally:
        for each in idle:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# The reference


class Links(HTMLParser):
    """Collects where a page leads, what on it can be led to, and what it loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if tag == "a":
            self.links.append(given["href"] or "")
        if "id" in given:
            self.anchors.add(given["id"] or "")
        if tag == "link" or "src" in given:
            self.loads.append(given.get("href") or given.get("src") or "")


def test_the_reference_leads_nowhere_but_to_itself_and_runs_nothing(service: Service) -> None:
    somebody = service.caller(None)
    waiting, pages = ["/docs"], {}
    while waiting:
        path = waiting.pop()
        answer = somebody.get(path)
        assert answer.status_code == 200, path
        assert "default-src 'none'; style-src 'self'" in answer.headers["Content-Security-Policy"]
        pages[path] = Links(answer.text)
        assert pages[path].loads == ["/docs/style.css"]
        assert not pages[path].tags & {"script", "style", "iframe", "form"}
        assert 'style="' not in answer.text
        targets = {link.partition("#")[0] for link in pages[path].links}
        waiting += sorted(t for t in targets if t.startswith("/docs") and t not in {*pages, *waiting})
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if target.startswith("/docs") or not target:
                assert not anchor or anchor in pages[target or path].anchors, link


def test_the_reference_shows_every_operation_and_every_error(service: Service) -> None:
    somebody = service.caller(None)
    document = somebody.get("/v1/openapi.json").json()
    front = somebody.get("/docs").text
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f'#{operation["operationId"]}"' in front, path
    shown = Links(somebody.get("/docs/errors").text).anchors
    assert {each.code for each in describe_errors()} | {"internal_error"} <= shown
    refused = somebody.get("/v1/positions").json()
    assert refused["type"].partition("#")[2] in shown
    assert somebody.get(refused["type"].partition("#")[0]).status_code == 200
    assert somebody.get("/docs/nothing-here").status_code == 404
    assert somebody.get("/docs/style.css").headers["Content-Type"].startswith("text/css")


# A login of its own


def test_the_service_works_with_a_login_that_owns_nothing(copied: Living) -> None:
    """As docs/operate/database.md says: it may do what the acts may, and change no table."""
    role = "staddle_service_of_tests"
    with copied.database.owner() as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN NOINHERIT IN ROLE staddle_app")
        try:
            owner.execute(f"GRANT SELECT ON _yoyo_migration TO {role}")
            dsn = make_conninfo(copied.database.dsn, user=role)
            living = copy.copy(copied)
            with Database(dsn) as living.database, serving(living, STADDLE_METRICS_TOKEN=TOKEN) as service:
                assert service.caller(TOKEN).get("/readyz").json() == {"is_ready": True, "reasons": []}
                body = {"product": "USDT-FLEX", "amount": "2", "agreement_version": 1}
                assert service.customer("ada").post("/v1/subscriptions", body).status_code == 200
                service.passes(days=1)
                service.catch_up()
                with connect_owner(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("ALTER TABLE transfer DROP COLUMN amount")
        finally:
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")
