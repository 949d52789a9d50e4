"""Functions and files stay short enough to be read in one go (style.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

SOURCE = Path(__file__).parents[2] / "src" / "staddle"
FILES = sorted(SOURCE.rglob("*.py"))


def functions() -> Iterator[tuple[str, int]]:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{file.relative_to(SOURCE)}:{node.name}", node.end_lineno - node.lineno + 1


def test_no_function_is_longer_than_seventy_lines() -> None:
    assert {name: lines for name, lines in functions() if lines > 70} == {}


def test_most_functions_are_short() -> None:
    assert median(lines for _, lines in functions()) <= 16


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {str(file.relative_to(SOURCE)): len(file.read_text().splitlines()) for file in FILES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(SOURCE)) for file in FILES if not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_every_public_function_and_class_says_what_it_is_for() -> None:
    silent = []
    for file in FILES:
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                silent += [] if ast.get_docstring(node) else [f"{file.relative_to(SOURCE)}:{node.name}"]
    assert silent == []
