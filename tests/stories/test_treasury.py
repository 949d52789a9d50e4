"""Rule 31: the reward pool, moved by two people; how long it lasts; what falls due."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import START, Living, assert_books_hold

from staddle import desk, errors, treasury
from staddle.db import Database
from staddle.ledger import AccountKind, account_of, house_balances
from staddle.treasury import ApprovePoolMove, AskPoolMove, PoolMoveAsked, PoolMoved, Runway

D = Decimal


def ask(living: Living, move: str, amount: str | None, asset: str = "USDT", **fields: Any) -> PoolMoveAsked:
    worded = {"key": living.key(), "by": "ada"} | fields
    command = AskPoolMove(move=move, asset=asset, amount=None if amount is None else D(amount), **worded)
    with living.database.transaction() as tx:
        return treasury.ask_pool_move(tx, [command], living.now)[0].unwrap()


def approve(living: Living, approval_id: int, **fields: Any) -> PoolMoved:
    worded = {"key": living.key(), "by": "bob"} | fields
    command = ApprovePoolMove(approval_id=approval_id, **worded)
    with living.database.transaction() as tx:
        return treasury.approve_pool_move(tx, [command], living.now)[0].unwrap()


def pool(living: Living, asset: str = "USDT") -> Runway:
    with living.database.transaction() as tx:
        return {each.asset: each for each in treasury.runway(tx, living.now)}[asset]


def house(living: Living, kind: AccountKind, asset: str = "USDT") -> Decimal:
    with living.database.transaction() as tx:
        return house_balances(tx).get(account_of(0, living.assets[asset], kind), D(0))


def desk_with_pool(database: Database, amount: str) -> Living:
    living = Living(database)
    living.asset("USDT", pool=D(0))
    if D(amount):
        approve(living, ask(living, "funding", amount).approval_id)
    return living


def test_the_pool_is_funded_only_when_a_second_person_approves(database: Database) -> None:
    living = desk_with_pool(database, "0")
    asked = ask(living, "funding", "100")
    assert house(living, AccountKind.REWARD_POOL) == 0
    with pytest.raises(errors.SecondPersonNeeded):
        approve(living, asked.approval_id, by="ada")
    assert house(living, AccountKind.REWARD_POOL) == 0
    moved = approve(living, asked.approval_id)
    assert (moved.move, moved.amount, moved.pool_left) == ("funding", D(100), D(100))
    assert house(living, AccountKind.REWARD_POOL) == 100
    assert house(living, AccountKind.CUSTODY) == -100
    with pytest.raises(errors.WrongState):
        approve(living, asked.approval_id)
    with living.database.transaction() as tx:
        acts = [(entry.operator, entry.act) for entry in desk.read_log(tx)]
    assert ("ada", "ask_move_pool") in acts
    assert ("bob", "approved_move_pool") in acts


def test_a_repeated_key_moves_the_pool_once_and_gets_the_same_answer(database: Database) -> None:
    living = desk_with_pool(database, "0")
    first, second = (ask(living, "funding", "100", key="a") for _ in range(2))
    assert first == second
    moved, again = (approve(living, first.approval_id, key="b") for _ in range(2))
    assert moved == again
    assert house(living, AccountKind.REWARD_POOL) == 100
    with pytest.raises(errors.RequestKeyReused):
        ask(living, "funding", "101", key="a")


def test_a_reference_belongs_to_one_move_of_an_asset_and_stays_with_its_transfers(database: Database) -> None:
    living = desk_with_pool(database, "0")
    living.asset("BTC", pool=D(0))
    first = ask(living, "funding", "100", reference="custody 7")
    assert first.reference == "custody 7"
    with pytest.raises(errors.AlreadyExists):
        ask(living, "funding", "5", reference="custody 7")
    ask(living, "funding", "5", asset="BTC", reference="custody 7")  # another pool's books
    with living.database.transaction() as tx:
        desk.decline(tx, "bob", first.approval_id, living.now)
    again = ask(living, "funding", "100", reference="custody 7")  # a declined request gives it back
    moved = approve(living, again.approval_id)
    assert moved.reference == "custody 7"
    with pytest.raises(errors.AlreadyExists):
        ask(living, "withdrawal", "5", reference="custody 7")
    for wrong in ("", " x", "two\nlines", "x" * 201):
        with pytest.raises(errors.InvalidName):
            ask(living, "funding", "5", reference=wrong)
    with living.database.transaction() as tx:
        shown = {each.approval_id: each for each in treasury.pool_moves(tx, "USDT")}
    assert [(each.reference, each.decision) for each in shown.values()] == [
        ("custody 7", "approved"),
        ("custody 7", "declined"),
    ]
    done = shown[again.approval_id]
    assert (done.asked_by, done.decided_by, done.amount) == ("ada", "bob", D(100))
    transfers = living.rows("SELECT transfer_id FROM transfer WHERE act_id = %s", done.act_id)
    assert [row.transfer_id for row in transfers] == moved.transfer_ids


def test_a_withdrawal_leaves_what_rewards_have_cost(database: Database) -> None:
    living = desk_with_pool(database, "100")
    living.product("FLEX", "USDT", apr="0.365")
    anna = living.customer("anna", USDT="10000")
    living.subscribe(anna, "FLEX", "10000")
    living.passes(days=2)
    living.catch_up()
    assert pool(living).cost == 10
    with pytest.raises(errors.RewardPoolTooSmall) as refused:
        ask(living, "withdrawal", "90.00000001")
    assert refused.value.details == {"left": "90.00000000"}
    waiting = [ask(living, "withdrawal", "60").approval_id, ask(living, "withdrawal", "60").approval_id]
    assert approve(living, waiting[0]).pool_left == 30
    with pytest.raises(errors.ApprovalStale):  # it was asked for when there was more in the pool
        approve(living, waiting[1])
    last = ask(living, "withdrawal", "30").approval_id
    living.passes(days=1)
    living.catch_up()
    with pytest.raises(errors.RewardPoolTooSmall):  # rewards are no move of the pool: it is not stale
        approve(living, last)
    with living.database.transaction() as tx:
        assert last in [each.approval_id for each in desk.pending(tx)]
    assert approve(living, ask(living, "withdrawal", "20").approval_id).pool_left == 0
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_forfeitures_are_income_that_can_be_moved_to_the_pool(database: Database) -> None:
    living = desk_with_pool(database, "100")
    living.product("FIX", "USDT", apr="0.365", term_days=30)
    for name in ("anna", "ben", "carl"):
        customer = living.customer(name, USDT="1000")
        position = living.subscribe(customer, "FIX", "1000")
        living.passes(days=2)
        living.catch_up()
        living.leave_early(customer, position)
    before = pool(living)
    assert before.forfeited_income == before.cost > 0
    with pytest.raises(errors.InsufficientFunds):
        ask(living, "income", str(before.forfeited_income + D("0.00000001")))
    moved = approve(living, ask(living, "income", None).approval_id)
    assert moved.amount == before.forfeited_income
    assert len(moved.transfer_ids) == 3  # each cell's books balance by themselves
    after = pool(living)
    assert (after.forfeited_income, after.left) == (D(0), D(100))
    withdrawn = approve(living, ask(living, "withdrawal", "100").approval_id)
    assert (withdrawn.pool_left, pool(living).left) == (D(0), D(0))
    with living.database.transaction() as tx:
        assert_books_hold(tx)


@pytest.mark.parametrize(
    ("move", "amount", "fields", "refusal"),
    [
        ("gift", "1", {}, errors.InvalidChoice),
        ("funding", None, {}, errors.InvalidAmount),
        ("funding", "0", {}, errors.InvalidAmount),
        ("funding", "-1", {}, errors.InvalidAmount),
        ("funding", "NaN", {}, errors.InvalidAmount),
        ("funding", "1e40", {}, errors.InvalidAmount),
        ("funding", "0.000000001", {}, errors.TooManyDecimals),
        ("funding", "1", {"asset": "DOGE"}, errors.AssetNotFound),
        ("funding", "1", {"by": "eve"}, errors.OperatorNotFound),
        ("funding", "1", {"key": ""}, errors.InvalidKey),
        ("income", None, {}, errors.InsufficientFunds),
    ],
)
def test_what_cannot_be_moved_is_refused(
    database: Database, move: str, amount: str | None, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    living = desk_with_pool(database, "0")
    with pytest.raises(refusal):
        ask(living, move, amount, **fields)


def test_an_approval_of_something_else_moves_no_pool(database: Database) -> None:
    living = desk_with_pool(database, "0")
    with living.database.transaction() as tx:
        other = desk.ask(tx, "ada", "something_else", "x", {}, "", living.now)
    for approval_id in (other, 999, 2**40):
        with pytest.raises(errors.ApprovalNotFound):
            approve(living, approval_id)


def test_runway_is_the_whole_days_that_the_pool_pays_for_at_the_rates_in_force(database: Database) -> None:
    living = desk_with_pool(database, "100")
    assert (pool(living).days_left, pool(living).is_alarm) == (None, False)
    bands = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
    living.product("TIERED", "USDT", bands=bands)
    living.product("FIX", "USDT", apr="0.08", term_days=40)
    anna = living.customer("anna", USDT="11000")
    living.subscribe(anna, "TIERED", "4000")
    living.subscribe(anna, "TIERED", "6000")
    living.subscribe(anna, "FIX", "1000")
    tiers_and_locked = D("60") + D("36") + D("15") + D("80")
    living.revise("FIX", apr="5", at=living.now + timedelta(seconds=1))  # a locked position keeps its own
    living.passes(seconds=1)
    found = pool(living)
    assert found.day_basis == tiers_and_locked
    assert found.cost_per_day == D("0.52328767")
    assert found.days_left == 191  # 100 * 365 / 191 = 191.09..
    assert not found.is_alarm
    living.revise("TIERED", apr="0.365", at=living.now + timedelta(days=1))
    assert pool(living) == found  # what is announced is not in force
    living.passes(days=1)
    assert (pool(living).days_left, pool(living).is_alarm) == (9, True)
    assert (pool(living).cost_per_day, pool(living).left) == (D("10.21917808"), D(100))


def test_runway_of_an_overdrawn_pool_is_no_day(database: Database) -> None:
    living = desk_with_pool(database, "0")
    living.product("FLEX", "USDT", apr="0.365")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    living.passes(days=1)
    living.redeem(anna, "FLEX", "1")  # settles a day that nobody has funded
    assert (pool(living).left, pool(living).days_left, pool(living).is_alarm) == (D(-1), 0, True)


def test_maturities_show_principal_and_rewards_by_the_day_they_fall_due(database: Database) -> None:
    living = desk_with_pool(database, "1000")
    living.product("DAILY", "USDT", apr="0.365", term_days=3)
    living.product("LATER", "USDT", apr="0.365", term_days=3, payout="at_maturity")
    living.product("LONG", "USDT", apr="0.365", term_days=9)
    anna = living.customer("anna", USDT="10000")
    living.subscribe(anna, "DAILY", "1000")
    living.subscribe(anna, "DAILY", "500", at_maturity="renew")
    living.subscribe(anna, "LATER", "2000")
    living.subscribe(anna, "LONG", "100")
    living.passes(days=1)
    with living.database.transaction() as tx:
        found = treasury.maturities(tx, living.now, 3)
        with pytest.raises(errors.InvalidChoice):
            treasury.maturities(tx, living.now, 0)
    assert [(each.due_on, each.position_count, each.principal) for each in found] == [
        (date(2026, 1, 25), 3, D(3500))
    ]
    assert (found[0].principal_redeemed, found[0].rewards) == (D(3000), D(6))
    living.revise("LATER", apr="1", at=living.now + timedelta(hours=1))  # a locked rate stays
    living.product("FLOAT", "USDT", bands=[("0", "100", "0.73"), ("100", None, "0.365")], term_days=2,
                   payout="at_maturity", rate_policy="floating")  # fmt: skip
    living.subscribe(anna, "FLOAT", "50")
    living.subscribe(anna, "FLOAT", "100")
    living.revise("FLOAT", apr="0", at=living.now + timedelta(hours=20))  # the second day earns nothing
    with living.database.transaction() as tx:
        assert treasury.maturities(tx, living.now, 3)[0].rewards == D(6) + D("0.1") + D("0.15")
    living.comes(START + timedelta(days=5))
    assert pool(living).day_basis == D("36.5")  # what has matured costs nothing any more
    with living.database.transaction() as tx:
        overdue = treasury.maturities(tx, living.now, 1)
    assert [(each.due_on, each.principal) for each in overdue] == [(date(2026, 1, 27), D(3650))]
