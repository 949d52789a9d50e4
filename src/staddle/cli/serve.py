"""`staddle serve`: the service, and what each of its processes begins with."""

import os
from typing import Annotated, Any

import typer

from staddle.cli import app
from staddle.config import Config
from staddle.db import open_database
from staddle.server.interpreter import share_the_interpreter
from staddle.server.logs import configure_logs
from staddle.server.parent import end_with_parent
from staddle.server.serve import serve as serve_until_stopped
from staddle.server.serve import worker_command

CONNECTIONS = 8


@app.app.command("serve")
def serve(
    listen: Annotated[
        str | None, typer.Option(help="Instead of STADDLE_LISTEN, such as 127.0.0.1:8080.")
    ] = None,
    database: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of STADDLE_DATABASE.")] = None,
    has_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Keep the schedule, too; or leave that to others.")
    ] = True,
) -> int:
    """Serve the pages, the console and the API until stopped; the database is brought to the newest schema first."""
    if listen is not None:
        os.environ["STADDLE_LISTEN"] = listen
    if database is not None:
        os.environ["STADDLE_DATABASE"] = database
    config = Config.from_environ(os.environ)
    configure_logs(config.log_level)
    with open_database(config):
        # Held open so that the embedded server lives as long as its processes come and go.
        serve_until_stopped(config, "staddle.cli.serve:application", worker_command() if has_worker else None)
    return 0


def application() -> Any:
    """Make the application of one process.

    What counts for the metrics is imported here, for it must see the folder that `serve` has made.
    """
    from staddle import api, binance, console, web  # noqa: PLC0415
    from staddle.api import docs  # noqa: PLC0415
    from staddle.server import health, metrics  # noqa: PLC0415
    from staddle.server.app import assemble  # noqa: PLC0415
    from staddle.server.service import Service  # noqa: PLC0415

    end_with_parent()
    config = Config.from_environ(os.environ)
    configure_logs(config.log_level)
    service = Service(
        open_database(config, connections_max=CONNECTIONS), config, observe=metrics.observe_batch
    )
    made = assemble(service, [api.edge, docs.edge, health.edge, console.edge, web.edge, binance.edge])
    share_the_interpreter()
    return made
