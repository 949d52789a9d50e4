"""Telling what went wrong: one sentence for people, problem details for machines, the exit code for scripts."""

import json
import sys
from typing import Any

import psycopg
from rich.markup import escape
from typer.exceptions import TyperException

from staddle.cli.answer import document
from staddle.cli.show import console_of
from staddle.errors import DatabaseUnavailable, Invalid, InvariantBroken, StaddleError
from staddle.ledger.constraints import error_of_database

EXIT_BUG = 70
EXIT_INTERRUPTED = 130


def refuse(error: BaseException, is_json: bool) -> int:
    """Print an error to standard error and give the exit code of design.md section 7."""
    problem = problem_of(error)
    if is_json:
        print(json.dumps(problem, ensure_ascii=False), file=sys.stderr)  # noqa: T201
    else:
        show(problem)
    return int(problem["exit_code"])


def problem_of(error: BaseException) -> dict[str, Any]:
    """Describe an error as problem details: code, message, details, and whether anything moved (None: not known)."""
    if isinstance(error, TyperException):
        return _problem(Invalid.code(), _sentence(error.format_message()), {}, Invalid.exit_code)
    error = error_of_database(error) or error
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        error = DatabaseUnavailable(f"The database failed: {str(error).splitlines()[0]}")
    if isinstance(error, StaddleError):
        return _problem(
            error.code(),
            error.message,
            document(error.details, {}),
            error.exit_code,
            None if error.may_have_moved else False,
        )
    if isinstance(error, KeyboardInterrupt):
        return _problem("interrupted", "Interrupted.", {}, EXIT_INTERRUPTED, None)
    what = str(error) or type(error).__name__
    if isinstance(error, InvariantBroken):
        return _problem(
            "invariant_broken", f"A promise of the books does not hold: {what}", {}, EXIT_BUG, None
        )
    return _problem(
        "bug", f"This is a mistake in Staddle: {type(error).__name__}: {what}", {}, EXIT_BUG, None
    )


def _problem(
    code: str, message: str, details: dict[str, Any], exit_code: int, moved: bool | None = False
) -> dict[str, Any]:
    return {
        "type": f"urn:staddle:error:{code}",
        "code": code,
        "message": message,
        "details": details,
        "moved": moved,
        "exit_code": exit_code,
    }


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "?", "!")) else f"{text}."


def show(problem: dict[str, Any]) -> None:
    """Say it to a person: what happened, what it means for the money."""
    console = console_of(sys.stderr)
    console.print(f"[bold red]{escape(problem['code'])}[/]  {escape(problem['message'])}", soft_wrap=True)
    for bad in problem["details"].get("problems", [])[:20]:
        place = f"line {bad['line']}" + (f", {bad['column']}" if bad.get("column") else "")
        console.print(f"  {place}: {escape(bad['reason'])}", soft_wrap=True)
    if problem["moved"] is None and problem["exit_code"] != EXIT_BUG:
        console.print("[dim]Whether anything was moved is not known: repeat it with the same --key.[/]")
    if (
        problem["moved"] is False
        and problem["code"] != Invalid.code()
        and "othing was" not in problem["message"]
    ):
        console.print("[dim]Nothing was moved.[/]")
