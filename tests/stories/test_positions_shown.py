"""Rules 26 and 28: the position page and the assets page."""

import re
from datetime import time, timedelta
from decimal import Decimal

import pytest
from tests.living import START, Living

from staddle import positions
from staddle.days import DAY
from staddle.db import Database, queries
from staddle.errors import InvalidChoice, PositionNotFound
from staddle.positions import PositionInFull, ShownAsset, ShownPosition

D = Decimal


def page(living: Living, customer_id: int, position_id: int) -> PositionInFull:
    with living.database.transaction() as tx:
        return positions.position_of(tx, customer_id, position_id, living.now)


def listed(living: Living, customer_id: int, **wanted: object) -> list[ShownPosition]:
    with living.database.transaction() as tx:
        return positions.positions_of(tx, customer_id, living.now, **wanted)  # type: ignore[arg-type]


def asset(living: Living, customer_id: int, code: str) -> ShownAsset:
    with living.database.transaction() as tx:
        return {shown.asset: shown for shown in positions.assets_of(tx, customer_id)}[code]


def test_a_running_position_shows_its_days_its_next_payout_and_its_progress(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FIX", "1000")
    living.comes(START + timedelta(days=2, hours=9))
    living.catch_up()
    shown = page(living, anna, position).position
    assert (shown.state, shown.days_done, shown.days_paid) == ("open", 2, 2)
    assert (shown.progress_seconds, shown.term_seconds) == ((2 * 24 + 9) * 3600, 30 * 86400)
    assert shown.day_ends_at == START + 3 * DAY
    assert shown.next_payout_at == (START + 4 * DAY).replace(hour=0, minute=0)
    assert shown.next_payout == D("0.21917808")  # 0.65753424 after three days
    assert shown.rewards_paid == shown.rewards_earned == D("0.43835616")
    assert shown.rewards_accrued == shown.rewards_due == shown.rewards_forfeited == 0
    assert (shown.headline_apr, shown.blended_apr, shown.matures_at) == (
        D("0.08"),
        D("0.08"),
        START + 30 * DAY,
    )


def test_an_at_maturity_position_shows_what_is_accrued_and_is_paid_all_at_its_end(database: Database) -> None:
    living = Living(database)
    living.product("LATER", "USDT", apr="0.08", term_days=3, payout="at_maturity")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "LATER", "1000")
    living.comes(START + timedelta(days=2, hours=9))
    living.catch_up()
    shown = page(living, anna, position).position
    assert (shown.rewards_accrued, shown.rewards_earned, shown.rewards_paid) == (
        D("0.43835616"),
        D("0.43835616"),
        D(0),
    )
    assert (shown.next_payout_at, shown.next_payout) == (START + 3 * DAY, D("0.65753424"))
    assert (
        asset(living, anna, "USDT").accrued == asset(living, anna, "USDT").lifetime_rewards == D("0.43835616")
    )
    living.comes(START + 5 * DAY)
    matured = page(living, anna, position).position
    assert (matured.state, matured.days_done, matured.progress_seconds) == ("matured", 3, 3 * 86400)
    assert matured.rewards_due == D("0.21917808")
    living.tick()
    shown = page(living, anna, position).position
    assert (shown.state, shown.ended_by, shown.principal) == ("ended", "maturity", D(0))
    assert (shown.rewards_accrued, shown.rewards_earned, shown.rewards_paid) == (
        D(0),
        D("0.65753424"),
        D("0.65753424"),
    )
    assert (shown.next_payout_at, shown.next_payout, shown.blended_apr, shown.day_ends_at) == (None,) * 4


def test_the_estimate_of_the_next_payout_is_what_the_run_pays(database: Database) -> None:
    living = Living(database)
    living.product(
        "FLEX", "USDT", bands=[("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
    )
    living.product("FIX", "USDT", apr="0.07", term_days=30)
    anna = living.customer("anna", USDT="20000")
    held = [
        living.subscribe(anna, product, amount)
        for product, amount in (("FLEX", "333.3"), ("FLEX", "7000"), ("FIX", "77"))
    ]
    living.revise("FLEX", apr="0.05", at=START + timedelta(days=2, hours=1))
    for _ in range(4):
        living.passes(days=1)
        living.catch_up()
        foreseen = {each.position_id: each for each in listed(living, anna)}
        living.passes(hours=9)
        living.catch_up()
        for position in held:
            at, amount = foreseen[position].next_payout_at, foreseen[position].next_payout
            assert at is not None
            assert living.rewards_of(position)[at.date()] == amount
        living.passes(hours=15)


def test_the_last_day_of_a_term_is_paid_with_the_principal(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=2)
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FIX", "1000")
    assert listed(living, anna)[0].next_payout_at == (START + 2 * DAY).replace(hour=0, minute=0)
    living.comes(START + timedelta(days=1, hours=9))
    living.catch_up()
    assert listed(living, anna)[0].next_payout_at == START + 2 * DAY


def test_an_ended_position_counts_no_further_days(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "1000")
    living.comes(START + timedelta(days=2, hours=9))
    living.catch_up()
    living.redeem(anna, "FLEX")
    living.passes(days=3)
    living.catch_up()
    shown = page(living, anna, position).position
    assert (shown.days_done, shown.days_paid, shown.rewards_paid) == (2, 2, D("0.43835616"))


def test_completed_days_that_wait_for_the_run_are_shown_as_due(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    living.comes(START + 2 * DAY)
    (shown,) = listed(living, anna)
    assert (shown.days_done, shown.days_paid, shown.rewards_due, shown.rewards_earned) == (
        2,
        0,
        D("0.43835616"),
        D(0),
    )
    assert shown.next_payout_at == (START + 2 * DAY).replace(hour=0, minute=0)  # the run of that day is late
    living.catch_up()
    (shown,) = listed(living, anna)
    assert (shown.days_paid, shown.rewards_due, shown.rewards_earned) == (1, D("0.21917808"), D("0.21917808"))


def test_the_apr_history_names_revisions_changes_of_principal_and_what_is_announced(
    database: Database,
) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "100", "0.1"), ("100", None, "0.05")])
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "400")
    living.revise("FLEX", apr="0.2", at=START + timedelta(days=1, hours=5))
    living.passes(days=2, hours=1)
    living.redeem(anna, "FLEX", "200")
    living.revise("FLEX", bands=[("0", "100", "0.3"), ("100", None, "0.1")], at=START + 9 * DAY)
    found = page(living, anna, position)
    assert [(each.from_at, each.revision, each.blended_apr, each.principal) for each in found.rates] == [
        (START, 1, D("0.0625"), D(400)),
        (START + timedelta(days=1, hours=5), 2, D("0.2"), D(400)),
        (START + 2 * DAY, 2, D("0.2"), D(200)),
        (START + 9 * DAY, 3, D("0.2"), D(200)),
    ]
    assert (found.position.revision, found.position.headline_apr) == (2, D("0.2"))
    assert [tier.apr for tier in found.tiers] == [D("0.2")]


def test_a_locked_position_shows_its_own_rate_for_ever(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FIX", "1000")
    living.revise("FIX", apr="0.01", at=START + DAY)
    living.passes(days=3)
    found = page(living, anna, position)
    assert [(each.from_at, each.revision, each.blended_apr) for each in found.rates] == [
        (START, 1, D("0.08"))
    ]
    assert (found.position.rate_policy, found.position.blended_apr) == ("locked", D("0.08"))


def test_every_reward_is_listed_with_its_receipt_and_what_was_forfeited(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FIX", "1000")
    living.comes(START + timedelta(days=3, hours=9))
    living.catch_up()
    found = page(living, anna, position).rewards
    assert [(each.day, each.receipt, each.forfeited) for each in found] == [
        (day, f"{position}-2026-01-{23 + day}", D(0)) for day in (3, 2, 1)
    ]
    living.leave_early(anna, position)
    ended = page(living, anna, position)
    assert [each.forfeited for each in ended.rewards] == [each.amount for each in ended.rewards]
    assert ended.position.rewards_forfeited == ended.position.rewards_paid == D("0.65753424")
    assert asset(living, anna, "USDT").lifetime_rewards == 0


def test_a_renewed_position_names_the_one_that_goes_on(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=2)
    anna = living.customer("anna", USDT="1000")
    first = living.subscribe(anna, "FIX", "1000", at_maturity="renew")
    living.passes(days=2, hours=1)
    living.tick()
    second = page(living, anna, first).renewed_as
    assert second is not None
    assert page(living, anna, second).position.renewed_from == first
    assert page(living, anna, second).position.started_at == START + 2 * DAY


def test_positions_are_listed_newest_first_by_state_product_and_page(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    living.product("FIX", "USDT", apr="0.08", term_days=2)
    anna, ben = living.customer("anna", USDT="1000"), living.customer("ben")
    flex = [living.subscribe(anna, "FLEX", "10") for _ in range(3)]
    fix = living.subscribe(anna, "FIX", "10")
    living.redeem(anna, "FLEX", "10")
    ids = {
        state: [each.position_id for each in listed(living, anna, state=state)]
        for state in ("open", "ended", "all")
    }
    assert ids == {"open": [fix, flex[1], flex[0]], "ended": [flex[2]], "all": [fix, *flex[::-1]]}
    assert [each.position_id for each in listed(living, anna, product="FIX")] == [fix]
    assert [each.position_id for each in listed(living, anna, state="all", before=fix, count=2)] == [
        flex[2],
        flex[1],
    ]
    assert listed(living, ben) == []
    with pytest.raises(InvalidChoice):
        listed(living, anna, state="lost")
    with pytest.raises(PositionNotFound):
        page(living, ben, fix)


REWARDS_LESS_FORFEITURES = """
SELECT coalesce((SELECT sum(r.amount) FROM reward r JOIN position p USING (cell, position_id)
                  WHERE p.customer_id = %s AND account_asset(r.credit_account) = %s), 0)
     - coalesce((SELECT sum(f.amount) FROM forfeited_reward f JOIN position p USING (cell, position_id)
                  WHERE p.customer_id = %s AND account_asset(p.reward_account) = %s), 0) AS sum
"""


def test_lifetime_rewards_are_the_sum_of_reward_rows_less_forfeitures(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "100", "0.1"), ("100", None, "0.05")])
    living.product("FIX", "USDT", apr="0.08", term_days=3)
    living.product("LATER", "YEN", apr="0.3", term_days=4, payout="at_maturity")
    living.product(
        "KEEP", "YEN", apr="0.3", term_days=9, early_redemption="keep_fraction", kept_fraction="0.3"
    )
    anna = living.customer("anna", USDT="5000", YEN="9000", BTC="1")
    for product, amount in (("FLEX", "80"), ("FLEX", "1000"), ("LATER", "1000"), ("KEEP", "3333")):
        living.subscribe(anna, product, amount)
    living.subscribe(anna, "FIX", "500", at_maturity="renew")
    keep = living.positions_of(anna, "KEEP")[0].position_id
    for step in range(8):
        living.passes(hours=31)
        if step != 3:
            living.catch_up()
        if step == 2:
            living.redeem(anna, "FLEX", "600")
        if step == 4:
            living.leave_early(anna, keep)
        if step == 6:
            living.redeem(anna, "FLEX")
        for code in ("USDT", "YEN", "BTC"):
            asset_id = living.assets[code].asset_id
            rows = living.rows(REWARDS_LESS_FORFEITURES, anna, asset_id, anna, asset_id)
            shown = asset(living, anna, code)
            assert shown.lifetime_rewards == rows[0].sum, (step, code)
            assert (shown.spot, shown.funding) == (living.spot(anna, code), living.funding(anna, code))
            assert (shown.earn, shown.accrued) == (living.earn(anna, code), living.accrued(anna, code))
            assert shown.total == shown.spot + shown.funding + shown.earn + shown.accrued
    assert asset(living, anna, "YEN").lifetime_rewards > 0
    assert asset(living, anna, "BTC").lifetime_rewards == 0


MANY = 20_000


def plan_of(living: Living, room: str, name: str, customer_id: int, position_id: int) -> str:
    """Ask PostgreSQL how it executes a statement of ours for this customer."""
    wanted = {
        "cell": customer_id % 256,
        "customer_id": customer_id,
        "position_id": position_id,
        "position_ids": None,
        "account_id": None,
        "product": None,
        "state": "open",
        "before": None,
        "count": 50,
        "from_at": START,
        "until_at": living.now,
        "distribution_time": time(0),
        **dict.fromkeys(("run_from", "first_run_on", "run_on"), START.date()),
        **dict.fromkeys(("run_until", "last_run_on"), living.now.date()),
        **dict.fromkeys(("after_at", "after_rank", "after_number", "after_run_on", "asset")),
        **dict.fromkeys(("before_run_on", "before_position_id", "kind", "types", "is_early")),
        **dict.fromkeys(("before_at", "before_rank", "before_number")),
        "is_newest_first": False,
        "through_at": living.now,
        "asset_id": 0,
        "is_any_asset": True,
    }
    statement = getattr(queries(f"staddle.{room}"), name)
    with living.database.transaction() as tx:
        rows = tx.execute(f"EXPLAIN (COSTS OFF) {statement}".encode(), wanted).fetchall()
    return "\n".join(row[0] for row in rows)


def fill_with_others(living: Living, customer_id: int, position_id: int) -> None:
    """Put very many other customers' rows around those of this one, in the same cell."""
    columns = living.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'position'::regclass AND attnum > 0 ORDER BY attnum"
    )
    other = {
        "position_id": "p.position_id + 256 * n",
        "customer_id": "p.customer_id + 256 * (n / 5 + 1)",
        "reward_account": "p.reward_account + ((256 * (n / 5 + 1))::bigint << 19)",
    }
    copied = ", ".join(other.get(row.attname, f"p.{row.attname}") for row in columns)
    numbers, cell = f"generate_series(1, {MANY}) n", customer_id % 256
    statements = [
        f"INSERT INTO position SELECT {copied} FROM position p, {numbers} WHERE p.position_id = {position_id}",
        f"""INSERT INTO balance SELECT cell, account_id + ((256 * n)::bigint << 19), amount FROM balance, {numbers}
             WHERE account_customer(account_id) = {customer_id}""",
        f"""INSERT INTO transfer SELECT cell, transfer_id + 256 * (n + 1000), act_id, kind, customer_id + 256 * n,
                   debit_account, credit_account + ((256 * n)::bigint << 19), amount, effective_at, recorded_at,
                   request_key
              FROM transfer, {numbers} WHERE kind = 'deposit' AND customer_id = {customer_id}""",
        f"INSERT INTO forfeited_reward SELECT {cell}, 256 * n, '2026-01-24', 1, 1 FROM {numbers}",
        f"INSERT INTO position_past SELECT {cell}, 256 * n, 0, 0, 1, 1, 0, '2026-01-24', 1 FROM {numbers}",
        "ANALYZE",
    ]
    with living.database.owner() as owner:
        for statement in statements:
            owner.execute(statement.encode())


def test_a_portfolio_out_of_very_many_is_read_by_index_alone(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    for _ in range(5):
        position = living.subscribe(anna, "FLEX", "10")
    living.passes(days=1, hours=9)
    living.catch_up()
    fill_with_others(living, anna, position)
    rooms = {
        "positions": ["shown_positions", "assets_of_customer", "rewards_received", "past_of_position"],
        "rewards": ["statement", "reward_of_day", "reward_bounds", "rewards_of_customer", "reward_totals"],
        "customers": ["movements_of"],
    }
    tables = "position|balance|transfer|forfeited_reward|position_past"
    for room, names in rooms.items():
        for name in names:
            plan = plan_of(living, room, name, anna, position)
            assert not re.search(rf'Seq Scan on "?({tables})\b', plan), plan
