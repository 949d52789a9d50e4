"""The life of the embedded server, with real users as processes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.db.processes import (
    User,
    arguments_of,
    kill,
    postmaster,
    processes_of,
    query,
    server_of,
    using,
    wait_for,
    watcher,
)

from staddle.db.become import NOBODY, as_user
from staddle.db.embedded import EmbeddedServer, wheel_bin_dir
from staddle.db.watch import postmaster_of
from staddle.errors import DatabaseUnavailable

DURABLE = {"fsync": "on"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def remember(home: Path, number: int) -> None:
    query(home, "CREATE TABLE IF NOT EXISTS remembered (number int)")
    query(home, f"INSERT INTO remembered VALUES ({number})")


def remembered(home: Path) -> list[object]:
    return [row[0] for row in query(home, "SELECT number FROM remembered ORDER BY number")]


def test_the_first_user_starts_the_server_and_the_last_stops_it(home: Path) -> None:
    first = User(home).wait_until_ready()
    remember(home, 1)
    second = User(home).wait_until_ready()
    pid = postmaster(home)
    assert first.leave() == 0
    assert postmaster(home) == pid
    assert remembered(home) == [1]
    assert second.leave() == 0
    assert processes_of(home) == []
    with using(home):
        assert remembered(home) == [1]


def test_two_first_users_at_once_make_one_server(home: Path) -> None:
    users = [User(home) for _ in range(4)]
    for user in users:
        user.wait_until_ready()
    assert len([pid for pid in processes_of(home) if pid == postmaster(home)]) == 1
    watcher(home)  # and one watcher
    for user in users:
        assert user.leave() == 0
    assert processes_of(home) == []


def test_a_killed_user_leaves_no_server_behind(home: Path) -> None:
    user = User(home).wait_until_ready()
    user.kill()
    wait_for(lambda: processes_of(home) == [])


def test_a_killed_user_does_not_take_the_server_from_another(home: Path) -> None:
    with using(home):
        User(home).wait_until_ready().kill()
        time.sleep(0.3)
        assert query(home, "SELECT 1") == [(1,)]


def test_a_killed_postmaster_comes_back_for_its_users(home: Path) -> None:
    with using(home, DURABLE):
        remember(home, 1)
        before = postmaster(home)
        kill(before)
        wait_for(lambda: server_of(home).is_running() and postmaster(home) != before)
        assert remembered(home) == [1]
    assert processes_of(home) == []


def test_a_killed_backend_is_recovered_from(home: Path) -> None:
    with using(home, DURABLE):
        remember(home, 1)
        with psycopg.connect(server_of(home).dsn()) as connection:
            kill(connection.info.backend_pid)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        wait_for(lambda: server_of(home).is_running())
        assert remembered(home) == [1]


def test_after_user_and_postmaster_are_killed_the_next_user_finds_everything(home: Path) -> None:
    user = User(home, settings=DURABLE).wait_until_ready()
    remember(home, 1)
    kill(postmaster(home), user.pid)
    user.kill()
    with using(home):
        assert remembered(home) == [1]
    assert processes_of(home) == []


def test_after_everything_is_killed_the_next_user_finds_everything(home: Path) -> None:
    user = User(home, settings=DURABLE).wait_until_ready()
    remember(home, 1)
    kill(watcher(home), *processes_of(home), user.pid)
    user.kill()
    with using(home):
        assert remembered(home) == [1]
    assert processes_of(home) == []


def test_a_killed_watcher_takes_the_server_down_in_order(home: Path) -> None:
    user = User(home).wait_until_ready()
    remember(home, 1)
    kill(watcher(home))
    wait_for(lambda: processes_of(home) == [])
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()  # It was not killed: it shut down.
    with using(home):
        assert remembered(home) == [1]
        user.leave()
        assert remembered(home) == [1]
    assert processes_of(home) == []


def test_a_killed_watchers_server_is_not_shared_but_replaced(home: Path) -> None:
    with using(home):
        os.kill(postmaster(home), signal.SIGSTOP)  # so that it cannot hear of the death
        old = postmaster(home)
        kill(watcher(home))
        newcomer = User(home)
        time.sleep(0.5)
        os.kill(old, signal.SIGCONT)
        newcomer.wait_until_ready()
        assert postmaster(home) != old
        newcomer.leave()
    assert processes_of(home) == []


ZOMBIES = """
import sys
from pathlib import Path
from staddle.db.embedded import EmbeddedServer
from staddle.db.watch import adopt_orphans
adopt_orphans()  # What nobody reaps is now ours, as it would be of a container's first process.
with EmbeddedServer(Path(sys.argv[1])):
    pass
for stat in Path("/proc").glob("[0-9]*/stat"):
    pid, name, state, parent = stat.read_text().split()[:4]
    if parent == str(Path("/proc/self").resolve().name) and state == "Z" and name == "(postgres)":
        print(pid, name)
"""


def test_no_process_of_the_server_is_left_for_others_to_reap(home: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ZOMBIES, str(home)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_pid_file_of_a_dead_or_an_unrelated_process_is_no_obstacle(home: Path) -> None:
    with using(home):
        remember(home, 1)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    unrelated = subprocess.Popen(["sleep", "60"])
    dead = subprocess.Popen(["true"])
    dead.wait()
    try:
        socket_dir = server_of(home).socket_dir
        for text in (str(unrelated.pid), str(dead.pid), str(os.getpid()), "", "not a number"):
            pid_file.write_text(f"{text}\n{home}/postgres/data\n1\n5432\n\n\n  1 2\nready\n")
            socket_dir.mkdir(mode=0o700, exist_ok=True)
            (socket_dir / ".s.PGSQL.5432").touch()
            (socket_dir / ".s.PGSQL.5432.lock").write_text(f"{text}\n{home}/postgres/data\n1\n5432\n\n")
            with using(home):
                assert remembered(home) == [1]
        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


def test_a_server_started_by_hand_on_our_folder_is_left_alone(home: Path) -> None:
    with using(home):
        pass
    data = home / "postgres" / "data"
    by_hand = subprocess.Popen(
        [*_ordinary(), str(_bin_dir() / "postgres"), "-D", str(data), "-c", "listen_addresses=",
         "-c", f"unix_socket_directories={home}"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: postmaster_of(data) == by_hand.pid)
        user = User(home)
        assert user.leave() == 75
        assert f"in use by process {by_hand.pid}, which was not started by Staddle" in user.said
        assert by_hand.poll() is None
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait()


def test_busy_backends_of_a_killed_postmaster_are_waited_for_and_then_ended(home: Path) -> None:
    busy_for_ever = "DO $$ BEGIN LOOP END LOOP; END $$"
    with using(home), closing(psycopg.connect(server_of(home).dsn())) as connection:
        backend = connection.info.backend_pid
        connection.pgconn.send_query(busy_for_ever.encode())
        wait_for(
            lambda: query(home, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%'") == [(1,)]
        )
        before = postmaster(home)
        kill(before)
        wait_for(lambda: server_of(home).is_running() and postmaster(home) != before, 40)
        assert backend not in processes_of(home)
    assert processes_of(home) == []


def test_initdb_killed_at_any_moment_leaves_nothing_half_made(home: Path) -> None:
    for made_last in ("PG_VERSION", "base/1/pg_filenode.map", "base/4"):
        user = User(home)
        wait_for(lambda last=made_last: list((home / "postgres").glob(f"data*/{last}")))  # type: ignore[misc]
        for pid in processes_of(home):
            os.kill(pid, signal.SIGSTOP)  # initdb could tidy up after itself otherwise
        kill(user.pid, *processes_of(home))
        user.kill()
        assert not (home / "postgres" / "data").exists()
    with using(home):
        assert query(home, "SELECT 1") == [(1,)]
    assert list((home / "postgres").glob("data.new-*")) == []


def test_a_long_recovery_is_waited_for_with_a_message(home: Path) -> None:
    first = User(home, settings={**DURABLE, "checkpoint_timeout": "1d"}).wait_until_ready()
    query(home, "CREATE TABLE many AS SELECT g FROM generate_series(1, 3000000) g")
    kill(postmaster(home), *processes_of(home), first.pid)
    first.kill()
    second = User(home)
    recovering = _wait_for_startup_process(home)
    os.kill(recovering, signal.SIGSTOP)
    time.sleep(4)
    os.kill(recovering, signal.SIGCONT)
    second.wait_until_ready()
    assert query(home, "SELECT count(*) FROM many") == [(3_000_000,)]
    assert second.leave() == 0
    assert re.search(
        r"^staddle: the database is recovering after a crash, [3-9] s$", second.said, re.MULTILINE
    )


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    user = User(home, settings={"shared_buffers": "1kB"})
    assert user.leave() == 75
    assert "database_unavailable: The database does not start." in user.said
    assert "shared_buffers" in user.said
    with using(home):
        assert query(home, "SELECT 1") == [(1,)]


def test_a_folder_of_another_major_version_is_refused(home: Path) -> None:
    with using(home):
        pass
    version = home / "postgres" / "data" / "PG_VERSION"
    version.write_text("14\n")
    user = User(home)
    assert user.leave() == 75
    assert "was made by PostgreSQL 14" in user.said


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="cannot be used: Not a directory"):
        EmbeddedServer(tmp_path / "file").start()


def test_a_home_with_a_long_path_has_its_socket_elsewhere(home: Path) -> None:
    long = home / ("a" * 120)
    with using(long):
        assert query(long, "SELECT 1") == [(1,)]
    socket_dir = server_of(long).socket_dir
    assert len(str(socket_dir)) < 90
    assert not socket_dir.exists()
    assert processes_of(long) == []


def test_a_socket_folder_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    long = home / ("b" * 120)
    server = EmbeddedServer(long)
    (tmp_path / "elsewhere").mkdir()
    server.socket_dir.symlink_to(tmp_path / "elsewhere")
    try:
        with pytest.raises(DatabaseUnavailable, match="belongs to another user, or is a link"):
            server.start()
    finally:
        server.socket_dir.unlink()


def test_nobody_else_can_enter_and_nothing_listens_on_a_network(home: Path) -> None:
    with using(home):
        assert query(home, "SHOW listen_addresses") == [("",)]
        assert query(home, "SHOW data_checksums") == [("on",)]
        assert query(home, "SHOW server_encoding") == [("UTF8",)]
        for folder in (home / "postgres", server_of(home).socket_dir, home / "postgres" / "data"):
            assert folder.stat().st_mode & 0o077 == 0


def test_durable_by_default(home: Path) -> None:
    with EmbeddedServer(home) as server, psycopg.connect(server.dsn()) as connection:
        for name, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}.items():
            assert connection.execute(f"SHOW {name}".encode()).fetchone() == (value,)


def test_users_that_come_go_and_are_killed_all_the_time_always_get_a_server(home: Path) -> None:
    with using(home):
        remember(home, 0)
    for round_number in range(6):
        users = [User(home) for _ in range(3)]
        for user in users:
            user.wait_until_ready()
        assert remembered(home) == [0]
        for number, user in enumerate(users):
            user.kill() if (number + round_number) % 2 else user.leave()
    wait_for(lambda: processes_of(home) == [])


def test_as_an_ordinary_user_the_server_is_that_users(home: Path) -> None:
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    user = User(home, prefix=as_user(NOBODY) if os.geteuid() == 0 else ()).wait_until_ready()
    remember(home, 1)
    data = home / "postgres" / "data"
    assert data.stat().st_uid == home.stat().st_uid != 0
    user.kill()
    wait_for(lambda: processes_of(home) == [])
    if (
        os.geteuid() == 0
    ):  # What another user can change, root must not follow: a link would lead it anywhere.
        root = User(home)
        assert root.leave() == 75
        assert "belongs to another user" in root.said


def test_as_root_without_user_namespaces_the_server_is_nobodys(home: Path, tmp_path: Path) -> None:
    path = _folder_of_programs(tmp_path, ["setpriv", "true"])
    user = User(home, environ={"PATH": path}).wait_until_ready()
    remember(home, 1)
    if os.geteuid() == 0:
        assert (home / "postgres" / "data").stat().st_uid == NOBODY
    user.kill()
    wait_for(lambda: processes_of(home) == [])
    with using(home):  # Namespaces or not, the folder goes on as it began.
        assert remembered(home) == [1]
        kill(watcher(home))
        wait_for(lambda: processes_of(home) == [])
        assert not (home / "postgres" / "data" / "postmaster.pid").exists()
    assert processes_of(home) == []


def test_as_root_with_neither_the_way_out_is_told(home: Path, tmp_path: Path) -> None:
    prefix = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--"]
    user = User(home, prefix=prefix, environ={"PATH": _folder_of_programs(tmp_path, ["true"])})
    assert user.leave() == 75
    assert "Please run Staddle as an ordinary user, or set STADDLE_DATABASE_URL." in user.said


def _folder_of_programs(folder: Path, names: list[str]) -> str:
    """A PATH that holds these programs and no others."""
    programs = folder / "bin"
    programs.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, name
        (programs / name).symlink_to(found)
    return str(programs)


def _bin_dir() -> Path:
    given = os.environ.get("STADDLE_TEST_BIN_DIR")
    return Path(given) if given else wheel_bin_dir()


def _ordinary() -> list[str]:
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"] if os.geteuid() == 0 else []


def _wait_for_startup_process(home: Path) -> int:
    """Catch the process that recovers the database, by its title."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for pid in processes_of(home):
            if b"startup" in arguments_of(pid):
                return pid
    raise AssertionError("no recovery was seen")
