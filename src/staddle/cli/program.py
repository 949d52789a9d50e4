"""The program: runs one command, and is the one place where errors become exit codes."""

import os
import sys
from collections.abc import Sequence

from staddle.cli.app import is_bare_group, tree
from staddle.errors import InvalidAmount


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code. Everything that goes wrong is one sentence, never a traceback."""
    if is_bare_group(arguments):
        arguments = [*arguments, "--help"]
    try:
        refuse_negative_amounts(arguments)
        return int(tree.main(args=list(arguments), prog_name="staddle", standalone_mode=False) or 0)
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        from staddle.cli.refuse import refuse  # noqa: PLC0415  help needs none of what this needs

        if os.environ.get("STADDLE_TEST_TRACEBACK"):
            raise
        return refuse(error, is_json="--json" in arguments)


def refuse_negative_amounts(arguments: Sequence[str]) -> None:
    """Refuse something like `-5`, which would otherwise be taken for an option that is not there."""
    before_the_end = arguments[: list(arguments).index("--")] if "--" in arguments else arguments
    for each in before_the_end:
        if each[:1] == "-" and each[1:2].isdecimal():
            raise InvalidAmount(f"{each[:40]!r} is not a plain decimal number such as 12.5.")
