"""One real PostgreSQL for the whole run, and a fresh, migrated database for each test that asks for one.

By default the embedded server in a folder of its own, without fsync. STADDLE_TEST_BIN_DIR takes another
PostgreSQL's programs through the same lifecycle; STADDLE_TEST_DATABASE_URL takes a server that is already
there.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from staddle.config import Config
from staddle.db import Database, Server, Tx, open_server
from staddle.db.connect import connect_owner
from staddle.db.databases import create_database, drop_database
from staddle.money import use_exact_decimals

SHARED_MEMORY = "/dev/shm"
ROOM_NEEDED = 6 << 30
TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_wal_size": "1GB"}
_numbers = itertools.count(1)


def has_room(folder: str) -> bool:
    """Whether test servers can keep their files in this folder and run programs from it."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= ROOM_NEEDED and not found.f_flag & os.ST_NOEXEC


# Databases come and go by the thousand, which some file systems make slow: each new file is looked for among those that
# were deleted a moment ago.
if has_room(SHARED_MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", SHARED_MEMORY)


@pytest.fixture(scope="session", autouse=True)
def _exact_decimals() -> None:
    use_exact_decimals()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of this run; processes of pytest-xdist share one, as the embedded server allows."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "home"
    config = Config(
        home=home, database_url=os.environ.get("STADDLE_TEST_DATABASE_URL"), database=None, operator=None
    )
    bin_dir = os.environ.get("STADDLE_TEST_BIN_DIR")
    with open_server(config, bin_dir=Path(bin_dir) if bin_dir else None, settings=TEST_SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """A migrated database to copy from, made once for each process of the run."""
    name = f"template_{os.getpid()}"
    server.drop(name)
    server.open(name).close()
    yield name
    server.drop(name)


@pytest.fixture(scope="session")
def landlord(server: Server) -> Iterator[Tx]:
    """The connection that makes and drops the databases of tests: one for the run, as connecting costs time."""
    with connect_owner(server.dsn) as connection:
        yield connection


@pytest.fixture
def make_database(server: Server, template: str, landlord: Tx) -> Iterator[Callable[[], Database]]:
    """For a test that needs several fresh databases, such as a damaged copy beside a good one."""
    made: list[Database] = []

    def make() -> Database:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        while not create_database(landlord, name, template):
            drop_database(landlord, name)  # left by an earlier run on a server of one's own
        made.append(Database(server.dsn_of(name)))
        return made[-1]

    yield make
    for database in made:
        database.close()
        drop_database(landlord, database.name)


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    """A fresh database with the newest schema and nothing in it, dropped after the test."""
    return make_database()
