"""How staking back ends have failed, H14 to H24: locked-in users, late maturity, shortfalls, minting, wrong totals."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from tests.living import START, Living, assert_books_hold, halt, release

from staddle import customers, errors, ledger, products
from staddle.db import Database
from staddle.ledger import AccountKind

D = Decimal


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.0365", amount_min="1")
    living.product("FIXED", "USDT", apr="0.0365", amount_min="1", term_days=3)
    return living


def test_h14_a_closed_or_halted_product_accrues_matures_and_lets_everybody_out(living: Living) -> None:
    anna = living.customer("anna", USDT="4000")
    flexible, fixed = living.subscribe(anna, "FLEX", "1000"), living.subscribe(anna, "FIXED", "1000")
    early = living.subscribe(anna, "FIXED", "1000")
    with living.database.transaction() as tx:
        products.close_product(tx, "ada", "FLEX", living.now)
        halt(tx, "FIXED", "subscribing", "maintenance", living.now)
    for product, refusal in (("FLEX", errors.ProductClosed), ("FIXED", errors.SubscribingHalted)):
        with pytest.raises(refusal):
            living.subscribe(anna, product, "10")
    living.passes(days=1, hours=9)
    living.catch_up()
    assert list(living.rewards_of(flexible).values()) == list(living.rewards_of(fixed).values()) == [D("0.1")]
    assert living.leave_early(anna, early).returned == D("999.9")
    living.redeem(anna, "FLEX")
    living.passes(days=2)
    living.catch_up()
    assert living.position(fixed).ended_by == "maturity"
    assert living.earn(anna, "USDT") == 0


def test_h14_halting_redemption_is_a_switch_of_its_own_and_stops_no_maturity(living: Living) -> None:
    anna = living.customer("anna", USDT="3000")
    fixed = living.subscribe(anna, "FIXED", "1000")
    with living.database.transaction() as tx:
        halt(tx, "FIXED", "redeeming", "network trouble", living.now)
    living.subscribe(anna, "FIXED", "10")
    with pytest.raises(errors.RedeemingHalted, match="network trouble"):
        living.quote(anna, fixed)
    living.passes(days=3)
    living.tick()
    assert living.position(fixed).ended_by == "maturity"


def test_h15_maturity_is_paid_in_the_first_run_and_a_flexible_exit_at_once(living: Living) -> None:
    anna = living.customer("anna", USDT="2000")
    fixed = living.subscribe(anna, "FIXED", "1000")
    living.subscribe(anna, "FLEX", "1000")
    living.comes(START + timedelta(days=3, hours=8, minutes=30))
    living.catch_up()
    assert living.position(fixed).ended_at == START + timedelta(days=3)
    assert living.funding(anna, "USDT") == 1000 + 3 * D("0.1") + 3 * D("0.1")
    living.passes(minutes=1)
    living.redeem(anna, "FLEX")
    assert living.funding(anna, "USDT") == 2000 + 6 * D("0.1"), "principal at once, and no day was idle"


def test_h16_exactly_enough_is_enough(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("0.3"))
    living.product("FLEX", "USDT", apr="0.0365", amount_min="1", quota="1000", personal_cap="1000")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    assert living.spot(anna, "USDT") == 0
    living.passes(days=3, hours=9)
    assert [report.state for report in living.catch_up()] == ["finished"] * 4, (
        "the pool covers the last day exactly"
    )
    living.redeem(anna, "FLEX", "1000")
    assert living.earn(anna, "USDT") == 0


def test_h17_an_account_that_was_never_used_holds_nothing(living: Living) -> None:
    living.asset("BTC")
    living.product("BTC-FLEX", "BTC", apr="0.01")
    nobody = living.customer("nobody")
    with pytest.raises(errors.InsufficientFunds):
        living.subscribe(nobody, "BTC-FLEX", "0.00000001")
    withdraw = customers.Withdraw(
        customer_id=nobody, key="w", asset="BTC", account="spot", amount=D("0.00000001")
    )
    with living.database.transaction() as tx:
        assert isinstance(customers.withdraw(tx, [withdraw], living.now)[0].error, errors.InsufficientFunds)
    spot = ledger.account_of(nobody, living.assets["BTC"], AccountKind.SPOT)
    refused = pytest.raises(psycopg.errors.CheckViolation, match="a_balance_is_never_below_zero")
    with refused, living.database.transaction() as tx:
        tx.execute("INSERT INTO balance VALUES (%s, %s, -1)", [ledger.cell_of(nobody), spot])


def test_h19_principal_is_what_it_was_and_a_forfeiture_lies_in_an_account_of_its_own(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    fixed = living.subscribe(anna, "FIXED", "1000")
    living.passes(days=2, hours=9)
    living.catch_up()
    quote = living.leave_early(anna, fixed)
    assert living.position(fixed).opened_principal == 1000
    assert (
        living.rows("SELECT principal FROM position_past WHERE position_id = %s", fixed)[0].principal == 1000
    )
    with living.database.transaction() as tx:
        houses = {ledger.kind_of(account): amount for account, amount in ledger.house_balances(tx).items()}
    assert houses[AccountKind.FORFEITED_REWARDS] == quote.rewards_forfeited == D("0.2")
    links = living.rows(
        "SELECT run_on, amount FROM forfeited_reward WHERE position_id = %s ORDER BY 1", fixed
    )
    assert {row.run_on: row.amount for row in links} == living.rewards_of(fixed), "each reward it takes back"
    assert living.funding(anna, "USDT") == 1000


def test_h20_a_quote_that_a_run_has_overtaken_is_refused_with_the_new_one(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    fixed = living.subscribe(anna, "FIXED", "1000")
    living.comes(START + timedelta(days=1, hours=8, minutes=28))
    old = living.quote(anna, fixed)
    living.passes(minutes=3)
    living.catch_up()
    with pytest.raises(errors.QuoteChanged) as refused:
        living.confirm(anna, old.quote_id)
    fresh: Any = refused.value.details["quote"]
    assert (old.returned, D(fresh["returned"])) == (D(1000), D("999.9"))
    assert living.confirm(anna, int(fresh["quote_id"])).returned == D("999.9")
    assert living.funding(anna, "USDT") == 1000


def test_h21_a_reward_is_an_expense_the_day_it_accrues_and_a_short_pool_holds_the_run(
    database: Database,
) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("0.15"))
    living.product("LATER", "USDT", apr="0.0365", term_days=5, payout="at_maturity")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "LATER", "1000")
    living.passes(days=1, hours=9)
    living.catch_up()
    with living.database.transaction() as tx:
        houses = {ledger.kind_of(account): amount for account, amount in ledger.house_balances(tx).items()}
    assert (houses[AccountKind.REWARD_EXPENSE], living.accrued(anna, "USDT")) == (D("-0.1"), D("0.1"))
    living.passes(days=1)
    held = living.catch_up()[-1]
    assert (held.state, "USDT pool" in str(held.held_because)) == ("held", True)
    assert len(living.rewards_of(position)) == 1, "shortage is found before the run, not at exit"
    living.fund_pool("USDT", D(1))
    assert living.catch_up()[-1].state == "finished"
    assert len(living.rewards_of(position)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET amount = amount * 2",
        "DELETE FROM transfer",
        "UPDATE reward SET amount = 1000000",
        "DELETE FROM reward",
        "UPDATE position SET opened_principal = 1000000",
        "UPDATE terms SET quota = 1000000",
        "UPDATE rate_tier SET apr = 1",
        "UPDATE request SET answer = '{}'",
        "DELETE FROM approval",
        "DELETE FROM product",
        "TRUNCATE balance",
    ],
)
def test_h22_nobody_mints_or_burns_by_typing(statement: str, living: Living) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), living.database.transaction() as tx:
        tx.execute(statement.encode())


def test_h22_an_ended_position_is_never_paid_again(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    fixed = living.subscribe(anna, "FIXED", "1000")
    quote = living.leave_early(anna, fixed)
    with pytest.raises(errors.PositionEnded):
        living.confirm(anna, quote.quote_id)
    refused = pytest.raises(psycopg.errors.CheckViolation, match="an_ended_position_holds_nothing")
    with refused, living.database.transaction() as tx:
        tx.execute("UPDATE position SET principal = 1000 WHERE position_id = %s", [fixed])
    living.passes(days=5)
    living.catch_up()
    assert living.funding(anna, "USDT") == 1000


def test_h22_a_run_outside_its_limits_needs_a_second_person(database: Database) -> None:
    living = Living(database, run_change_max="0.5")
    living.product("FLEX", "USDT", apr="0.0365")
    anna = living.customer("anna", USDT="10000")
    living.subscribe(anna, "FLEX", "1000")
    living.passes(days=1)
    living.subscribe(anna, "FLEX", "9000")
    living.passes(days=1, hours=9)
    held = living.catch_up()[-1]
    assert (held.state, living.funding(anna, "USDT")) == ("held", D("0.1"))
    with living.database.transaction() as tx, pytest.raises(errors.SecondPersonNeeded):
        release(tx, held.run_on, living.now, by="ada")
    with living.database.transaction() as tx:
        release(tx, held.run_on, living.now)
    assert living.run(held.run_on).state == "finished"
    assert living.funding(anna, "USDT") == D("1.1")


def test_h23_a_product_that_people_hold_cannot_be_retired_and_nothing_happens_by_trying(
    living: Living,
) -> None:
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    with living.database.transaction() as tx:
        products.close_product(tx, "ada", "FLEX", living.now)
    before = living.rows("SELECT account_id, amount FROM balance ORDER BY 1")
    with living.database.transaction() as tx, pytest.raises(errors.WrongState):
        products.retire_product(tx, "ada", "FLEX", living.now)
    assert living.rows("SELECT account_id, amount FROM balance ORDER BY 1") == before
    living.redeem(anna, "FLEX")
    with living.database.transaction() as tx:
        products.retire_product(tx, "ada", "FLEX", living.now)
        assert_books_hold(tx)


def test_h24_what_is_staked_is_what_open_positions_hold_and_nothing_else(living: Living) -> None:
    anna = living.customer("anna", USDT="3000")
    living.subscribe(anna, "FLEX", "1000")
    living.subscribe(anna, "FLEX", "500")
    fixed = living.subscribe(anna, "FIXED", "700")
    living.redeem(anna, "FLEX", "600")
    living.leave_early(anna, fixed)
    assert (living.earn(anna, "USDT"), living.quota_used("FLEX"), living.quota_used("FIXED")) == (
        D(900),
        D(900),
        D(0),
    )
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_h26_a_day_without_a_rate_holds_the_run_and_drops_nobody(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.0365")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "1000")
    with living.database.owner() as owner:
        owner.execute("UPDATE rate_revision SET effective_at = effective_at + interval '1 hour'")
    living.passes(days=1, hours=9)
    held = living.catch_up()[-1]
    assert (held.state, "no rate" in str(held.held_because)) == ("held", True)
    with living.database.owner() as owner:
        owner.execute("UPDATE rate_revision SET effective_at = effective_at - interval '1 hour'")
    assert living.catch_up()[-1].state == "finished"
    assert living.rewards_of(position) == {date(2026, 1, 24): D("0.1")}


MANY = """
INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days,
                      matures_at, opened_principal, opened_offset, locked_revision, reward_account, agreement_version,
                      principal, tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to)
SELECT cell, n * 256 + cell, customer_id, 2, 1, 'k', %(now)s, 3, %(now)s + interval '3 days', 5, 0, 1,
       customer_id << 19 | 512 | 128 | 2, 1, 5, 0, 0, 0, 'redeem', 'funding'
  FROM cell, generate_series(1000, 1200) n, LATERAL (SELECT (1 + n %% 50) * 256::bigint + cell AS customer_id) c
"""


@pytest.mark.parametrize(
    ("index", "condition"),
    [
        (
            "holding",
            "customer_id = 771 AND product_id = 2 AND ended_at IS NULL ORDER BY started_at, position_id",
        ),
        ("position_of_customer", "customer_id = 771 ORDER BY position_id"),
        ("position_by_maturity", "ended_at IS NULL AND term_days IS NOT NULL AND matures_at <= '2026-01-01'"),
    ],
)
def test_h28_what_an_act_and_a_run_look_for_has_an_index(index: str, condition: str, living: Living) -> None:
    with living.database.owner() as owner:
        owner.execute(MANY, {"now": living.now})
        owner.execute("ANALYZE position")
        found = owner.execute(
            f"EXPLAIN SELECT 1 FROM position WHERE cell = 3 AND {condition}".encode()
        ).fetchall()
    plan = "\n".join(str(row[0]) for row in found)
    assert index in plan, plan
