"""The books of a closed day: what moved, the trial balance over all cells, and that nothing changes it afterwards."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.living import Living

from staddle import ledger, rewards
from staddle.db import Database
from staddle.errors import ClosingNotFound, InvalidChoice
from staddle.rewards import Closing
from staddle.rewards.park import park

FIRST = date(2026, 1, 23)


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    living.product("LOCK", "USDT", apr="0.1", term_days=3, payout="at_maturity", rate_policy="floating")
    return living


def close(living: Living) -> int:
    return rewards.close_all(living.database, living.now)


def closing_of(living: Living, day: date) -> Closing:
    with living.database.transaction() as tx:
        return rewards.find_closing(tx, day)


def balances(closing: Closing, asset: str = "USDT") -> dict[str, Decimal]:
    [of_asset] = [each for each in closing.assets if each.asset == asset]
    assert of_asset.difference == 0
    return {line.account: line.balance for line in of_asset.lines if line.balance != 0}


def moves(closing: Closing, asset: str = "USDT") -> dict[str, tuple[int, Decimal]]:
    [of_asset] = [each for each in closing.assets if each.asset == asset]
    return {each.kind: (each.count, each.amount) for each in of_asset.movements}


def comes_to(living: Living, day: date, hour: int = 0, minute: int = 0) -> None:
    living.comes(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC))


def test_a_day_is_closed_once_its_run_is_finished(living: Living) -> None:
    assert close(living) == 0
    with living.database.transaction() as tx, pytest.raises(ClosingNotFound):
        rewards.find_closing(tx, FIRST)
    comes_to(living, FIRST, 1)
    assert close(living) == 0
    living.catch_up()
    assert (close(living), close(living)) == (1, 0)
    assert closing_of(living, FIRST).distributed_at == datetime(2026, 1, 23, tzinfo=UTC)


def test_the_trial_balance_is_of_the_distribution_however_late_it_is_drawn_up(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "365")
    comes_to(living, FIRST, 9)
    living.customer("bert", USDT="40")
    comes_to(living, date(2026, 1, 24), 9)
    living.customer("carl", USDT="2")
    comes_to(living, date(2026, 1, 25), 9)
    living.catch_up()
    assert close(living) == 3
    pool = Decimal(10) ** 12
    assert balances(closing_of(living, FIRST)) == {
        "spot": Decimal(635),
        "earn": Decimal(365),
        "reward_pool": pool,
        "custody": -pool - 1000,
    }
    second = closing_of(living, date(2026, 1, 24))
    assert balances(second)["spot"] == 675
    assert balances(second)["funding"] == Decimal("0.08") == -balances(second)["reward_expense"]
    assert moves(second) == {"deposit": (1, Decimal(40)), "reward": (1, Decimal("0.08"))}
    third = closing_of(living, date(2026, 1, 25))
    assert balances(third)["spot"] == 677
    assert moves(third) == {"deposit": (1, Decimal(2)), "reward": (1, Decimal("0.08"))}
    assert {line.account: line.change for line in third.assets[0].lines}["funding"] == Decimal("0.08")
    assert third.closed_before == second.closed_on


def test_what_happens_at_the_distribution_itself_is_of_the_next_day(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    comes_to(living, FIRST)
    living.deposit(anna, "USDT", "5")
    living.catch_up()
    close(living)
    assert balances(closing_of(living, FIRST))["spot"] == 1000
    comes_to(living, date(2026, 1, 24))
    living.catch_up()
    close(living)
    assert moves(closing_of(living, date(2026, 1, 24))) == {"deposit": (1, Decimal(5))}


def test_a_straggler_that_is_written_down_after_the_closing_belongs_to_the_next_one(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    comes_to(living, FIRST)
    living.catch_up()
    close(living)
    before = balances(closing_of(living, FIRST))
    # A deposit waited for its turn with an instant of before the distribution.
    living.now -= timedelta(seconds=1)
    living.deposit(anna, "USDT", "7")
    comes_to(living, date(2026, 1, 24))
    living.catch_up()
    close(living)
    assert balances(closing_of(living, FIRST)) == before
    assert moves(closing_of(living, date(2026, 1, 24))) == {"deposit": (1, Decimal(7))}


def test_rewards_that_are_paid_late_come_into_the_next_closing_and_change_none(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FLEX", "365")
    with living.database.transaction() as tx:
        park(tx, position, FIRST, Decimal(0), "a test", living.now)
    for day in (23, 24, 25):
        comes_to(living, date(2026, 1, day), 1)
        living.catch_up()
        close(living)
    with living.database.transaction() as tx:
        rewards.retry_parked(tx, "ada", position, living.now)
    assert "funding" not in balances(closing_of(living, date(2026, 1, 25)))
    comes_to(living, date(2026, 1, 26), 1)
    living.catch_up()
    close(living)
    assert moves(closing_of(living, date(2026, 1, 26))) == {"reward": (3, Decimal("0.24"))}
    assert balances(closing_of(living, date(2026, 1, 26)))["funding"] == Decimal("0.24")
    assert [each for each in rewards.audit(living.database) if not each.is_information] == []


def test_the_newest_closing_and_what_moved_since_is_what_the_accounts_hold(living: Living) -> None:
    people = [living.customer(f"customer {number}", USDT="1000") for number in range(20)]
    for person in people:
        living.subscribe(person, "FLEX", "100")
        living.subscribe(person, "LOCK", "50")
    for _ in range(6):
        living.passes(days=1)
        living.tick()
        living.redeem(people[3], "FLEX", "1.5", "spot")
        living.catch_up()
        close(living)
    with living.database.transaction() as tx:
        closings = rewards.latest_closings(tx, 100)
        held = ledger.house_balances(tx)
        for person in people:
            held |= ledger.balances_of_customer(tx, person)
    assert [each.closed_on for each in closings] == [date(2026, 1, day) for day in range(28, 22, -1)]
    now: dict[str, Decimal] = {}
    for account, amount in held.items():
        name = ledger.kind_of(account).name.lower()
        now[name] = now.get(name, Decimal(0)) + amount
    last = balances(closings[0])
    # Since the last distribution one redemption has moved 1.5 from Earn to Spot, with the rewards that it settled.
    assert now["spot"] - last["spot"] == Decimal("1.5")
    assert now["earn"] - last["earn"] == Decimal("-1.5")
    assert [each for each in rewards.audit(living.database) if not each.is_information] == []


def test_a_house_account_has_a_statement_by_day_and_kind(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "365")
    for day in (23, 24, 25):
        comes_to(living, date(2026, 1, day), 1)
        living.catch_up()
        close(living)
    with living.database.transaction() as tx:
        shown = rewards.house_statement(tx, "USDT", "reward_expense", 2)
        older = rewards.house_statement(tx, "USDT", "reward_expense", 2, shown.days[-1].closed_on)
        with pytest.raises(InvalidChoice):
            rewards.house_statement(tx, "USDT", "spot", 2)
    assert [(day.closed_on.day, day.opening, day.closing) for day in shown.days] == [
        (25, Decimal("-0.08"), Decimal("-0.16")),
        (24, Decimal(0), Decimal("-0.08")),
    ]
    assert [(line.kind, line.other_account, line.change) for line in shown.days[0].lines] == [
        ("reward", "funding", Decimal("-0.08"))
    ]
    assert [(day.closed_on.day, day.opening, day.closing) for day in older.days] == [
        (23, Decimal(0), Decimal(0))
    ]
    assert (shown.balance, shown.since_closing) == (Decimal("-0.16"), Decimal(0))


def test_ticking_closes_what_it_has_paid(living: Living) -> None:
    comes_to(living, date(2026, 1, 25), 1)
    assert rewards.tick(living.database, "ada", living.now).closings == 3
    assert rewards.tick(living.database, "ada", living.now).closings == 0
