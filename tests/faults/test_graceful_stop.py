"""However the service ends, each request ends done once or not at all, and its key says which (issue 3, lines 5, 9)."""

import contextlib
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.api.load import CALLERS, Load, desk_for_load, subscribe, tokens_of, under_load
from tests.api.world import Service, serving, session_of_customer
from tests.living import Living, assert_audited

from staddle.db import Database


@pytest.fixture
def living(database: Database) -> Living:
    return desk_for_load(database)


@pytest.fixture
def tokens(living: Living) -> list[str]:
    return tokens_of(living)


def assert_each_was_done_once(service: Service, load: Load, living: Living) -> None:
    """Repeat every request by its key: all are done now, each once, and whoever had an answer gets the same again."""
    by_caller: dict[int, list[str]] = {}
    for caller, key in load.answers:
        by_caller.setdefault(caller, []).append(key)

    def again(caller: int) -> None:
        with httpx.Client(base_url=service.url, timeout=30) as http:
            for key in by_caller[caller]:
                repeated = subscribe(http, load.tokens[caller], key)
                first = load.answers[caller, key]
                assert repeated.status_code == 200, repeated.text
                if first is not None and first.status_code == 200:
                    assert repeated.headers["Idempotent-Replayed"] == "true"
                    assert repeated.json() == first.json()

    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(again, by_caller))
    opened = living.rows("SELECT count(*) AS count FROM position WHERE principal = 1")[0].count
    assert opened == len(load.answers)
    assert_audited(living.database)


def end(service: Service, number: signal.Signals) -> tuple[int, float]:
    """Send a signal to the first process and wait for its end; gives its exit code and the seconds it took."""
    began_at = time.monotonic()
    service.process.send_signal(number)
    return service.process.wait(timeout=30), time.monotonic() - began_at


def processes_of(service: Service) -> list[int]:
    """The processes that the first one has started, by whichever of its threads."""
    tasks = Path(f"/proc/{service.process.pid}/task")
    listed = " ".join(file.read_text() for file in tasks.glob("*/children"))
    return [int(pid) for pid in listed.split()]


def test_a_stop_under_load_answers_what_has_begun_and_loses_nothing(
    living: Living, tokens: list[str]
) -> None:
    with serving(living, processes=2) as service:
        with under_load(service, tokens) as load:
            code, seconds = end(service, signal.SIGTERM)
        assert code == 0
        assert seconds < 25
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{service.url}/livez")
        statuses = {answer.status_code for answer in load.answers.values() if answer is not None}
        assert statuses == {200}
        assert load.answered > 40
        service.process = service.start.begin()
        assert_each_was_done_once(service, load, living)


def test_a_stop_waits_for_nobody_who_says_nothing(living: Living) -> None:
    """Silent connections, half a request line, half a body and streams without an end do not hold the service up."""
    with serving(living, STADDLE_BODY_SECONDS="2", STADDLE_IDLE_SECONDS="2") as service:
        address = ("127.0.0.1", service.start.port)
        head = b"POST /v1/transfers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        half_body = head + b"Content-Length: 9\r\n\r\n{"
        silent = [socket.create_connection(address) for _ in range(4)]
        silent[1].send(b"GET /li")
        silent[2].send(half_body)
        token = session_of_customer(living.database, "customer-0")
        silent[3].send(
            f"GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        assert b"text/event-stream" in silent[3].recv(4_096)
        time.sleep(0.2)
        code, seconds = end(service, signal.SIGTERM)
        assert code == 0
        assert seconds < 10
        for each in silent:
            each.close()


def test_a_stop_is_heard_by_processes_that_have_not_begun(living: Living) -> None:
    with serving(living, processes=2) as service:
        os.kill(processes_of(service)[0], signal.SIGKILL)
        until = time.monotonic() + 20
        while len(processes_of(service)) < 2 and time.monotonic() < until:
            time.sleep(0.001)
        code, seconds = end(service, signal.SIGTERM)
        assert (code, seconds < 10) == (0, True)


def test_a_process_that_is_killed_is_replaced_and_the_others_go_on(living: Living, tokens: list[str]) -> None:
    with serving(living, processes=2) as service:
        with under_load(service, tokens, is_patient=True) as load:
            before = processes_of(service)
            os.kill(before[0], signal.SIGKILL)
            answered = load.answered
            until = time.monotonic() + 20
            while time.monotonic() < until and (
                len(set(processes_of(service)) - {before[0]}) < 2 or load.answered < answered + 50
            ):
                time.sleep(0.02)
            assert load.answered >= answered + 50
        assert len(set(processes_of(service)) - {before[0]}) == 2
        assert_each_was_done_once(service, load, living)


@pytest.mark.parametrize("place", ["subscribe.locked", "subscribe.written", "subscribe.stored"])
def test_processes_killed_in_the_middle_of_a_batch_lose_nothing(
    living: Living, tokens: list[str], place: str
) -> None:
    armed = {"STADDLE_TEST_FAILPOINT": f"{place}#5"}
    with serving(living, 2, None, **armed) as service:
        with under_load(service, tokens, answered=1_000_000) as load:
            pass  # nobody goes on for longer than their process lives
        assert any(answer is None for answer in load.answers.values())
        kill_all(service)
        service.start.environ.clear()
        service.process = service.start.begin()
        assert_each_was_done_once(service, load, living)


def test_a_service_killed_with_all_its_processes_loses_nothing(living: Living, tokens: list[str]) -> None:
    with serving(living, processes=2) as service:
        with under_load(service, tokens) as load:
            kill_all(service)
        service.process = service.start.begin()
        assert_each_was_done_once(service, load, living)


def test_when_only_the_first_process_is_killed_the_others_end_by_themselves(living: Living) -> None:
    with serving(living, processes=2) as service:
        others = processes_of(service)
        assert len(others) == 2
        end(service, signal.SIGKILL)
        until = time.monotonic() + 20
        while any(is_alive(pid) for pid in others) and time.monotonic() < until:
            time.sleep(0.02)
        assert not any(is_alive(pid) for pid in others)
        service.process = service.start.begin()


def test_a_batch_that_goes_wrong_as_a_whole_is_done_one_by_one(living: Living, tokens: list[str]) -> None:
    armed = {"STADDLE_TEST_FAILPOINT": "subscribe.written#4", "STADDLE_TEST_FAILPOINT_ACTION": "raise"}
    token = "of-the-operators-0123456789"
    with serving(living, 1, None, STADDLE_METRICS_TOKEN=token, **armed) as service:
        with under_load(service, tokens, answered=200) as load:
            pass
        told = httpx.get(f"{service.url}/metrics", headers={"Authorization": f"Bearer {token}"}).text
        statuses = [answer.status_code for answer in load.answers.values() if answer is not None]
        # Alone in its batch, the request that met the fault is told; in company, nobody notices.
        failed = statuses.count(500)
        assert statuses.count(200) + failed == len(statuses)
        assert failed + int('staddle_batch_alone_total{act="subscribe"} 1.0' in told) == 1
        assert_each_was_done_once(service, load, living)


def test_whoever_hangs_up_after_asking_has_it_done_and_the_key_says_so(
    living: Living, tokens: list[str]
) -> None:
    body = '{"product": "FLEX", "amount": "1", "agreement_version": 1}'
    with serving(living, processes=2) as service:
        load = Load(service.url, tokens)
        for caller, token in enumerate(tokens):
            key = f"key {caller} gone"
            load.answers[caller, key] = None
            with socket.create_connection(("127.0.0.1", service.start.port)) as gone:
                head = (
                    f"POST /v1/subscriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                    f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                sent = head + body
                # Every other one hangs up before the body has come to its end.
                gone.send(sent.encode() if caller % 2 else sent[:-5].encode())
        assert_each_was_done_once(service, load, living)


def test_the_worker_beside_the_service_is_started_again_and_stops_with_it(living: Living) -> None:
    token = "of-the-operators-0123456789"
    with serving(living, STADDLE_METRICS_TOKEN=token) as service:
        end(service, signal.SIGTERM)
        service.start.worker = "--worker"
        service.process = service.start.begin()
        first = wait_for_worker(service)
        os.kill(first, signal.SIGKILL)
        second = wait_for_worker(service, but=first)
        until = time.monotonic() + 30
        while leaders(service, token) != 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert leaders(service, token) == 1
        others = processes_of(service)
        assert second in others
        code, seconds = end(service, signal.SIGTERM)
        assert (code, seconds < 25) == (0, True)
        assert not any(is_alive(pid) for pid in others)


def test_a_stop_that_everybody_hears_at_once_is_orderly_too(living: Living) -> None:
    """As a terminal and systemd tell it: to every process of the group."""
    with serving(living, processes=2) as service:
        for pid in processes_of(service):
            os.kill(pid, signal.SIGTERM)
        code, _ = end(service, signal.SIGTERM)
        assert code == 0


def wait_for_worker(service: Service, but: int = 0) -> int:
    """Wait until the process that keeps the schedule is there; gives its id."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for pid in processes_of(service):
            with contextlib.suppress(OSError):
                if pid != but and b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        time.sleep(0.02)
    raise AssertionError("there is no worker")


def leaders(service: Service, token: str) -> int:
    """How many processes of the service say that they keep the schedule."""
    told = httpx.get(f"{service.url}/metrics", headers={"Authorization": f"Bearer {token}"}).text
    return sum(
        int(float(line.split()[1])) for line in told.splitlines() if line.startswith("staddle_is_leader ")
    )


def kill_all(service: Service) -> None:
    """Kill every process of the service at one moment, as a machine that loses power does."""
    with contextlib.suppress(ProcessLookupError):
        others = processes_of(service) if service.process.poll() is None else []
        for pid in [service.process.pid, *others]:
            os.kill(pid, signal.SIGKILL)
    service.process.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", service.start.port)):
            time.sleep(0.02)
            continue
        return


def is_alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
