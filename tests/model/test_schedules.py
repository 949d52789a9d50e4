"""Rule 5: whenever runs happen to be executed, the same history pays the same to the last digit."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from tests.living import Living, assert_audited, assert_books_hold

from staddle import rewards
from staddle.db import Database
from staddle.errors import RunOutOfOrder

START = datetime(2026, 3, 25, 7, 31, 12, 345_678, tzinfo=UTC)
LAST_DAY = 13
BANDS = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
Act = Callable[[Living], Any]
Schedule = Callable[[Living], Iterator[None]]


def on_sale(living: Living) -> tuple[int, int]:
    """Products of every kind, and two customers."""
    living.product("FLEX", "USDT", bands=BANDS)
    living.product(
        "FLOAT-3D", "USDT", bands=BANDS, term_days=3, rate_policy="floating", flexible_product="FLEX"
    )
    living.product("LOCKED-2D", "USDT", apr="0.31", term_days=2, at_maturity="renew")
    living.product("LATER-4D", "USDT", apr="0.4", term_days=4, payout="at_maturity")
    living.product(
        "KEEP-6D", "USDT", apr="9", term_days=6, early_redemption="keep_fraction", kept_fraction="0.4"
    )
    return living.customer("anna", USDT="50000"), living.customer("bert", USDT="50000")


def history(anna: int, bert: int, opened: dict[str, int]) -> list[tuple[float, Act]]:
    """What happened, by hours since the start: subscriptions, redemptions, early ones, revisions, choices."""

    def subscribe(name: str, customer: int, code: str, amount: str, **fields: Any) -> Act:
        def act(living: Living) -> None:
            opened[name] = living.subscribe(customer, code, amount, **fields)

        return act

    def revise(code: str, apr: str, hours: float) -> Act:
        return lambda living: living.revise(code, apr, at=living.now + timedelta(hours=hours))

    return [
        (0, subscribe("a", anna, "FLEX", "499.99999999")),
        (0.5, subscribe("b", anna, "FLEX", "700.00000002")),
        (1, subscribe("c", anna, "LOCKED-2D", "333.33333333")),
        (2, subscribe("d", bert, "FLOAT-3D", "4999", at_maturity="to_flexible")),
        (3, subscribe("e", bert, "FLOAT-3D", "2500.5")),
        (5, subscribe("f", bert, "LATER-4D", "1000")),
        (20, subscribe("g", anna, "KEEP-6D", "800")),
        (26, revise("FLEX", "0.09", 5.25)),
        (31, revise("FLOAT-3D", "0.5", 24)),
        (40, subscribe("h", anna, "FLEX", "6000")),
        (64.5, lambda living: living.redeem(anna, "FLEX", "6100.1", "spot")),
        (
            74,
            lambda living: living.choose(
                anna, living.positions_of(anna, "LOCKED-2D")[-1].position_id, "redeem"
            ),
        ),
        (90, subscribe("i", bert, "FLEX", "10")),
        (100.2, lambda living: living.leave_early(anna, opened["g"])),
        (110, revise("FLEX", "0.031", 0.5)),
        (150, lambda living: living.redeem(bert, "FLEX", "5005")),
        (180, subscribe("j", anna, "LOCKED-2D", "20", at_maturity="redeem")),
        (200, lambda living: living.redeem(anna, "FLEX", None)),
        (250, lambda living: living.redeem(bert, "FLEX", "3")),
    ]


def daily(living: Living) -> Iterator[None]:
    """As it should be."""
    while True:
        living.catch_up()
        yield


def every_third_day(living: Living) -> Iterator[None]:
    """Outages of days, each made up for by a catch-up."""
    for step in range(10**6):
        if step % 72 == 71:
            living.catch_up()
        yield


def all_at_the_end(living: Living) -> Iterator[None]:
    """Nothing before the last day."""
    while True:
        if living.now >= START + timedelta(days=LAST_DAY):
            living.catch_up()
        yield


def with_ticks_between(living: Living) -> Iterator[None]:
    """Maturities are noticed every few hours; runs come ten hours late."""
    for step in range(10**6):
        if step % 5 == 0:
            living.tick()
        if living.now.hour == 10:
            living.catch_up()
        yield


def split_and_repeated(living: Living) -> Iterator[None]:
    """Each run is started by two at once, then again, and one out of order is tried."""
    done: set[date] = set()
    while True:
        today = living.now.date()
        if today not in done and today > START.date():
            with ThreadPoolExecutor(2) as pool:
                for each in [pool.submit(living.catch_up) for _ in range(2)]:
                    each.result()
            assert living.run(today).state == "finished"
            with pytest.raises(RunOutOfOrder):
                rewards.run(living.database, today + timedelta(days=2), "ada", living.now + timedelta(days=3))
            done.add(today)
        yield


def live(database: Database, schedule: Schedule, hour: time) -> dict[str, Any]:
    """Live through the history under a schedule of runs; gives everything that must not depend on it."""
    living = Living(database, START, hour)
    anna, bert = on_sale(living)
    todo, running = history(anna, bert, {}), schedule(living)
    for quarter in range(LAST_DAY * 24 + 1):
        while todo and todo[0][0] < quarter + 1:
            hours, act = todo.pop(0)
            living.comes(START + timedelta(hours=hours))
            act(living)
        living.comes(max(living.now, START + timedelta(hours=quarter)))
        next(running)
    living.catch_up()
    with database.transaction() as tx:
        assert_books_hold(tx)
    assert_audited(database)
    # A maturity that is noticed later opens its renewal later: a position's number is all that may depend on it.
    by_name = "SELECT p.customer_id, o.code, p.started_at, p.opened_principal, "
    of_positions = " FROM position p JOIN product o USING (product_id) "
    return {
        "balances": living.rows("SELECT cell, account_id, amount FROM balance ORDER BY 1, 2"),
        "rewards": living.rows(
            f"{by_name} r.run_on, r.amount, r.basis {of_positions}"
            " JOIN reward r ON r.position_id = p.position_id ORDER BY 1, 2, 3, 4, 5"
        ),
        "positions": living.rows(
            f"{by_name} p.principal, p.tier_offset, p.ended_at, p.ended_by {of_positions} ORDER BY 1, 2, 3, 4"
        ),
        "moved": living.rows(
            "SELECT cell, kind, sum(amount), count(*) FROM transfer GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        "quotas": living.rows("SELECT product_id, used FROM quota ORDER BY 1"),
        "taken back": living.rows(
            f"{by_name} f.run_on, f.amount {of_positions}"
            " JOIN forfeited_reward f ON f.position_id = p.position_id ORDER BY 1, 2, 3, 4, 5"
        ),
    }


@pytest.mark.parametrize("hour", [time(0), time(18, 30)])
def test_any_schedule_of_runs_pays_the_same_to_the_last_digit(
    make_database: Callable[[], Database], hour: time
) -> None:
    schedules: list[Schedule] = [every_third_day, all_at_the_end, with_ticks_between, split_and_repeated]
    punctual = live(make_database(), daily, hour)
    assert len(punctual["rewards"]) > 40
    for schedule in schedules if hour == time(0) else schedules[1:3]:
        other = live(make_database(), schedule, hour)
        for what, rows in punctual.items():
            assert other[what] == rows, f"{what} differ when runs come {schedule.__name__}"
