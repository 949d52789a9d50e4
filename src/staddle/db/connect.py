"""The way to PostgreSQL: transactions for acts, an owner's connection for migrations, databases by name."""

import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from staddle.config import DEFAULT_DATABASE, Config
from staddle.db.arrays import ADAPTERS
from staddle.db.databases import create_database, drop_database, list_databases
from staddle.db.embedded import EmbeddedServer
from staddle.db.migrate import migrate, pending
from staddle.errors import DatabaseUnavailable, InvalidConfig, ServerTooOld
from staddle.money import use_exact_decimals

Tx: TypeAlias = psycopg.Connection[Any]
"""A connection inside one transaction that an edge has opened; features use it and never commit."""

APP_ROLE = "staddle_app"
VERSION_MIN = 15
KEEPALIVES: Mapping[str, Any] = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
"""Over a network: a server that has vanished without a word is noticed within two minutes, not two hours."""
APP_OPTIONS: Sequence[str] = (
    f"-c role={APP_ROLE}",
    "-c timezone=UTC",
    "-c default_transaction_isolation=read\\ committed",
)


class Database:
    """One database, ready for acts; a context manager that gives its connections back at the end.

    `dsn` is the owner's connection string. `connections_max` bounds what this process opens at once.
    """

    def __init__(self, dsn: str, *, connections_max: int = 8, wait_seconds: float = 30.0) -> None:
        self.dsn = dsn
        self.on_close = ExitStack()
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            _with_options(dsn, APP_OPTIONS),
            min_size=0,
            max_size=connections_max,
            timeout=wait_seconds,
            kwargs={"autocommit": True, "row_factory": namedtuple_row, "context": ADAPTERS, **KEEPALIVES},
            open=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The name of the database on its server."""
        return str(conninfo_to_dict(self.dsn)["dbname"])

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """One transaction, READ COMMITTED, as the application's role; rolled back on an error.

        Decimals of this thread are exact from then on.
        A connection that was lost is replaced before it is handed out, never within a transaction: then, as
        when the server cannot be reached, DatabaseUnavailable is raised.
        """
        use_exact_decimals()
        self._pool.open()
        connection = self._take()
        try:
            with connection.transaction():
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not connection.broken:
                raise
            raise DatabaseUnavailable(
                "The connection to the database was lost, maybe after the act was done: "
                "please repeat it with the same idempotency key."
            ) from error
        finally:
            self._pool.putconn(connection)

    def _take(self) -> psycopg.Connection[Any]:
        """Take a living connection from the pool.

        After the server was started again every idle connection is dead. The pool's own check waits longer and longer
        after each dead one that it meets, a minute for six of them; here each is replaced and the next one taken.
        """
        ends_at = time.monotonic() + self._pool.timeout
        while True:
            try:
                connection = self._pool.getconn(max(ends_at - time.monotonic(), 0))
            except PoolTimeout as error:
                raise DatabaseUnavailable(
                    "No connection to the database could be had in time; please try again later."
                ) from error
            try:
                check_alive(connection)
            except psycopg.Error:
                self._pool.putconn(connection)
            except BaseException:
                self._pool.putconn(connection)
                raise
            else:
                return connection

    @contextmanager
    def owner(self) -> Iterator[Tx]:
        """A new connection as the owner, in autocommit mode: for migrations and set-up, never for acts."""
        with connect_owner(self.dsn) as connection:
            yield connection

    def connections(self) -> dict[str, int]:
        """Count this process's connections: used, idle, and wanted by a thread that waits for one."""
        stats = self._pool.get_stats()
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        return {"used": size - idle, "idle": idle, "wanted": stats.get("requests_waiting", 0)}

    def close(self) -> None:
        """Close the connections and leave the embedded server, if it is one."""
        self._pool.close()
        self.on_close.close()


class Server:
    """A PostgreSQL server, embedded or given by URL, and the databases on it; a context manager."""

    def __init__(self, dsn: str, default_database: str, embedded: EmbeddedServer | None = None) -> None:
        self.dsn = dsn
        self.default_database = default_database
        self._embedded = embedded

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def dsn_of(self, name: str) -> str:
        """The owner's connection string of a database on this server."""
        return make_conninfo(self.dsn, dbname=name)

    def list(self) -> list[str]:
        """Name the databases that are there."""
        with connect_owner(self.dsn) as connection:
            return list_databases(connection)

    def create(self, name: str, template: str = "template0") -> bool:
        """Create a database, empty or as a copy of another; False when there is one of this name."""
        with connect_owner(self.dsn) as connection:
            return create_database(connection, name, template)

    def drop(self, name: str) -> None:
        """Drop a database with all it holds."""
        with connect_owner(self.dsn) as connection:
            drop_database(connection, name)

    def open(self, name: str | None = None, *, connections_max: int = 8) -> Database:
        """Open a database for acts: created when it is not there, and brought to the newest schema."""
        dsn = self.dsn_of(name or self.default_database)
        try:
            with self._connect_or_create(dsn) as connection:
                check_server_version(connection)
                if pending(connection):
                    migrate(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseUnavailable(
                f"The database cannot be set up: {_last_line(error)}. Its owner must be allowed to create "
                "databases and roles, or find this database, and the role staddle_app to grant, made before."
            ) from error
        return Database(dsn, connections_max=connections_max)

    def close(self) -> None:
        """Leave the embedded server, if it is one; the last to leave stops it."""
        if self._embedded is not None:
            self._embedded.leave()

    def _connect_or_create(self, dsn: str) -> Tx:
        name = str(conninfo_to_dict(dsn)["dbname"])
        try:
            return connect_owner(dsn)
        except DatabaseUnavailable as error:
            if f'database "{name}" does not exist' not in str(error.__cause__):
                raise
        self.create(name)
        return connect_owner(dsn)


def open_server(
    config: Config, *, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None
) -> Server:
    """Reach the server of the URL, or start or join the embedded one. Raises DatabaseUnavailable.

    `bin_dir` and `settings` concern the embedded server only: another PostgreSQL's programs, other settings.
    """
    if config.database_url is not None:
        try:
            conninfo_to_dict(config.database_url)
        except psycopg.ProgrammingError:  # whose message may repeat a password
            raise InvalidConfig("STADDLE_DATABASE_URL is not a URL that PostgreSQL understands.") from None
        named = str(conninfo_to_dict(config.database_url).get("dbname") or DEFAULT_DATABASE)
        # Databases are created and dropped from one that is always there.
        dsn = make_conninfo(config.database_url, dbname="postgres")
        return Server(dsn, config.database or named)
    embedded = EmbeddedServer(config.home, bin_dir=bin_dir, settings=settings)
    embedded.start()
    return Server(embedded.dsn(), config.database or DEFAULT_DATABASE, embedded)


def open_database(config: Config, *, connections_max: int = 8) -> Database:
    """Open the database the settings name, created and migrated if need be.

    On the embedded server unless a URL is set. Raises DatabaseUnavailable, or ServerTooOld below PostgreSQL
    15. Closing the database leaves the server.
    """
    with ExitStack() as stack:
        server = stack.enter_context(open_server(config))
        database = server.open(connections_max=connections_max)
        database.on_close = stack.pop_all()
    return database


def connect_owner(dsn: str, timeout_seconds: int | None = None) -> Tx:
    """Connect as the owner, in autocommit mode. Raises DatabaseUnavailable.

    With `timeout_seconds` neither the connection nor a statement on it takes longer than that.
    """
    options, given = ["-c timezone=UTC"], {}
    if timeout_seconds is not None:
        options.append(f"-c statement_timeout={timeout_seconds * 1000}")
        given["connect_timeout"] = timeout_seconds
    try:
        return psycopg.connect(
            make_conninfo(_with_options(dsn, options), **given), autocommit=True, row_factory=namedtuple_row
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {_last_line(error)}") from error


def check_alive(connection: Tx) -> None:
    """Raise OperationalError if the connection was lost: its end lies ready to be read then, so that those that are
    quiet, as nearly all are, need not be asked at the price of a round trip.
    """
    ready = select.poll()
    ready.register(connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
    if ready.poll(0):
        ConnectionPool.check_connection(connection)


def check_server_version(connection: Tx, version_min: int = VERSION_MIN) -> None:
    """Raise ServerTooOld when the server's major version is below the least."""
    version = connection.info.server_version // 10_000
    if version < version_min:
        raise ServerTooOld(
            f"This server is PostgreSQL {version}; Staddle needs version {version_min} or newer."
        )


def _with_options(dsn: str, options: Sequence[str]) -> str:
    """Add start-up options to those that the connection string may have."""
    given = str(conninfo_to_dict(dsn).get("options") or "")
    return make_conninfo(dsn, options=" ".join([given, *options]).strip())


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
