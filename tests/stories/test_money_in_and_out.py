"""Rule 32: deposits and withdrawals are idempotent; a customer moves coins between Spot and Funding."""

import threading
from decimal import Decimal

import msgspec
import pytest
from tests.stories.stage import START, balances, customer, fund, set_up

from staddle import customers, errors
from staddle.customers import Deposit, TransferBetween, Withdraw
from staddle.db import Database, Tx


def put(
    number: int, key: str, amount: str, asset: str = "BTC", account: customers.Account = "spot"
) -> Deposit:
    return Deposit(customer_id=number, key=key, asset=asset, account=account, amount=Decimal(amount))


def take(number: int, key: str, amount: str) -> Withdraw:
    return Withdraw(customer_id=number, key=key, asset="BTC", account="spot", amount=Decimal(amount))


def transfers(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM transfer").fetchone()
    assert row is not None
    return int(row[0])


def cells_add_up(tx: Tx) -> bool:
    """Every cell's trial balance is zero in every asset."""
    return not tx.execute(
        "SELECT cell FROM balance GROUP BY cell, account_asset(account_id) HAVING sum(amount) <> 0"
    ).fetchall()


def test_a_deposit_credits_the_customer_against_custody(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        answer = customers.deposit(tx, [put(alice, "d1", "1.5", account="funding")], START)[0].unwrap()
        assert (answer.asset, answer.amount, answer.effective_at) == ("BTC", Decimal("1.5"), START)
        assert balances(tx, alice) == {"BTC funding": Decimal("1.5")}
        assert cells_add_up(tx)


def test_the_same_deposit_again_changes_nothing_and_gets_the_same_answer_for_ever(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        first = customers.deposit(tx, [put(alice, "d1", "1.5")], START)[0]
    with database.transaction() as tx:
        again = customers.deposit(tx, [put(alice, "d1", "1.5")], START.replace(year=2036))[0]
        assert (again.answer, again.is_replay) == (first.answer, True)
        assert balances(tx, alice) == {"BTC spot": Decimal("1.5")}


def test_the_same_amount_written_otherwise_is_the_same_request(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        first = customers.deposit(tx, [put(alice, "d1", "1.5")], START)[0]
        again = customers.deposit(tx, [put(alice, "d1", "1.500"), put(alice, "d1", "15E-1")], START)
        assert [outcome.answer for outcome in again] == [first.answer] * 2
        assert transfers(tx) == 1


def test_a_key_used_for_another_request_is_refused_whatever_the_difference(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        customers.deposit(tx, [put(alice, "d1", "1.5")], START)
        others = [
            put(alice, "d1", "1.6"),
            put(alice, "d1", "1.5", "USDT"),
            put(alice, "d1", "1.5", account="funding"),
        ]
        outcomes = customers.deposit(tx, others, START)
        outcomes += customers.withdraw(tx, [take(alice, "d1", "1.5")], START)
        assert [type(outcome.error) for outcome in outcomes] == [errors.RequestKeyReused] * 4
        assert balances(tx, alice) == {"BTC spot": Decimal("1.5")}


def test_h4_a_double_click_within_one_list_is_one_deposit(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice, bert = customer(tx, "alice"), customer(tx, "bert")
        clicks = [put(alice, "d1", "1"), put(alice, "d1", "1"), put(bert, "d1", "2"), put(alice, "d1", "3")]
        first, second, other, reused = customers.deposit(tx, clicks, START)
        assert first.answer == second.answer
        assert (first.is_replay, second.is_replay) == (False, True)
        assert other.unwrap().amount == 2
        assert isinstance(reused.error, errors.RequestKeyReused)
        assert transfers(tx) == 2


def test_two_customers_may_use_the_same_key(database: Database) -> None:
    with set_up(database).transaction() as tx:
        both = [put(customer(tx, name), "d1", "1") for name in ("alice", "bert")]
        assert all(outcome.error is None for outcome in customers.deposit(tx, both, START))


def test_one_bad_command_never_fails_its_neighbours(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        outcomes = customers.deposit(
            tx,
            [
                put(alice, "a", "1"),
                put(alice, "b", "1.000000001"),
                put(alice, "c", "0"),
                put(alice, "d", "-1"),
                put(alice, "e", "NaN"),
                put(alice, "f", "Infinity"),
                put(alice, "g", "1E+40"),
                put(alice, "h", "1E-9999999"),
                put(alice, "i", "1", "DOGE"),
                put(alice, "j", "1", account="earn"),  # type: ignore[arg-type]
                put(alice + 256, "k", "1"),
                put(0, "l", "1"),
                put(-1, "m", "1"),
                put(2**70, "n", "1"),
                put(alice, "", "1"),
                put(alice, "o\x00", "1"),
                put(alice, "\ud800", "1"),
                put(alice, "p" * 201, "1"),
                put(alice, "q", "2"),
            ],
            START,
        )
        assert [None if outcome.error is None else outcome.error.code() for outcome in outcomes] == [
            None,
            "too_many_decimals",
            "invalid_amount",
            "invalid_amount",
            "invalid_amount",
            "invalid_amount",
            "invalid_amount",
            "too_many_decimals",
            "asset_not_found",
            "invalid_choice",
            "customer_not_found",
            "customer_not_found",
            "customer_not_found",
            "customer_not_found",
            "invalid_key",
            "invalid_key",
            "invalid_key",
            "invalid_key",
            None,
        ]
        assert balances(tx, alice) == {"BTC spot": Decimal(3)}
        # What was not a valid request is not kept: put right, it goes through under the same key.
        assert customers.deposit(tx, [put(alice, "b", "1.5")], START)[0].unwrap().amount == Decimal("1.5")


def test_h16_the_whole_balance_can_leave_and_not_one_unit_more(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = fund(tx, "alice", "BTC", "1")
        more, exact, gone = customers.withdraw(
            tx,
            [take(alice, "w1", "1.00000001"), take(alice, "w2", "1"), take(alice, "w3", "0.00000001")],
            START,
        )
        assert isinstance(more.error, errors.InsufficientFunds)
        assert more.error.details == {"balance": "1.00000000"}
        assert exact.unwrap().amount == 1
        assert isinstance(gone.error, errors.InsufficientFunds)
        assert balances(tx, alice) == {"BTC spot": Decimal(0)}


def test_h17_a_customer_without_any_balance_has_nothing_to_withdraw(database: Database) -> None:
    with set_up(database).transaction() as tx:
        outcome = customers.withdraw(tx, [take(customer(tx, "alice"), "w1", "0.00000001")], START)[0]
        assert isinstance(outcome.error, errors.InsufficientFunds)
        assert transfers(tx) == 0


def test_a_refusal_is_kept_so_that_a_late_copy_moves_nothing(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = customer(tx, "alice")
        assert customers.withdraw(tx, [take(alice, "w1", "1")], START)[0].error is not None
        customers.deposit(tx, [put(alice, "d1", "5")], START)
        late = customers.withdraw(tx, [take(alice, "w1", "1")], START)[0]
        assert isinstance(late.error, errors.InsufficientFunds)
        assert late.is_replay
        assert balances(tx, alice) == {"BTC spot": Decimal(5)}


def test_spot_and_funding_exchange_in_the_order_of_the_list(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = fund(tx, "alice", "BTC", "1")
        there = TransferBetween(
            customer_id=alice,
            key="t1",
            asset="BTC",
            source="spot",
            destination="funding",
            amount=Decimal("0.4"),
        )
        back = TransferBetween(
            customer_id=alice,
            key="t2",
            asset="BTC",
            source="funding",
            destination="spot",
            amount=Decimal("0.4"),
        )
        same = TransferBetween(
            customer_id=alice, key="t3", asset="BTC", source="spot", destination="spot", amount=Decimal("0.4")
        )
        too_early, wrong = customers.transfer(tx, [back, same], START)
        assert isinstance(too_early.error, errors.InsufficientFunds)
        assert isinstance(wrong.error, errors.InvalidChoice)
        assert all(outcome.error is None for outcome in customers.transfer(tx, [there], START))
        assert balances(tx, alice) == {"BTC spot": Decimal("0.6"), "BTC funding": Decimal("0.4")}
        rest = msgspec.structs.replace(there, key="t4", amount=Decimal("0.6"))
        all_of_it = msgspec.structs.replace(back, key="t5", amount=Decimal(1))
        assert all(outcome.error is None for outcome in customers.transfer(tx, [rest, all_of_it], START))
        assert balances(tx, alice) == {"BTC spot": Decimal(1), "BTC funding": Decimal(0)}
        assert cells_add_up(tx)


def test_an_act_that_fails_halfway_leaves_nothing_behind(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = fund(tx, "alice", "BTC", "1")
    with pytest.raises(RuntimeError), database.transaction() as tx:
        customers.withdraw(tx, [take(alice, "w1", "1")], START)
        raise RuntimeError
    with database.transaction() as tx:
        assert balances(tx, alice) == {"BTC spot": Decimal(1)}
        assert customers.withdraw(tx, [take(alice, "w1", "1")], START)[0].is_replay is False


def test_h18_a_balance_is_never_spent_twice_however_many_withdraw_at_once(database: Database) -> None:
    with set_up(database).transaction() as tx:
        alice = fund(tx, "alice", "BTC", "10")
    errors_seen: list[type[Exception] | None] = []

    def withdraw_five(worker: int) -> None:
        for count in range(5):
            with database.transaction() as tx:
                outcome = customers.withdraw(tx, [take(alice, f"w{worker}-{count}", "1")], START)[0]
            errors_seen.append(None if outcome.error is None else type(outcome.error))

    workers = [threading.Thread(target=withdraw_five, args=(worker,)) for worker in range(6)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert errors_seen.count(None) == 10
    assert errors_seen.count(errors.InsufficientFunds) == 20
    with database.transaction() as tx:
        assert balances(tx, alice) == {"BTC spot": Decimal(0)}
        assert cells_add_up(tx)
