"""Rule 31: what a pool has been through, day by day, adds up to what the books say, to the last unit."""

from datetime import date, timedelta
from decimal import Decimal

from tests.living import START, Living, assert_books_hold
from tests.stories.test_reward_runs import heal, poison
from tests.stories.test_treasury import approve, ask, pool

from staddle import rewards, treasury
from staddle.db import Database
from staddle.ledger import AccountKind, account_of, house_balances
from staddle.treasury import PoolDay

D = Decimal


def history(living: Living, **wanted: object) -> list[PoolDay]:
    with living.database.transaction() as tx:
        return treasury.pool_history(tx, "USDT", living.now, **wanted)  # type: ignore[arg-type]


def lived(database: Database) -> tuple[Living, dict[date, D]]:
    """Twenty days of a desk: moves by two people, rewards, redemptions that settle, two forfeitures. Gives what the
    pool held each night after the run.
    """
    living = Living(database)
    living.asset("USDT", pool=D(0))
    approve(living, ask(living, "funding", "1000").approval_id)
    living.product("FLEX", "USDT", bands=(("0", "500", "0.12"), ("500", None, "0.008")))
    living.product("FIX", "USDT", apr="0.1", term_days=10)
    living.product("LATE", "USDT", apr="0.2", term_days=12, payout="at_maturity")
    names = {name: living.customer(name, USDT="5000") for name in ("anna", "ben", "carl")}
    leaving = {}
    for name, number in names.items():
        living.passes(hours=2)
        living.subscribe(number, "FLEX", "777.77777777")
        leaving[name] = [living.subscribe(number, code, "1000") for code in ("FIX", "LATE")]
    held = {}
    for day in range(1, 21):
        living.comes((START + timedelta(days=day)).replace(hour=0, minute=5))
        living.catch_up()
        held[living.now.date()] = pool(living).left
        living.passes(hours=15)  # past the hour at which positions complete their days
        if day == 4:
            living.leave_early(names["anna"], leaving["anna"][0])
            living.redeem(names["ben"], "FLEX", "100")
        if day == 6:
            living.leave_early(names["ben"], leaving["ben"][1])
            approve(living, ask(living, "income", None).approval_id)
        if day == 9:
            approve(living, ask(living, "withdrawal", "200").approval_id)
    return living, held


def test_every_day_adds_up_and_the_last_one_is_what_the_books_say(database: Database) -> None:
    living, held = lived(database)
    days = history(living)
    assert [day.on for day in days] == [START.date() + timedelta(days=back) for back in range(20, -1, -1)]
    assert days[0].left == pool(living).left
    before = D(0)
    for day in reversed(days):
        assert day.left == before + day.funded + day.income_used - day.withdrawn - day.rewards
        before = day.left
    with living.database.transaction() as tx:
        books = house_balances(tx)
        assert_books_hold(tx)
    expense = books[account_of(0, living.assets["USDT"], AccountKind.REWARD_EXPENSE)]
    income = books[account_of(0, living.assets["USDT"], AccountKind.FORFEITED_REWARDS)]
    assert sum(day.rewards for day in days) == -expense > 0
    assert sum(day.forfeited - day.income_used for day in days) == income
    by_day = {day.on: day for day in days}
    assert by_day[START.date()].funded == 1000
    assert by_day[START.date() + timedelta(days=9)].withdrawn == 200
    assert by_day[START.date() + timedelta(days=4)].forfeited > 0
    for on, at_night in held.items():  # what the books said each night, once the run was done
        day = by_day[on]
        assert day.left == at_night + day.funded + day.income_used - day.withdrawn or on == days[0].on
    used = by_day[START.date() + timedelta(days=6)]
    assert used.income_used == used.forfeited + by_day[START.date() + timedelta(days=4)].forfeited > 0


def test_the_rewards_of_a_day_are_those_of_its_distribution(database: Database) -> None:
    living, _ = lived(database)
    paid = living.rows("SELECT run_on, sum(amount) AS amount FROM reward GROUP BY run_on")
    today = living.now.date()
    expected: dict[date, D] = {}
    for row in paid:
        on = min(row.run_on, today)
        expected[on] = expected.get(on, D(0)) + row.amount
    assert {day.on: day.rewards for day in history(living) if day.rewards} == expected
    assert len(expected) > 15


def test_days_are_read_a_page_at_a_time(database: Database) -> None:
    living, _ = lived(database)
    whole = history(living)
    first = history(living, limit=8)
    second = history(living, limit=8, before=first[-1].on)
    third = history(living, limit=8, before=second[-1].on)
    assert [*first, *second, *third] == whole
    assert history(living, before=whole[-1].on) == []


def test_rewards_of_a_parked_position_count_once_it_is_paid(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("1000"))
    living.product("FLEX", "USDT", apr="0.365")
    anna, ben = living.customer("anna", USDT="1000"), living.customer("ben", USDT="1000")
    living.subscribe(anna, "FLEX", "1000")
    position = living.subscribe(ben, "FLEX", "500")
    poison(living, ben)
    living.passes(days=4)
    living.catch_up()
    assert [day.rewards for day in history(living)] == [1, 1, 1, 0, 0]
    assert history(living)[0].left == pool(living).left
    heal(living, ben)
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position, living.now)
    assert [day.rewards for day in history(living)] == [D("1.5"), D("1.5"), D("1.5"), D(0), D(0)]
    assert history(living)[0].left == pool(living).left
