"""Rule 29: statements of any period, each row typed, that add up to the balances."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.living import START, Living

from staddle import customers, errors, rewards
from staddle.db import Database
from staddle.ledger import AccountKind, all_assets, asset_id_of, balances_of_customer, kind_of
from staddle.rewards import COLUMNS, write_statement

D = Decimal
ALWAYS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
DOCUMENT = Path(__file__).parents[2] / "docs" / "operate" / "statement-columns.md"
Row = dict[str, str]


def text_of(
    living: Living, customer_id: int, from_at: datetime = ALWAYS[0], until_at: datetime = ALWAYS[1]
) -> str:
    out = io.StringIO(newline="")
    with living.database.transaction() as tx:
        count = write_statement(tx, customer_id, from_at, until_at, out)
    assert count == len(list(csv.reader(io.StringIO(out.getvalue())))) - 1
    return out.getvalue()


def rows_of(living: Living, customer_id: int, *period: datetime) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text_of(living, customer_id, *period))))


def summed(rows: list[Row]) -> dict[str, Decimal]:
    """Add up what the rows move, by asset and account."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        for account, amount in ((row["to"], D(row["amount"])), (row["from"], -D(row["amount"]))):
            name = f"{row['asset']} {account}"
            sums[name] = sums.get(name, D(0)) + amount
    houses = {kind.name.lower() for kind in AccountKind if kind >= AccountKind.CUSTODY}
    return {name: amount for name, amount in sums.items() if amount and name.split()[1] not in houses}


def held(living: Living, customer_id: int) -> dict[str, Decimal]:
    """Read the balances in the same words."""
    with living.database.transaction() as tx:
        assets = all_assets(tx)
        return {
            f"{assets[asset_id_of(account)].code} {kind_of(account).name.lower()}": amount
            for account, amount in balances_of_customer(tx, customer_id).items()
            if amount
        }


def a_full_life(database: Database) -> tuple[Living, int]:
    """A customer who does everything: two coins, flexible and fixed, early and at maturity, renewals, a late run."""
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "100", "0.1"), ("100", None, "0.05")])
    living.product("FIX", "USDT", apr="0.08", term_days=3, flexible_product="FLEX")
    living.product("LATER", "YEN", apr="0.3", term_days=4, payout="at_maturity")
    living.product(
        "KEEP", "YEN", apr="0.3", term_days=9, early_redemption="keep_fraction", kept_fraction="0.5"
    )
    anna, ben = living.customer("anna", USDT="5000", YEN="9000"), living.customer("ben", USDT="5000")
    living.subscribe(ben, "FLEX", "1000")
    living.subscribe(anna, "FLEX", "80")
    living.subscribe(anna, "FLEX", "1000")
    living.subscribe(anna, "FIX", "500", at_maturity="renew")
    living.subscribe(anna, "FIX", "300", at_maturity="to_flexible", source="spot")
    later = living.subscribe(anna, "LATER", "1000")
    other = living.subscribe(anna, "LATER", "2000")
    keep = living.subscribe(anna, "KEEP", "3000")
    living.passes(days=1, hours=9)
    living.catch_up()
    living.passes(days=1, hours=2)
    living.redeem(anna, "FLEX", "600")
    living.passes(days=1)
    living.leave_early(anna, keep)  # with runs missed: its days are settled by this act
    living.leave_early(anna, other)
    living.catch_up()
    living.passes(days=2)
    living.tick()
    living.passes(days=2)
    living.catch_up()
    assert living.position(later).ended_by == "maturity"
    living.deposit(anna, "YEN", "5", "funding")
    with database.transaction() as tx:
        out = customers.Withdraw(
            customer_id=anna, key="=1+1", asset="YEN", account="funding", amount=D("7.5")
        )
        customers.withdraw(tx, [out], living.now)[0].unwrap()
        between = customers.TransferBetween(
            customer_id=anna, key='a, "b"', asset="USDT", source="spot", destination="funding", amount=D(9)
        )
        customers.transfer(tx, [between], living.now)[0].unwrap()
    living.redeem(anna, "FLEX")
    return living, anna


def test_a_statement_over_all_time_adds_up_exactly_to_the_balances(database: Database) -> None:
    living, anna = a_full_life(database)
    rows = rows_of(living, anna)
    assert summed(rows) == held(living, anna)
    by_asset: dict[str, Decimal] = {}
    for row in rows:
        by_asset[row["asset"]] = by_asset.get(row["asset"], D(0)) + D(row["change"])
    totals: dict[str, Decimal] = {}
    for name, amount in held(living, anna).items():
        totals[name.split()[0]] = totals.get(name.split()[0], D(0)) + amount
    assert by_asset == totals
    types = {row["type"] for row in rows}
    expected = (
        "deposit withdrawal transfer subscription reward accrual accrued_payout forfeiture redemption renewal"
    )
    assert types == set(expected.split())
    assert len({(row["type"], row["reference"]) for row in rows}) == len(rows)


def test_consecutive_periods_put_together_are_the_whole(database: Database) -> None:
    living, anna = a_full_life(database)
    whole = rows_of(living, anna)
    for hours in (6, 24, 41):
        parts, at = rows_of(living, anna, ALWAYS[0], START), START
        while at <= living.now:
            parts += rows_of(living, anna, at, at + timedelta(hours=hours))
            at += timedelta(hours=hours)
        assert parts == whole
    for at in {datetime.fromisoformat(row["time"]) for row in whole}:
        assert rows_of(living, anna, ALWAYS[0], at) + rows_of(living, anna, at, ALWAYS[1]) == whole


def test_the_order_is_total_and_a_run_pays_at_its_distribution_instant_however_late(
    database: Database,
) -> None:
    living, anna = a_full_life(database)
    rows = rows_of(living, anna)
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert text_of(living, anna) == text_of(living, anna)
    flex = living.positions_of(anna, "FLEX")[0].position_id
    rewards_of_flex = [row for row in rows if row["position"] == str(flex) and row["type"] == "reward"]
    on = [row["reference"].removeprefix(f"{flex}-") for row in rewards_of_flex]
    assert on == [f"2026-01-{day}" for day in range(24, 31)]
    assert [row["note"] for row in rewards_of_flex] == [f"accrual day {day}" for day in range(1, 8)]
    by_run = [row["time"] for row in rewards_of_flex]
    assert by_run[0] == "2026-01-24T00:00:00Z"
    assert by_run[2] == "2026-01-26T00:00:00Z"  # though that run was late


def test_rewards_settled_by_an_act_come_at_its_time_and_before_its_principal(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=2)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "400")
    living.subscribe(anna, "FIX", "600")
    living.passes(days=2, seconds=5)
    living.redeem(anna, "FLEX")  # no run has come yet
    found = [
        (row["time"], row["type"], row["product"])
        for row in rows_of(living, anna)
        if row["type"] != "deposit"
    ]
    at, then = "2026-01-22T15:30:00Z", "2026-01-24T15:30:05Z"
    assert found[:2] == [(at, "subscription", "FLEX"), (at, "subscription", "FIX")]
    assert sorted(found[2:6]) == [(then, "reward", "FIX")] * 2 + [(then, "reward", "FLEX")] * 2
    assert sorted(found[6:]) == [(then, "redemption", "FIX"), (then, "redemption", "FLEX")]


def test_a_renewal_is_a_row_that_moves_nothing_and_names_what_goes_on(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=2)
    anna = living.customer("anna", USDT="1000")
    first = living.subscribe(anna, "FIX", "600", at_maturity="renew")
    living.passes(days=2, hours=1)
    living.tick()
    second = living.positions_of(anna, "FIX")[1].position_id
    row = next(row for row in rows_of(living, anna) if row["type"] == "renewal")
    assert (row["from"], row["to"], row["amount"], row["change"]) == (
        "earn",
        "earn",
        "600.00000000",
        "0.00000000",
    )
    assert (row["position"], row["reference"]) == (str(first), str(second))
    assert row["note"] == f"goes on as position {second}, started at 2026-01-24T15:30:00Z"
    assert row["time"] == "2026-01-24T16:30:00Z"


def test_rewards_stand_before_the_principal_whatever_their_numbers_are(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=1)
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FIX", "600", at_maturity="renew")
    living.passes(days=5, hours=1)
    living.tick()
    last = living.positions_of(anna, "FIX")[-1].position_id  # renewals make positions and no transfers
    living.choose(anna, last, "redeem")
    living.passes(days=1)
    living.tick()
    assert [row["type"] for row in rows_of(living, anna)[-2:]] == ["reward", "redemption"]


def test_amounts_are_plain_decimals_at_the_asset_s_scale_and_texts_are_no_formulas(
    database: Database,
) -> None:
    living, anna = a_full_life(database)
    text = text_of(living, anna)
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert text.endswith("\r\n")
    rows = {row["key"]: row for row in rows_of(living, anna)}
    assert rows["'=1+1"]["amount"] == "7.50"
    assert rows["'=1+1"]["change"] == "-7.50"
    assert rows['a, "b"']["amount"] == "9.00000000"
    assert "e-" not in text.lower().replace("early-", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_a_key_that_a_spreadsheet_would_run_is_written_as_text(database: Database, start: str) -> None:
    living = Living(database)
    anna = living.customer("anna")
    living.asset("USDT")
    command: dict[str, Any] = {"asset": "USDT", "account": "spot", "amount": D(1)}
    with database.transaction() as tx:
        keyed = customers.Deposit(customer_id=anna, key=f"{start}HYPERLINK(1)", **command)
        customers.deposit(tx, [keyed], living.now)[0].unwrap()
    assert [row["key"] for row in rows_of(living, anna)] == [f"'{start}HYPERLINK(1)"]


def test_a_statement_of_nothing_has_its_columns_and_one_that_ends_early_is_refused(
    database: Database,
) -> None:
    living = Living(database)
    anna = living.customer("anna")
    assert text_of(living, anna) == ",".join(COLUMNS) + "\r\n"
    assert text_of(living, anna, START, START) == ",".join(COLUMNS) + "\r\n"
    with pytest.raises(errors.InvalidTime):
        text_of(living, anna, START, START - timedelta(seconds=1))


def test_late_payments_of_a_parked_position_are_in_the_statement_once(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "600")
    with database.owner() as owner:
        owner.execute("UPDATE position SET parked_days = 0 WHERE position_id = %s", (position,))
        owner.execute(
            "INSERT INTO parked_position VALUES (%s, %s, '2026-01-24', 0, 'test', %s)",
            (position % 256, position, START),
        )
    living.passes(days=3)
    living.catch_up()
    living.passes(hours=1)
    with database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position, living.now)
    living.passes(days=1)
    living.catch_up()
    rows = [row for row in rows_of(living, anna) if row["type"] == "reward"]
    assert [row["time"] for row in rows] == ["2026-01-25T16:30:00Z"] * 2 + ["2026-01-26T00:00:00Z"]
    assert summed(rows_of(living, anna)) == held(living, anna)


def test_the_columns_types_and_accounts_are_documented() -> None:
    text = DOCUMENT.read_text()
    types = (
        "deposit withdrawal transfer subscription reward accrual accrued_payout forfeiture redemption renewal"
    )
    accounts = [kind.name.lower() for kind in AccountKind if kind != AccountKind.REWARD_POOL]
    for word in (*COLUMNS, *types.split(), "correction", *accounts):
        assert f"`{word}`" in text, word
