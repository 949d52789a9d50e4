"""`staddle serve`: the service, and what each of its processes begins with."""

import os
from typing import Annotated, Any

import typer

from staddle import api
from staddle.cli import app
from staddle.config import Config
from staddle.db import open_database
from staddle.server.app import assemble
from staddle.server.serve import serve as serve_until_stopped
from staddle.server.service import Service


@app.app.command("serve")
def serve(
    listen: Annotated[
        str | None, typer.Option(help="Instead of STADDLE_LISTEN, such as 127.0.0.1:8080.")
    ] = None,
    database: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of STADDLE_DATABASE.")] = None,
) -> int:
    """Serve the API until stopped; the database is brought to the newest schema first."""
    if listen is not None:
        os.environ["STADDLE_LISTEN"] = listen
    if database is not None:
        os.environ["STADDLE_DATABASE"] = database
    config = Config.from_environ(os.environ)
    with open_database(config):
        # Held open so that the embedded server lives as long as its processes come and go.
        serve_until_stopped(config, "staddle.cli.serve:application")
    return 0


def application() -> Any:
    """Make the application of one process."""
    config = Config.from_environ(os.environ)
    return assemble(Service(open_database(config), config), [api.edge])
