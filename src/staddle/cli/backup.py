"""`staddle backup` and `staddle restore`: a database in one file, and a database out of it that is then audited."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.auditing import audit_books, exit_code_of, verdict_of
from staddle.cli.edge import DatabaseName, plain
from staddle.cli.show import card, console_of
from staddle.config import Config
from staddle.db import Database, open_server
from staddle.server.backup import back_up
from staddle.server.backup import restore as restore_into

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


@plain(app.app, "backup")
def backup(file: BackupFile, name: DatabaseName = None) -> Shown:
    """Write all of the database into a new file, from one instant, while everybody goes on working.

    The key that seals secrets (STADDLE_SECRET_KEY, or secret.key in STADDLE_HOME) is not in it: keep that elsewhere.
    """
    config = Config.from_environ(os.environ)
    with open_server(config) as server:
        # Not opened as commands do: whoever is about to upgrade wants the database as it is.
        dsn = server.dsn_of(name or server.default_database)
        with Database(dsn) as database:
            return Shown(back_up(database, file.absolute()), card)


@plain(app.app, "restore")
def restore(
    file: BackupFile,
    name: Annotated[str, typer.Option("--database", metavar="NAME", help="A database that is new or empty.")],
    is_quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> Shown:
    """Load a backup into a new database, bring that to the newest schema, and audit it; exit 1 if anything is wrong."""
    config = Config.from_environ(os.environ).named(name)
    console = console_of(sys.stderr)
    with open_server(config) as server:
        restored = restore_into(server, file.absolute(), name)
        with server.open(name) as database:
            verdict = audit_books(database, console, is_quiet=is_quiet)
    data = {"database": restored.database, "migrations": restored.migrations, "audit": verdict}
    return Shown(data, _restored_view, exit_code=exit_code_of(verdict))


def _restored_view(data: Document) -> RenderableType:
    return verdict_of(data["audit"])
