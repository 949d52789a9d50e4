"""Named SQL statements: one `queries.sql` per room, each statement with its name and its purpose over it.

    -- name: lock_cells
    -- Hold the cells of one act, in order, so that two acts never wait for each other in a circle.
    SELECT ...

Used as `sql = queries(__package__)` and then `tx.execute(sql.lock_cells, {"cells": [1, 2]})`.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEAD = re.compile(r"^--\s*name:(?P<name>.*)$")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Queries:
    """The statements of one room as attributes; an unknown one raises AttributeError with the file's name."""

    def __init__(self, source: str, statements: dict[str, str], purposes: dict[str, str]) -> None:
        self._source = source
        self._statements = statements
        self.purposes = purposes
        """What each statement is for, by its name, in file order."""

    # LiteralString is what psycopg wants of SQL that no user has written, as is what a file of ours holds.
    def __getattr__(self, name: str) -> LiteralString:
        try:
            return cast(LiteralString, self.__dict__["_statements"][name])
        except KeyError:
            raise AttributeError(
                f"no statement is named {name!r} in {self.__dict__.get('_source')}"
            ) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._statements]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


@cache
def queries(package: str) -> Queries:
    """Load `queries.sql` of the package, once; a malformed file raises ValueError with file and line."""
    source = f"{package.replace('.', '/')}/queries.sql"
    return parse_queries(files(package).joinpath("queries.sql").read_text(encoding="utf-8"), source)


def parse_queries(text: str, source: str) -> Queries:
    """Cut the text of a `queries.sql` into statements. `source` is only for messages."""
    statements: dict[str, str] = {}
    purposes: dict[str, str] = {}
    for number, name, lines in _blocks(text, source):
        if not _NAME.fullmatch(name) or hasattr(Queries, name) or name == "purposes":
            raise ValueError(f"{source}:{number}: {name!r} is not a name: lower-case letters, digits, _")
        if name in statements:
            raise ValueError(f"{source}:{number}: {name!r} is there twice")
        purpose = lines[0].removeprefix("--").strip() if lines and lines[0].startswith("--") else ""
        if not purpose:
            raise ValueError(
                f"{source}:{number}: {name!r} has no comment under its name that says what it is for"
            )
        statement = "\n".join(lines[1:]).strip()
        if all(not line.strip() or line.lstrip().startswith("--") for line in statement.splitlines()):
            raise ValueError(f"{source}:{number}: {name!r} has no SQL")
        statements[name] = statement
        purposes[name] = purpose
    return Queries(source, statements, purposes)


def _blocks(text: str, source: str) -> Iterator[tuple[int, str, list[str]]]:
    """Give line number, name and following lines of each statement; none may stand before the first name."""
    current: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        head = _HEAD.match(line)
        if head:
            if current:
                yield current
            current = (number, head["name"].strip(), [])
        elif current:
            current[2].append(line)
        elif line.strip() and not line.startswith("--"):
            raise ValueError(f"{source}:{number}: SQL before the first '-- name:'")
    if current:
        yield current
