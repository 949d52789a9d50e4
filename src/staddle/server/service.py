"""What a server process holds for all of its edges: the database, threads, and the batches of the busiest acts."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from staddle.config import Config
from staddle.customers import transfer
from staddle.db import Database, Tx
from staddle.desk import now_of
from staddle.errors import StaddleError
from staddle.identity.caller import Caller
from staddle.ledger import Command, Outcome, scales_of
from staddle.positions import redeem, subscribe
from staddle.server.authenticate import Credentials, callers_of
from staddle.server.batch import Batcher, Observe, observe_nothing
from staddle.server.step_up import refuse_unproven

Result = TypeVar("Result")
Act = Callable[[Tx, Sequence[Any], datetime], Sequence[Outcome[Any]]]
ACTS: Mapping[str, Act] = {"subscribe": subscribe, "redeem": redeem, "transfer": transfer}
"""The acts that come by the hundred at one moment and are committed together."""
THREADS = 6


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for an act of a batch: who asks, and how their command is made once they are known.

    `make` checks that they may, and raises a StaddleError where they may not.
    """

    credentials: Credentials
    make: Callable[[Caller], Command]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request of a batch, and the decimals of each coin, to write it down."""

    outcome: Outcome[Any]
    scales: Mapping[str, int]


class Service:
    """One process's share of the service. `observe` is told of each batch."""

    def __init__(self, database: Database, config: Config, *, observe: Observe = observe_nothing) -> None:
        self.database = database
        self.config = config
        self.stopping = threading.Event()
        """Set as soon as this process is told to stop, while it still answers what it has: streams end then."""
        self.streams: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """What ends the streams of an edge: without it a stop would wait for them until it loses patience."""
        self._ending: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self.batches = {
            name: Batcher(database, name, answer_with(act), observe=observe) for name, act in ACTS.items()
        }

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Do something that waits for the database on a thread of its own, with this request's log context."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)

    def end_streams(self) -> None:
        """End what would be answered for ever; called in the loop as soon as this process is told to stop."""
        self._ending = [asyncio.ensure_future(end()) for end in self.streams]

    @property
    def is_stopping(self) -> bool:
        """Whether this process was told to stop."""
        return self.stopping.is_set()

    def waiting(self) -> dict[str, int]:
        """Count the requests that wait for a batch, by act."""
        return {name: batch.waiting for name, batch in self.batches.items()}

    def stop(self) -> None:
        """Finish what is waiting, and end the threads; the database stays open."""
        self.stopping.set()
        for batch in self.batches.values():
            batch.stop()
        self._threads.shutdown()


def machine_now() -> datetime:
    """Read the machine's clock: the only place that does, for the service."""
    return datetime.now(UTC)


def answer_with(act: Act) -> Callable[[Tx, Sequence[Ask]], list[Answered]]:
    """Give what answers a batch of requests with one act: who they are, their commands, their outcomes."""

    def answer(tx: Tx, asks: Sequence[Ask]) -> list[Answered]:
        at = machine_now()
        callers = callers_of(tx, [ask.credentials for ask in asks], at)
        made = [command_of(ask, caller) for ask, caller in zip(asks, callers, strict=True)]
        if act is redeem:
            made = refuse_unproven(tx, callers, made, at)
        commands = [each for each in made if isinstance(each, Command)]
        outcomes = iter(act(tx, commands, now_of(tx, at)) if commands else ())
        scales = scales_of(tx)
        return [
            Answered(next(outcomes) if isinstance(each, Command) else Outcome(error=each), scales)
            for each in made
        ]

    return answer


def command_of(ask: Ask, caller: Caller | StaddleError) -> Command | StaddleError:
    """Make a request's command, or say why there is none."""
    if isinstance(caller, StaddleError):
        return caller
    try:
        return ask.make(caller)
    except StaddleError as error:
        return error
