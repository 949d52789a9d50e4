"""The console's tables on a large desk: `python -m bench.console`. A million positions, one reader."""

import argparse
import statistics
import time as clock
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from bench.fill import OPENED_AT, config_of, fill, say, sql, temporary_home, timed
from bench.over_http import serving
from staddle import desk, rewards, treasury
from staddle.customers import CustomerFilter, customers_of_desk, find_customers
from staddle.db import Database, Server, open_server
from staddle.identity import Seen, find_login_by_email
from staddle.identity.sessions import open_session
from staddle.ledger import TransferFilter, transfers_of_desk

POSITIONS_EACH = 5
SEEN = Seen("127.0.0.1", "bench")
SECONDS_MAX = 0.300
DAYS = 2
"""So many runs are paid and days closed before the pages are read."""
EXPORTS = ("/console/customers.csv", "/console/positions.csv", "/console/ledger.csv")
WITHOUT_IDS = (
    ("today", "/console"),
    ("approvals", "/console/approvals"),
    ("alarms", "/console/alarms"),
    ("runs", "/console/runs"),
    ("treasury", "/console/treasury"),
    ("a pool", "/console/treasury/USDT"),
    ("a pool's days", "/console/treasury/USDT/days"),
    ("the ladder", "/console/treasury/USDT/ladder"),
    ("what if", "/console/treasury/USDT/what-if"),
    ("products", "/console/products"),
    ("a product", "/console/products/USDT-FLEX"),
    ("its editor", "/console/products/USDT-FLEX/edit"),
    ("rates", "/console/rates"),
    ("a rate", "/console/rates/USDT-FLEX"),
    ("schedule", "/console/schedule"),
    ("audit", "/console/audit"),
    ("the log", "/console/log"),
    ("people", "/console/people"),
)
"""Pages that need no name of anything that was filled in."""
FAR = 5
"""So many pages further on is a far one; a cursor finds the thousandth as it finds the fifth."""


def main() -> int:
    """Fill a desk and read its tables; gives 1 where one takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=15, help="of each page")
    parser.add_argument("--home", help="make the database in this folder")
    options = parser.parse_args()
    with temporary_home(options.home) as home, open_server(config_of(home)) as server:
        return measure(server, home, options.positions, options.reads)


def measure(server: Server, home: Path, positions: int, reads: int) -> int:
    """Time each table at one connection, first page and far, and each file."""
    say(f"The console's tables, {positions:,} positions, one reader")
    with server.open("bench_console") as database:
        say(f"  filled in {timed(lambda: fill(database, positions // POSITIONS_EACH)):.0f} s")
        for day in range(1, DAYS + 1):
            now = OPENED_AT + timedelta(days=day, hours=1)
            took = timed(lambda now=now: rewards.catch_up(database, "ada", now))
            closed = timed(lambda now=now: rewards.close_all(database, now))
            say(f"  run {day} in {took:.2f} s, its day closed in {closed:.2f} s")
        say(f"  what the schedule counts for pages in {timed(lambda: count_for_pages(database)):.2f} s")
        token = operator_session(database)
        with serving(home, "bench_console", 1, has_worker=False) as port:
            cookies = {"staddle_console": token}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=600) as site:
                slowest = max(time_table(site, *named, reads) for named in addresses(database))
                for address in EXPORTS:
                    weigh_export(site, address)
    is_good = slowest <= SECONDS_MAX
    say(f"  {'good' if is_good else 'MISSED'}: each page within {SECONDS_MAX * 1000:.0f} ms (median)")
    return int(not is_good)


def count_for_pages(database: Database) -> None:
    """Count as the schedule does every few minutes: the worker, whose first audit would be measured, is left out."""
    now, machine_now = OPENED_AT + timedelta(days=DAYS, hours=1), datetime.now(UTC)
    with database.transaction() as tx:
        desk.set_clock(tx, now)
        treasury.keep_costs(tx, treasury.count_costs(tx, now), machine_now)
        treasury.keep_foresight(tx, now, machine_now)


def operator_session(database: Database) -> str:
    """Sign the operator ada in; gives the session's token."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        tx.execute(sql.give_operator_login, {"now": now})
        login = find_login_by_email(tx, "operator", "ada@example.com")
        return open_session(tx, login, "password", now, SEEN, now).token


def addresses(database: Database) -> Iterator[tuple[str, str]]:
    """Name the pages, each table with filters and orders that it has."""
    with database.transaction() as tx:
        # The desk is filled without hashing references: few customers lie in the cell where they are looked for.
        some = customers_of_desk(tx, CustomerFilter(), "joined_at", None, 5_000).items
        customer = next(iter(find_customers(tx, [each.reference for each in some]).values()))
        wanted = TransferFilter(customer_id=customer.customer_id, kind="subscription")
        transfer = transfers_of_desk(tx, wanted, None, 1, OPENED_AT).items[0]
    reference = customer.reference
    day = (OPENED_AT + timedelta(days=DAYS)).date()
    yield "customers", "/console/customers"
    yield "customers by reference", "/console/customers?reference=c19"
    yield "customers by name", "/console/customers?name=customer+77"
    yield "customers of a country", "/console/customers?country=DE"
    yield "a customer", f"/console/customers/{reference}"
    yield "positions", "/console/positions"
    yield "positions, oldest first", "/console/positions?sort=started_at"
    yield "positions, maturing first", "/console/positions?sort=matures_at"
    yield "positions of a product", "/console/positions?product=USDT-90D&state=all"
    yield "positions that mature then", "/console/positions?matures_until=2026-05-30"
    yield "positions, ended", "/console/positions?state=ended"
    yield "a position", f"/console/positions/{transfer.position_id}"
    yield "a reward explained", f"/console/positions/{transfer.position_id}/days/{day}"
    yield "transfers", "/console/ledger"
    yield "transfers of a kind", "/console/ledger?kind=deposit"
    yield "transfers of a rare kind", "/console/ledger?kind=forfeiture"
    yield "transfers that there are not", "/console/ledger?kind=withdrawal"
    yield "transfers of an account", "/console/ledger?account=accrued&asset=ETH"
    yield "transfers of a customer", f"/console/ledger?customer={reference}"
    yield "a transfer", f"/console/ledger/transfers/{transfer.transfer_id}"
    yield "an account", f"/console/customers/{reference}/accounts/USDT/spot"
    yield "a house account", "/console/ledger/accounts/USDT/custody"
    yield "a closed day", f"/console/ledger/closings/{day}"
    yield "closed days", "/console/ledger/closings"
    yield "a run", f"/console/runs/{day}"
    yield from WITHOUT_IDS
    yield "search by reference", f"/console/search?q={reference}"
    yield "search by name", "/console/search?q=customer+1"
    yield "search by number", f"/console/search?q={transfer.transfer_id}"


def time_table(site: httpx.Client, name: str, address: str, reads: int) -> float:
    """Read a page so many times, and a far page of it; gives the slower median in seconds."""
    first, page = time_page(site, address, reads)
    far = None
    for _ in range(FAR):
        after = page.partition("data-next-page")[0].rpartition('href="')[2].partition('"')[0]
        if "data-next-page" not in page or not after.startswith("/console"):
            break
        address = after.replace("&amp;", "&")
        page = site.get(address).text
        far = address
    told = f"{first * 1000:6.1f} ms"
    if far is not None:
        far_seconds, _ = time_page(site, far, reads)
        told += f", {FAR} pages on {far_seconds * 1000:6.1f} ms"
        first = max(first, far_seconds)
    say(f"  {name:30} {told}")
    return first


def time_page(site: httpx.Client, address: str, reads: int) -> tuple[float, str]:
    """Read a page so many times; gives the median seconds and what it says."""
    took = []
    for _ in range(reads + 2):
        began = clock.perf_counter()
        answer = site.get(address)
        took.append(clock.perf_counter() - began)
        assert answer.status_code == 200, f"{address}: {answer.text[:500]}"
    return statistics.median(took[2:]), answer.text


def weigh_export(site: httpx.Client, address: str) -> None:
    """Load a file to its end, and say how long it took and how large it is."""
    began = clock.perf_counter()
    with TemporaryFile() as file, site.stream("GET", address) as answer:
        assert answer.status_code == 200, address
        for piece in answer.iter_raw():
            file.write(piece)
        size = file.tell()
    say(f"  {address:30} {clock.perf_counter() - began:6.1f} s, {size:,} bytes")


if __name__ == "__main__":
    raise SystemExit(main())
