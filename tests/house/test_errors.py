"""The list of errors is complete, and none of it is dead."""

import ast
import re
from pathlib import Path

from staddle import errors
from staddle.db import Database
from staddle.errors import InvariantBroken, StaddleError
from staddle.ledger.constraints import ERRORS, INVARIANTS

SOURCE = Path(__file__).parents[2] / "src" / "staddle"
BRANCHES = set(StaddleError.__subclasses__())


def all_errors() -> set[type[StaddleError]]:
    found: set[type[StaddleError]] = set()
    todo = [StaddleError]
    while todo:
        todo += (below := todo.pop().__subclasses__())
        found |= set(below)
    return found


def names_in_code() -> set[str]:
    """Names of errors used anywhere but in the tree itself."""
    names = set()
    for file in SOURCE.rglob("*.py"):
        if file.parent.name == "errors":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Name):
                names.add(node.id)
    return names


def test_every_error_lives_in_the_one_tree() -> None:
    assert {error for error in all_errors() if not error.__module__.startswith("staddle.errors.")} == set()


def test_every_error_is_given_by_somebody() -> None:
    parents = {base for error in all_errors() for base in error.__bases__}
    used = names_in_code()
    edges_only = {"Unauthenticated"}  # A branch of the tree for the service; a branch may be empty.
    dead = {error.__name__ for error in all_errors() - BRANCHES - parents if error.__name__ not in used}
    assert dead - edges_only == set()


def test_codes_are_unique_and_every_error_has_a_sentence() -> None:
    codes = [error.code() for error in all_errors()]
    assert len(codes) == len(set(codes))
    for error in all_errors():
        sentence = error().message
        assert sentence.endswith((".", "?")), error
        assert sentence[0].isupper(), error


def test_an_invariant_broken_is_not_an_error_that_anybody_catches() -> None:
    assert not issubclass(InvariantBroken, StaddleError)
    for file in SOURCE.rglob("*.py"):
        if file.relative_to(SOURCE).parts[0] == "cli":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                assert "InvariantBroken" not in ast.unparse(node.type), f"{file}:{node.lineno}"


def test_each_error_says_by_its_branch_what_the_caller_can_do() -> None:
    exits = {branch.__name__: branch.exit_code for branch in BRANCHES}
    assert exits == {
        "Invalid": 2,
        "Unauthenticated": 2,
        "Forbidden": 4,
        "NotFound": 3,
        "Refused": 4,
        "Conflict": 4,
        "TooManyRequests": 75,
        "Unavailable": 75,
    }
    assert errors.QuotaFull().exit_code == 4


def test_every_constraint_with_a_name_of_its_own_is_mapped(database: Database) -> None:
    with database.owner() as owner:
        rows = owner.execute(
            """
            SELECT conname AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
             WHERE c.connamespace = 'public'::regnamespace AND NOT t.relispartition
            UNION
            SELECT i.relname FROM pg_index x
              JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
             WHERE i.relnamespace = 'public'::regnamespace AND x.indisunique AND NOT t.relispartition
            """
        ).fetchall()
    given_by_postgres = re.compile(r"_(pkey|fkey|key|check|not_null)\d*$|^_?yoyo")
    named = {row.name for row in rows if not given_by_postgres.search(row.name)}
    assert named - set(ERRORS) - INVARIANTS == set()
    there = {row.name for row in rows}
    assert (set(ERRORS) | INVARIANTS) - there == set()


def test_no_constraint_is_both_told_and_an_invariant() -> None:
    assert set(ERRORS) & INVARIANTS == set()
