"""What the database itself refuses, whoever asks past the acts: as the application's role, straight in SQL."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import tuple_row

from staddle.db import Database, Server
from staddle.ledger import MOVES

DEPOSIT = """
    INSERT INTO transfer (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount,
                          effective_at, request_key)
    SELECT t.cell, t.transfer_id + 256 * 1000000, t.transfer_id, {kind}, t.customer_id, {debit}, {credit}, {amount},
           t.effective_at, 'past the acts'
      FROM transfer t
     WHERE t.kind = 'deposit' AND account_asset(t.credit_account) = 1
     ORDER BY t.transfer_id LIMIT 1"""
USUAL = {"kind": "t.kind", "debit": "t.debit_account", "credit": "t.credit_account", "amount": "t.amount"}
REWARD_AGAIN = """
    INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
    SELECT credit_account, position_id, run_on, cell, {is_early}, amount, basis FROM reward
     WHERE run_on = (SELECT max(run_on) FROM run) AND is_early = {was_early} ORDER BY position_id LIMIT 1"""
REWARD_AHEAD = """
    INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
    SELECT reward_account, position_id, (SELECT max(run_on) FROM reward_piece), cell, {is_early}, 1, 365
      FROM position WHERE ended_at IS NULL ORDER BY position_id LIMIT 1"""
KEPT_FOR_EVER = (
    "transfer",
    "reward",
    "reward_2026_02_10",
    "request",
    "seal",
    "position_past",
    "forfeited_reward",
    "run_piece",
    "run_total",
    "rate_revision",
    "rate_tier",
    "consent",
    "agreement",
    "desk_log",
    "desk_log_seal",
    "approval_effect",
)


@pytest.fixture(scope="module")
def desk(server: Server, lived: str) -> Iterator[Database]:
    """One copy of the lived-in database for the whole file: nothing here is ever committed."""
    server.drop(f"{lived}_refuses")
    server.create(f"{lived}_refuses", lived)
    with Database(server.dsn_of(f"{lived}_refuses")) as database:
        yield database
    server.drop(f"{lived}_refuses")


def refused(desk: Database, *statements: str) -> str:
    """Do the statements in one transaction; gives the name of the constraint, or the state, that the last ran into."""
    with pytest.raises(psycopg.Error) as caught, desk.transaction() as tx:
        for statement in statements[:-1]:
            assert tx.execute(statement.encode()).rowcount > 0
        tx.execute(statements[-1].encode())
    return caught.value.diag.constraint_name or str(caught.value.sqlstate)


def test_an_account_of_a_customer_is_never_overdrawn(desk: Database) -> None:
    for kind in (1, 2, 3, 4, 10, 11):
        statement = f"UPDATE balance SET amount = -0.00000001 WHERE account_kind(account_id) = {kind}"
        assert refused(desk, statement) == "a_balance_is_never_below_zero"


def test_a_balance_is_never_finer_than_its_asset(desk: Database) -> None:
    assert (
        refused(desk, "UPDATE balance SET amount = amount + 0.000000001")
        == "a_balance_has_the_scale_of_its_asset"
    )


def test_a_transfer_like_those_of_the_acts_is_taken(desk: Database) -> None:
    with pytest.raises(ZeroDivisionError), desk.transaction() as tx:
        assert tx.execute(DEPOSIT.format(**USUAL).encode()).rowcount == 1
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("constraint", "changed"),
    [
        ("a_transfer_is_declared_in_the_chart", {"kind": "'withdrawal'"}),
        ("a_transfer_is_declared_in_the_chart", {"kind": "'forfeiture'"}),
        ("a_transfer_is_declared_in_the_chart", {"credit": "t.credit_account | 3"}),
        ("a_transfer_stays_within_one_asset", {"credit": "t.credit_account + 512"}),
        ("a_transfer_stays_within_one_asset", {"debit": "t.debit_account - 16"}),
        (
            "a_transfer_stays_within_one_customer_and_the_house",
            {"credit": "t.credit_account + (256::bigint << 19)"},
        ),
        ("a_transfer_moves_a_positive_amount", {"amount": "0"}),
        ("a_transfer_moves_a_positive_amount", {"amount": "-1"}),
        ("a_transfer_has_the_scale_of_its_asset", {"amount": "0.000000001"}),
        ("a_correction_names_what_it_corrects", {"kind": "'correction'"}),
    ],
)
def test_a_transfer_that_the_chart_does_not_know_is_refused(
    constraint: str, changed: dict[str, str], desk: Database
) -> None:
    assert refused(desk, DEPOSIT.format(**(USUAL | changed))) == constraint


def test_a_transfer_stays_within_its_cell(desk: Database) -> None:
    statement = DEPOSIT.format(**USUAL).replace("SELECT t.cell,", "SELECT t.cell + 1,")
    assert refused(desk, statement) == "a_transfer_stays_within_its_cell"


def test_a_transfer_is_corrected_once(desk: Database) -> None:
    correction = DEPOSIT.format(
        kind="'correction'", debit="t.credit_account", credit="t.debit_account", amount="t.amount"
    )
    correction = correction.replace("request_key)", "request_key, corrects)").replace(
        "'past the acts'", "'past the acts', t.transfer_id"
    )
    again = correction.replace("1000000", "1000001")
    assert refused(desk, correction, again) == "a_transfer_is_corrected_once"


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
@pytest.mark.parametrize("table", KEPT_FOR_EVER)
def test_what_happened_is_never_rewritten(table: str, verb: str, desk: Database) -> None:
    column = "cell = cell"
    if table in ("rate_revision", "rate_tier"):
        column = "revision = revision"
    elif table == "agreement":
        column = "version = version"
    elif table in ("run_piece", "run_total"):
        column = "reward_count = reward_count"
    elif table == "desk_log":
        column = "act = act"
    elif table == "desk_log_seal":
        column = "hash = hash"
    elif table == "approval_effect":
        column = "effect = effect"
    statement = {
        "UPDATE": f"UPDATE {table} SET {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table}",
    }[verb]
    assert refused(desk, statement) == "42501"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE position SET started_at = started_at",
        "UPDATE position SET opened_principal = opened_principal",
        "UPDATE position SET reward_account = reward_account",
        "UPDATE position SET locked_revision = 1",
        "DELETE FROM position",
        "DELETE FROM balance",
        "UPDATE balance SET account_id = account_id",
        "UPDATE run SET run_on = run_on",
        "DELETE FROM run",
        "UPDATE reward_piece SET is_filled = false",
        "UPDATE desk SET distribution_time = '12:00'",
        "UPDATE approval SET request = '{}'",
        "UPDATE approval SET asked_by = 'bob'",
        "DELETE FROM approval",
        "UPDATE desk SET is_sandbox = true",
        "DROP INDEX once_reward_2026_02_10",
        "ALTER TABLE transfer DROP CONSTRAINT a_transfer_is_declared_in_the_chart",
        "ALTER TABLE reward DETACH PARTITION reward_2026_02_10",
    ],
)
def test_what_is_settled_once_has_no_handle_for_the_application(statement: str, desk: Database) -> None:
    assert refused(desk, statement) == "42501"


@pytest.mark.parametrize("is_early", ["true", "false"])
@pytest.mark.parametrize("was_early", ["true", "false"])
def test_a_day_that_the_run_has_paid_is_not_paid_again(was_early: str, is_early: str, desk: Database) -> None:
    with desk.transaction() as tx:
        paid = tx.execute(f"SELECT 1 FROM reward WHERE is_early = {was_early} LIMIT 1".encode()).fetchone()
    assert paid is not None
    statement = REWARD_AGAIN.format(is_early=is_early, was_early=was_early)
    if was_early == "true":
        statement = statement.replace(
            "(SELECT max(run_on) FROM run)", "(SELECT max(run_on) FROM reward WHERE is_early)"
        )
    assert refused(desk, statement).startswith(("once_reward_", "early_reward_"))


def test_a_day_that_an_act_has_settled_ahead_of_the_run_is_not_settled_again(desk: Database) -> None:
    early = REWARD_AHEAD.format(is_early="true")
    assert refused(desk, early, early).startswith("early_reward_")


@pytest.mark.parametrize("first", ["true", "false"])
def test_a_run_that_pays_a_settled_day_again_cannot_close_its_piece(first: str, desk: Database) -> None:
    close = "SELECT close_reward_piece((SELECT max(run_on) FROM reward_piece), 0::smallint)"
    ahead = [REWARD_AHEAD.format(is_early=first), REWARD_AHEAD.format(is_early="false")]
    assert refused(desk, *ahead, close).startswith("once_reward_")


def test_a_piece_is_paid_and_closed_once(desk: Database) -> None:
    again = "INSERT INTO run_piece SELECT * FROM run_piece WHERE run_on = '2026-02-10'"
    assert refused(desk, again) == "a_piece_is_paid_once"
    assert refused(desk, "SELECT close_reward_piece('2026-02-10', 0::smallint)") == "P0001"


@pytest.mark.parametrize(
    ("constraint", "covers", "number"),
    [
        ("the_rewards_of_a_day_are_sealed_once", "rewards", "number + 1000000"),
        ("a_transfer_is_sealed_once", "transfers", "number + 1000000"),
        ("seal_pkey", "transfers", "number"),
    ],
)
def test_what_is_sealed_is_not_sealed_again(
    constraint: str, covers: str, number: str, desk: Database
) -> None:
    statement = (
        f"INSERT INTO seal SELECT cell, {number}, covers, first_transfer, last_transfer, run_on, late_positions,"
        f" row_count, previous_hash, hash, sealed_at FROM seal WHERE covers = '{covers}'"
    )
    assert refused(desk, statement) == constraint


def test_a_request_key_is_used_once(desk: Database) -> None:
    assert refused(desk, "INSERT INTO request SELECT * FROM request") == "a_request_key_is_used_once"


def test_a_reward_is_forfeited_once(desk: Database) -> None:
    statement = "INSERT INTO forfeited_reward SELECT * FROM forfeited_reward"
    assert refused(desk, statement) == "a_reward_is_forfeited_once"


def test_a_position_never_grows(desk: Database) -> None:
    statement = "UPDATE position SET principal = opened_principal + 1 WHERE ended_at IS NULL"
    assert refused(desk, statement) == "a_position_never_grows"


def test_an_ended_position_holds_nothing(desk: Database) -> None:
    statement = "UPDATE position SET principal = opened_principal WHERE ended_at IS NOT NULL"
    assert refused(desk, statement) == "an_ended_position_holds_nothing"


def test_a_quota_is_neither_oversold_nor_released_twice(desk: Database) -> None:
    oversold = "UPDATE quota SET used = ceiling + 0.00000001 WHERE ceiling IS NOT NULL"
    assert refused(desk, oversold) == "a_quota_is_never_oversold"
    assert refused(desk, "UPDATE quota SET used = -0.00000001") == "a_quota_is_never_released_twice"


def test_a_rate_is_never_backdated_nor_approved_by_one_person(desk: Database) -> None:
    statement = (
        "INSERT INTO rate_revision SELECT product_id, 99, {}, published_at, proposed_by, {}, NULL"
        " FROM rate_revision"
    )
    backdated = statement.format("published_at - interval '1 second'", "approved_by")
    assert refused(desk, backdated) == "a_rate_is_never_backdated"
    alone = statement.format("effective_at + interval '1 second'", "proposed_by")
    assert refused(desk, alone) == "a_rate_is_approved_by_a_second_person"


def permitted(desk: Database, table: str, constraint: str, columns: str) -> set[tuple[object, ...]]:
    """Hold every kind and pair of accounts there could be against a constraint as the database has it."""
    with desk.transaction() as tx:
        cursor = tx.cursor(row_factory=tuple_row)
        found = cursor.execute(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s",
            [table, constraint],
        ).fetchone()
        assert found is not None
        cursor.execute(
            f"SELECT {columns} FROM unnest(enum_range(NULL::transfer_kind)) AS kind,"
            " generate_series(0, 15::bigint) AS debit_account, generate_series(0, 15::bigint) AS credit_account"
            f" WHERE {found[0]}".encode()
        )
        return set(cursor.fetchall())


def test_the_chart_and_the_database_permit_the_same_moves(desk: Database) -> None:
    declared = {
        (kind, debit, credit) for kind, moves in MOVES.items() if kind != "reward" for debit, credit in moves
    }
    columns = "kind::text, debit_account, credit_account"
    assert permitted(desk, "transfer", "a_transfer_is_declared_in_the_chart", columns) == declared


def test_the_chart_and_the_database_let_rewards_go_to_the_same_accounts(desk: Database) -> None:
    declared = {(int(credit),) for _, credit in MOVES["reward"]}
    assert permitted(desk, "reward", "a_reward_is_declared_in_the_chart", "credit_account") == declared
