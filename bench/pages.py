"""The customer's first page on a large desk: `python -m bench.pages`. 200 products, a million positions, one reader."""

import argparse
import statistics
import time as clock
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx

from bench.fill import OPENED_AT, config_of, fill, publish, say, sql, temporary_home, timed
from bench.over_http import serving
from staddle import products
from staddle.db import Database, Server, open_server
from staddle.identity import Seen, find_login_by_email
from staddle.identity.sessions import open_session

PRODUCTS = 200
POSITIONS_EACH = 5
SEEN = Seen("127.0.0.1", "bench")
SECONDS_MAX = 0.050
BYTES_MAX = 150_000
ADDRESSES = (
    ("Earn, not signed in", "/", False),
    ("Earn, signed in", "/", True),
    ("Earn with the calculator", "/?amount=1000", True),
    ("a product", "/products/USDT-FLEX", True),
    ("positions", "/positions", True),
)


def main() -> int:
    """Fill a desk and read its pages; gives 1 where the first page takes too long or weighs too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=200, help="of each page")
    parser.add_argument("--home", help="make the database in this folder")
    options = parser.parse_args()
    with temporary_home(options.home) as home, open_server(config_of(home)) as server:
        return measure(server, home, options.positions, options.reads)


def measure(server: Server, home: Path, positions: int, reads: int) -> int:
    """Time each page at one connection, and weigh the first with all that it loads."""
    say(f"Pages, {PRODUCTS} products, {positions:,} positions, one reader")
    with server.open("bench_pages") as database:
        say(f"  filled in {timed(lambda: fill(database, positions // POSITIONS_EACH)):.0f} s")
        token = put_on_show(database)
        # Without the worker: its first audit of a million positions would be measured, too.
        with serving(home, "bench_pages", 1, has_worker=False) as port:
            site = f"http://127.0.0.1:{port}"
            with (
                httpx.Client(base_url=site) as stranger,
                httpx.Client(base_url=site, cookies={"staddle": token}) as customer,
            ):
                seen = [time_page(customer if own else stranger, *named, reads) for *named, own in ADDRESSES]
                weight = weigh(stranger)
    is_good = seen[0] <= SECONDS_MAX and seen[1] <= SECONDS_MAX and weight <= BYTES_MAX
    say(f"  {'good' if is_good else 'MISSED'}: Earn within 50 ms (median) and {BYTES_MAX // 1000} kB in all")
    return int(not is_good)


def put_on_show(database: Database) -> str:
    """Add products until there are 200, and sign a customer in; gives the session's token."""
    now = datetime.now(UTC)
    with database.transaction() as tx:
        for number in range(PRODUCTS - 4):
            coin = ("BTC", "USDT", "ETH")[number % 3]
            code = f"{coin}-SHOW-{number}"
            term_days = None if number % 2 else 7 * (1 + number % 17)
            terms = products.Terms(
                amount_min=Decimal("0.01"),
                step=Decimal("0.01"),
                opens_at=OPENED_AT,
                term_days=term_days,
                quota=Decimal(1_000_000),
            )
            kind = "flexible" if term_days is None else "fixed"
            products.draft_product(tx, "ada", code, coin, kind, f"{coin} number {number}", terms, OPENED_AT)
            products.approve_terms(tx, "bob", code, 1, OPENED_AT)
            publish(tx, code, (("500", f"0.{10 + number % 80}"), (None, "0.02")), OPENED_AT)
        tx.execute(sql.give_login, {"now": now})
        login = find_login_by_email(tx, "customer", "one@example.com")
        return open_session(tx, login, "password", now, SEEN, now).token


def time_page(site: httpx.Client, name: str, address: str, reads: int) -> float:
    """Read a page so many times; gives the median seconds."""
    took = []
    for _ in range(reads + 5):
        began = clock.perf_counter()
        answer = site.get(address)
        took.append(clock.perf_counter() - began)
        assert answer.status_code == 200, answer.text[:500]
    took = sorted(took[5:])
    median, slow = statistics.median(took), took[int(len(took) * 0.99) - 1]
    say(f"  {name:28} p50 {median * 1000:6.1f} ms, p99 {slow * 1000:6.1f} ms, {len(answer.content):,} bytes")
    return median


def weigh(site: httpx.Client) -> int:
    """Add up what a browser loads for the first page, as it is sent."""
    page = site.get("/", headers={"Accept-Encoding": "gzip"})
    weight = int(page.headers.get("content-length", len(page.content)))
    for part in page.text.split('"'):
        if part.startswith("/static/"):
            with site.stream("GET", part, headers={"Accept-Encoding": "gzip"}) as file:
                weight += sum(len(piece) for piece in file.iter_raw())
    say(f"  the first page weighs {weight:,} bytes with all that it loads")
    return weight


if __name__ == "__main__":
    raise SystemExit(main())
