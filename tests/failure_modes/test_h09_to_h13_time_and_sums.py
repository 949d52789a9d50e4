"""How staking back ends have failed, H9 to H13: midnight, the year, doubles, terms that change, two clocks."""

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.living import START, Living

from staddle import errors
from staddle.db import Database

D = Decimal
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("held", "days"),
    [
        (timedelta(seconds=6), 0),
        (timedelta(hours=23, minutes=59, seconds=59), 0),
        (timedelta(hours=24), 1),
        (timedelta(hours=24, seconds=1), 1),
        (timedelta(hours=47, minutes=59, seconds=59), 1),
    ],
)
def test_h09_only_full_24_hours_are_paid_wherever_midnight_lies(
    held: timedelta, days: int, database: Database
) -> None:
    living = Living(database, start=datetime(2026, 3, 28, 23, 59, 57, tzinfo=UTC))
    living.product("FLEX", "USDT", apr="0.0365")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    living.comes(living.now + held)
    living.catch_up()
    living.redeem(anna, "FLEX")
    assert living.funding(anna, "USDT") == 1000 + days * D("0.1")


@pytest.mark.parametrize("start", [datetime(2026, 5, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)])
def test_h10_a_year_has_365_days_and_a_year_at_8_percent_pays_8_percent(
    start: datetime, database: Database
) -> None:
    living = Living(database, start=start)  # the second year holds a 29th of February
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "100")
    living.passes(days=365)
    living.redeem(anna, "FLEX")
    assert living.funding(anna, "USDT") == 108


def test_h11_eighteen_decimals_of_a_large_amount_are_kept_and_no_unit_drifts(database: Database) -> None:
    living = Living(database)
    living.asset("WEI", scale=18, pool=D(10) ** 9)
    living.product("FLEX", "WEI", apr="0.0365")
    held = D("1234567.123456789012345678")
    anna = living.customer("anna", WEI=str(held))
    position = living.subscribe(anna, "FLEX", str(held))

    def after(days: int) -> Decimal:
        """At 3.65 % a day brings a ten-thousandth; whole units of it are paid."""
        return D(int(held.scaleb(18)) * days // 10**4).scaleb(-18)

    living.passes(days=12)
    living.catch_up()
    assert sum(living.rewards_of(position).values()) == after(len(living.rewards_of(position)))
    living.redeem(anna, "FLEX")
    assert living.funding(anna, "WEI") == held + after(12)


def test_h12_new_terms_and_rates_leave_running_positions_as_they_were(database: Database) -> None:
    living = Living(database)
    living.product(
        "FIXED", "USDT", apr="0.0365", term_days=10, early_redemption="keep_fraction", kept_fraction="0.5"
    )
    anna = living.customer("anna", USDT="1000")
    bert = living.customer("bert", USDT="1000")
    position = living.subscribe(anna, "FIXED", "1000")
    leaving = living.subscribe(bert, "FIXED", "1000")
    living.passes(hours=1)
    living.new_terms("FIXED", term_days=20, kept_fraction=D(0))
    living.revise("FIXED", apr="0", at=living.now + timedelta(hours=1))
    living.comes(START + timedelta(days=4))
    living.catch_up()
    assert living.leave_early(bert, leaving).rewards_kept == D("0.15"), "half of three, as agreed"
    living.comes(START + timedelta(days=11))
    living.catch_up()
    assert living.position(position).ended_at == START + timedelta(days=10)
    assert living.funding(anna, "USDT") == 1001


def test_h12_a_rate_is_never_backdated_nor_edited(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.0365")
    with pytest.raises(errors.NeverBackdated):
        living.revise("FLEX", apr="0.5", at=START - timedelta(days=1))
    for statement in (
        "UPDATE rate_tier SET apr = 1",
        "DELETE FROM rate_tier",
        "UPDATE rate_revision SET effective_at = '2026-01-01'",
    ):
        with pytest.raises(Exception, match="permission denied"), living.database.transaction() as tx:
            tx.execute(statement.encode())


def test_h13_a_position_has_one_maturity_and_both_sides_of_it_agree(database: Database) -> None:
    living = Living(database)
    living.product("FIXED", "USDT", apr="0.0365", term_days=2)
    anna = living.customer("anna", USDT="2000")
    early, late = living.subscribe(anna, "FIXED", "1000"), living.subscribe(anna, "FIXED", "1000")
    maturity = living.position(late).matures_at
    assert maturity == START + timedelta(days=2)
    living.comes(maturity - timedelta(seconds=1))
    living.catch_up()
    assert living.leave_early(anna, early).rewards_kept == 0
    living.comes(maturity)
    with pytest.raises(errors.PositionMatured):
        living.quote(anna, late)
    assert living.position(late).ended_at == maturity
    with pytest.raises(Exception, match="permission denied"), living.database.transaction() as tx:
        tx.execute("UPDATE position SET matures_at = matures_at + interval '1 day'")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_h27_neither_the_machines_nor_the_servers_time_zone_moves_a_day(
    zone: str, database: Database
) -> None:
    with database.owner() as owner:
        owner.execute(f"ALTER DATABASE {database.name} SET timezone = '{zone}'".encode())
        owner.execute(f"ALTER ROLE staddle_app SET timezone = '{zone}'".encode())
    program = (
        "import sys; from datetime import *; from tests.living import Living; from staddle.db import Database\n"
        "with Database(sys.argv[1]) as database:\n"
        "    living = Living(database, start=datetime(2026, 3, 28, 12, tzinfo=UTC))\n"
        "    living.product('FLEX', 'USDT', apr='0.0365')\n"
        "    anna = living.customer('anna', USDT='1000')\n"
        "    position = living.subscribe(anna, 'FLEX', '1000')\n"
        "    living.passes(days=3, hours=13)\n"
        "    living.catch_up()\n"
        "    print({str(day): str(amount) for day, amount in living.rewards_of(position).items()})\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, database.dsn],
            env={**os.environ, "TZ": zone},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        with database.owner() as owner:
            owner.execute("ALTER ROLE staddle_app RESET timezone")
    days = {str(date(2026, 3, 30) + timedelta(days=number)): "0.10000000" for number in range(3)}
    assert (done.stdout.strip(), done.stderr) == (str(days), ""), time.tzname
