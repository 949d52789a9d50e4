"""Write `schema.sql`, the sum of the migrations, for people to read and for a test to hold against them.

make schema
"""

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from staddle.config import Config
from staddle.db.connect import Database, Server, open_server
from staddle.db.embedded import wheel_bin_dir

SCHEMA = Path(__file__).parent / "schema.sql"
REBUILT = f"staddle_rebuilt_{os.getpid()}"
HEAD = """\
-- The sum of the migrations, written by `make schema`. The role staddle_app must exist.
SET check_function_bodies = false;
"""
_NOISE = re.compile(r"--.*|SET .*;|SELECT pg_catalog\.set_config\(.*\);|\\(un)?restrict .*")


def dump_schema(dsn: str) -> str:
    """Give a database's schema as SQL that does not depend on the server's version or on the moment."""
    pg_dump = str(wheel_bin_dir() / "pg_dump")
    options = ["--schema-only", "--no-owner", "--exclude-table=*yoyo*", f"--dbname={dsn}"]
    text = subprocess.run([pg_dump, *options], capture_output=True, text=True, check=True).stdout
    lines = ["" if _NOISE.fullmatch(line) else line for line in text.splitlines()]
    return HEAD + re.sub(r"\n{2,}", "\n\n", "\n" + "\n".join(lines).strip()) + "\n"


def rebuild_schema(server: Server, schema: str) -> str:
    """Load a schema into an empty database and dump it again.

    A dump is its own twin only from the second time on: PostgreSQL drops superfluous brackets on reading.
    """
    server.drop(REBUILT)
    server.create(REBUILT)
    with Database(server.dsn_of(REBUILT)) as database:
        with database.owner() as owner:
            owner.execute(schema.encode())
        dumped = dump_schema(database.dsn)
    server.drop(REBUILT)
    return dumped


def main() -> None:
    """Migrate a database in a server made for the moment, and write its schema down."""
    with TemporaryDirectory() as folder:
        config = Config(home=Path(folder), database_url=None, database=None, operator=None)
        with open_server(config, settings={"fsync": "off"}) as server, server.open() as database:
            schema = rebuild_schema(server, dump_schema(database.dsn))
        SCHEMA.write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
