"""`staddle deposits import` is killed in mid-file, in both modes; begun again, every line is there once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.faults.books import books_of, differences, prove
from tests.faults.lived import number_of
from tests.faults.processes import ROOT
from tests.living import START, Living

from staddle.customers.import_file import CHUNK
from staddle.db import Database

LINES = 2 * CHUNK + 500
"""Three chunks."""


def staddle(
    database: Database, *arguments: str, place: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """A command of ours, upon this desk."""
    parts = conninfo_to_dict(database.dsn)
    url = f"postgresql://{parts.get('user', '')}@/{database.name}?host={quote(str(parts['host']), safe='')}"
    url += f"&port={parts.get('port', 5432)}"
    environ = {**os.environ, "STADDLE_DATABASE_URL": url}
    environ.pop("STADDLE_DATABASE", None)
    if place is not None:
        environ["STADDLE_TEST_FAILPOINT"] = place
    command = [sys.executable, "-c", "from staddle.cli import main; main()", *arguments]
    return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)


def deposits(path: Path) -> str:
    lines = [f"c{number % 40},USDT,spot,{number % 9 + 1}.5,ref {number}" for number in range(LINES)]
    path.write_text("\n".join(["customer,asset,account,amount,reference", *lines, ""]))
    return str(path)


@pytest.fixture
def desk(make_database: Callable[[], Database]) -> Callable[[], Database]:
    """Desks with forty customers and a coin."""

    def make() -> Database:
        living = Living(make_database(), start=START)
        living.asset("USDT")
        for number in range(40):
            living.customer(f"c{number}")
        return living.database

    return make


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_an_import_killed_in_mid_file_leaves_no_half_chunk_and_can_be_begun_again(
    on_error: str, desk: Callable[[], Database], tmp_path: Path
) -> None:
    whole, killed = desk(), desk()
    file = deposits(tmp_path / "deposits.csv")
    import_it = ("deposits", "import", file, "--on-error", on_error)
    done = staddle(whole, *import_it)
    assert done.returncode == 0, done.stderr + done.stdout
    assert number_of(whole, "SELECT count(*) FROM transfer WHERE kind = 'deposit'") == LINES
    for place, chunks in (("post.moved#2", 1), ("deposit.stored#2", 2)):
        assert staddle(killed, *import_it, place=place).returncode == -signal.SIGKILL
        there = number_of(killed, "SELECT count(*) FROM transfer WHERE kind = 'deposit'")
        assert there == (chunks * CHUNK if on_error == "skip" else 0), "whole chunks or nothing"
        prove(killed)
    assert staddle(killed, *import_it).returncode == 0
    assert differences(books_of(killed), books_of(whole)) == {}
    assert staddle(killed, *import_it).returncode == 0, "a third time nothing is left to do"
    assert differences(books_of(killed), books_of(whole)) == {}
