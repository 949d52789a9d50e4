"""`staddle worker`: keeps the schedule in the foreground, together with any number of others; one of them leads.

Each of them delivers webhooks.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.edge import Edge, machine_now, works
from staddle.cli.show import said
from staddle.config import Config
from staddle.keyring import Keyring
from staddle.notices import Allowed
from staddle.notices.lanes import Result
from staddle.server.deliver import Deliverer
from staddle.server.jobs import jobs
from staddle.server.logs import configure_logs
from staddle.server.metrics import observe_job, observe_webhook
from staddle.server.schedule import Scheduler, Told

log = logging.getLogger("staddle.worker")


@works(app.app, "worker")
def worker(edge: Edge) -> Shown:
    """Keep the schedule and deliver webhooks until stopped. Start several: one leads, all of them deliver."""
    config = Config.from_environ(os.environ)
    configure_logs(config.log_level)
    with stop_when_told() as stop:
        allowed = Allowed.parse(config.webhook_allow)
        deliverer = Deliverer(edge.database, Keyring(config), allowed, machine_now, observe=count_attempt)
        delivering = threading.Thread(target=deliverer.run, args=[stop], name="webhooks")
        delivering.start()
        try:
            Scheduler(edge.database, stop, tell, jobs(), config.http_hosts).run_forever()
        finally:
            stop.set()
            delivering.join()
    return Shown({"is_stopped": True}, lambda _: said("Stopped; every piece that had begun is done."))


@contextmanager
def stop_when_told() -> Iterator[threading.Event]:
    """Give an event that is set by SIGTERM and SIGINT."""
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell(told: Told) -> None:
    """Count everything, and log what is worth a line: who leads, how far a job is; a job's failure has its own."""
    observe_job(told.job, told.what, told.figures)
    if told.job == "leader" or (told.what == "progress" and told.job != "seals"):
        log.info("%s %s %s", told.job, told.what, " ".join(f"{k}={v}" for k, v in told.figures.items()))


def count_attempt(result: Result) -> None:
    """Count an attempt to deliver a webhook."""
    observe_webhook(result.status, result.is_delivered)
