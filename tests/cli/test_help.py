"""`staddle --help` is grouped, complete and quick; every command speaks to machines too."""

import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.shell import Shell

from staddle import __version__
from staddle.cli.app import ENTRIES, load

STAMP = re.compile(r"\x1b\[[0-9;]*m")
SANDBOX_OR_FILE = {"desk create", "operators add", "customers import", "deposits import"}
"""Writes that are their own key: a name, or a reference in each line."""
RUNS = {"rewards plan", "rewards run", "rewards catch-up", "tick", "seal", "audit", "clock set", "demo"}
"""Commands whose repeat does nothing more by their nature."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command, groups taken apart, as (what is typed, command)."""
    for entry in ENTRIES:
        yield from taken_apart(entry.name, load(entry))


def taken_apart(typed: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or all that there is below a group."""
    if not hasattr(command, "commands"):
        yield typed, command
        return
    for name, below in command.commands.items():
        yield from taken_apart(f"{typed} {name}", below)


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def staddle(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from staddle.cli import main; main()", *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)


def test_help_lists_the_commands_in_their_panels() -> None:
    text = STAMP.sub("", staddle("--help").stdout)
    panels = re.findall(r"^╭─ (.*?) ─+╮$", text, re.MULTILINE)
    assert panels == [
        "Options", "Desk", "Products and rates", "Customers and money", "Staking", "Rewards", "Treasury", "Proof",
        "Sandbox",
    ]  # fmt: skip
    listed = re.findall(r"^│ ([a-z][a-z-]+) ", text, re.MULTILINE)
    assert listed == [entry.name for entry in ENTRIES]


def test_help_comes_in_less_than_half_a_second() -> None:
    """Measured by the processor's time, so that a busy machine is not mistaken for a slow program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert staddle("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.5


def test_help_loads_no_database() -> None:
    look = (
        "import sys; from staddle.cli.program import run; run(['--help']); sys.exit('psycopg' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", look], capture_output=True, check=False, timeout=60).returncode
        == 0
    )


def test_every_command_has_help_and_json() -> None:
    for name, command in commands():
        assert command.help, name
        assert "--json" in options_of(command) or name == "serve", (
            name
        )  # it answers over HTTP, and nothing here


def test_every_write_has_a_key_and_says_who_acts() -> None:
    for name, command in commands():
        if "--as" not in options_of(command) or name in SANDBOX_OR_FILE | RUNS:
            continue
        assert "--key" in options_of(command), name


@pytest.mark.parametrize("arguments", [[], ["rewards"], ["-h"], ["subscribe", "--help"]])
def test_help_is_never_an_error(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*(arguments or ["--help"]))
    assert ran.code == 0
    assert "Usage: staddle" in STAMP.sub("", ran.out)


def test_the_program_says_which_version_it_is(shell: Shell) -> None:
    ran = shell("--version")
    assert (ran.code, ran.out) == (0, f"staddle {__version__}\n")


NO_COMMANDS = [["nonsense"], ["rewards", "nonsense"], ["subscribe"], ["balances", "ann", "--no"]]


@pytest.mark.parametrize("arguments", NO_COMMANDS)
def test_what_is_no_command_is_one_sentence(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("invalid  ")
    assert len(ran.err.strip().splitlines()) == 1
    assert shell(*arguments, "--json").problem["code"] == "invalid"


def test_output_that_nobody_reads_to_its_end_is_no_error() -> None:
    program = f"{sys.executable} -c 'from staddle.cli import main; main()' errors list | head -1"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ran.stderr
