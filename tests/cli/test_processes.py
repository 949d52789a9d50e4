"""Commands as processes: a person at a terminal is asked, and two at once do a thing once."""

import json
import os
import pty
import signal
import subprocess
import sys

from tests.cli.shell import Shell

PROGRAM = [sys.executable, "-c", "from staddle.cli import main; main()"]


def answer(words: list[str], said: bytes) -> tuple[int, str, str]:
    """Run a command at a terminal and answer its question; gives exit code, output and what was asked."""
    person, terminal = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *words], stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True
    )
    os.close(terminal)
    asked = b""
    while b"[y/N]" not in asked:
        asked += os.read(person, 4096)
    os.write(person, said)
    out, _ = process.communicate(timeout=60)
    os.close(person)
    return process.returncode, out, asked.decode()


def test_leaving_early_shows_the_quote_and_asks(desk: Shell) -> None:
    desk.done("subscribe", "ann", "FIXED", "1000", "--accept", "1")
    desk.done("clock", "advance", "3d", "--with-runs")
    number = desk.done("positions", "ann")["positions"][0]["position_id"]
    before = desk("balances", "ann", "--json").out
    code, out, asked = answer(["leave", "ann", number], b"n\n")
    assert (code, out.split("\n")[0].strip()) == (0, "Nothing was moved.")
    assert "You get 999.561644 USDT now." in asked
    assert "2026-01-13" in asked
    assert desk("balances", "ann", "--json").out == before
    code, out, _ = answer(["leave", "ann", number], b"y\n")
    assert code == 0
    assert "will have had your 1000 USDT back" in out.replace("\n", " ")
    assert desk.done("positions", "ann")["positions"] == []


def test_where_nobody_can_be_asked_leaving_early_must_be_confirmed_in_words(desk: Shell) -> None:
    number = desk.done("subscribe", "ann", "FIXED", "1000", "--accept", "1")["position_id"]
    desk.refused("invalid_choice", 2, "leave", "ann", number)
    assert desk.done("leave", "ann", number, "--yes", "--key", "sure")["quote"]["returned"] == "1000.000000"
    assert desk.done("leave", "ann", number, "--yes", "--key", "sure")["quote"]["returned"] == "1000.000000"


def test_two_operators_at_once_with_one_key_do_it_once(desk: Shell) -> None:
    ask = ["treasury", "fund", "USDT", "5", "--as", "ada", "--key", "both", "--json"]
    propose = [
        "rates",
        "propose",
        "FLEX",
        "--apr",
        "0.01",
        "--at",
        "2027-01-01",
        "--as",
        "ada",
        "--key",
        "b",
        "--json",
    ]
    for words in (ask, propose):
        both = [subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
        assert len({each["approval_id"] for each in answers}) == 1
    assert len(desk.done("approvals", "list")["approvals"]) == 2


def test_a_command_killed_before_its_commit_is_repeated_with_its_key(desk: Shell) -> None:
    words = ["deposit", "ann", "USDT", "5", "--key", "cut", "--json"]
    environ = os.environ | {"STADDLE_TEST_FAILPOINT": "deposit.stored"}
    killed = subprocess.run([*PROGRAM, *words], env=environ, capture_output=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert desk.done("deposit", "ann", "USDT", "5", "--key", "cut")["is_replay"] is False
    assert desk.done("balances", "ann")["assets"][0]["spot"] == "20005.000000"
