"""PostgreSQL: the server's life, the schema, transactions at the edges, and named SQL statements."""

from staddle.db.arrays import columns
from staddle.db.connect import Database, Server, Tx, open_database, open_server
from staddle.db.load_queries import Queries, queries

__all__ = ["Database", "Queries", "Server", "Tx", "columns", "open_database", "open_server", "queries"]
