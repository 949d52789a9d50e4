"""The server dies under every act and the run, at every failpoint; recovered and repeated, it has undisturbed books.

The acts of one group stand still at their failpoints, each upon a desk of its own, all in open transactions of one
server. Then one of its processes is killed; the server takes all others down with it and recovers.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.conftest import TEST_SETTINGS
from tests.db.processes import kill, postmaster, wait_for
from tests.faults import lived
from tests.faults.acts import PLACES, UNANSWERED, UNKEYED, perform
from tests.faults.books import Books, books_of, differences, prove
from tests.faults.conftest import Undisturbed
from tests.faults.processes import backends_of, finish, go_on, start_act, wait_until_stopped

from staddle.config import Config
from staddle.db import Database, Server, open_server
from staddle.errors import DatabaseUnavailable, Unavailable

Case = tuple[str, str]


class Crashing:
    """A server of our own with the lived-in desk on it, to be killed."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home = home
        self.server = server
        self._count = 0
        with server.open("lived") as database:
            lived.live(database)

    def copy(self) -> Database:
        self._count += 1
        self.server.create(f"case_{self._count}", "lived")
        return Database(self.server.dsn_of(f"case_{self._count}"))

    def drop(self, desk: Database) -> None:
        desk.close()
        self.server.drop(desk.name)

    def is_up(self) -> bool:
        try:
            return bool(self.server.list())
        except DatabaseUnavailable:
            return False


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashing]:
    home = tmp_path_factory.mktemp("crashing")
    config = Config(home=home, database_url=None, database=None, operator=None)
    with open_server(config, settings={**TEST_SETTINGS, "shared_buffers": "32MB"}) as server:
        yield Crashing(home, server)


def crash_under(
    crashing: Crashing, cases: Sequence[Case], crash: Callable[[Database], None]
) -> list[Database]:
    """Bring each act to its place, crash the server under all of them, let them go on, and give their desks."""
    desks = [crashing.copy() for _ in cases]
    processes = [start_act(desk, *case, is_stopped=True) for desk, case in zip(desks, cases, strict=True)]
    try:
        for process in processes:
            wait_until_stopped(process)
        lost = [pid for desk in desks for pid in backends_of(desk)]
        crash(desks[0])
        wait_for(lambda: not any(is_alive(pid) for pid in lost))
        wait_for(crashing.is_up, 60)
        for process in processes:
            go_on(process)
        ends = [finish(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for (act, place), (code, said) in zip(cases, ends, strict=True):
        assert code == 0 or (code, said) == (Unavailable.exit_code, "database_unavailable"), (act, place)
        assert act in UNKEYED or (code == 0) == (place == "edge.committed"), (act, place)
    return desks


def repeat(case: Case, desk: Database, before: Books, undisturbed: Undisturbed) -> None:
    """Hold the books after the recovery against those before or after the act, repeat it, and compare again."""
    act, place = case
    answer, after = undisturbed(act)
    if act not in UNKEYED:
        assert differences(books_of(desk), after if place == "edge.committed" else before) == {}, case
    else:
        prove(desk)
    again = perform(desk, act)
    assert differences(books_of(desk), after) == {}, case
    assert act in UNANSWERED or again == answer, case
    prove(desk)


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not only been left for its parent to reap."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("act", PLACES)
def test_a_server_process_killed_under_an_act_leaves_all_of_it_or_nothing(
    act: str, crashing: Crashing, before: Books, undisturbed: Undisturbed
) -> None:
    cases = [(act, place) for place in PLACES[act]]
    server = postmaster(crashing.home)
    desks = crash_under(crashing, cases, lambda desk: kill(backends_of(desk)[0]))
    assert postmaster(crashing.home) == server, "the server recovered by itself"
    for case, desk in zip(cases, desks, strict=True):
        repeat(case, desk, before, undisturbed)
        crashing.drop(desk)


def test_the_whole_server_killed_under_acts_and_runs_leaves_all_of_each_or_nothing(
    crashing: Crashing, before: Books, undisturbed: Undisturbed
) -> None:
    cases = [(act, places[-1]) for act, places in PLACES.items()] + [("run", "run.piece_before_commit#2")]
    server = postmaster(crashing.home)
    desks = crash_under(crashing, cases, lambda _: kill(server))
    assert postmaster(crashing.home) != server
    for case, desk in zip(cases, desks, strict=True):
        repeat(case, desk, before, undisturbed)
        crashing.drop(desk)
