"""A person, or a script, at the command line of a real desk: commands run in this process, as `staddle` runs them."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from psycopg.conninfo import conninfo_to_dict

from staddle.cli.app import ENTRIES
from staddle.cli.program import run

GROUPS = {entry.name for entry in ENTRIES if entry.is_group}


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        return json.loads(self.err)


@dataclass
class Shell:
    """Runs commands on one database and remembers which."""

    database: str = ""
    seen: set[str] = field(default_factory=set)

    def __call__(self, *arguments: str) -> Ran:
        """Run a command, whatever comes of it."""
        out, err = io.StringIO(newline=""), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(arguments)
        self.seen.add(" ".join(arguments[:2]) if arguments[0] in GROUPS else arguments[0])
        return Ran(code, out.getvalue(), err.getvalue())

    def done(self, *arguments: str) -> Any:
        """Run a command that must succeed, for its JSON."""
        ran = self(*arguments, "--json")
        assert ran.code == 0, ran.err or ran.out
        assert ran.err == ""
        return ran.json

    def refused(self, code: str, exit_code: int, *arguments: str) -> Any:
        """Run a command that must be refused, in both forms; gives the problem."""
        ran = self(*arguments, "--json")
        assert (ran.problem["code"], ran.code, ran.out) == (code, exit_code, "")
        assert ran.problem["exit_code"] == exit_code
        assert ran.problem["moved"] is False
        told = self(*arguments)
        assert told.code == exit_code
        assert told.err.startswith(code)
        assert "Traceback" not in told.err
        return ran.problem


def url_of(dsn: str) -> str:
    """Write a connection string as the URL that STADDLE_DATABASE_URL takes."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    name = quote(parts.pop("dbname"))
    return f"postgresql:///{name}?{urlencode(parts)}"


@contextmanager
def environment(dsn: str) -> Iterator[pytest.MonkeyPatch]:
    """The settings of somebody who works at this database."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STADDLE_HOME", "STADDLE_DATABASE", "STADDLE_OPERATOR", "STADDLE_SECRET_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("STADDLE_DATABASE_URL", url_of(dsn))
        patch.setenv("COLUMNS", "160")
        yield patch
