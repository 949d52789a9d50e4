"""Subscribing over HTTP, against pgbench's own TPC-B, and a portfolio out of many: `python -m bench.over_http`."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from bench import binance
from bench.fill import OPENED_AT, checkpoint, config_of, fill, say, sql, temporary_home
from bench.subscribe import customer_id, pgbench_rates, put_on_sale
from staddle.db import Database, Server, open_server
from staddle.keyring import Keyring
from staddle.server.jobs import jobs

RATIO_MIN = 2.5
P99_MAX = {64: 0.040, 256: 0.120}
PORTFOLIO_P99_MAX = 0.005
QUOTA = Decimal(1_000_000_000)
JOBS_SECONDS_MAX = 120


def main() -> int:
    """Measure on one server and print the ratios; gives 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=40_000)
    parser.add_argument("--scale", type=int, default=64, help="of pgbench: as many as it has clients")
    parser.add_argument("--seconds", type=int, default=8, help="for each measurement")
    parser.add_argument("--processes", type=int, default=2, help="that serve")
    parser.add_argument("--home", help="make the databases in this folder")
    options = parser.parse_args()
    with temporary_home(options.home) as home, open_server(config_of(home)) as server:
        return measure(server, home, options.customers, options.scale, options.seconds, options.processes)


def measure(server: Server, home: Path, customers: int, scale: int, seconds: int, processes: int) -> int:
    """Time pgbench, then the same server behind HTTP."""
    say(f"Over HTTP, durable, {customers:,} customers, one hot limited product, {processes} processes")
    rates = pgbench_rates(server, scale, seconds)
    missed, number = 0, 0
    with server.open("bench_http") as database:
        fill(database, customers)
        put_on_sale(database)
        tokens = give_keys(database, customers)
        checkpoint(database)
        with serving(home, "bench_http", processes) as port:
            wait_for_jobs(database)
            load(port, tokens, 64, 2, None, 10**9)  # so that each process has seen all it needs
            before = memory_of(port)
            for connections, p99_max in P99_MAX.items():
                seen = load(port, tokens, connections, seconds, None, number)
                number += seen["requests"] + connections
                missed += judge(seen, connections, rates, p99_max)
            missed += portfolio(port, tokens, seconds)
            missed += binance.measure(
                database,
                Keyring(config_of(home)),
                port,
                seconds,
                lambda: load(port, tokens, 64, seconds, None, 10**8),
            )
            say(f"  memory of each process, MB: {before} before, {memory_of(port)} after")
        missed += oversold(database)
    verdict = "MISSED" if missed else "good"
    say(f"  {verdict}: at least {RATIO_MIN} times pgbench with 64 clients, p99 within 40 and 120 ms")
    return min(missed, 1)


def judge(seen: dict[str, Any], connections: int, rates: dict[int, float], p99_max: float) -> int:
    """Print what a load saw beside pgbench's rates; gives 1 where a target is missed."""
    ratio, of_best = seen["rate"] / rates[64], seen["rate"] / max(rates.values())
    say(
        f"  {connections:3} connections {seen['rate']:10,.0f} subscriptions/s {ratio:6.2f} x pgbench at 64, "
        f"{of_best:.2f} x its best; p50 {seen['p50'] * 1000:.1f} ms, p99 {seen['p99'] * 1000:.1f} ms {seen['statuses']}"
    )
    return int(ratio < RATIO_MIN or seen["p99"] > p99_max or set(seen["statuses"]) != {"200"})


def portfolio(port: int, tokens: list[str], seconds: int) -> int:
    """Time the list of a customer's positions at one connection."""
    seen = load(port, tokens, 1, min(seconds, 4), "/v1/positions?limit=50", 0)
    say(f"  a portfolio: p50 {seen['p50'] * 1000:.2f} ms, p99 {seen['p99'] * 1000:.2f} ms {seen['statuses']}")
    return int(seen["p99"] > PORTFOLIO_P99_MAX)


def memory_of(port: int) -> list[int]:
    """Give what each process of the service on this port holds, in MB."""
    own = f"STADDLE_LISTEN=127.0.0.1:{port}\0".encode()
    held = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if own in (folder / "environ").read_bytes() and b"staddle" in (folder / "cmdline").read_bytes():
                lines = (folder / "status").read_text().splitlines()
                held += [int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")]
        except OSError:
            continue  # it has just ended
    return sorted(held)


def oversold(database: Database) -> int:
    """See that the quota says what the positions hold, and no more than there is."""
    with database.owner() as owner:
        row = owner.execute(sql.hot_quota).fetchone()
    assert row is not None
    is_good = row.used == row.held and row.used <= QUOTA
    say(f"  sold {row.used:,.2f} in {row.positions:,} positions; the quota says the same: {is_good}")
    return int(not is_good)


def give_keys(database: Database, customers: int) -> list[str]:
    """Give each customer an API key, and tell the keys."""
    tokens = [f"stdk_{number:0>43}" for number in range(customers)]
    with database.owner() as owner:
        owner.execute(
            sql.give_keys,
            {
                "tokens": tokens,
                "customer_ids": [customer_id(number) for number in range(customers)],
                "now": OPENED_AT,
            },
        )
        owner.execute("VACUUM (ANALYZE) api_key")
    return tokens


@contextmanager
def serving(home: Path, database: str, processes: int, has_worker: bool = True) -> Iterator[int]:
    """Run `staddle serve` on a port of its own for this long."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = os.environ | {
        "STADDLE_HOME": str(home),
        "STADDLE_DATABASE": database,
        "STADDLE_LISTEN": f"127.0.0.1:{port}",
        "STADDLE_PROCESSES": str(processes),
        "STADDLE_TRUSTED_PROXIES": "127.0.0.1",
        "STADDLE_BINANCE_PACE_SECONDS": "0",
    }
    with tempfile.TemporaryFile() as output:
        command = [str(Path(sys.executable).parent / "staddle"), "serve"]
        command += [] if has_worker else ["--no-worker"]
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            if not is_ready(port, process):
                output.seek(0)
                raise RuntimeError(f"the service does not answer: {output.read().decode()[-2000:]}")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def is_ready(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until the service answers; False when it ends instead, or takes a minute."""
    until = clock.monotonic() + 60
    while clock.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/v1/openapi.json", timeout=2)
        except httpx.HTTPError:
            clock.sleep(0.1)
        else:
            return True
    return False


def wait_for_jobs(database: Database) -> None:
    """Wait until the schedule has done once what it begins with: the first run, the first audit of the whole books.

    It does them once a day. Beside them, the first measurement would tell how fast the desk is during its audit.
    """
    until = clock.monotonic() + JOBS_SECONDS_MAX
    names = [job.name for job in jobs()]
    while clock.monotonic() < until:
        with database.transaction() as tx:
            row = tx.execute(sql.jobs_done, {"names": names}).fetchone()
        if row is not None and row.is_done:
            return
        clock.sleep(0.2)
    raise RuntimeError("the schedule does not come to an end")


def load(
    port: int, tokens: list[str], connections: int, seconds: int, path: str | None, first: int
) -> dict[str, Any]:
    """Load the service from a process of its own, and give what it saw."""
    told = {
        "host": "127.0.0.1",
        "port": port,
        "tokens": tokens,
        "connections": connections,
        "seconds": seconds,
        "path": path,
        "first_number": first,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


if __name__ == "__main__":
    raise SystemExit(main())
