"""`make run` serves a desk that the integrators' guide is true of: every block of it is run, as a newcomer would."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "integrate"
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n```text\n(.*?)```)?", re.DOTALL)
COMMAND = [str(Path(sys.executable).parent / "staddle"), "demo", "--serve", "--quiet"]


@dataclass(frozen=True)
class Served:
    """A demo desk that is served, and what it has printed."""

    process: "subprocess.Popen[bytes]"
    address: str
    printed: str

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.printed)
        assert match is not None, self.printed
        return match[1]

    def password_of(self, email: str) -> str:
        return self.found(rf"{re.escape(email)}\s+(\S+)")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("STADDLE_")}
    environ |= {"STADDLE_HOME": str(folder), "STADDLE_LISTEN": f"127.0.0.1:{port}", "COLUMNS": "100"}
    output = folder / "output"
    with output.open("wb") as written:
        process = subprocess.Popen(
            [*COMMAND, "--customers", "12", "--days", "2"], env=environ, stdout=written, stderr=written
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(process, address, output)
        yield Served(process, address, output.read_text())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_until_ready(process: "subprocess.Popen[bytes]", address: str, output: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, output.read_text()
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(output.read_text())


def run_in_bash(script: str, folder: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    (folder / "src").symlink_to(ROOT / "src")
    return subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=folder,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_line_with_the_api_key_works_when_pasted(served: Served, tmp_path: Path) -> None:
    line = served.found(r"(?m)^(curl .*)$")
    done = run_in_bash(line, tmp_path, {})
    assert '"position_id"' in done.stdout
    assert '"product":"' in done.stdout


def test_each_login_that_is_printed_signs_in(served: Served) -> None:
    for email, kind in (
        ("ada-000@demo.example", "customer"),
        ("ben-001@demo.example", "customer"),
        ("alice@demo.example", "operator"),
        ("bob@demo.example", "operator"),
        ("carol@demo.example", "operator"),
    ):
        body = {"kind": kind, "email": email, "password": served.password_of(email)}
        answer = httpx.post(f"{served.address}/v1/sign-in", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["token"].startswith("stds_")


def test_the_guide_is_true_from_its_first_block_to_its_last(served: Served, tmp_path: Path) -> None:
    blocks = BLOCK.findall((GUIDE / "README.md").read_text())
    script = "set -euo pipefail\n" + "".join(
        f"echo '@@{number}'\n{code}\n" for number, (code, _) in enumerate(blocks)
    )
    environ = {
        "ADDRESS": served.address,
        "CLIENT_ID": "demo-exchange",
        "CLIENT_SECRET": served.found(r"secret (stdp_\S+)"),
        "ADMIN": "alice@demo.example",
        "ADMIN_PASSWORD": served.password_of("alice@demo.example"),
    }
    done = run_in_bash(script, tmp_path, environ)
    printed = re.split(r"@@\d+\n", done.stdout)[1:]
    assert len(blocks) > 12
    assert [*zip(printed, [expected for _, expected in blocks], strict=False)] == [
        (expected, expected) for _, expected in blocks
    ], done.stderr
    assert done.returncode == 0


def test_the_signature_check_of_the_guide_takes_what_is_signed_and_nothing_else() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (GUIDE / "webhooks.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    receive = names["receive"]
    assert callable(receive)
    secret = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.now(UTC)
    body = '{"type":"deposit"}'
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body),
    }
    assert receive(secret, headers, body.encode()) == {"type": "deposit"}
    with pytest.raises(WebhookVerificationError):
        receive(secret, headers, body.replace("deposit", "refund").encode())


def test_stopping_the_demo_leaves_nothing_behind(served: Served) -> None:
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(60) == 0
    environs = [path for path in Path("/proc").glob("[0-9]*/environ") if is_of(path, served.address)]
    assert environs == []


def is_of(environ: Path, address: str) -> bool:
    """Say whether a process was started with this address to listen on."""
    try:
        return f"STADDLE_LISTEN={address.removeprefix('http://')}\0".encode() in environ.read_bytes()
    except OSError:
        return False  # it has just ended, or is somebody else's
