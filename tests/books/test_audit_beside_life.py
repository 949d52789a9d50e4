"""The audit beside a living desk: no false alarm, nothing written, and memory that does not grow with the books."""

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from bench.fill import OPENED_AT, fill
from tests.living import Living

from staddle import rewards
from staddle.db import Database
from staddle.errors import DatabaseUnavailable

AUDIT = """
import sys
from pathlib import Path
from staddle import rewards
from staddle.db import Database
with Database(sys.argv[1]) as database:
    found = [finding for finding in rewards.audit(database) if not finding.is_information]
held = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(len(found), held["VmHWM"].split()[0])
"""

END_IDLE_TRANSACTIONS = """
SELECT pid, pg_terminate_backend(pid, 5000)
  FROM pg_stat_activity
 WHERE datname = current_database() AND state = 'idle in transaction'
"""


def audit_in_a_process(database: Database) -> tuple[int, int]:
    """Audit in a process of its own; gives the faults found and the most memory it held, in kB."""
    done = subprocess.run(
        [sys.executable, "-c", AUDIT, database.dsn], check=True, capture_output=True, text=True, timeout=200
    )
    found, memory = done.stdout.split()
    return int(found), int(memory)


def test_acts_and_runs_meanwhile_raise_no_false_alarm(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.01")], quota="1000000")
    living.product("LONG", "USDT", apr="0.08", term_days=30)
    people = [living.customer(f"customer {number}", USDT="100000") for number in range(20)]
    stopped = threading.Event()
    lived: list[int] = []
    audits: list[list[object]] = []

    def live() -> None:
        while not stopped.is_set():
            living.passes(hours=7)
            for customer in people:
                position = living.subscribe(customer, "LONG", "10")
                living.subscribe(customer, "FLEX", "100")
                living.redeem(customer, "FLEX", "50")
                if position % 3 == 0:
                    living.leave_early(customer, position)
            rewards.tick(database, "ada", living.now)
            lived.append(1)

    life = threading.Thread(target=live)
    life.start()
    try:
        while len(lived) < 4 and life.is_alive():
            audits.append([finding for finding in rewards.audit(database) if not finding.is_information])
    finally:
        stopped.set()
        life.join()
    assert len(lived) >= 4, "the desk stopped living"
    assert len(audits) >= 3
    assert audits == [[]] * len(audits)


def test_the_right_to_read_is_enough_for_an_audit(books: Database) -> None:
    with books.owner() as owner:
        owner.execute("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM staddle_app")
        owner.execute("REVOKE EXECUTE ON FUNCTION open_reward_day, close_reward_piece FROM staddle_app")
    assert [finding for finding in rewards.audit(books) if not finding.is_information] == []


def test_an_audit_whose_snapshot_is_lost_says_that_the_database_was(books: Database) -> None:
    """As when a new leader cuts off the sessions of the one before; it is no fault of the books or of ours."""
    ended: list[int] = []

    def end_who_holds_the_snapshot(progress: rewards.AuditProgress) -> None:
        if not ended:
            with books.owner() as owner:
                ended.extend(row.pid for row in owner.execute(END_IDLE_TRANSACTIONS))

    with pytest.raises(DatabaseUnavailable):
        rewards.audit(books, end_who_holds_the_snapshot)
    assert len(ended) == 1
    assert [finding for finding in rewards.audit(books) if not finding.is_information] == []


def test_an_audit_of_fifty_thousand_positions_takes_no_more_memory_than_that_of_a_few(
    books: Database, database: Database
) -> None:
    fill(database, 10_000)
    rewards.catch_up(database, "ada", OPENED_AT + timedelta(days=3))
    rewards.seal_all(database, OPENED_AT + timedelta(days=3))
    found_in_few, few = audit_in_a_process(books)
    found_in_many, many = audit_in_a_process(database)
    assert (found_in_few, found_in_many) == (0, 0)
    assert many < few + 10_000


def test_damage_everywhere_is_told_of_without_taking_more_memory(books: Database, database: Database) -> None:
    fill(database, 10_000)
    rewards.catch_up(database, "ada", OPENED_AT + timedelta(days=2))
    with database.owner() as owner:
        owner.execute("UPDATE balance SET amount = amount + 1")
        owner.execute("UPDATE reward SET amount = amount * 2")
    _, few = audit_in_a_process(books)
    found, many = audit_in_a_process(database)
    assert found > 400
    assert many < few + 10_000
