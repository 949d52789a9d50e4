"""The daily run of a large desk, against a bare INSERT of the same reward rows: `python -m bench.run`."""

import argparse
import statistics
from datetime import date, datetime, timedelta

from bench.fill import (
    OPENED_AT,
    POSITIONS_EACH,
    checkpoint,
    durable_server,
    fill,
    peak_memory,
    say,
    sql,
    timed,
)
from staddle.db import Database
from staddle.rewards import catch_up, run

RATIO_MAX = 4.5
MEMORY_MAX = 150.0
FIRST = OPENED_AT.date()


def main() -> int:
    """Fill, run, and print; gives 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument(
        "--closed-rounds", type=int, default=0, help="so many ended positions for each open one"
    )
    parser.add_argument("--home", help="make the database in this folder")
    options = parser.parse_args()
    with durable_server(options.home) as server, server.open("bench_run") as database:
        return measure(database, options.positions, options.closed_rounds)


def measure(database: Database, positions: int, closed_rounds: int = 0) -> int:
    """Fill the database and time a run, a second one, a catch-up of three, and one done already."""
    say(
        f"The daily run, {positions:,} open positions, {POSITIONS_EACH} a customer, 3 coins, on 2 connections"
    )
    say(f"  filled in {timed(lambda: fill(database, positions // POSITIONS_EACH, closed_rounds)):.0f} s")
    pay(database, 1)  # nobody has completed a day yet
    first = time_run(database, 2)
    bare = bare_insert(database, FIRST + timedelta(days=2))
    second = time_run(database, 3)
    say_line("bare INSERT .. SELECT of the same rows", bare, positions, bare)
    say_line("the first day", first, positions, bare)
    say_line("the second day", second, positions, bare)
    checkpoint(database)
    three = timed(lambda: catch_up(database, "ada", midnight(6)))
    say_line("a catch-up of three days, a day", three / 3, positions, bare)
    again = timed(lambda: pay(database, 6))
    say_line("a day that is finished", again, positions, bare)
    say(f"  most memory of this process: {peak_memory():.0f} MB (at most {MEMORY_MAX:.0f})")
    is_good = max(first, second) <= RATIO_MAX * bare and peak_memory() <= MEMORY_MAX
    say(f"  {'good' if is_good else 'MISSED'}: a day takes at most {RATIO_MAX} times the bare INSERT")
    return 0 if is_good else 1


def midnight(days: int) -> datetime:
    """The distribution instant so many days after the desk was opened."""
    return OPENED_AT + timedelta(days=days)


def pay(database: Database, days: int) -> None:
    """Do one day's run and see that it finished."""
    report = run(database, midnight(days).date(), "ada", midnight(days))
    assert report.state == "finished", report.held_because


def time_run(database: Database, days: int) -> float:
    """Give the seconds that one day's run takes, begun from a checkpoint."""
    checkpoint(database)
    return timed(lambda: pay(database, days))


def bare_insert(database: Database, run_on: date) -> float:
    """Give the seconds of the bare INSERT: the median of three, each into a new table."""
    seconds = []
    for _ in range(3):
        with database.owner() as owner:
            owner.execute(sql.bare_table)
            checkpoint(database)
            seconds.append(timed(lambda: owner.execute(sql.bare_insert, {"run_on": run_on})))
            owner.execute("DROP TABLE bare")
    return statistics.median(seconds)


def say_line(what: str, seconds: float, rewards: int, bare: float) -> None:
    """Print one measurement: seconds, rewards a second, times the bare INSERT."""
    say(f"  {what:<42} {seconds:8.2f} s {rewards / seconds:12,.0f} rewards/s {seconds / bare:6.2f} x")


if __name__ == "__main__":
    raise SystemExit(main())
