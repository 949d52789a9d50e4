"""Large files: bounded memory, all or nothing under SIGKILL, two imports of one file at once."""

import io
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.stories.stage import START, set_up

from staddle import customers
from staddle.customers import ImportReport, OnError
from staddle.db import Database

ROOT = Path(__file__).parents[2]
MEGABYTES_MAX = 200


def with_customers(database: Database, count: int) -> Database:
    set_up(database)
    new = [customers.NewCustomer(reference=f"customer {number}") for number in range(count)]
    with database.transaction() as tx:
        customers.add_customers(tx, new, START)
    return database


def write_file(path: Path, count: int, first: int = 0) -> Path:
    with path.open("w") as file:
        file.write("customer,asset,account,amount,reference\n")
        for number in range(first, first + count):
            file.write(
                f"customer {number % 1_000},BTC,spot,{number % 97}.{number % 9999:04}1,reference {number}\n"
            )
    return path


def start_import(database: Database, on_error: OnError, *files: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.stories.import_process", database.dsn, on_error, *map(str, files)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_after(process: subprocess.Popen[str], lines: int) -> None:
    """SIGKILL the import as soon as it says that so many lines have gone through."""
    with process as running:
        assert running.stdout is not None
        assert f"lines {lines}\n" in running.stdout
        running.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def transfers_at_rest(database: Database) -> int:
    """Count the transfers once the server has noticed that the process is gone."""
    others = """
        SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
    """
    with database.owner() as connection:
        for _ in range(600):
            if connection.execute(others).fetchone() == (0,):
                break
            time.sleep(0.05)
        assert connection.execute(others).fetchone() == (0,)
        row = connection.execute("SELECT count(*) FROM transfer").fetchone()
    assert row is not None
    return int(row[0])


def import_now(database: Database, file: Path, on_error: OnError) -> ImportReport:
    with file.open("rb") as stream:
        return customers.import_deposits(database.transaction, stream, file.name, on_error, START)


def books_add_up(database: Database) -> bool:
    """Balances are the sums of transfers, and every cell adds up to nothing."""
    with database.transaction() as tx:
        wrong = tx.execute(
            """
            SELECT account_id FROM (
                SELECT cell, account_id, amount FROM balance
                UNION ALL SELECT cell, debit_account, amount FROM transfer
                UNION ALL SELECT cell, credit_account, -amount FROM transfer) side
             GROUP BY cell, account_id HAVING sum(amount) <> 0
            """
        ).fetchall()
        uneven = tx.execute("SELECT cell FROM balance GROUP BY cell HAVING sum(amount) <> 0").fetchall()
    return not wrong and not uneven


def test_two_hundred_thousand_lines_take_no_more_memory_than_a_few_thousand(
    database: Database, tmp_path: Path
) -> None:
    with_customers(database, 1_000)
    small = write_file(tmp_path / "small.csv", 10_000)
    large = write_file(tmp_path / "large.csv", 200_000, first=10_000)
    process = start_import(database, "stop", small, large)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    after_small, after_large = (
        int(said.split()[1]) for said in output.splitlines() if said.startswith("done")
    )
    assert after_large < MEGABYTES_MAX
    assert after_large - after_small < 20
    assert transfers_at_rest(database) == 210_000
    assert books_add_up(database)


def test_an_import_that_is_killed_leaves_nothing_and_begins_again(database: Database, tmp_path: Path) -> None:
    with_customers(database, 1_000)
    file = write_file(tmp_path / "deposits.csv", 20_000)
    kill_after(start_import(database, "stop", file), 10_000)
    assert transfers_at_rest(database) == 0
    assert import_now(database, file, "stop").imported == 20_000
    assert books_add_up(database)


def test_an_import_of_the_good_lines_that_is_killed_goes_on_where_it_was(
    database: Database, tmp_path: Path
) -> None:
    with_customers(database, 1_000)
    file = write_file(tmp_path / "deposits.csv", 20_000)
    kill_after(start_import(database, "skip", file), 10_000)
    kept = transfers_at_rest(database)
    assert 10_000 <= kept < 20_000
    again = import_now(database, file, "skip")
    assert (again.already_there, again.imported, again.problem_count) == (kept, 20_000 - kept, 0)
    assert books_add_up(database)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_two_imports_of_one_file_at_once_are_one(
    database: Database, tmp_path: Path, on_error: OnError
) -> None:
    with_customers(database, 1_000)
    file = write_file(tmp_path / "deposits.csv", 12_000)
    reports: list[ImportReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(import_now(database, file, on_error)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.imported for report in reports) == 12_000
    assert sum(report.already_there for report in reports) == 12_000
    assert sum(report.problem_count for report in reports) == 0
    assert transfers_at_rest(database) == 12_000
    assert books_add_up(database)


def test_two_imports_at_once_never_give_one_reference_to_two_customers(database: Database) -> None:
    with_customers(database, 2)
    header = b"customer,asset,account,amount,reference\n"
    files = [
        header + b"".join(b"customer %d,BTC,spot,1,r%d\n" % (number, line) for line in range(2_000))
        for number in (0, 1)
    ]
    reports: list[ImportReport] = []

    def load(content: bytes) -> None:
        stream = io.BytesIO(content)
        reports.append(customers.import_deposits(database.transaction, stream, "d.csv", "skip", START))

    threads = [threading.Thread(target=load, args=(content,)) for content in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.imported for report in reports) == 2_000
    assert sum(report.problem_count for report in reports) == 2_000
