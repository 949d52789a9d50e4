"""Work that somebody asks for and that the leader of the schedule does: runs, catching up, audits, plans.

It lives in the database and not in a request: progress is written down as it goes, anybody may read it, and when the
process that does it dies, the next leader takes it up again. Instants are the machine's. `server/asked.py` does it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import InvalidChoice, RoleMissing, TaskInProgress, TaskNotFound

sql = queries(__package__)
KINDS = ("run", "catch_up", "audit", "plan")
"""run pays the rewards of a date, catch_up every run that is due, audit proves the books, plan works out a run."""
RUNS = ("run", "catch_up")
"""What only the treasury may ask for."""
DATED = ("run", "plan")
"""What is about the run of a date."""
AWAY_AFTER = timedelta(seconds=15)
"""A leader that has not counted for so long is taken for gone."""
ID_MAX = 2**31 - 1


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Some work that was asked for.

    `state` is waiting, working, done, waits (its run is held or paused) or failed. `begun_count` above 1: it was taken
    up again after the process that had begun it was gone. `result` is what came of it: the reports of runs, a verdict,
    a plan, or the error.
    """

    task_id: int
    kind: str
    subject: str
    state: str
    asked_by: str
    asked_at: datetime
    begun_by: str | None
    begun_at: datetime | None
    begun_count: int
    progress: dict[str, Any] | None
    finished_at: datetime | None
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class LeaderSeen:
    """Who keeps the schedule; `name` is None where nobody does, `seen_at` when they last counted, by the database."""

    name: str | None
    seen_at: datetime | None

    @property
    def is_there(self) -> bool:
        """Whether somebody does what is asked for."""
        return self.name is not None


def ask_task(tx: Tx, by: str, kind: str, run_on: date | None, now: datetime, machine_now: datetime) -> Task:
    """Ask for some work; a worker takes it up within a second or two. Logged.

    `run_on` is the date of a run or a plan, and None for what is about no date. Raises OperatorNotFound, InvalidChoice,
    RoleMissing (runs are the treasury's), or TaskInProgress where the same work is asked for and not done.
    """
    operator = find_operator(tx, by)
    if kind not in KINDS:
        raise InvalidChoice(f"{kind[:40]!r} is no work; there are {', '.join(KINDS)}.", field="kind")
    if (run_on is not None) != (kind in DATED):
        raise InvalidChoice(
            "A run and a plan need the date of the run, and nothing else does.", field="run_on"
        )
    if kind in RUNS and "treasury" not in operator.roles:
        raise RoleMissing("This needs the role 'treasury'.", role="treasury")
    subject = "" if run_on is None else run_on.isoformat()
    task = put(tx, by, kind, subject, machine_now)
    if task is None:
        raise TaskInProgress(task_id=open_task(tx, kind, subject))
    log(tx, by, f"ask_{kind}", subject or kind, {"task_id": task.task_id}, now)
    return task


def put(tx: Tx, by: str, kind: str, subject: str, machine_now: datetime) -> Task | None:
    """Write a task down; None where the same is open."""
    asked = {"by": by, "kind": kind, "subject": subject, "machine_now": machine_now}
    row = tx.execute(sql.ask_task, asked).fetchone()
    return None if row is None else find_task(tx, row.task_id)


def open_task(tx: Tx, kind: str, subject: str = "") -> int | None:
    """Give the number of the task of a kind and subject that is not done, if there is one."""
    row = tx.execute(sql.open_task, {"kind": kind, "subject": subject}).fetchone()
    return None if row is None else int(row.task_id)


def find_task(tx: Tx, task_id: int) -> Task:
    """Read a task with its result. Raises TaskNotFound."""
    row = tx.execute(sql.task, {"task_id": task_id}).fetchone() if 0 < task_id <= ID_MAX else None
    if row is None:
        raise TaskNotFound
    return task_of(row)


def list_tasks(
    tx: Tx,
    count: int,
    before: int | None = None,
    kinds: Sequence[str] = KINDS,
    subject: str | None = None,
    *,
    is_open: bool = False,
) -> list[Task]:
    """List tasks without their results, newest first; with `is_open` only those that are not done."""
    wanted = {
        "count": count,
        "before": before,
        "kinds": list(kinds),
        "subject": subject,
        "is_open": is_open,
    }
    return [task_of(row) for row in tx.execute(sql.tasks, wanted).fetchall()]


def last_result(tx: Tx, kind: str, subject: str = "") -> Task | None:
    """Read the newest task of a kind that was done, such as the plan of a date as it was last worked out."""
    row = tx.execute(sql.last_result, {"kind": kind, "subject": subject}).fetchone()
    return None if row is None else task_of(row)


def begin_task(tx: Tx, by: str, kinds: Sequence[str], machine_now: datetime) -> Task | None:
    """Take up the oldest task of some kinds that is not done, as the leader; None where there is none."""
    begun = {"by": by, "kinds": list(kinds), "machine_now": machine_now}
    row = tx.execute(sql.begin_task, begun).fetchone()
    return None if row is None else task_of(row)


def tell_task(tx: Tx, task: Task, progress: Mapping[str, object]) -> None:
    """Write down how far a task is, unless another process has taken it over."""
    told = msgspec.json.encode(progress).decode()
    tx.execute(sql.tell_task, {"task_id": task.task_id, "by": task.begun_by, "progress": told})


def finish_task(
    tx: Tx, task: Task, outcome: str, result: Mapping[str, object], machine_now: datetime
) -> None:
    """Write down what came of a task (done, waits or failed), unless another process has taken it over."""
    finished = {
        "task_id": task.task_id,
        "by": task.begun_by,
        "outcome": outcome,
        "result": msgspec.json.encode(result).decode(),
        "machine_now": machine_now,
    }
    tx.execute(sql.finish_task, finished)


def leader_seen(tx: Tx, machine_now: datetime) -> LeaderSeen:
    """Say who keeps the schedule, and when they last counted."""
    row = tx.execute(sql.leader_seen).fetchone()
    if row is None:
        return LeaderSeen(None, None)
    is_there = row.holder != "" and machine_now - row.recorded_at < AWAY_AFTER
    return LeaderSeen(row.holder if is_there else None, row.recorded_at)


def task_of(row: Any) -> Task:
    """Make a task of its row."""
    fields = row._asdict()
    outcome = fields.pop("outcome")
    state = outcome or ("waiting" if row.begun_by is None else "working")
    return Task(state=state, **fields)
