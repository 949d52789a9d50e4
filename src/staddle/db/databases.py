"""Databases by name on one server: list, create, drop. The connection is an owner's, in autocommit mode."""

from typing import Any

import psycopg
from psycopg import errors, sql

from staddle.config import check_database_name


def list_databases(connection: psycopg.Connection[Any]) -> list[str]:
    """Name the databases of the server, without PostgreSQL's own."""
    rows = connection.execute(
        "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"
    ).fetchall()
    return [row[0] for row in rows]


def create_database(connection: psycopg.Connection[Any], name: str, template: str = "template0") -> bool:
    """Create an empty database; False when it is there already, be it by another process at this moment."""
    check_database_name(name)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    try:
        connection.execute(statement)
    except (errors.DuplicateDatabase, errors.UniqueViolation):
        return False
    return True


def drop_database(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop a database with all it holds, though somebody be connected; one that is not there is no error."""
    check_database_name(name)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
