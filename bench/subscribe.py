"""Subscribing in batches, against pgbench's own TPC-B at its best client count: `python -m bench.subscribe`."""

import argparse
import os
import re
import subprocess
import time as clock
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import count

from psycopg.conninfo import conninfo_to_dict

from bench.fill import OPENED_AT, checkpoint, durable_server, fill, publish, say
from staddle import products
from staddle.db import Database, Server
from staddle.db.embedded import wheel_bin_dir
from staddle.positions import Subscribe, subscribe

RATIO_MIN = 2.0
BATCHES = (64, 256)
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
    """Find pgbench's best rate, then subscribe in batches on one connection and on two."""
    say(f"Subscribing, durable, {customers:,} customers, one product with a quota; pgbench at scale {scale}")
    best = max(pgbench_rates(server, scale, seconds).values())
    rates: dict[int, float] = {}
    with server.open("bench_subscribe") as database:
        fill(database, customers)
        put_on_sale(database)
        numbers = count()
        for connections in (1, 2):
            for size in BATCHES:
                checkpoint(database)
                rate = rate_of(database, customers, size, connections, seconds, numbers)
                rates[size] = max(rate, rates.get(size, 0))
                what = f"batches of {size:3} on {connections} connection(s)"
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
    database: Database, customers: int, size: int, connections: int, seconds: int, numbers: Iterator[int]
) -> float:
    """Give the commands a second that were accepted, each batch one durable transaction."""
    until = clock.perf_counter() + seconds

    def work(_: int) -> int:
        done = 0
        while clock.perf_counter() < until:
            batch = fresh_batch(numbers, customers, size)
            with database.transaction() as tx:
                outcomes = subscribe(tx, batch, NOW)
            for outcome in outcomes:
                outcome.unwrap()
            done += size
        return done

    began = clock.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        done = sum(pool.map(work, range(connections)))
    return done / (clock.perf_counter() - began)


def fresh_batch(numbers: Iterator[int], customers: int, size: int) -> list[Subscribe]:
    """New commands of distinct customers over all cells."""
    return [command(next(numbers), customers) for _ in range(size)]


def command(number: int, customers: int) -> Subscribe:
    """A new command; 7919 is prime to the number of customers, so that neighbours lie in other cells and pages."""
    i = number * 7919 % customers
    return Subscribe(
        customer_id=customer_id(i),
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
