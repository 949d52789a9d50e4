"""Writes docs/reference/ from the code: errors, commands, acts, the chart, settings. `make docs` runs it.

`python docs/make_reference.py --check` writes nothing and fails if a page is not what the code says.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from staddle import config, errors
from staddle.cli.app import ENTRIES, load
from staddle.ledger.chart import MOVES, AccountKind

ROOMS = ["ledger", "desk", "products", "customers", "notices", "identity", "positions", "rewards", "treasury"]
PAGES = Path(__file__).parent / "reference"
MADE = "<!-- Made from the code by docs/make_reference.py; edit the code, then run `make docs`. -->\n\n"


def sentence(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def branches() -> list[type[errors.StaddleError]]:
    """The first level of the error tree."""
    return errors.StaddleError.__subclasses__()


def leaves(branch: type[errors.StaddleError]) -> Iterator[type[errors.StaddleError]]:
    """All errors below a branch, each followed by its own kinds."""
    for error in branch.__subclasses__():
        yield error
        yield from leaves(error)


def errors_page() -> str:
    """Every error with its stable code, by what the caller can do."""
    lines = [
        "# Errors",
        "",
        "An error means that nothing was moved. The code is stable; the sentence may improve.",
        "",
    ]
    for branch in branches():
        lines += [f"## {branch.__name__}", "", f"{sentence(branch)} Exit code {branch.exit_code}.", ""]
        lines += ["| code | what it says |", "|---|---|"]
        lines += [f"| `{error.code()}` | {sentence(error)} |" for error in leaves(branch)] + [""]
    lines += ["## InvariantBroken", "", f"{sentence(errors.InvariantBroken)} Exit code 70.", ""]
    return "\n".join(lines)


def chart_page() -> str:
    """Every permitted move of money."""
    lines = ["# Chart", "", "Every permitted move of money; the database refuses all others.", ""]
    lines += ["| transfer | from (debit) | to (credit) |", "|---|---|---|"]
    for kind, moves in MOVES.items():
        lines += [f"| {kind} | {_word(debit)} | {_word(credit)} |" for debit, credit in sorted(moves)]
    return "\n".join(lines) + "\n"


def _word(kind: AccountKind) -> str:
    return kind.name.lower().replace("_", " ")


def acts_page() -> str:
    """What each room offers to the rooms above it."""
    lines = [
        "# Rooms and their functions",
        "",
        "Arguments come in the order `tx, who, what, how much, key, now`.",
        "",
    ]
    for room in ROOMS:
        module = importlib.import_module(f"staddle.{room}")
        lines += [f"## {room}", "", sentence(module), ""]
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                lines += [f"### `{name}{_signature(thing)}`", "", inspect.getdoc(thing) or "", ""]
            elif inspect.isclass(thing):
                lines += [f"### `{name}`", "", inspect.getdoc(thing) or "", ""]
    return "\n".join(lines)


def _signature(function: object) -> str:
    names = [str(parameter).split(":")[0] for parameter in inspect.signature(function).parameters.values()]  # type: ignore[arg-type]
    return f"({', '.join(names)})"


def commands_page() -> str:
    """Every command of the command line with its options."""
    lines = ["# Commands", "", "Every command has `--help` and `--json`.", ""]
    panel = None
    for entry in ENTRIES:
        if entry.panel != panel:
            panel = entry.panel
            lines += [f"## {panel}", ""]
        for path, command in walk(f"staddle {entry.name}", load(entry)):
            lines += command_lines(path, command)
    return "\n".join(lines)


def command_lines(path: str, command: Any) -> list[str]:
    """One command: what it is for, how it is written, its options."""
    lines = [f"### {path}", "", " ".join((command.help or "").split()), ""]
    if hasattr(command, "commands"):
        return lines
    context = command.context_class(command, info_name=path)
    lines += ["```text", f"{path} {' '.join(command.collect_usage_pieces(context))}", "```", ""]
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in record[0]:
            lines.append(f"- `{record[0]}` {' '.join(record[1].split())}")
    return [*lines, ""]


def walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command and all below it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            yield from walk(f"{path} {name}", below)


def settings_page() -> str:
    """Every setting of the environment."""
    lines = ["# Settings", "", "Read once from the environment; a mistake is named with its setting.", ""]
    lines += ["```text", *(inspect.getdoc(config) or "").split("\n\n", 1)[1].splitlines(), "```", ""]
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """All pages by file name."""
    return {
        "errors.md": MADE + errors_page(),
        "chart.md": MADE + chart_page(),
        "rooms.md": MADE + acts_page(),
        "commands.md": MADE + commands_page(),
        "settings.md": MADE + settings_page(),
    }


def main() -> int:
    """Write the pages, or with --check say which are out of date."""
    PAGES.mkdir(exist_ok=True)
    stale = []
    for name, text in pages().items():
        path = PAGES / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text)
    if "--check" in sys.argv and stale:
        sys.stderr.write(f"out of date, run `make docs`: {', '.join(stale)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
