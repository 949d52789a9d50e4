"""Serving: granian runs the processes, each of which assembles the application for itself."""

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings

from staddle.config import Config

HEADER_SECONDS = 10
HEADER_BYTES = 65_536


def serve(config: Config, factory: str) -> None:
    """Serve until the process is told to stop; `factory` names the function that makes the application."""
    host, port = config.listen
    Granian(
        factory,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=config.processes,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=HEADER_BYTES, keep_alive=True
        ),
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    ).serve()
