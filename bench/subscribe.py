"""Subscribing in batches, against pgbench's own TPC-B at its best client count: `python -m bench.subscribe`."""

import argparse
import multiprocessing
import os
import re
import subprocess
import time as clock
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import count, cycle, islice
from multiprocessing.synchronize import Barrier

from psycopg.conninfo import conninfo_to_dict

from bench.fill import OPENED_AT, checkpoint, durable_server, fill, publish, say
from staddle import products
from staddle.db import Database, Server
from staddle.db.embedded import wheel_bin_dir
from staddle.ledger import CELL_COUNT, cell_of
from staddle.positions import Subscribe, subscribe
from staddle.server.interpreter import share_the_interpreter

RATIO_MIN = 2.0
BATCHES = (64, 256)
PROCESSES = (1, 2, 4)
LANES = 16
"""A batch is of customers in a sixteenth of the cells: fewer rows to lock, and no batch of another process in them."""
KEYS = 1_000_000_000
"""How far the numbers of two measurements lie apart, so that no key is used twice."""
CLIENTS = (1, 4, 8, 16, 32, 64)
NOW = OPENED_AT + timedelta(days=1, hours=1)


def main() -> int:
    """Measure both on one server and print the ratio; gives 1 where it is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=40_000)
    parser.add_argument("--scale", type=int, default=50, help="of pgbench")
    parser.add_argument("--seconds", type=int, default=8, help="for each measurement")
    parser.add_argument("--home", help="make the databases in this folder")
    options = parser.parse_args()
    with durable_server(options.home) as server:
        return measure(server, options.customers, options.scale, options.seconds)


def measure(server: Server, customers: int, scale: int, seconds: int) -> int:
    """Find pgbench's best rate, then subscribe in batches in one, two and four processes, each with a connection."""
    say(f"Subscribing, durable, {customers:,} customers, one product with a quota; pgbench at scale {scale}")
    best = max(pgbench_rates(server, scale, seconds).values())
    rates: dict[int, float] = {}
    with server.open("bench_subscribe") as database:
        fill(database, customers)
        put_on_sale(database)
        pieces = [(processes, size) for processes in PROCESSES for size in BATCHES]
        for number, (processes, size) in enumerate(pieces):
            checkpoint(database)
            rate = rate_of(database, customers, size, processes, seconds, number * KEYS)
            rates[size] = max(rate, rates.get(size, 0))
            what = f"batches of {size:3} in {processes} process(es)"
            say(f"  {what} {rate:10,.0f} commands/s {rate / best:6.2f} x")
    is_good = all(rate >= RATIO_MIN * best for rate in rates.values())
    say(f"  {'good' if is_good else 'MISSED'}: each batch size at least {RATIO_MIN:.0f} times pgbench's best")
    return 0 if is_good else 1


def pgbench_rates(server: Server, scale: int, seconds: int) -> dict[int, float]:
    """Give the transactions a second of TPC-B by the number of clients."""
    server.drop("bench_pgbench")
    server.create("bench_pgbench")
    pgbench(server, "--initialize", "--quiet", f"--scale={scale}")
    rates: dict[int, float] = {}
    for clients in CLIENTS:
        # One job for each core is what pgbench's manual advises; prepared statements are its fastest protocol.
        output = pgbench(
            server,
            f"--client={clients}",
            "--jobs=2",
            f"--time={seconds}",
            "--protocol=prepared",
            "--no-vacuum",
        )
        found = re.search(r"tps = ([\d.]+)", output)
        assert found, output
        rates[clients] = float(found[1])
        say(f"  pgbench, {clients:2} clients {rates[clients]:10,.0f} transactions/s")
    server.drop("bench_pgbench")
    return rates


def pgbench(server: Server, *options: str) -> str:
    """Run the embedded wheel's pgbench and give what it prints."""
    target = {key: str(value) for key, value in conninfo_to_dict(server.dsn_of("bench_pgbench")).items()}
    environ = os.environ | {
        "PGHOST": target["host"],
        "PGPORT": target["port"],
        "PGUSER": target["user"],
    }
    argv = [str(wheel_bin_dir() / "pgbench"), *options, target["dbname"]]
    return subprocess.run(argv, env=environ, check=True, capture_output=True, text=True).stdout


def put_on_sale(database: Database) -> None:
    """The one product that everybody wants, limited and in three tiers."""
    terms = products.Terms(
        amount_min=Decimal("0.01"),
        step=Decimal("0.01"),
        opens_at=OPENED_AT,
        quota=Decimal(1_000_000_000),
        personal_cap=Decimal(1_000_000),
    )
    with database.transaction() as tx:
        products.draft_product(tx, "ada", "HOT", "USDT", "flexible", "Hot", terms, OPENED_AT)
        products.approve_terms(tx, "bob", "HOT", 1, OPENED_AT)
        publish(tx, "HOT", (("500", "0.12"), ("5000", "0.008"), (None, "0.003")), OPENED_AT)


def rate_of(
    database: Database, customers: int, size: int, processes: int, seconds: int, first_number: int
) -> float:
    """Give the commands a second that were accepted, each batch one durable transaction.

    Each process takes commands of lanes of its own, one lane after the other, a batch of each.
    """
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(processes)
    asked = [
        (database.dsn, customers, size, (number, processes), seconds, first_number, barrier)
        for number in range(processes)
    ]
    with spawn.Manager() as manager:
        found: list[tuple[int, float]] = manager.list()  # type: ignore[assignment]
        workers = [spawn.Process(target=work, args=(*each, found)) for each in asked]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(found) == processes, "a process of the bench has failed"
        return sum(done for done, _ in found) / max(took for _, took in found)


def work(
    dsn: str,
    customers: int,
    size: int,
    share: tuple[int, int],
    seconds: int,
    first_number: int,
    barrier: Barrier,
    found: list[tuple[int, float]],
) -> None:
    """Subscribe in one process for so many seconds, set up as one that serves; notes how many were accepted, and the
    seconds it took."""
    process, processes = share
    share_the_interpreter()
    lanes = cycle(lanes_of(customers)[process::processes])
    numbers = count(first_number + process, processes)
    with Database(dsn) as database:
        subscribe_batch(database, numbers, next(lanes), size)
        barrier.wait()
        done, began = 0, clock.perf_counter()
        while clock.perf_counter() - began < seconds:
            subscribe_batch(database, numbers, next(lanes), size)
            done += size
        found.append((done, clock.perf_counter() - began))


def lanes_of(customers: int) -> list[Iterator[int]]:
    """Give the customers of each lane of neighbouring cells, over and over; 7919 is prime to the number of customers,
    so that those who follow each other lie in other pages."""
    lanes: list[list[int]] = [[] for _ in range(LANES)]
    for i in range(customers):
        customer = customer_id(i * 7919 % customers)
        lanes[cell_of(customer) * LANES // CELL_COUNT].append(customer)
    return [cycle(lane) for lane in lanes]


def subscribe_batch(database: Database, numbers: Iterator[int], lane: Iterator[int], size: int) -> None:
    """One durable transaction; all of it must be accepted."""
    batch = [command(next(numbers), customer) for customer in islice(lane, size)]
    with database.transaction() as tx:
        outcomes = subscribe(tx, batch, NOW)
    for outcome in outcomes:
        outcome.unwrap()


def command(number: int, customer: int) -> Subscribe:
    """A new command of a customer."""
    return Subscribe(
        customer_id=customer,
        key=f"hot {number}",
        product="HOT",
        amount=Decimal("0.01") * (1 + number % 100),
        agreement_version=1,
    )


def customer_id(i: int) -> int:
    """The id that fill gave to the i-th customer."""
    return (i // 256 + 1) * 256 + (i % 256 * 167 + i // 256 * 89) % 256


if __name__ == "__main__":
    raise SystemExit(main())
