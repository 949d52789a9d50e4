"""Issue 2, line 6: every error that the rooms of the desk can raise is met by some test, under its own name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from staddle import errors
from staddle.errors import StaddleError

ROOT = Path(__file__).parents[2]
ROOMS = ("ledger", "desk", "products", "customers", "notices", "positions", "rewards", "treasury")
BRANCHES = {StaddleError, *StaddleError.__subclasses__()}


def classes() -> dict[str, type[StaddleError]]:
    """Every class of the tree that can be raised, by its name."""
    found = {name: each for name, each in vars(errors).items() if isinstance(each, type)}
    return {
        name: each for name, each in found.items() if issubclass(each, StaddleError) and each not in BRANCHES
    }


def raised_in(source: str) -> Iterator[str]:
    """The names of what a module raises, makes for an outcome, or hands on as a value."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.id if isinstance(node, ast.Name) else node.attr


def raisable() -> set[str]:
    """What the rooms below the edges can raise."""
    names = {
        name
        for room in ROOMS
        for file in (ROOT / "src/staddle" / room).rglob("*.py")
        for name in raised_in(file.read_text())
    }
    names |= set(raised_in((ROOT / "src/staddle/money.py").read_text()))
    names |= set(raised_in((ROOT / "src/staddle/days.py").read_text()))
    return names & set(classes())


def test_every_refusal_that_an_act_can_raise_is_met_by_a_test() -> None:
    tests = [file for file in (ROOT / "tests").rglob("test_*.py") if file != Path(__file__)]
    words = {word for file in tests for word in re.findall(r"\w+", file.read_text())}
    missing = {name for name in raisable() if name not in words and classes()[name].code() not in words}
    assert missing == set()
