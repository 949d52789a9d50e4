"""Backup and restore: pg_dump's own format, from one snapshot, while everybody goes on working.

The programs are those of the embedded server where they are not older than the server, else those of the PATH. What is
sealed in the database stays sealed in a backup: the key (STADDLE_SECRET_KEY, or the key file) is kept apart from it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from staddle.db import Database, Server
from staddle.db.connect import connect_owner
from staddle.db.embedded import wheel_bin_dir
from staddle.db.migrate import migrate
from staddle.db.role import have_role
from staddle.errors import AlreadyExists, DatabaseUnavailable, InvalidFile, NoSuchProgram

JOBS = 2
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup: where it lies, how large it is, its SHA-256, and the database it is of."""

    file: str
    size_bytes: int
    sha256: str
    database: str
    postgresql: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored database, and the migrations that it was behind."""

    database: str
    migrations: list[str]


def back_up(database: Database, file: Path) -> BackupMade:
    """Write all of a database into a new file, readable by its owner only; whole or not at all.

    Raises AlreadyExists where there is such a file, NoSuchProgram, InvalidFile, DatabaseUnavailable.
    """
    if file.exists():
        raise AlreadyExists(f"There is a file {file} already; it was left alone.")
    with connect_owner(database.dsn) as connection:
        version = connection.info.server_version // 10_000
    program = find_program("pg_dump", version)
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        run([program, "--format=custom", "--compress=6", f"--file={part}"], database.dsn)
        sync(part)
        part.rename(file)
        sync(file.parent)
    except OSError as error:
        raise InvalidFile(f"The backup cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    with file.open("rb") as written:
        digest = file_digest(written, "sha256").hexdigest()
    return BackupMade(str(file), file.stat().st_size, digest, database.name, version)


def restore(server: Server, file: Path, name: str) -> Restored:
    """Load a backup into a database that is new or empty, and bring it to the newest schema.

    Raises InvalidFile, AlreadyExists where the database holds something, NoSuchProgram, DatabaseUnavailable. What was
    made for it is removed again where it fails.
    """
    if not file.is_file():
        raise InvalidFile(f"There is no backup {file}.")
    dsn = server.dsn_of(name)
    with connect_owner(server.dsn) as connection:
        version = connection.info.server_version // 10_000
    program = find_program("pg_restore", version)
    with empty_database(server, name):
        with connect_owner(dsn) as connection:
            have_role(connection)
        options = ["--no-owner", "--exit-on-error", f"--jobs={JOBS}", f"--dbname={name}", str(file)]
        run([program, *options], dsn)
        with connect_owner(dsn) as connection:
            migrations = migrate(connection)
            connection.execute("ANALYZE")
    return Restored(name, migrations)


@contextmanager
def empty_database(server: Server, name: str) -> Iterator[None]:
    """Make a database, or take one that has nothing in it; drop one that was made here when something goes wrong."""
    is_made = server.create(name)
    if not is_made:
        with connect_owner(server.dsn_of(name)) as connection:
            found = connection.execute(
                "SELECT count(*) AS count FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            ).fetchone()
        if found is not None and found.count > 0:
            raise AlreadyExists(f"The database {name} holds something already; it was left alone.")
    try:
        yield
    except BaseException:
        if is_made:
            server.drop(name)
        raise


def find_program(name: str, version: int) -> str:
    """Find a program of PostgreSQL that is not older than the server. Raises NoSuchProgram."""
    bundled = wheel_bin_dir() / name
    for path in (str(bundled) if bundled.exists() else None, shutil.which(name)):
        if path is None:
            continue
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        found = _VERSION.search(told)
        if found is not None and int(found[1]) >= version:
            return path
    raise NoSuchProgram(
        f"{name} of PostgreSQL {version} or newer is needed: install it, so that it is on the PATH."
    )


def run(command: list[str], dsn: str) -> None:
    """Run a program on a database; what it needs to connect is in its environment, for anybody may read arguments.

    Raises InvalidFile where it does not succeed, with its last words.
    """
    ended = subprocess.run(
        command, env=environment_of(dsn), capture_output=True, text=True, errors="replace", check=False
    )
    if ended.returncode == 0:
        return
    said = [
        line for line in ended.stderr.splitlines() if "error" in line.lower()
    ] or ended.stderr.splitlines()
    words = said[0][:300] if said else f"code {ended.returncode}"
    if "connection to server" in words:
        raise DatabaseUnavailable(f"The database cannot be reached: {words}")
    raise InvalidFile(f"{Path(command[0]).name} did not succeed: {words}")


def environment_of(dsn: str) -> Mapping[str, str]:
    """Say in libpq's own variables where a database is."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "passfile": "PGPASSFILE"}
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    given = {names[name]: value for name, value in parts.items() if name in names}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("PG")}, **given}


def sync(path: Path) -> None:
    """Have a file or a folder written through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
