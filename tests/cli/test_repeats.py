"""The same key never does the same thing twice, and never something else (product.md rule 15)."""

from typing import Any

import pytest
from tests.cli.shell import Shell

WRITES = [
    ["deposit", "ann", "USDT", "5"],
    ["withdraw", "ann", "USDT", "5"],
    ["transfer", "ann", "USDT", "5", "--from", "spot", "--to", "funding"],
    ["subscribe", "ann", "FLEX", "5", "--accept", "1"],
    ["assets", "add", "ETH", "Ether", "--as", "ada"],
    ["rates", "propose", "FLEX", "--apr", "0.01", "--at", "2027-01-01", "--as", "ada"],
    ["treasury", "fund", "USDT", "5", "--as", "ada"],
    ["products", "halt", "FLEX", "subscribing", "--reason", "x", "--as", "ada"],
    ["clock", "advance", "1d", "--as", "ada"],
]


def everything(desk: Shell) -> Any:
    shown = [desk("balances", "ann", "--json").out, desk("approvals", "list", "--json").out]
    return [*shown, desk("desk", "log", "--json").out, desk("clock", "show", "--json").out]


@pytest.mark.parametrize("command", WRITES, ids=lambda command: " ".join(command[:2]))
def test_a_repeat_gives_the_stored_answer_and_does_nothing(desk: Shell, command: list[str]) -> None:
    first = desk.done(*command, "--key", "once")
    after = everything(desk)
    again = desk.done(*command, "--key", "once")
    assert everything(desk) == after
    if command[0] != "clock":
        assert again == {**first, "is_replay": True}
    changed = [
        {"5": "6", "ETH": "DOT", "1d": "2d", "x": "y", "0.01": "0.02"}.get(word, word) for word in command
    ]
    desk.refused("request_key_reused", 4, *changed, "--key", "once")
    assert everything(desk) == after


def test_a_key_is_made_and_printed_when_none_is_given(desk: Shell) -> None:
    first, second = (desk.done("deposit", "ann", "USDT", "1")["key"] for _ in range(2))
    assert first != second
    assert desk.done("balances", "ann")["assets"][0]["spot"] == "20002.000000"


def test_a_refusal_is_kept_under_its_key_too(desk: Shell) -> None:
    command = ["subscribe", "ann", "FLEX", "30000", "--accept", "1", "--key", "late"]
    desk.refused("insufficient_funds", 4, *command)
    desk.done("deposit", "ann", "USDT", "50000")
    desk.refused("insufficient_funds", 4, *command)
