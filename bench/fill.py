"""A desk with many positions, made by a few large statements; what it leaves is what the acts would have left."""

import os
import tempfile
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from staddle import customers, desk, ledger, products
from staddle.config import Config
from staddle.db import Database, Server, Tx, open_server, queries

sql = queries(__package__)
OPENED_AT = datetime(2026, 3, 1, tzinfo=UTC)
"""The desk's first instant: every position is opened in the 24 hours from then on."""
POSITIONS_EACH = 5
POOL = Decimal(1_000_000_000_000)


@contextmanager
def temporary_home(within: str | None) -> Iterator[Path]:
    """A folder for an embedded server, removed afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="staddle-bench-", dir=within, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def durable_server(within: str | None) -> Iterator[Server]:
    """The embedded server with the settings it always has, fsync included, in a folder that is removed afterwards."""
    with temporary_home(within) as home, open_server(config_of(home)) as server:
        yield server


def config_of(home: Path) -> Config:
    """The settings that name the embedded server in a folder."""
    return Config(home=home, database_url=None, database=None, operator=None)


def fill(database: Database, customer_count: int, closed_rounds: int = 0) -> None:
    """Make the desk, its products and so many customers, each with five open positions; `closed_rounds` adds five
    ended ones each time, which the run has to pass by."""
    with database.transaction() as tx:
        set_up_desk(tx)
        put_products_on_sale(tx)
        customers.publish_agreement(
            tx, "ada", "Staking service agreement", "In short: rewards every day.", OPENED_AT
        )
        fund_pools(tx)
    named = {
        "customers": customer_count,
        "opened_at": OPENED_AT,
        "step": timedelta(days=1) / customer_count,
        "rounds": closed_rounds,
    }
    with database.owner() as owner:
        owner.execute("SET synchronous_commit = off")
        owner.execute("SET work_mem = '512MB'")
        for name in sql:
            if name.startswith("fill_"):
                owner.execute(getattr(sql, name), named if "%(" in getattr(sql, name) else None)
        owner.execute("VACUUM (ANALYZE)")


def set_up_desk(tx: Tx) -> None:
    """The desk, two operators, three coins with 8, 6 and 18 decimals."""
    desk.create_desk(tx, "Bench", True, time(0), OPENED_AT)
    desk.add_operator(tx, "ada", "ada", OPENED_AT)
    desk.add_operator(tx, "ada", "bob", OPENED_AT)
    for code, scale in (("BTC", 8), ("USDT", 6), ("ETH", 18)):
        ledger.add_asset(tx, code, code, scale)


def put_products_on_sale(tx: Tx) -> None:
    """Two flexible products, one of them in tiers that change on the first day; two fixed ones with a locked rate."""
    for code, asset, term_days, payout in (
        ("BTC-FLEX", "BTC", None, "daily"),
        ("USDT-FLEX", "USDT", None, "daily"),
        ("USDT-90D", "USDT", 90, "daily"),
        ("ETH-120D", "ETH", 120, "at_maturity"),
    ):
        terms = products.Terms(
            amount_min=Decimal("0.01"),
            step=Decimal("0.01"),
            opens_at=OPENED_AT,
            term_days=term_days,
            payout="at_maturity" if payout == "at_maturity" else "daily",
            quota=POOL,
        )
        kind = "flexible" if term_days is None else "fixed"
        products.draft_product(tx, "ada", code, asset, kind, code, terms, OPENED_AT)
        products.approve_terms(tx, "bob", code, 1, OPENED_AT)
    publish(tx, "BTC-FLEX", ((None, "0.01"),), OPENED_AT)
    publish(tx, "USDT-FLEX", (("500", "0.12"), ("5000", "0.008"), (None, "0.003")), OPENED_AT)
    publish(
        tx,
        "USDT-FLEX",
        (("500", "0.11"), ("5000", "0.009"), (None, "0.003")),
        OPENED_AT + timedelta(hours=12),
    )
    publish(tx, "USDT-90D", ((None, "0.08"),), OPENED_AT)
    publish(tx, "ETH-120D", ((None, "0.045"),), OPENED_AT)


def publish(tx: Tx, code: str, bands: tuple[tuple[str | None, str], ...], at: datetime) -> None:
    """Publish a rate; bands are (end, APR) and follow each other from 0."""
    tiers, start = [], Decimal(0)
    for end, apr in bands:
        tiers.append(products.Tier(start, None if end is None else Decimal(end), Decimal(apr)))
        start = tiers[-1].amount_to or start
    number = products.propose_rate(tx, "ada", code, tiers, at, OPENED_AT)
    products.approve_rate(tx, "bob", number, OPENED_AT)


def fund_pools(tx: Tx) -> None:
    """Put more into each reward pool than all runs will pay."""
    locked = ledger.lock_cells(tx, [0])
    transfers = []
    for asset in ledger.all_assets(tx).values():
        number = locked.next_transfer(0)
        custody = ledger.account_of(ledger.HOUSE, asset, ledger.AccountKind.CUSTODY)
        pool = ledger.account_of(ledger.HOUSE, asset, ledger.AccountKind.REWARD_POOL)
        transfers.append(
            ledger.Transfer(number, number, "pool_funding", 0, custody, pool, POOL, f"fund {asset.code}")
        )
    ledger.post(tx, locked, transfers, OPENED_AT)


def checkpoint(database: Database) -> None:
    """Begin each timed piece from the same place: everything on disk, nothing to vacuum."""
    with database.owner() as owner:
        owner.execute("CHECKPOINT")


def timed(act: Callable[[], object]) -> float:
    """Give the seconds an act takes."""
    began = clock.perf_counter()
    act()
    return clock.perf_counter() - began


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def peak_memory() -> float:
    """Give the most memory this process has held since it began, in MB."""
    with open(f"/proc/{os.getpid()}/status", encoding="ascii") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) / 1024
