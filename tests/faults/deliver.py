"""A deliverer in a process of its own: `python -m tests.faults.deliver CONNECTION`; it runs until it is killed."""

import sys
import threading
from datetime import UTC, datetime

from tests.stories.receiver import ALLOWED, KEYRING

from staddle.db import Database
from staddle.server.deliver import Deliverer


def main(dsn: str) -> None:
    with Database(dsn, connections_max=2) as database:
        Deliverer(database, KEYRING, ALLOWED, lambda: datetime.now(UTC)).run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
