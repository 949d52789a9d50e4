"""`schema.sql` is the sum of the migrations."""

from staddle.db import Database, Server
from staddle.db.dump import SCHEMA, dump_schema, rebuild_schema


def test_schema_sql_makes_the_same_schema_as_the_migrations(server: Server, database: Database) -> None:
    by_migrations = rebuild_schema(server, dump_schema(database.dsn))
    by_schema_sql = rebuild_schema(server, SCHEMA.read_text(encoding="utf-8"))
    assert by_schema_sql == by_migrations, "run `make schema`"


def test_schema_sql_is_as_make_schema_writes_it(server: Server, database: Database) -> None:
    with database.owner() as owner:
        version = owner.info.server_version // 10_000
    if version == 18:  # The written form of one and the same schema changes a little from version to version.
        by_migrations = rebuild_schema(server, dump_schema(database.dsn))
        assert SCHEMA.read_text(encoding="utf-8") == by_migrations, "run `make schema`"
